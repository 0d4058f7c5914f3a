package directory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSightings(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	known := func(days ...int) (p Past) {
		for i, n := range days {
			p.Newest[i] = at(n)
		}
		return p
	}
	for name, tc := range map[string]struct {
		entra     *EntraUser
		ad        *ADUser
		want, log *Sighting
	}{
		"nothing new":             {&EntraUser{ID: "a", LastInteractive: at(3), Past: known(3)}, nil, nil, nil},
		"the same second":         {&EntraUser{ID: "a", LastInteractive: at(3).Add(time.Second / 2), Past: known(3)}, nil, nil, nil},
		"no dates":                {&EntraUser{ID: "a", Past: known(3)}, nil, nil, nil},
		"signed in":               {&EntraUser{ID: "a", LastInteractive: at(4), Past: known(3)}, nil, &Sighting{"a", [3]time.Time{at(4)}, at(9)}, nil},
		"in another way":          {&EntraUser{ID: "a", LastInteractive: at(3), LastNonInteractive: at(5), Past: known(3, 4)}, nil, &Sighting{"a", [3]time.Time{at(3), at(5)}, at(9)}, nil},
		"no reading knew a date":  {&EntraUser{ID: "a", LastInteractive: at(4)}, nil, &Sighting{"a", [3]time.Time{at(4)}, at(9)}, nil},
		"another date went back":  {&EntraUser{ID: "a", LastInteractive: at(2), LastSuccessful: at(7), Past: known(3, 0, 4)}, nil, &Sighting{"a", [3]time.Time{at(2), {}, at(7)}, at(9)}, nil},
		"nobody in Entra ID":      {nil, &ADUser{SID: "s", LastLogonTimestamp: at(6)}, nil, &Sighting{"s", [3]time.Time{at(6)}, at(9)}},
		"logged on alone":         {&EntraUser{ID: "a", Past: known()}, &ADUser{SID: "s", LastLogonTimestamp: at(6), Past: known(5)}, nil, &Sighting{"s", [3]time.Time{at(6)}, at(9)}},
		"both":                    {&EntraUser{ID: "a", LastInteractive: at(4), Past: known(3)}, &ADUser{SID: "s", LastLogonTimestamp: at(6), Past: known(5)}, &Sighting{"a", [3]time.Time{at(4)}, at(9)}, &Sighting{"s", [3]time.Time{at(6)}, at(9)}},
		"the same logon":          {nil, &ADUser{SID: "s", LastLogonTimestamp: at(6), Past: known(6)}, nil, nil},
		"a logon from the future": {nil, &ADUser{SID: "s", LastLogonTimestamp: at(6), DatesInDoubt: true, Past: known(5)}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entra, ad := (&Person{Entra: tc.entra, AD: tc.ad}).Sightings(at(9))
			if d := cmp.Diff([]*Sighting{tc.want, tc.log}, []*Sighting{entra, ad}); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Past.LoggedOn is a logon that was read from every controller. If the replicated date is earlier or missing, the field
// has the value of Past.LoggedOn. If the replicated date is hidden or in doubt, the field is unknown all the same.
func TestLoggedOnBeforeTheReplicatedDate(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	f, _ := FieldNamed("ad.lastLogonTimestamp")
	for name, tc := range map[string]struct {
		account ADUser
		stale   string
		want    Value
	}{
		"earlier":      {ADUser{LastLogonTimestamp: at(3)}, "", Value{State: Known, Time: at(5)}},
		"missing":      {ADUser{}, "", Value{State: Known, Time: at(5)}},
		"later":        {ADUser{LastLogonTimestamp: at(7)}, "", Value{State: Known, Time: at(7)}},
		"hidden":       {ADUser{Unreadable: []string{"lastLogonTimestamp"}}, "", Value{}},
		"went back":    {ADUser{LastLogonTimestamp: at(3), Past: Past{Newest: [ActivityDates]time.Time{at(4)}}}, "", Value{}},
		"in doubt":     {ADUser{LastLogonTimestamp: at(3), DatesInDoubt: true}, "", Value{}},
		"lost":         {ADUser{DatesLost: at(4)}, "", Value{}},
		"a stale feed": {ADUser{LastLogonTimestamp: at(3)}, "stale", Value{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Person{AD: &tc.account, ADState: Present}
			p.AD.Past.LoggedOn = at(5)
			p.Stale[AD] = tc.stale
			if d := cmp.Diff(tc.want, f.Of(&p)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
