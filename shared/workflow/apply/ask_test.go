package apply

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// TestAskedAgain: just before a change, apply reads the person and evaluates the rule again. If the rule no longer
// reclaims the license, or something cannot be read, apply writes nothing.
func TestAskedAgain(t *testing.T) {
	t.Parallel()
	anna := func(change func(*directory.EntraUser)) func(*bench) {
		return func(b *bench) { change(b.entra.users["id-anna"]) }
	}
	egon := func(change func(*directory.ADUser)) func(*bench) {
		return func(b *bench) { change(b.ad.people["S-1-5-21-5"]) }
	}
	failAD := func(call string, err error) func(*bench) {
		return func(b *bench) { b.ad.fail = map[string]error{call: err} }
	}
	partial := &directory.PartialLogonError{Controllers: []string{"ldaps://dc2"}, Err: errDown}
	tests := map[string]struct {
		change plan.Change
		what   func(*bench)
		want   runs.Status
		note   string
	}{
		"signed in":           {moveAnna, anna(func(u *directory.EntraUser) { u.LastInteractive = daysAgo(1) }), runs.Kept, "signed in 1 day ago"},
		"the date vanished":   {moveAnna, anna(func(u *directory.EntraUser) { u.LastSuccessful = zero }), runs.Kept, "undecided: the last sign-in of 2026-08-15 is no longer there"},
		"exempt meanwhile":    {moveAnna, func(b *bench) { b.entra.in.add("g-exempt", "id-anna") }, runs.Kept, "exempt: member of entra:LIC-Exempt"},
		"groups not readable": {moveAnna, func(b *bench) { b.entra.fail = map[string]error{"GroupsOf id-anna": errDown} }, runs.Pending, "nothing was done: groups in Entra ID could not be read"},
		"no longer held":      {moveAnna, anna(func(u *directory.EntraUser) { u.Assignments = nil }), runs.Kept, "does not hold e3"},
		"account gone":        {moveAnna, func(b *bench) { delete(b.entra.users, "id-anna") }, runs.Kept, "no longer in Entra ID"},
		"rule gone":           {plan.Change{User: "id-anna", Rule: "gone", License: "e3", Via: plan.EntraGroup}, func(*bench) {}, runs.Kept, "no rule gone"},
		"held twice": {moveAnna, anna(func(u *directory.EntraUser) {
			u.Assignments = append(u.Assignments, directory.Assignment{SKU: "sku-e3", State: "Active"})
		}), runs.Refused, "directly and through a group at once"},
		"held in another way":    {moveAnna, anna(func(u *directory.EntraUser) { u.Assignments[0].Group, u.Assignments[1].Group = "", "" }), runs.Refused, "plan again"},
		"logged on":              {freeEgon, egon(func(u *directory.ADUser) { u.LastLogonTimestamp = daysAgo(1) }), runs.Kept, "logged on 1 day ago"},
		"the logon vanished":     {freeEgon, egon(func(u *directory.ADUser) { u.LastLogonTimestamp = zero }), runs.Kept, "undecided"},
		"a controller is silent": {freeEgon, failAD("ReadPerson S-1-5-21-5", partial), runs.Kept, "undecided: "},
		"AD down":                {freeEgon, failAD("ReadPerson S-1-5-21-5", errDown), runs.Pending, "nothing was done: Active Directory could not be read"},
		"AD account gone":        {freeEgon, func(b *bench) { delete(b.ad.people, "S-1-5-21-5") }, runs.Kept, "no longer in Active Directory"},
		"AD group gone":          {freeEgon, failAD("MemberOf #1", directory.ErrNoGroup), runs.Kept, "undecided: "},
		"AD group not readable":  {freeEgon, failAD("MemberOf #1", errDown), runs.Pending, "nothing was done: Active Directory could not be read"},
		"left the AD group":      {freeEgon, func(b *bench) { b.ad.in.remove(citrixDN, "S-1-5-21-5") }, runs.Kept, "does not hold citrix"},
		"account in AD is gone":  {freeDora, func(b *bench) { delete(b.ad.people, "S-1-5-21-4") }, runs.Kept, "undecided: "},
		"accounts disagree":      {freeDora, func(b *bench) { b.ad.people["S-1-5-21-4"].GUID = "other" }, runs.Kept, "undecided: "},
		"account in Entra gone":  {freeDora, func(b *bench) { delete(b.entra.users, "id-dora") }, runs.Kept, "no longer in Entra ID"},
		"exempt by Entra":        {freeDora, func(b *bench) { b.entra.in.add("g-exempt", "id-dora") }, runs.Kept, "exempt"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			tc.what(b)
			b.apply(t, tc.want, tc.note)
			b.wrote(t)
			b.logged(t, tc.change, "")
		})
	}
}

// TestControllerUnasked: if a domain controller does not answer, apply takes a license only if the person would be idle
// even with the latest possible logon.
func TestControllerUnasked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		latest time.Time
		want   runs.Status
		note   string
		writes []string
	}{
		"proven":            {daysAgo(91), runs.Done, "", []string{leaveEgon}},
		"may have been in":  {daysAgo(90), runs.Kept, "undecided: ", nil},
		"nothing is proven": {time.Time{}, runs.Kept, "undecided: ", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeEgon)
			b.now = asOf
			b.ad.fail = map[string]error{"ReadPerson S-1-5-21-5": &directory.PartialLogonError{Controllers: []string{"ldaps://dc2"}, Err: errDown, Latest: tc.latest}}
			b.apply(t, tc.want, tc.note)
			b.wrote(t, tc.writes...)
		})
	}
}

// TestOtherSourceDoesNotMatter: a domain controller does not answer. A rule that does not use the last logon decides as
// usual.
func TestOtherSourceDoesNotMatter(t *testing.T) {
	t.Parallel()
	c := changeBo
	c.User = "id-dora"
	b := newBench(t, c)
	dora := b.entra.users["id-dora"]
	dora.LastSuccessful, dora.Assignments = idle, []directory.Assignment{{SKU: "sku-e3", State: "Active"}}
	b.ad.fail = map[string]error{"ReadPerson S-1-5-21-4": &directory.PartialLogonError{Err: errDown}}
	b.apply(t, runs.Done, "")
	b.wrote(t, "ChangeLicenses id-dora +sku-exo -sku-e3")
}

// TestGoneWhilePending: a change that has begun waits until the person can be read again. The change ends if the
// account is gone.
func TestGoneWhilePending(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.entra.fail = map[string]error{"GroupsOf id-anna": errDown}
	b.apply(t, runs.Pending, "groups in Entra ID could not be read")
	b.logged(t, moveAnna, "open")
	b.entra.fail = nil
	delete(b.entra.users, "id-anna")
	b.apply(t, runs.Failed, "no longer in Entra ID")
	b.logged(t, moveAnna, "failed")
	b.wrote(t, joinEXO)
}

// TestMeanwhileInEntra: the plan has a person only from Active Directory. Before the change, apply finds an Entra
// account with the person's user principal name. If it belongs to the person, the change is refused, because the
// account may be exempt.
func TestMeanwhileInEntra(t *testing.T) {
	t.Parallel()
	egon := directory.EntraUser{ID: "id-egon", SID: "S-1-5-21-5", ImmutableID: "guid-egon", Synced: true}
	tests := map[string]struct {
		sid    string // SID of the Entra account with Egon's user principal name
		anchor string // anchor of the Entra account; empty: Egon's objectGUID
		fail   error
		want   runs.Status
		note   string
		writes []string
	}{
		"the same person":         {"S-1-5-21-5", "", nil, runs.Refused, "known to Entra ID by now as id-egon; plan again", nil},
		"somebody else":           {"S-1-5-21-6", "", nil, runs.Done, "", []string{leaveEgon}},
		"nobody":                  {"S-1-5-21-5", "", directory.ErrNoPerson, runs.Done, "", []string{leaveEgon}},
		"the same by its anchor":  {"", "", nil, runs.Refused, "known to Entra ID by now as id-egon; plan again", nil},
		"no SID, another anchor":  {"", "guid-other", nil, runs.Done, "", []string{leaveEgon}},
		"another SID, the anchor": {"S-1-5-21-6", "guid-egon", nil, runs.Done, "", []string{leaveEgon}},
		"not to be read":          {"S-1-5-21-5", "", errDown, runs.Pending, "Entra ID could not be read", nil},
		"two of that name":        {"S-1-5-21-5", "", directory.ErrAmbiguousPerson, runs.Pending, "Entra ID could not be read", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeEgon)
			account := egon
			account.SID, account.ImmutableID = tc.sid, cmp.Or(tc.anchor, account.ImmutableID)
			b.entra.users["egon@x.example"] = &account
			b.entra.in.add("g-exempt", "id-egon")
			b.entra.fail = map[string]error{"FindPerson egon@x.example": tc.fail}
			b.ad.people["S-1-5-21-5"].UserPrincipalName = "egon@x.example"
			b.apply(t, tc.want, tc.note)
			b.wrote(t, tc.writes...)
		})
	}
}

// TestMissingExemptGroup: if the run did not find an exempt group, apply takes nothing, because anybody may be in the
// group.
func TestMissingExemptGroup(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	begin, err := snapshot.GetBegin(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	begin.Groups[len(begin.Groups)-1].Unreadable = "no such group"
	if err := store.PutJSON(t.Context(), b.Store, "runs/run/begin.json", begin); err != nil {
		t.Fatal(err)
	}
	b.apply(t, runs.Kept, "undecided: ")
	b.wrote(t)
}

// TestLogonThatProvesNothing: a domain controller was not asked, so the rule uses the latest possible logon to Active
// Directory. This logon does not replace a sign-in to Entra ID that has disappeared since the plan was made, so the
// person keeps the license.
func TestLogonThatProvesNothing(t *testing.T) {
	t.Parallel()
	const rule = "when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()"
	c := moveAnna
	b := newBenchOf(t, strings.Replace(text, rule, "when: AzureAdSistaLogon.hasNoValue() || LastlogonTimestamp.earlierThan(now - days(60))", 1), c)
	m := b.underWay(t, c, plan.EntraGroup)
	judge, err := m.run.Judge(b.now)
	if err != nil {
		t.Fatal(err)
	}
	m.judge, m.latest = judge, daysAgo(95)
	m.person.Entra.LastSuccessful = time.Time{}
	m.person.AD, m.person.ADState = &directory.ADUser{SID: "S-1-5-21-1"}, directory.Present
	m.person.Stale[directory.AD] = "dc2 was not asked"
	if _, v, keep := m.ask(); v.Outcome != policy.Reclaim || !strings.HasPrefix(keep, "undecided: the last sign-in of 2026-08-15 is no longer there") {
		t.Errorf("%s, %q", v.Outcome, keep)
	}
}
