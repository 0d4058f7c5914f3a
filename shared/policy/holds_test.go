package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, own string
		letters   int // the number of letters in which the names differ; -1 if they are not similar
	}{
		{"anna@x.example", "anna@x.example", 0}, {"anna@x.example", "ANNA@x.example", 0}, {"anna@x.example", "ana@x.example", 1},
		{"anna@x.example", "an@x.example", 2}, {"anna@x.example", "a@x.example", -1}, {"anna@x.example", "annaab@x.example", 2}, {"anna@x.example", "annaabc@x.example", -1},
		{"anna@x.example", "anna@y.example", 2}, {"anna@x.example", "ana@y.example", -1}, {"anna@x.example", "anna", 2},
		{"breakglass@x.example", "brkglass@x.example", 2}, {"breakglass@x.example", "brkgls@x.example", -1}, {"breakglass@x.example", "breakgl@x.example", 3},
		{"breakglass@x.example", "breakg@x.example", -1}, {"breakglass@x.example", "breakglassabc@x.example", 3}, {"breakglass@x.example", "breakglassabcd@x.example", -1},
		{"anna@x.example", "anna@" + strings.Repeat("y", maxText), -1}, {"a", "abc", 2}, // the person has no other name
	} {
		like, letters := Nearest(tc.name, &directory.Person{Entra: &directory.EntraUser{UserPrincipalName: tc.own}})
		if alike := tc.letters >= 0; (like == tc.own) != alike || alike && letters != tc.letters || !alike && like != "" {
			t.Errorf("%s and %s: %q, %d letters, want %d", tc.name, tc.own, like, letters, tc.letters)
		}
	}
	p := &directory.Person{Entra: &directory.EntraUser{UserPrincipalName: "annab@x.example", ID: "anna@x.example"}, AD: &directory.ADUser{SAMAccount: "annabc@x.example"}}
	if like, letters := Nearest("anna@x.example", p); like != "anna@x.example" || letters != 0 {
		t.Errorf("of several: %q, %d", like, letters)
	}
}

// Empty returns the attributes in a rule's conditions that have no value for a person. It omits dates of use, and
// attributes that were not read.
func TestEmptyAttributes(t *testing.T) {
	t.Parallel()
	p := load(t, `
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, for: 'systemRole == "Employee" && department != "x" && accountEnabled', when: AzureAdSistaLogon.hasNoValue() || created.value() < now - days(9), then: remove}]
`)
	for name, tc := range map[string]struct {
		change func(*directory.Person)
		want   []string
	}{
		"all is filled":      {func(*directory.Person) {}, nil},
		"no role":            {func(p *directory.Person) { p.Entra.EmployeeType = "" }, []string{"systemRole"}},
		"neither":            {func(p *directory.Person) { p.Entra.EmployeeType, p.Entra.Department = "", "" }, []string{"systemRole", "department"}},
		"no creation":        {func(p *directory.Person) { p.Entra.Created, p.AD.Created = time.Time{}, time.Time{} }, []string{"created"}},
		"never signed in":    {func(p *directory.Person) { p.Entra.LastSuccessful = time.Time{} }, nil},
		"Entra was not read": {func(p *directory.Person) { p.Entra, p.EntraState = nil, directory.NotRead }, nil},
	} {
		who := employee()
		who.Entra.Department, who.Entra.LastSuccessful = "Sales", noon
		tc.change(who)
		j := judge(t, p, noon)
		got := slices.Collect(j.Empty(p.Rules[0], who))
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		for range j.Empty(p.Rules[0], who) {
			break // the loop may end early
		}
	}
}

// A person holds a product through any assignment, in any state. If Entra ID was not read, it is unknown whether the
// person holds the product.
func TestHolds(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	j := judge(t, p, noon)
	held := func(skus ...string) *directory.EntraUser {
		u := &directory.EntraUser{}
		for _, s := range skus {
			u.Assignments = append(u.Assignments, directory.Assignment{SKU: s})
		}
		return u
	}
	for name, tc := range map[string]struct {
		person directory.Person
		want   directory.Flag
	}{
		"the product":             {directory.Person{EntraState: directory.Present, Entra: held("visio", "e3")}, directory.Yes},
		"another product":         {directory.Person{EntraState: directory.Present, Entra: held("visio")}, directory.No},
		"nothing":                 {directory.Person{EntraState: directory.Present, Entra: held()}, directory.No},
		"the accounts contradict": {directory.Person{EntraState: directory.Contradictory, Entra: held("e3")}, directory.Yes},
		"no account":              {directory.Person{EntraState: directory.NoAccount}, directory.No},
		"not read":                {directory.Person{EntraState: directory.NotRead}, directory.Unset},
		"not read any more":       {directory.Person{EntraState: directory.NotRead, Entra: held("visio")}, directory.Unset},
		"missing":                 {directory.Person{EntraState: directory.Missing, Entra: held("visio")}, directory.Unset},
		"present, but not read":   {directory.Person{EntraState: directory.Present}, directory.Unset},
	} {
		if got := j.holds(p.LicenseNamed("m365-e3"), &tc.person); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// Two licenses of a policy name the same product: one by its part number, and the other by its skuId. NewJudge rejects
// this policy.
func TestTwoNamesOfOneProduct(t *testing.T) {
	t.Parallel()
	p := load(t, `
licenses: {a: {sku: SPE_E3}, b: {sku: OTHER}, c: {sku: e3-id}}
rules: [{name: r, license: a, when: AzureAdSistaLogon.hasNoValue(), then: remove}]
`)
	_, err := p.NewJudge(map[string]string{"SPE_E3": "1", "OTHER": "2", "e3-id": "1"}, noon)
	if err == nil || err.Error() != "licenses a and c are the same product 1; name it once" {
		t.Error(err)
	}
	if _, err := p.NewJudge(map[string]string{"SPE_E3": "1", "OTHER": "2", "e3-id": "3"}, noon); err != nil {
		t.Error(err)
	}
}

// GivingGroups returns the groups whose memberships count for the grace newHolder. It returns none if the policy lacks
// this grace, and none for a license without a rule.
func TestGivingGroups(t *testing.T) {
	t.Parallel()
	key := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)
	without, _, _ := strings.Cut(twoRules, "  - name: citrix")
	for text, want := range map[string][]string{twoRules: nil, "grace: {newHolder: 1}\n" + without: nil, "grace: {newHolder: 1}\n" + twoRules: {key}, "grace: {neverSignedIn: 9}\n" + twoRules: nil} {
		if d := cmp.Diff(want, load(t, text).GivingGroups(directory.AD)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if got := load(t, text).GivingGroups(directory.Entra); got != nil {
			t.Errorf("groups of Active Directory are asked of Entra ID: %v", got)
		}
	}
}

// If several graces hold, the one that ends last counts. If none certainly holds and some are unknown, the reason names
// all values that are unknown.
func TestGraceOfSeveralReasons(t *testing.T) {
	t.Parallel()
	no := grace{flag: directory.No}
	yes := func(days int) grace { return grace{flag: directory.Yes, ends: noon.AddDate(0, 0, days), reason: "r"} }
	unknown := func(name string) grace {
		return grace{flag: directory.Unset, unknown: func(g *gaps) { g.add(name, name, "was not read") }}
	}
	for name, tc := range map[string]struct {
		a, b  grace
		flag  directory.Flag
		days  int      // days until the grace ends
		names []string // names that are unknown
	}{
		"neither":                 {no, no, directory.No, 0, nil},
		"the first":               {yes(3), no, directory.Yes, 3, nil},
		"the second":              {no, yes(3), directory.Yes, 3, nil},
		"both, the first longer":  {yes(5), yes(3), directory.Yes, 5, nil},
		"both, the second longer": {yes(3), yes(5), directory.Yes, 5, nil},
		"one, the other unknown":  {yes(3), unknown("b"), directory.Yes, 3, nil},
		"unknown, then one":       {unknown("a"), yes(3), directory.Yes, 3, nil},
		"one unknown":             {unknown("a"), no, directory.Unset, 0, []string{"a"}},
		"the other unknown":       {no, unknown("b"), directory.Unset, 0, []string{"b"}},
		"both unknown":            {unknown("a"), unknown("b"), directory.Unset, 0, []string{"a", "b"}},
	} {
		got := tc.a.or(tc.b)
		var g gaps
		if got.unknown != nil {
			got.unknown(&g)
		}
		if d := cmp.Diff(tc.names, g.names); d != "" {
			t.Errorf("%s: unknown (-want +got):\n%s", name, d)
		}
		if got.flag != tc.flag || tc.days > 0 && !got.ends.Equal(noon.AddDate(0, 0, tc.days)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// The error about a missing product lists some products of the tenant, without ids.
func TestProductsOfTheTenant(t *testing.T) {
	t.Parallel()
	p := load(t, "licenses: {a: {sku: MISSING}}\nrules: [{name: r, license: a, when: AzureAdSistaLogon.hasNoValue(), then: remove}]\n")
	const id = "11111111-2222-3333-4444-555555555555"
	for n, want := range map[int]string{0: `"MISSING"`, 1: "; it has P00", mostListed: "; it has P00", mostListed + 1: ", …"} {
		has := map[string]string{id: id}
		for i := range n {
			has[fmt.Sprintf("P%02d", i)] = id
		}
		_, err := p.NewJudge(has, noon)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), id) || strings.Contains(err.Error(), "…") != (n > mostListed) || strings.Contains(err.Error(), "it has") != (n > 0) {
			t.Errorf("%d products: %v, want %q", n, err, want)
		}
	}
}
