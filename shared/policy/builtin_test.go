package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// A condition can use a date only under a name that the policy maps to fields, because each source has its own dates.
// It can use the text and boolean fields of the Entra account without a mapping.
func TestNamesThatAConditionMayUse(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]bool{
		`department == "IT"`: true, `onPremisesSyncEnabled`: true, `kind == "shared"`: true, `systemRole == "Clerk"`: true, `created.hasValue()`: true,
		`lastActivity.hasNoValue()`: false, `lastInteractiveSignIn.hasNoValue()`: false, `ad.department == "IT"`: false, `ad.lastLogonTimestamp.hasNoValue()`: false,
		`entra.department == "IT"`: false, `sAMAccountName == "x"`: false,
	} {
		_, err := Load("p", []byte(strings.Replace(right, "AzureAdSistaLogon.hasNoValue()", "|\n      "+when, 1)))
		if (err == nil) != want {
			t.Errorf("%s: %v", when, err)
		}
	}
}

func TestKindOfAnAccount(t *testing.T) {
	t.Parallel()
	p := load(t, `
kinds: [person, shared]
licenses: {citrix: {group: {ad: "`+citrixDN+`"}}}
exempt: {when: kind == "shared"}
rules: [{name: r, license: citrix, for: kind == "person", when: LastlogonTimestamp.hasNoValue(), then: remove}]
`)
	for _, want := range []struct {
		entra     directory.Presence
		recipient string
		outcome   Outcome
		kind      string
	}{
		{directory.NoAccount, "", Reclaim, "person"}, {directory.NoAccount, "4", Exempt, "shared"}, {directory.NoAccount, "16", Exempt, "room"},
		// The Entra account was not read. If Active Directory does not show the kind either, the account may be of
		// another kind than person.
		{directory.NotRead, "", Undecided, "not read"}, {directory.Missing, "", Undecided, "not read"},
		{directory.NotRead, "1", Reclaim, "person"}, {directory.Missing, "2147483648", Reclaim, "person"},
		{directory.NotRead, "4", Exempt, "shared"}, {directory.Missing, "16", Exempt, "room"},
	} {
		recipient := want.recipient
		who := &directory.Person{EntraState: want.entra, ADState: directory.Present, AD: &directory.ADUser{SID: "S-1", RecipientType: recipient},
			Memberships: []string{directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)}}
		j := judge(t, p, noon)
		if v := j.Ask(p.Rules[0], who); v.Outcome != want.outcome {
			t.Errorf("%q: %s, %s", recipient, v.Outcome, v.Reason)
		}
		if d := cmp.Diff(Evidence{Attribute: "kind", Field: "kind", Value: want.kind}, j.Evidence(p.Rules[0], who)[0]); d != "" {
			t.Errorf("%q: evidence (-want +got):\n%s", recipient, d)
		}
	}
}

func TestLicenseOfEachRule(t *testing.T) {
	t.Parallel()
	p := load(t, `
licenses: {citrix: {group: {ad: "`+citrixDN+`"}}, e3: {sku: SPE_E3}, exo: {sku: EXCHANGESTANDARD}}
rules:
  - {name: citrix, license: citrix, when: "true", then: remove}
  - {name: e3, license: e3, when: "true", then: remove}
  - {name: exo, license: exo, when: "true", then: remove}
`)
	for sku, want := range map[string]map[string]Outcome{
		"":    {"citrix": Reclaim, "e3": NotHolder, "exo": NotHolder},
		"e3":  {"citrix": Reclaim, "e3": Reclaim, "exo": NotHolder},
		"exo": {"citrix": Reclaim, "e3": NotHolder, "exo": Reclaim},
	} {
		who := employee()
		who.Entra.Assignments = []directory.Assignment{{SKU: sku, State: "Active"}}
		got := map[string]Outcome{}
		for r, v := range judge(t, p, noon).AskAll(who) {
			got[r.Name] = v.Outcome
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("a holder of %q (-want +got):\n%s", sku, d)
		}
	}
}

// Membership in a group is no sign of use. So if a rule also reads a membership, a new person who never signed in still
// has grace, whether the person is in the group or not.
func TestGraceOfRulesThatReadAGroup(t *testing.T) {
	t.Parallel()
	p := load(t, `
grace: {neverSignedIn: 14}
attributes: {staff: {memberOf: {entra: Staff}}}
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, when: AzureAdSistaLogon.hasNoValue() || staff && department == "Closed", then: remove}]
`)
	for days, want := range map[int]Outcome{1: Keep, 13: Keep, 14: Reclaim} {
		for _, member := range []bool{true, false} {
			who := employee()
			who.Entra.Created, who.AD.Created = noon.Add(-time.Duration(days)*day), noon.Add(-400*day)
			if member {
				who.Memberships = append(who.Memberships, "entra:Staff")
			}
			if v := judge(t, p, noon).Ask(p.Rules[0], who); v.Outcome != want || !v.IdleSince.IsZero() {
				t.Errorf("created %d days ago, in the group %t: %s, %s", days, member, v.Outcome, v.Reason)
			}
		}
	}
}

// A person whom a reading lists is a member, even without an account in the group's source. A person who is not listed
// and certainly has no account there is not a member.
func TestMembership(t *testing.T) {
	t.Parallel()
	inEntra, inAD := newMemberQuery(directory.GroupRef{Name: "G"}, false), newMemberQuery(directory.GroupRef{Source: directory.AD, Name: "CN=G"}, false)
	cloud, synced := &directory.EntraUser{}, &directory.EntraUser{Synced: true}
	for name, tc := range map[string]struct {
		query  MemberQuery
		person directory.Person
		want   directory.Flag
	}{
		"a member":                             {inAD, directory.Person{ADState: directory.Present, AD: &directory.ADUser{}, Memberships: []string{inAD.key}}, directory.Yes},
		"a member without an account":          {inAD, directory.Person{ADState: directory.NoAccount, Memberships: []string{inAD.key}}, directory.Yes},
		"no member":                            {inAD, directory.Person{ADState: directory.Present, AD: &directory.ADUser{}}, directory.No},
		"the group was not read":               {inAD, directory.Person{ADState: directory.Present, AD: &directory.ADUser{}, Unreadable: []string{inAD.key}}, directory.Unset},
		"no account, the group was not read":   {inAD, directory.Person{ADState: directory.NoAccount, Unreadable: []string{inAD.key}}, directory.No},
		"AD was not read, of the cloud":        {inAD, directory.Person{EntraState: directory.Present, Entra: cloud}, directory.No},
		"AD was not read, synced":              {inAD, directory.Person{EntraState: directory.Present, Entra: synced}, directory.Unset},
		"neither was read":                     {inAD, directory.Person{}, directory.Unset},
		"missing in AD":                        {inAD, directory.Person{EntraState: directory.Present, Entra: synced, ADState: directory.Missing}, directory.Unset},
		"Entra was not read":                   {inEntra, directory.Person{ADState: directory.Present, AD: &directory.ADUser{}}, directory.Unset},
		"no account in Entra":                  {inEntra, directory.Person{EntraState: directory.NoAccount, Unreadable: []string{inEntra.key}}, directory.No},
		"of the cloud, the group was not read": {inEntra, directory.Person{EntraState: directory.Present, Entra: cloud, Unreadable: []string{inEntra.key}}, directory.Unset},
	} {
		if got := tc.query.has(&tc.person); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// A known date proves that a person was active, even if other dates are unknown.
func TestNewestOfSeveral(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	signIn, logon := p.attributes["AzureAdSistaLogon"], p.attributes["LastlogonTimestamp"]
	old := noon.Add(-100 * day)
	for name, tc := range map[string]struct {
		signIn, logon time.Time
		stale         bool // the dates of Active Directory cannot be trusted
		newest        time.Time
		never         directory.Flag
	}{
		"both":                     {old, noon, false, noon, directory.No},
		"the other way round":      {noon, old, false, noon, directory.No},
		"one":                      {old, time.Time{}, false, old, directory.No},
		"neither":                  {time.Time{}, time.Time{}, false, time.Time{}, directory.Yes},
		"one, the other unknown":   {old, noon, true, old, directory.No},
		"never, the other unknown": {time.Time{}, noon, true, time.Time{}, directory.Unset},
	} {
		who := employee()
		who.Entra.LastSuccessful, who.AD.LastLogonTimestamp = tc.signIn, tc.logon
		if tc.stale {
			who.Stale[directory.AD] = "it stalled"
		}
		for _, list := range [][]*attribute{{signIn, logon}, {logon, signIn}} {
			if newest, never := newestOf(list, who); !newest.Equal(tc.newest) || never != tc.never {
				t.Errorf("%s, %s first: %s, %v", name, list[0].name, newest, never)
			}
		}
	}
}
