package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestFreesNothing: only a seat that is counted by person comes free.
func TestFreesNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		license License
		want    string
	}{
		"a product":                   {License{SKU: "SPE_E3"}, ""},
		"a product, whatever is said": {License{SKU: "SPE_E3", Model: PerDevice}, ""},
		"by user":                     {License{Model: PerUser}, ""},
		"by device":                   {License{Model: PerDevice}, "its seats are counted by device"},
		"by session":                  {License{Model: Concurrent}, "its seats are counted by sessions at one time"},
		"not said":                    {License{}, "whether a seat comes free is not known"},
	} {
		if got := tc.license.FreesNothing(); (tc.want == "") != (got == "") || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestGuardsMailbox: what is changed to decides, and where nothing is, what is taken.
func TestGuardsMailbox(t *testing.T) {
	t.Parallel()
	small, any := &License{MailboxQuota: 50}, &License{}
	for _, tc := range []struct {
		rule Rule
		want bool
	}{
		{Rule{License: any, ChangeTo: small}, true}, {Rule{License: small, ChangeTo: any}, false},
		{Rule{License: small}, true}, {Rule{License: any}, false},
	} {
		if got := tc.rule.GuardsMailbox(); got != tc.want {
			t.Errorf("%+v: %t", tc.rule, got)
		}
	}
}

// TestKeyOfARule: every edit that changes whom it is about, or what becomes of them,
// makes another rule of it.
func TestKeyOfARule(t *testing.T) {
	t.Parallel()
	e3, exo := &License{Name: "e3"}, &License{Name: "exo"}
	rules := []Rule{
		{Name: "r", License: e3, WhenSource: "a"}, {Name: "q", License: e3, WhenSource: "a"}, {Name: "r", License: exo, WhenSource: "a"}, {Name: "r", License: e3, WhenSource: "b"},
		{Name: "r", License: e3, ForSource: "a"}, {Name: "r", License: e3, WhenSource: "a", ChangeTo: exo}, {Name: "r", License: e3, WhenSource: "a", ChangeTo: &License{Name: "f3"}},
	}
	keys := map[string]int{}
	for i := range rules {
		if other, same := keys[rules[i].Key()]; same {
			t.Errorf("rules %d and %d are one", i, other)
		}
		keys[rules[i].Key()] = i
	}
	if same := (&Rule{Name: "r", License: &License{Name: "e3"}, WhenSource: "a", Notice: 14}).Key(); same != rules[0].Key() {
		t.Errorf("another notice makes another rule: %s", same)
	}
}

// TestFirstRuleOfALicense is the first of that license.
func TestFirstRuleOfALicense(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules+`
  - {name: later, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}
`)
	for license, want := range map[string]string{"m365-e3": "m365", "citrix": "citrix", "exchange-online": ""} {
		got := ""
		if r := p.FirstRule(p.LicenseNamed(license)); r != nil {
			got = r.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", license, got, want)
		}
	}
	if d := cmp.Diff([]string{"SPE_E3", "EXCHANGESTANDARD"}, p.SKUs()); d != "" {
		t.Errorf("products (-want +got):\n%s", d)
	}
	if got := p.LongestSpan(); got != 90*day {
		t.Errorf("the longest span is %s", got)
	}
}

// TestRests: on which attributes of Active Directory a policy rests.
func TestRests(t *testing.T) {
	t.Parallel()
	const licenses = "licenses: {m365-e3: {sku: SPE_E3}}\n"
	rule := func(when string) string {
		return licenses + "rules: [{name: r, license: m365-e3, when: '" + when + "', then: remove}]\n"
	}
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"of Entra alone":       {rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp", "mS-DS-ConsistencyGuid"}},
		"another anchor":       {"anchor: employeeID\n" + rule("AzureAdSistaLogon.hasNoValue()"), []string{"employeeID", "lastLogonTimestamp"}},
		"an anchor never hid":  {"anchor: objectGUID\n" + rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp"}},
		"a rule reads it":      {rule("created.value() < now - days(9)"), []string{"lastLogonTimestamp", "mS-DS-ConsistencyGuid", "whenCreated"}},
		"somebody is listed":   {"exempt: {users: [a@x.example]}\n" + rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp", "mS-DS-ConsistencyGuid", "userPrincipalName"}},
		"somebody is on leave": {"exempt: {leave: [{user: a@x.example, until: 2027-01-01}]}\n" + rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp", "mS-DS-ConsistencyGuid", "userPrincipalName"}},
	} {
		if d := cmp.Diff(tc.want, load(t, tc.text).Rests()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestListedNames: those that exempt somebody now, and what is said of those that do no
// longer.
func TestListedNames(t *testing.T) {
	t.Parallel()
	p := load(t, exempting)
	leave := p.Exempt.Leave[0].Until
	const always = "boss@contoso.example id-7 jürgen@contoso.example"
	for at, want := range map[time.Time][]string{
		noon:                    {"boss@contoso.example", "id-7", "jürgen@contoso.example", "kim@contoso.example", "short@contoso.example"},
		leave.Add(-time.Second): {"boss@contoso.example", "id-7", "jürgen@contoso.example", "kim@contoso.example"},
		leave:                   strings.Fields(always),
		leave.AddDate(-1, 0, 0): {"back@contoso.example", "boss@contoso.example", "id-7", "jürgen@contoso.example", "kim@contoso.example", "short@contoso.example"},
	} {
		if d := cmp.Diff(want, p.Listed(at)); d != "" {
			t.Errorf("at %s (-want +got):\n%s", at, d)
		}
		if over := p.Over(at); len(over) != 6-len(want) {
			t.Errorf("at %s: %q", at, over)
		}
	}
	if d := cmp.Diff([]string{"exempt.leave: the leave of back@contoso.example until 2026-11-22 is over and exempts nobody; take it out, or give it another date"}, p.Over(noon)); d != "" {
		t.Errorf("over (-want +got):\n%s", d)
	}
}

// TestNames: a person is found by every name by which output shows them, once for each
// name of the policy, and by the ids from before.
func TestNames(t *testing.T) {
	t.Parallel()
	p := load(t, `
exempt: {users: [upn@x.example, id-1, acct, S-1-5-21-1, "old@x.example", AZ@x.example, "@x.example"]}
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, when: AzureAdSistaLogon.hasNoValue(), then: remove}]
`)
	entra := func(u directory.EntraUser) *directory.Person {
		return &directory.Person{Entra: &u, EntraState: directory.Present}
	}
	ad := func(u directory.ADUser) *directory.Person {
		return &directory.Person{AD: &u, ADState: directory.Present}
	}
	both := func(u directory.EntraUser, a directory.ADUser) *directory.Person {
		return &directory.Person{Entra: &u, EntraState: directory.Present, AD: &a, ADState: directory.Present}
	}
	for name, tc := range map[string]struct {
		person *directory.Person
		want   []string // name as the person has it
	}{
		"user principal name":                  {entra(directory.EntraUser{ID: "x", UserPrincipalName: "UPN@x.example"}), []string{"upn@x.example as UPN@x.example"}},
		"letters at the ends of the alphabet":  {entra(directory.EntraUser{ID: "x", UserPrincipalName: "aZ@X.example"}), []string{"az@x.example as aZ@X.example"}},
		"a sign beside the alphabet":           {entra(directory.EntraUser{ID: "x", UserPrincipalName: "`x.example"}), nil},
		"object id":                            {entra(directory.EntraUser{ID: "ID-1"}), []string{"id-1 as ID-1"}},
		"account name in Entra":                {entra(directory.EntraUser{ID: "x", SAMAccount: "ACCT"}), []string{"acct as ACCT"}},
		"SID in Entra":                         {entra(directory.EntraUser{ID: "x", SID: "s-1-5-21-1"}), []string{"s-1-5-21-1 as s-1-5-21-1"}},
		"user principal name in AD":            {ad(directory.ADUser{SID: "x", UserPrincipalName: "upn@x.example"}), []string{"upn@x.example as upn@x.example"}},
		"account name in AD":                   {ad(directory.ADUser{SID: "x", SAMAccount: "acct"}), []string{"acct as acct"}},
		"SID in AD":                            {ad(directory.ADUser{SID: "S-1-5-21-1"}), []string{"s-1-5-21-1 as S-1-5-21-1"}},
		"another name in AD":                   {both(directory.EntraUser{ID: "x", UserPrincipalName: "a"}, directory.ADUser{SID: "y", UserPrincipalName: "upn@x.example"}), []string{"upn@x.example as upn@x.example"}},
		"one name in both":                     {both(directory.EntraUser{ID: "x", UserPrincipalName: "upn@x.example"}, directory.ADUser{SID: "y", UserPrincipalName: "upn@x.example"}), []string{"upn@x.example as upn@x.example"}},
		"what Entra says of AD, and AD itself": {both(directory.EntraUser{ID: "x", SAMAccount: "acct", SID: "S-1-5-21-1"}, directory.ADUser{SID: "y", SAMAccount: "other"}), nil},
		"several names":                        {both(directory.EntraUser{ID: "id-1", UserPrincipalName: "upn@x.example"}, directory.ADUser{SID: "S-1-5-21-1", SAMAccount: "acct"}), []string{"upn@x.example as upn@x.example", "id-1 as id-1", "acct as acct", "s-1-5-21-1 as S-1-5-21-1"}},
		"by the id from before":                {entra(directory.EntraUser{ID: "ID-OLD", UserPrincipalName: "new@x.example"}), []string{"old@x.example as "}},
		"by the SID from before":               {ad(directory.ADUser{SID: "S-OLD"}), []string{"old@x.example as "}},
		"by the name and from before":          {entra(directory.EntraUser{ID: "id-old", UserPrincipalName: "old@x.example"}), []string{"old@x.example as old@x.example"}},
		"nobody":                               {entra(directory.EntraUser{ID: "x", UserPrincipalName: "y"}), nil},
		"nobody, without a name":               {ad(directory.ADUser{SID: "S-9"}), nil},
	} {
		names := p.Names(map[string][]directory.EarlierPerson{"old@x.example": {{ID: "id-old", SID: "S-old"}, {ID: "id-old"}, {}}, "gone": {{ID: "x"}}})
		var got []string
		for _, hit := range names.Of(tc.person) {
			got = append(got, hit.Name+" as "+hit.As)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		for most := 1; most < 4; most++ { // whoever has enough names gets no more
			n := 0
			for range ownNames(tc.person) {
				if n++; n == most {
					break
				}
			}
		}
	}
}

// TestNearest: which name of a person is like one that is nobody's.
func TestNearest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, own string
		letters   int // in which they differ; -1: they are not alike
	}{
		{"anna@x.example", "anna@x.example", 0}, {"anna@x.example", "ANNA@x.example", 0}, {"anna@x.example", "ana@x.example", 1},
		{"anna@x.example", "an@x.example", 2}, {"anna@x.example", "a@x.example", -1}, {"anna@x.example", "annaab@x.example", 2}, {"anna@x.example", "annaabc@x.example", -1},
		{"anna@x.example", "anna@y.example", 2}, {"anna@x.example", "ana@y.example", -1}, {"anna@x.example", "anna", 2},
		{"breakglass@x.example", "brkglass@x.example", 2}, {"breakglass@x.example", "brkgls@x.example", -1}, {"breakglass@x.example", "breakgl@x.example", 3},
		{"breakglass@x.example", "breakg@x.example", -1}, {"breakglass@x.example", "breakglassabc@x.example", 3}, {"breakglass@x.example", "breakglassabcd@x.example", -1},
		{"anna@x.example", "anna@" + strings.Repeat("y", maxText), -1},
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

// TestEmptyAttributes: what a rule reads and the account has no value of, but for dates
// of use.
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
			break // nothing more is asked
		}
	}
}

// TestHolds: who has the product, by whatever path; and who is not known to.
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
		"the product":           {directory.Person{EntraState: directory.Present, Entra: held("visio", "e3")}, directory.Yes},
		"another product":       {directory.Person{EntraState: directory.Present, Entra: held("visio")}, directory.No},
		"nothing":               {directory.Person{EntraState: directory.Present, Entra: held()}, directory.No},
		"the halves contradict": {directory.Person{EntraState: directory.Contradictory, Entra: held("e3")}, directory.Yes},
		"no account":            {directory.Person{EntraState: directory.NoAccount}, directory.No},
		"not read":              {directory.Person{EntraState: directory.NotRead}, directory.Unset},
		"not read any more":     {directory.Person{EntraState: directory.NotRead, Entra: held("visio")}, directory.Unset},
		"missing":               {directory.Person{EntraState: directory.Missing, Entra: held("visio")}, directory.Unset},
		"present, but not read": {directory.Person{EntraState: directory.Present}, directory.Unset},
	} {
		if got := j.holds(p.LicenseNamed("m365-e3"), &tc.person); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// TestTwoNamesOfOneProduct are refused, whichever name the tenant has it by.
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

// TestGivingGroups: since when somebody is in a group is asked only for licenses that a
// group of Active Directory gives, and where a new holder has grace.
func TestGivingGroups(t *testing.T) {
	t.Parallel()
	key := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)
	for text, want := range map[string][]string{twoRules: nil, "grace: {newHolder: 1}\n" + twoRules: {key}, "grace: {neverSignedIn: 9}\n" + twoRules: nil} {
		if d := cmp.Diff(want, load(t, text).GivingGroups()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

// TestGraceOfSeveralReasons: the one that ends last; and where none holds, all that is
// not known is named.
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
		days  int      // until it ends
		names []string // not known
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
