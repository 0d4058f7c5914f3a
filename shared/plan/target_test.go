package plan

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// TestWhichTargetsMayHold: a person can hold a product directly or through a group. A person can hold a license that is
// membership in a group only through a group of the same directory.
func TestWhichTargetsMayHold(t *testing.T) {
	t.Parallel()
	inEntra, inAD := &directory.GroupRef{Name: "G"}, &directory.GroupRef{Source: directory.AD, Name: "CN=G"}
	for name, tc := range map[string]struct {
		license policy.License
		want    []Via
	}{
		"a product":                            {policy.License{SKU: "E3"}, []Via{Direct, EntraGroup}},
		"a product of a group of Entra ID":     {policy.License{SKU: "E3", Group: inEntra}, []Via{Direct, EntraGroup}},
		"a product of a synced group":          {policy.License{SKU: "E3", Group: inAD}, []Via{Direct, ADGroup}},
		"membership of a group of Entra ID":    {policy.License{Group: inEntra}, []Via{EntraGroup}},
		"membership of one of the other place": {policy.License{Group: inAD}, []Via{ADGroup}},
	} {
		var got []Via
		for _, via := range Targets() {
			if via.May(&tc.license) {
				got = append(got, via)
			}
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if unknown := Via("by pigeon"); unknown.May(&policy.License{SKU: "E3"}) || unknown.Known() || unknown.WrittenIn() != directory.Entra || (&Route{Via: unknown}).Unfit(&directory.Person{}) != "" {
		t.Error("an unknown target is not one that does nothing")
	}
}

// TestUnfit: Graph assigns no license directly to a person without a usage location. Members of groups need none.
func TestUnfit(t *testing.T) {
	t.Parallel()
	for _, via := range Targets() {
		if !via.Known() {
			t.Errorf("%s is not known", via)
		}
		for _, location := range []string{"", "SE"} {
			why := (&Route{Via: via}).Unfit(&directory.Person{Entra: &directory.EntraUser{UsageLocation: location}})
			if unfit := via == Direct && location == ""; unfit != (why != "") {
				t.Errorf("%s, in %q: %q", via, location, why)
			}
		}
	}
}

// TestWhereALicenseIsHeld: Route finds the one target in which a person holds a license. It refuses a license that is
// held in two ways at once, or not at all.
func TestWhereALicenseIsHeld(t *testing.T) {
	t.Parallel()
	p, skus := licensed(t)
	paths := func(groups ...string) *directory.Person {
		u := &directory.EntraUser{Assignments: []directory.Assignment{{SKU: "visio", Group: "g-visio", State: "Active"}}}
		for _, g := range groups {
			u.Assignments = append(u.Assignments, directory.Assignment{SKU: "e3", Group: g, State: "Active"})
		}
		return &directory.Person{Entra: u, EntraState: directory.Present}
	}
	for name, tc := range map[string]struct {
		person  *directory.Person
		via     Via
		refusal string
	}{
		"directly":           {paths(""), Direct, ""},
		"directly, twice":    {paths("", ""), Direct, ""},
		"by its group":       {paths("g-e3"), EntraGroup, ""},
		"by both":            {paths("g-e3", ""), "", "held directly and through a group at once"},
		"by three groups":    {paths("g-e3", "g-other", "g-third"), "", "held through 3 groups at once"},
		"not any more":       {paths(), "", "no longer held"},
		"no account":         {&directory.Person{AD: &directory.ADUser{SID: "S"}}, "", "no longer held"},
		"by another's group": {paths("g-other"), "", "held through the group g-other, which is not entra:LIC-E3 of the policy"},
	} {
		groups := []directory.Group{{Ref: directory.GroupRef{Name: "LIC-E3"}, ID: "g-e3", Grants: []string{"e3"}}, {Ref: directory.GroupRef{Name: "LIC-EXO"}, ID: "g-exo", Grants: []string{"exo"}}}
		got, refusal := TenantOf(skus, groups, nil).Route(tc.person, p.RuleNamed("exo"), nil)
		if d := cmp.Diff(fmt.Sprint(tc.via, tc.refusal), fmt.Sprint(got.Via, refusal)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
