package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
)

// The function "load" loads a policy. It adds the key "tenant", which each policy must have.
func load(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := Load("policy.yaml", []byte("tenant: 11111111-2222-3333-4444-555555555555\n"+text))
	if err != nil {
		t.Fatalf("Load:\n%v", err)
	}
	return p
}

const citrixDN = "CN=Citrix Users,OU=Licenses,DC=corp,DC=example,DC=test"

const twoRules = `
licenses:
  m365-e3: {sku: SPE_E3}
  exchange-online: {sku: EXCHANGESTANDARD}
  citrix: {group: {ad: "` + citrixDN + `"}}
rules:
  - name: m365
    license: m365-e3
    for: accountEnabled && systemRole == "Employee"
    when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()
    then: {changeTo: exchange-online}
  - name: citrix
    license: citrix
    when: |
      LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90))
                                    : created.value() <= now - days(90)
    then: remove
`

func employee() *directory.Person {
	return &directory.Person{
		EntraState: directory.Present,
		Entra: &directory.EntraUser{ID: "id-1", UserPrincipalName: "kim@contoso.example", UserType: "Member",
			EmployeeType: "Employee", Enabled: directory.Yes, Synced: true, Created: noon.Add(-400 * day),
			Assignments: []directory.Assignment{{SKU: "e3", State: "Error"}}},
		ADState:     directory.Present,
		AD:          &directory.ADUser{SID: "S-1", Created: noon.Add(-400 * day)},
		Memberships: []string{directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)},
	}
}

func signIn(d time.Duration) func(*directory.Person) {
	return func(p *directory.Person) { p.Entra.LastSuccessful = noon.Add(-d) }
}

var microsoft365Cases = []struct {
	name   string
	person func(*directory.Person)
	want   Verdict
}{
	{"exactly 60 days", signIn(60 * day), Verdict{Outcome: Keep, IdleSince: noon.Add(-60 * day)}},
	{"a nanosecond more", signIn(60*day + 1), Verdict{Outcome: Reclaim,
		Reason: "no sign-in since 2026-09-24 (60 days)", IdleSince: noon.Add(-60*day - 1)}},
	{"a second more", signIn(60*day + time.Second), Verdict{Outcome: Reclaim,
		Reason: "no sign-in since 2026-09-24 (60 days)", IdleSince: noon.Add(-60*day - time.Second)}},
	{"a second less", signIn(60*day - time.Second), Verdict{Outcome: Keep, IdleSince: noon.Add(-60*day + time.Second)}},
	{"long ago", signIn(114 * day), Verdict{Outcome: Reclaim,
		Reason: "no sign-in since 2026-08-01 (114 days)", IdleSince: noon.Add(-114 * day)}},
	{"never", func(*directory.Person) {}, Verdict{Outcome: Reclaim,
		Reason: "never signed in; account created 2025-10-19", NoDate: true}},
	{"never, and nobody knows since when", func(p *directory.Person) {
		p.Entra.Created, p.AD.Created = time.Time{}, time.Time{}
	}, Verdict{Outcome: Reclaim, Reason: "never signed in", NoDate: true}},
	{"dates not to be trusted", func(p *directory.Person) {
		p.Entra.LastSuccessful = noon.Add(-100 * day)
		p.Stale[directory.Entra] = "sign-in coverage fell"
	}, Verdict{Outcome: Undecided, Unknowns: []string{"AzureAdSistaLogon"},
		Reason: "AzureAdSistaLogon cannot be trusted: sign-in coverage fell"}},
	{"Entra not read", func(p *directory.Person) { p.Entra, p.EntraState = nil, directory.NotRead },
		Verdict{Outcome: Undecided, ExemptOpen: true, Unknowns: []string{"license m365-e3", "accountEnabled", "systemRole", "AzureAdSistaLogon"},
			Reason: "license m365-e3 is not known: Entra was not read; accountEnabled, systemRole and AzureAdSistaLogon were not read"}},
	{"halves contradict", func(p *directory.Person) {
		p.EntraState, p.ADState, p.Doubt = directory.Contradictory, directory.Contradictory, "two accounts claim one SID"
	}, Verdict{Outcome: Undecided, Unknowns: []string{"accountEnabled", "systemRole", "AzureAdSistaLogon"},
		Reason: "accountEnabled, systemRole and AzureAdSistaLogon are not known: two accounts claim one SID"}},
	{"other role", func(p *directory.Person) { p.Entra.EmployeeType = "Consultant" }, Verdict{Outcome: Keep}},
	{"disabled", func(p *directory.Person) { p.Entra.Enabled = directory.No }, Verdict{Outcome: Keep}},
	{"enabled or not was not read", func(p *directory.Person) { p.Entra.Enabled = directory.Unset },
		Verdict{Outcome: Undecided, Unknowns: []string{"accountEnabled"}, Reason: "accountEnabled was not read"}},
	{"no license", func(p *directory.Person) { p.Entra.Assignments = nil }, Verdict{}},
	{"no account", func(p *directory.Person) { p.Entra, p.EntraState = nil, directory.NoAccount }, Verdict{}},
}

func TestMicrosoft365Rule(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	for _, tt := range microsoft365Cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			who := employee()
			tt.person(who)
			got := judge(t, p, noon).Ask(p.RuleNamed("m365"), who)
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Verdict{}, "Holder", "Asked")); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
			if (got.Asked == directory.No) != (tt.name == "other role" || tt.name == "disabled") || got.Outcome == Reclaim && got.Asked != directory.Yes || got.Outcome == NotHolder && got.Asked != directory.Unset {
				t.Errorf("asked %v, outcome %s", got.Asked, got.Outcome)
			}
			if (got.Holder == directory.No) != (got.Outcome == NotHolder) {
				t.Errorf("holder %v, outcome %s", got.Holder, got.Outcome)
			}
		})
	}
}

func logon(d time.Duration) func(*directory.Person) {
	return func(p *directory.Person) { p.AD.LastLogonTimestamp = noon.Add(-d) }
}

func created(d time.Duration) func(*directory.Person) {
	return func(p *directory.Person) { p.AD.Created, p.Entra.Created = noon.Add(-d), noon.Add(-d-day) }
}

var citrixCases = []struct {
	name   string
	person func(*directory.Person)
	want   Outcome
	reason string
}{
	{"logon exactly 90 days ago", logon(90 * day), Keep, "last logon 2026-08-25 (90 days)"},
	{"logon a second more than 90 days ago", logon(90*day + time.Second), Reclaim, "no logon since 2026-08-25 (90 days)"},
	{"logon a second less than 90 days ago", logon(90*day - time.Second), Keep, "last logon 2026-08-25 (89 days)"},
	{"never, created 90 days ago", created(90 * day), Reclaim, "never logged on; account created 2026-08-25"},
	{"never, created a second more than 90 days ago", created(90*day + time.Second), Reclaim, "never logged on; account created 2026-08-25"},
	{"never, created a second less than 90 days ago", created(90*day - time.Second), Keep,
		"kept: LastlogonTimestamp no value, created 2026-08-25T12:00:01Z"},
	{"never, creation not read", func(p *directory.Person) { p.AD.Created, p.Entra.Created = time.Time{}, time.Time{} },
		Undecided, "created has no value"},
	{"AD not read", func(p *directory.Person) { p.AD, p.ADState = nil, directory.NotRead },
		Undecided, "LastlogonTimestamp was not read"},
	{"AD account missing", func(p *directory.Person) {
		p.AD, p.ADState, p.Memberships, p.Doubt = nil, directory.Missing, nil, "no AD account was found"
	}, Undecided, "license citrix and LastlogonTimestamp are not known: no AD account was found"},
	{"no account in AD", func(p *directory.Person) { p.AD, p.ADState, p.Memberships = nil, directory.NoAccount, nil },
		NotHolder, "does not hold citrix"},
	{"cloud-only while AD is down", func(p *directory.Person) {
		p.AD, p.ADState, p.Memberships, p.Entra.Synced = nil, directory.NotRead, nil, false
	}, NotHolder, "does not hold citrix"},
	{"synced while AD is down", func(p *directory.Person) { p.AD, p.ADState, p.Memberships = nil, directory.NotRead, nil },
		Undecided, "license citrix is not known: Active Directory was not read; LastlogonTimestamp was not read"},
}

func TestCitrixRule(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	rule := p.RuleNamed("citrix")
	for _, tt := range citrixCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			who := employee()
			tt.person(who)
			j := judge(t, p, noon)
			v := j.Ask(rule, who)
			if v.Outcome != tt.want {
				t.Errorf("outcome %s, want %s", v.Outcome, tt.want)
			}
			if diff := cmp.Diff(tt.reason, j.Reason(rule, who, v)); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
		})
	}
}

// The license, the exemption, "for" and "when" are each true, false or unknown. Except for the license, each can also
// be an error. The outcome is right for each combination.
func TestEveryCell(t *testing.T) {
	t.Parallel()
	p := load(t, `
attributes:
  inX: {memberOf: {ad: CN=X}}
  inF: {memberOf: {ad: CN=F}}
  inW: {memberOf: {ad: CN=W}}
  errX: {memberOf: {ad: CN=eX}}
  errF: {memberOf: {ad: CN=eF}}
  errW: {memberOf: {ad: CN=eW}}
licenses:
  l: {group: {ad: CN=H}}
exempt: {when: inX || errX && created.value() < now - days(1)}
rules:
  - {name: r, license: l, for: inF || errF && created.value() < now - days(1), when: inW || errW && created.value() < now - days(1), then: remove}
`)
	states := []string{"true", "false", "unknown", "error"}
	operands := []string{"H", "X", "F", "W"}
	cells := 0
	for cell := range 256 {
		who := &directory.Person{ADState: directory.Present, AD: &directory.ADUser{}, EntraState: directory.NoAccount}
		is, n, name := map[string]string{}, cell, ""
		for _, op := range operands {
			state := states[n%4]
			n /= 4
			is[op] = state
			name += op + "=" + state + " "
			key := directory.GroupRef{Source: directory.AD, Name: "CN=" + op}.Key(op == "H")
			switch state {
			case "true":
				who.Memberships = append(who.Memberships, key)
			case "unknown":
				who.Unreadable = append(who.Unreadable, key)
			case "error":
				who.Memberships = append(who.Memberships, "ad:cn=e"+strings.ToLower(op))
			}
		}
		if is["H"] == "error" {
			continue // membership is looked up and not computed, so holder has no errors
		}
		cells++
		v := judge(t, p, noon).Ask(p.Rules[0], who)
		if want := cellOutcome(is["H"], is["X"], is["F"], is["W"]); v.Outcome != want {
			t.Errorf("%s: %s, want %s", name, v.Outcome, want)
		}
		checkUnknowns(t, name, v, is)
	}
	if cells != 192 {
		t.Errorf("%d cells asked, want 192", cells)
	}
}

// cellOutcome returns the right outcome for one combination. It does not call Judge.decide, which the test checks.
func cellOutcome(holder, exempt, scope, when string) Outcome {
	switch {
	case holder == "false":
		return NotHolder
	case exempt == "true":
		return Exempt
	case scope == "false" || when == "false":
		return Keep
	case holder == "true" && exempt == "false" && scope == "true" && when == "true":
		return Reclaim
	}
	return Undecided
}

func checkUnknowns(t *testing.T, cell string, v Verdict, is map[string]string) {
	t.Helper()
	var want []string
	if v.Outcome == Undecided {
		add := func(op, unknown string) {
			switch {
			case is[op] == "unknown":
				want = append(want, unknown)
			case is[op] == "error" && !strings.Contains(strings.Join(want, " "), "created"):
				want = append(want, "created")
			}
		}
		add("H", "license l")
		add("X", "inX")
		add("F", "inF")
		add("W", "inW")
		if v.Reason == "" {
			t.Errorf("%s: undecided without a reason", cell)
		}
	}
	if diff := cmp.Diff(want, v.Unknowns); diff != "" {
		t.Errorf("%s: unknowns (-want +got):\n%s", cell, diff)
	}
}

func TestAskAll(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	for _, tt := range microsoft365Cases {
		who := employee()
		tt.person(who)
		j := judge(t, p, noon)
		asked := 0
		for r, got := range j.AskAll(who) {
			want := j.Ask(r, who)
			if asked++; want.Outcome == Keep {
				want = Verdict{Outcome: Keep, Holder: want.Holder, Asked: want.Asked}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, rule %s (-alone +together):\n%s", tt.name, r.Name, diff)
			}
		}
		if asked != len(p.Rules) {
			t.Errorf("%d rules were asked", asked)
		}
	}
}
