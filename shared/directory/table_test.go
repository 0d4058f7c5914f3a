package directory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	t.Parallel()
	type line struct {
		Name, Source, Column string
		Kind                 Kind
		Meaning              Meaning
	}
	all := map[string]line{}
	for _, p := range EntraProperties {
		all["entra."+p.Column] = line{p.Name, p.Source, p.Column, p.Kind, p.Meaning}
	}
	for _, p := range ADProperties {
		all["ad."+p.Column] = line{p.Name, p.Source, p.Column, p.Kind, p.Meaning}
	}
	want := map[string]line{
		"entra.employee_id":              {"employeeId", "employeeId", "employee_id", Text, Plain},
		"entra.sid":                      {"", "onPremisesSecurityIdentifier", "sid", Text, Plain},
		"entra.created":                  {"created", "createdDateTime", "created", Date, Creation},
		"entra.last_successful_sign_in":  {"lastSuccessfulSignIn", "signInActivity/lastSuccessfulSignInDateTime", "last_successful_sign_in", Date, Activity},
		"entra.extension_attribute15":    {"extensionAttribute15", "onPremisesExtensionAttributes/extensionAttribute15", "extension_attribute15", Text, Plain},
		"entra.on_premises_sync_enabled": {"onPremisesSyncEnabled", "onPremisesSyncEnabled", "on_premises_sync_enabled", Bool, Plain},
		"ad.distinguished_name":          {"distinguishedName", "", "distinguished_name", Text, Plain},
		"ad.employee_id":                 {"employeeID", "employeeID", "employee_id", Text, Plain},
		"ad.account_enabled":             {"accountEnabled", "userAccountControl", "account_enabled", Bool, Plain},
		"ad.dates_in_doubt":              {"", "", "dates_in_doubt", Bool, Plain},
	}
	for name, w := range want {
		if d := cmp.Diff(w, all[name]); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if n := len(EntraProperties) + len(ADProperties); len(all) != n {
		t.Errorf("%d columns for %d properties: two share a name", len(all), n)
	}
}

// TestTableReachesEveryProperty sets each property that is not a date, through the table. No other property may change,
// and the field with which a policy reads the property must return the value.
func TestTableReachesEveryProperty(t *testing.T) {
	t.Parallel()
	reaches(t, "entra", EntraProperties, func(u *EntraUser) *Person { return &Person{Entra: u, EntraState: Present} })
	reaches(t, "ad", ADProperties, func(u *ADUser) *Person { return &Person{AD: u, ADState: Present} })
}

func reaches[A any](t *testing.T, source string, table []Property[A], person func(*A) *Person) {
	for _, p := range table {
		account := new(A)
		want := Value{State: Known}
		switch at := p.At(account).(type) {
		case *string:
			*at, want.Text = "x", "x"
		case *bool:
			*at, want.Bool = true, true
		case *Flag:
			*at, want.Bool = Yes, true
		default: // a date
			continue
		}
		changed := 0
		for _, o := range table {
			if o.of(account) != o.of(new(A)) {
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("%s.%s is kept where %d properties are", source, p.Column, changed)
		}
		if p.Name == "" {
			continue
		}
		f, ok := FieldNamed(source + "." + p.Name)
		if !ok || f.Of(person(account)) != want {
			t.Errorf("%s.%s is no field with the value that was written", source, p.Name)
		}
	}
}
