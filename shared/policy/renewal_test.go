package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestNextRenewal(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, c := range []struct {
		renews   string
		from     string
		want     string // "" if none is known
		inPolicy string
	}{
		{"2027-03-01", "2026-11-29T10:00:00Z", "2027-03-01T00:00:00Z", ""},
		{"2027-03-01", "2027-03-01T00:00:00Z", "2027-03-01T00:00:00Z", ""},
		{"2027-03-01", "2027-03-01T00:00:01Z", "", ""},
		{"03-01", "2026-11-29T10:00:00Z", "2027-03-01T00:00:00Z", ""},
		{"03-01", "2027-03-01T00:00:00Z", "2027-03-01T00:00:00Z", ""},
		{"03-01", "2027-03-01T00:00:01Z", "2028-03-01T00:00:00Z", ""},
		{"12-31", "2026-12-31T23:30:00-02:00", "2027-12-31T00:00:00Z", ""}, // already 2027 in UTC
		{"01-01", "2026-12-31T23:30:00-02:00", "2028-01-01T00:00:00Z", ""},
		{"monthly", "2026-12-31T23:30:00-02:00", "2027-02-01T00:00:00Z", ""},
		{"monthly", "2026-11-29T10:00:00Z", "2026-12-01T00:00:00Z", ""},
		{"monthly", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", ""},
		{"monthly", "2026-12-01T00:00:01Z", "2027-01-01T00:00:00Z", ""},
		{`"03-01"`, "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "03-01"},
	} {
		p, err := Load("p", []byte(strings.Replace(right, "exo: {sku: EXO}", "exo: {sku: EXO, renews: "+c.renews+"}", 1)))
		if err != nil {
			t.Fatalf("%s: %v", c.renews, err)
		}
		r := p.LicenseNamed("exo").Renews
		got := r.Next(at(c.from))
		if got.IsZero() != (c.want == "") || c.want != "" && !got.Equal(at(c.want)) {
			t.Errorf("%s, from %s: %v, want %s", c.renews, c.from, got, c.want)
		}
		if c.inPolicy == "" {
			c.inPolicy = c.renews
		}
		if r.String() != c.inPolicy {
			t.Errorf("%s is written as %s", c.renews, r)
		}
	}
}

// A value of the Payer is nil if it was not read, or if its attribute is no text.
func TestPayer(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	person := func() *directory.Person {
		return &directory.Person{EntraState: directory.Present, Entra: &directory.EntraUser{ID: "1", Department: "Sales"}}
	}
	for name, c := range map[string]struct {
		attributes string
		person     *directory.Person
		want       directory.Payer
	}{
		"department":         {person: person(), want: directory.Payer{Department: text("Sales")}},
		"none":               {person: &directory.Person{EntraState: directory.Present, Entra: &directory.EntraUser{ID: "1"}}, want: directory.Payer{Department: text("")}},
		"cost center":        {attributes: "costCenter: entra.companyName", person: person(), want: directory.Payer{Department: text("Sales"), CostCenter: text("")}},
		"another department": {attributes: "department: ad.department", person: person(), want: directory.Payer{}},
		"not read":           {person: &directory.Person{EntraState: directory.NotRead}, want: directory.Payer{}},
		"a group":            {attributes: "costCenter: {memberOf: {entra: Sales}}", person: person(), want: directory.Payer{Department: text("Sales")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := Load("p", []byte(strings.Replace(right, "staff: {memberOf: {entra: Staff}}", "staff: {memberOf: {entra: Staff}}\n  "+c.attributes, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&c.want, p.Payer(c.person)); d != "" {
				t.Errorf("payer (-want +got):\n%s", d)
			}
		})
	}
}
