package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

const exempting = `
grace: {neverSignedIn: 14}
exempt:
  users: [Boss@Contoso.example, ID-7, jürgen@contoso.example]
  groups: [{entra: LIC-Exempt}, {ad: "CN=Exempt,DC=corp"}]
  leave:
    - {user: kim@contoso.example, until: 2026-11-24, reason: parental leave}
    - {user: short@contoso.example, until: 2026-11-23T12:00:01Z}
    - {user: back@contoso.example, until: 2026-11-22, reason: sick}
    - {user: rested@contoso.example, until: 2026-08-24}
  when: userType == "Guest"
licenses:
  m365-e3: {sku: SPE_E3}
rules:
  - {name: r, license: m365-e3, when: AzureAdSistaLogon.hasNoValue() || AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
`

func called(upn string) func(*directory.Person) {
	return func(p *directory.Person) { p.Entra.UserPrincipalName = upn }
}

var exemptionCases = []struct {
	name   string
	person func(*directory.Person)
	want   Outcome
	reason string
}{
	{"nobody special", called("x@contoso.example"), Reclaim, "never signed in; account created 2025-10-19"},
	{"listed, other case", called("bOSS@contoso.example"), Exempt, "exempt: bOSS@contoso.example is listed"},
	{"listed, beyond ASCII", called("JÜRGEN@contoso.example"), Exempt, "exempt: JÜRGEN@contoso.example is listed"},
	{"listed by object id", func(p *directory.Person) { p.Entra.ID, p.Entra.UserPrincipalName = "id-7", "x" }, Exempt, "exempt: id-7 is listed"},
	{"listed by the AD name", func(p *directory.Person) {
		p.Entra.UserPrincipalName, p.AD.UserPrincipalName = "x", "boss@contoso.example"
	}, Exempt, "exempt: boss@contoso.example is listed"},
	{"on leave", called("Kim@contoso.example"), Exempt, "exempt: on leave until 2026-11-24 (parental leave)"},
	{"on leave for one more second", called("short@contoso.example"), Exempt, "exempt: on leave until 2026-11-23T12:00:01Z"},
	{"back from leave", called("back@contoso.example"), Keep, "was on leave until 2026-11-22, and has not been idle for the whole span of the rule since"},
	{"back from leave, in use since", func(p *directory.Person) { called("back@contoso.example")(p); p.Entra.LastSuccessful = noon }, Keep, "last sign-in 2026-11-23 (today)"},
	{"back from leave long ago", called("rested@contoso.example"), Reclaim, "never signed in; account created 2025-10-19"},
	{"in an Entra group", func(p *directory.Person) {
		called("x")(p)
		p.Memberships = append(p.Memberships, "entra:LIC-Exempt")
	}, Exempt, "exempt: member of entra:LIC-Exempt"},
	{"in an AD group", func(p *directory.Person) {
		called("x")(p)
		p.Memberships = append(p.Memberships, "ad:cn=exempt,dc=corp")
	}, Exempt, "exempt: member of ad:CN=Exempt,DC=corp"},
	{"group unreadable", func(p *directory.Person) {
		called("x")(p)
		p.Unreadable = []string{"entra:LIC-Exempt"}
	}, Undecided, "exemption is not known: group entra:LIC-Exempt could not be read"},
	{"group unreadable, but listed", func(p *directory.Person) {
		called("boss@contoso.example")(p)
		p.Unreadable = []string{"entra:LIC-Exempt"}
	}, Exempt, "exempt: boss@contoso.example is listed"},
	{"group unreadable, but active", func(p *directory.Person) {
		called("x")(p)
		p.Unreadable, p.Entra.LastSuccessful = []string{"entra:LIC-Exempt"}, noon
	}, Keep, "last sign-in 2026-11-23 (today)"},
	{"AD not read, synced", func(p *directory.Person) { called("x")(p); p.AD, p.ADState = nil, directory.NotRead },
		Undecided, "exemption is not known: Active Directory was not read; " + createdUnread},
	{"AD not read, cloud-only", func(p *directory.Person) {
		called("x")(p)
		p.AD, p.ADState, p.Entra.Synced = nil, directory.NotRead, false
	}, Reclaim, "never signed in; account created 2025-10-19"},
	{"AD not read, converted to cloud-only", func(p *directory.Person) {
		called("x")(p)
		p.AD, p.ADState, p.Entra.Synced, p.Entra.SID = nil, directory.NotRead, false, "S-1-5-21-1"
	}, Undecided, "exemption is not known: Active Directory was not read; " + createdUnread},
	{"AD not read, cloud-only with an immutable id", func(p *directory.Person) {
		called("x")(p)
		p.AD, p.ADState, p.Entra.Synced, p.Entra.ImmutableID = nil, directory.NotRead, false, "AQ=="
	}, Undecided, "exemption is not known: Active Directory was not read; " + createdUnread},
	{"AD not read, cloud-only and joined before", func(p *directory.Person) {
		called("x")(p)
		p.AD, p.ADState, p.Entra.Synced, p.Entra.Past.Joined = nil, directory.NotRead, false, noon.Add(-day)
	}, Undecided, "exemption is not known: Active Directory was not read; " + createdUnread},
	{"AD group unreadable, cloud-only", func(p *directory.Person) {
		called("x")(p)
		p.AD, p.ADState, p.Entra.Synced, p.Unreadable = nil, directory.NoAccount, false, []string{"ad:cn=exempt,dc=corp"}
	}, Reclaim, "never signed in; account created 2025-10-19"},
	{"AD group unreadable, converted to cloud-only", func(p *directory.Person) { // an account that is left out may be in it
		called("x")(p)
		p.AD, p.ADState, p.Entra.Synced, p.Entra.SID, p.Unreadable = nil, directory.NoAccount, false, "S-1-5-21-1", []string{"ad:cn=exempt,dc=corp"}
	}, Undecided, "exemption is not known: group ad:CN=Exempt,DC=corp could not be read; is it there, and may the account of idleseat read its members?"},
	{"condition", func(p *directory.Person) { called("x")(p); p.Entra.UserType = "Guest" }, Exempt, `exempt: userType == "Guest"`},
	{"in grace", func(p *directory.Person) {
		called("x")(p)
		p.Entra.Created, p.AD.Created = noon.Add(-14*day+time.Second), noon.Add(-20*day)
	}, Keep, "never signed in; new account, in grace until 2026-11-23"},
	{"grace over", func(p *directory.Person) {
		called("x")(p)
		p.Entra.Created, p.AD.Created = noon.Add(-14*day), noon.Add(-20*day)
	}, Reclaim, "never signed in; account created 2026-11-09"},
	{"grace is for those who never signed in", func(p *directory.Person) {
		called("x")(p)
		p.Entra.Created, p.Entra.LastSuccessful = noon.Add(-day), noon.Add(-70*day)
	}, Reclaim, "no sign-in since 2026-09-14 (70 days)"},
	{"creation has no value", func(p *directory.Person) {
		called("x")(p)
		p.Entra.Created, p.AD.Created = time.Time{}, time.Time{}
	}, Undecided, "created has no value"},
}

func TestExemptions(t *testing.T) {
	t.Parallel()
	p := load(t, exempting)
	for _, tt := range exemptionCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			who := employee()
			tt.person(who)
			j := judge(t, p, noon)
			v := j.Ask(p.Rules[0], who)
			if v.Outcome != tt.want {
				t.Errorf("outcome %s, want %s", v.Outcome, tt.want)
			}
			if open := strings.HasPrefix(tt.reason, "exemption is not known") || tt.name == "group unreadable, but active"; v.ExemptOpen != open {
				t.Errorf("the exemption is open: %t, want %t", v.ExemptOpen, open)
			}
			if diff := cmp.Diff(tt.reason, j.Reason(p.Rules[0], who, v)); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
		})
	}
}

// The constant "createdUnread" is the reason that a verdict gives if the creation date is unknown because Active
// Directory was not read.
const createdUnread = "created is not known: Active Directory was not read, and newest(entra.created, ad.created) asks it; if it is not set up, write created: entra.created under attributes"

// After DoubtExempt, a verdict to reclaim becomes undecided. Other verdicts stay the same, above all those on people
// who are known to be exempt.
func TestDoubtExempt(t *testing.T) {
	t.Parallel()
	p := load(t, exempting)
	for _, tt := range exemptionCases {
		who := employee()
		tt.person(who)
		j := judge(t, p, noon)
		j.DoubtExempt()
		want := tt.want
		if want == Reclaim {
			want = Undecided
		}
		v := j.Ask(p.Rules[0], who)
		if v.Outcome != want {
			t.Errorf("%s: %s, want %s", tt.name, v.Outcome, want)
		}
		if lost := strings.Contains(j.Reason(p.Rules[0], who, v), "far fewer accounts are exempt"); tt.want != Undecided && lost != (want == Undecided) {
			t.Errorf("%s: %s", tt.name, j.Reason(p.Rules[0], who, v))
		}
	}
}

// If the Entra account was not read, the exemption is unknown, because the name of this account may be listed.
func TestExemptWithoutEntra(t *testing.T) {
	t.Parallel()
	p := load(t, `
exempt: {users: [boss@contoso.example]}
licenses: {citrix: {group: {ad: CN=C}}}
rules: [{name: r, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}]
`)
	tests := []struct {
		name  string
		state directory.Presence
		upn   string
		want  Outcome
	}{
		{"Entra not read", directory.NotRead, "x@contoso.example", Undecided},
		{"Entra not read, AD name listed", directory.NotRead, "boss@contoso.example", Exempt},
		{"no Entra account", directory.NoAccount, "x@contoso.example", Reclaim},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			who := &directory.Person{EntraState: tt.state, ADState: directory.Present,
				AD: &directory.ADUser{SID: "S-1", UserPrincipalName: tt.upn}, Memberships: []string{"ad/direct:cn=c"}}
			got := judge(t, p, noon).Ask(p.Rules[0], who)
			if got.Outcome != tt.want || tt.want == Undecided && got.Reason != "exemption is not known: Entra was not read" {
				t.Errorf("%s (%s), want %s", got.Outcome, got.Reason, tt.want)
			}
		})
	}
}

// In an earlier run, an account had a name that the policy lists as exempt. The person is still exempt under another
// name, because the object id or the SID is the same.
func TestFollowed(t *testing.T) {
	t.Parallel()
	p := load(t, exempting)
	j, err := p.NewJudge(map[string]string{"SPE_E3": "e3"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	boss := []directory.EarlierPerson{{ID: "ID-1", SID: "S-1-5-21-9", Name: "boss@contoso.example"}}
	j.Follow(map[string][]directory.EarlierPerson{"boss@contoso.example": boss, "back@contoso.example": {{ID: "id-2"}}})
	const followed = "exempt: Boss@Contoso.example, followed by its id, is listed"
	tests := map[string]struct {
		person directory.Person
		want   string
	}{
		"by the object id":         {directory.Person{Entra: &directory.EntraUser{ID: "id-1"}, EntraState: directory.Present}, followed},
		"by the SID":               {directory.Person{AD: &directory.ADUser{SID: "S-1-5-21-9"}, ADState: directory.Present}, followed},
		"somebody else":            {directory.Person{Entra: &directory.EntraUser{ID: "id-3"}, EntraState: directory.Present}, ""},
		"after the leave":          {directory.Person{Entra: &directory.EntraUser{ID: "id-2"}, EntraState: directory.Present}, ""},
		"an account name":          {directory.Person{Entra: &directory.EntraUser{ID: "id-3", SAMAccount: "ID-7"}, EntraState: directory.Present}, "exempt: ID-7 is listed"},
		"the name, by another one": {directory.Person{Entra: &directory.EntraUser{ID: "id-3", UserPrincipalName: "boss@contoso.example"}, EntraState: directory.Present}, "exempt: boss@contoso.example is listed"},
	}
	for name, tc := range tests {
		e := j.listed(&tc.person)
		got := ""
		if e.flag == directory.Yes {
			got = j.exemptReason(e)
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// The Entra account was not read, so the kind of the account is unknown. If the policy exempts no kind, the verdict
// does not depend on the kind.
func TestOpenKindOfAPolicyForAllKinds(t *testing.T) {
	t.Parallel()
	rule := "licenses: {citrix: {group: {ad: \"" + citrixDN + "\"}}}\nrules: [{name: r, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}]\n"
	for kinds, want := range map[string]Outcome{"": Undecided, "kinds: [" + strings.Join(directory.AccountKinds, ", ") + "]\n": Reclaim} {
		who := employee()
		who.Entra, who.EntraState = nil, directory.NotRead
		p := load(t, kinds+rule)
		if v := judge(t, p, noon).Ask(p.Rules[0], who); v.Outcome != want {
			t.Errorf("%q: %s, want %s: %s", kinds, v.Outcome, want, v.Reason)
		}
	}
}
