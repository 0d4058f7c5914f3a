package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// If a person has several assignments of a product, the grace newHolder starts at the oldest one, in whatever order
// they are listed. If the license is a group of Active Directory, the grace also works for a member without an account
// in Entra ID.
func TestGraceOfAHolder(t *testing.T) {
	t.Parallel()
	p, err := Load("p", []byte(gracePolicy))
	if err != nil {
		t.Fatal(err)
	}
	key := p.LicenseNamed("citrix").holders.key
	ago := func(days int) time.Time { return noon.AddDate(0, 0, -days) }
	path := func(sku, state string, days int) directory.Assignment {
		return directory.Assignment{SKU: sku, State: state, Updated: ago(days)}
	}
	for name, tc := range map[string]struct {
		paths []directory.Assignment
		want  Outcome
	}{
		"an old path behind a new one":            {[]directory.Assignment{path("sku", "Active", 1), path("sku", "Active", 900)}, Reclaim},
		"an old path before a new one":            {[]directory.Assignment{path("sku", "Active", 900), path("sku", "Active", 1)}, Reclaim},
		"another product is held for long":        {[]directory.Assignment{path("other", "Active", 900), path("sku", "Active", 1)}, Keep},
		"in error, another product gives its own": {[]directory.Assignment{path("other", "Active", 900), path("sku", "Error", 1)}, Keep},
	} {
		j, err := p.NewJudge(map[string]string{"SPE_E3": "sku"}, noon)
		if err != nil {
			t.Fatal(err)
		}
		who := &directory.Person{EntraState: directory.Present, Entra: &directory.EntraUser{ID: "a", Enabled: directory.Yes, Created: ago(900), LastSuccessful: ago(100), Assignments: tc.paths}}
		if v := j.Ask(p.RuleNamed("m365"), who); v.Outcome != tc.want {
			t.Errorf("%s: %s, %s", name, v.Outcome, v.Reason)
		}
	}
	for days, want := range map[int]Outcome{1: Keep, 14: Reclaim} {
		j, err := p.NewJudge(map[string]string{"SPE_E3": "sku"}, noon)
		if err != nil {
			t.Fatal(err)
		}
		who := &directory.Person{EntraState: directory.NoAccount, ADState: directory.Present, AD: &directory.ADUser{SID: "S", Enabled: directory.Yes, Created: ago(900), LastLogonTimestamp: ago(100)}, Memberships: []string{key}}
		who.AD.Past.MemberOf(key, ago(days))
		if v := j.Ask(p.RuleNamed("citrix"), who); v.Outcome != want {
			t.Errorf("in Active Directory alone, a member for %d days: %s, %s", days, v.Outcome, v.Reason)
		}
	}
}

func TestGraceOfRulesWithoutDatesOfUse(t *testing.T) {
	t.Parallel()
	p := load(t, `
grace: {neverSignedIn: 14}
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, when: department == "Closed", then: remove}]
`)
	who := employee()
	who.Entra.Department, who.Entra.Created, who.AD.Created = "Closed", noon.Add(-day), noon.Add(-day)
	if v := judge(t, p, noon).Ask(p.Rules[0], who); v.Outcome != Reclaim {
		t.Errorf("%s: %s", v.Outcome, v.Reason)
	}
}

func TestNewestDateOfUse(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"AzureAdSistaLogon.hasValue() && LastlogonTimestamp.hasValue()", "LastlogonTimestamp.hasValue() && AzureAdSistaLogon.hasValue()"} {
		p := load(t, "licenses: {m365-e3: {sku: SPE_E3}}\nrules: [{name: r, license: m365-e3, when: "+when+", then: remove}]\n")
		who := employee()
		who.Entra.LastSuccessful, who.AD.LastLogonTimestamp = noon.Add(-70*day), noon.Add(-90*day)
		if v := judge(t, p, noon).Ask(p.Rules[0], who); v.Outcome != Reclaim || !v.IdleSince.Equal(noon.Add(-70*day)) || v.NoDate {
			t.Errorf("%s: %+v", when, v)
		}
	}
}

func TestListedTwice(t *testing.T) {
	t.Parallel()
	for name, exempt := range map[string]string{
		"both":            "users: [kim@contoso.example], leave: [{user: KIM@contoso.example, until: 2026-01-01}]",
		"two leaves":      "leave: [{user: kim@contoso.example, until: 2027-01-01}, {user: Kim@contoso.example, until: 2026-01-01}]",
		"the other order": "leave: [{user: Kim@contoso.example, until: 2026-01-01}, {user: kim@contoso.example, until: 2027-01-01}]",
	} {
		p := load(t, "exempt: {"+exempt+"}\nlicenses: {m365-e3: {sku: SPE_E3}}\nrules: [{name: r, license: m365-e3, when: AzureAdSistaLogon.hasNoValue(), then: remove}]\n")
		if v := judge(t, p, noon).Ask(p.Rules[0], employee()); v.Outcome != Exempt || v.Asked != directory.Unset {
			t.Errorf("%s: %s, asked %v", name, v.Outcome, v.Asked)
		}
	}
}

// The policy exempts people by name. If Entra ID was not read, such a name may belong to the person's unread Entra
// account, so the rule is undecided. It is decided if earlier runs found an account for each of these names.
func TestNamesThatAreAllKnown(t *testing.T) {
	t.Parallel()
	p := load(t, `
exempt: {users: [boss@contoso.example]}
licenses: {citrix: {group: {ad: CN=C}}}
rules: [{name: r, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}]
`)
	who := &directory.Person{EntraState: directory.NotRead, ADState: directory.Present, AD: &directory.ADUser{SID: "S-1", RecipientType: "1"}, Memberships: []string{"ad/direct:cn=c"}}
	for name, tc := range map[string]struct {
		earlier map[string][]directory.EarlierPerson
		want    Outcome
	}{
		"nobody knows whose it is": {nil, Undecided},
		"it is somebody's":         {map[string][]directory.EarlierPerson{"boss@contoso.example": {{ID: "id-9", SID: "S-9"}}}, Reclaim},
		"it is this person's":      {map[string][]directory.EarlierPerson{"boss@contoso.example": {{SID: "S-1"}}}, Exempt},
	} {
		j := judge(t, p, noon)
		j.Follow(tc.earlier)
		if v := j.Ask(p.Rules[0], who); v.Outcome != tc.want {
			t.Errorf("%s: %s, %s", name, v.Outcome, v.Reason)
		}
	}
}

// If Entra ID was not read, the account may belong to a room. The rule is then undecided, unless
// msExchRecipientTypeDetails settles the kind.
func TestKindOnlyEntraKnows(t *testing.T) {
	t.Parallel()
	p := load(t, `
licenses: {citrix: {group: {ad: CN=C}}}
rules: [{name: r, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}]
`)
	for recipient, want := range map[string]Outcome{"": Undecided, "1": Reclaim, "2147483648": Reclaim, "128": Undecided, "4": Exempt} {
		who := &directory.Person{EntraState: directory.NotRead, ADState: directory.Present, AD: &directory.ADUser{SID: "S-1", RecipientType: recipient}, Memberships: []string{"ad/direct:cn=c"}}
		v := judge(t, p, noon).Ask(p.Rules[0], who)
		if v.Outcome != want || want == Undecided && v.Reason != "the kind of the account is not known: Entra was not read" {
			t.Errorf("%q: %s, %s", recipient, v.Outcome, v.Reason)
		}
	}
}

// If Active Directory was not read, a blocked Entra account may belong to a shared mailbox, so the rule is undecided.
// An enabled account is no shared mailbox. Neither is an account that never had a counterpart in Active Directory. The
// type of an account that the settings leave out counts.
func TestKindOnlyActiveDirectoryKnows(t *testing.T) {
	t.Parallel()
	const unread = "the kind of the account is not known: Active Directory was not read"
	const mayNot = " may not be read: the account of idleseat has no right to see msExchRecipientTypeDetails of this person; grant it to read the attribute"
	text := "licenses: {m365-e3: {sku: SPE_E3}}\nrules: [{name: r, license: m365-e3, when: 'AzureAdSistaLogon.earlierThan(now - days(60))', then: remove}]\n"
	p := load(t, text)
	asks := load(t, "kinds: ["+strings.Join(directory.AccountKinds, ", ")+"]\n"+strings.Replace(text, "when: '", `when: 'kind == "person" && `, 1))
	leftOut := func(recipient string, hidden ...string) func(*directory.Person) {
		return func(p *directory.Person) {
			p.LeftOut = &directory.ADUser{SID: "S-1", RecipientType: recipient, Unreadable: hidden}
			p.AD, p.ADState = nil, directory.Missing
		}
	}
	for name, tc := range map[string]struct {
		policy *Policy
		change func(*directory.Person)
		want   Outcome
		reason string // the end of the reason of an undecided verdict
	}{
		"read, shared":    {p, func(*directory.Person) {}, Exempt, ""},
		"not read":        {p, func(p *directory.Person) { p.AD, p.ADState = nil, directory.NotRead }, Undecided, unread},
		"enabled":         {p, func(p *directory.Person) { p.AD, p.ADState, p.Entra.Enabled = nil, directory.NotRead, directory.Yes }, Reclaim, ""},
		"never joined":    {p, func(p *directory.Person) { p.AD, p.ADState, p.Entra.Past.Joined = nil, directory.NotRead, time.Time{} }, Reclaim, ""},
		"no account":      {p, func(p *directory.Person) { p.AD, p.ADState = nil, directory.NoAccount }, Reclaim, ""},
		"lost in reading": {p, func(p *directory.Person) { p.AD, p.ADState = nil, directory.Missing }, Reclaim, ""}, // the reading before the write seeks it

		"left out, shared":                    {p, leftOut("34359738368"), Exempt, ""},
		"left out, a user's":                  {p, leftOut("2147483648"), Reclaim, ""},
		"left out, hidden":                    {p, leftOut("", "msExchRecipientTypeDetails"), Undecided, directory.KindField + mayNot},
		"left out, shared, and the rule asks": {asks, leftOut("34359738368"), Keep, ""},
		"left out, hidden, and the rule asks": {asks, leftOut("", "msExchRecipientTypeDetails"), Undecided, "kind" + mayNot},
	} {
		who := employee()
		who.Entra.Synced, who.Entra.Enabled, who.AD.RecipientType = true, directory.No, "34359738368"
		who.Entra.LastSuccessful, who.Entra.LastInteractive, who.Entra.LastNonInteractive = noon.AddDate(-1, 0, 0), time.Time{}, time.Time{}
		who.Entra.Past.Joined = noon.AddDate(0, 0, -1)
		tc.change(who)
		v := judge(t, tc.policy, noon).Ask(tc.policy.Rules[0], who)
		if v.Outcome != tc.want || tc.want == Undecided && !strings.HasSuffix(v.Reason, tc.reason) {
			t.Errorf("%s: %s, %q; want %s", name, v.Outcome, v.Reason, tc.want)
		}
	}
}

// A rule reads "kind", and no kind is exempt. The reason says that Active Directory was not read, and gives no advice
// about the policy, because nothing in it would change that.
func TestKindInAConditionIsNotRead(t *testing.T) {
	t.Parallel()
	p := load(t, `
licenses: {m365-e3: {sku: SPE_E3}}
kinds: [person, guest, agent, shared, room, equipment, service, unknown]
rules: [{name: r, license: m365-e3, for: 'kind == "person"', when: 'AzureAdSistaLogon.earlierThan(now - days(60))', then: remove}]
`)
	who := employee()
	who.Entra.Enabled, who.Entra.Past.Joined = directory.No, noon.AddDate(0, 0, -1)
	who.Entra.LastSuccessful, who.Entra.LastInteractive, who.Entra.LastNonInteractive = noon.AddDate(-1, 0, 0), time.Time{}, time.Time{}
	who.AD, who.ADState = nil, directory.NotRead
	v := judge(t, p, noon).Ask(p.Rules[0], who)
	if v.Outcome != Undecided || !strings.HasSuffix(v.Reason, "kind is not known: Active Directory was not read") {
		t.Errorf("%s, %q", v.Outcome, v.Reason)
	}
}

// By default, no license is taken from an agent, and a room is exempt.
func TestAgentsAndKinds(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	agent := employee()
	agent.Entra.IdentityParentID = "parent"
	v := judge(t, p, noon).Ask(p.RuleNamed("m365"), agent)
	if v.Outcome == Reclaim || v.Reason == "" && v.Outcome != Keep {
		t.Errorf("an agent: %s, %s", v.Outcome, v.Reason)
	}
	room := employee()
	room.Entra.MailboxKind = "Room"
	if v := judge(t, p, noon).Ask(p.RuleNamed("m365"), room); v.Outcome != Exempt || !strings.HasPrefix(v.Reason, "exempt: ") {
		t.Errorf("a room: %s, %s", v.Outcome, v.Reason)
	}
}
