package command

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func (s *shell) done(run string, args ...string) (r runs.Results) {
	s.t.Helper()
	if err := json.Unmarshal(s.finish(run, args...).out, &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// The method "entries" returns the rule and the outcome of each ledger entry about one license of a person.
func (s *shell) entries(user, license string) (list []string) {
	s.t.Helper()
	files, err := filepath.Glob(s.path("store/ledger/" + user + "/" + license + "/*.done.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, file := range files {
		var in ledger.Intent
		var done ledger.Completion
		for name, v := range map[string]any{strings.TrimSuffix(file, ".done.json") + ".json": &in, file: &done} {
			raw, err := os.ReadFile(name)
			if err == nil {
				err = json.Unmarshal(raw, v)
			}
			if err != nil {
				s.t.Fatal(err)
			}
		}
		if !strings.Contains(in.ApprovedBy, "@") && in.ApprovedBy != "root" {
			s.t.Errorf("the ledger does not say who approved: %q", in.ApprovedBy)
		}
		list = append(list, in.Rule+" "+string(done.Outcome))
	}
	return list
}

func (s *shell) number(user string) int {
	s.t.Helper()
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if p.Entra != nil && p.Entra.ID == user || p.AD != nil && p.AD.SID == user {
			return i
		}
	}
	s.t.Fatalf("nobody is %s", user)
	return -1
}

// The method "change" returns the first change of plan p for which "fits" returns true, and the index of the person in
// the company.
func (s *shell) change(p printed, fits func(plan.Change) bool) (plan.Change, int) {
	s.t.Helper()
	i := slices.IndexFunc(p.Changes, fits)
	if i < 0 {
		s.t.Fatalf("no such change among %d", len(p.Changes))
	}
	return p.Changes[i], s.number(p.Changes[i].User)
}

func by(rule string, via plan.Via) func(plan.Change) bool {
	return func(c plan.Change) bool { return c.Rule == rule && c.Via == via }
}

// The method "reason" returns why a person keeps a license. It returns "" if the plan gives no reason.
func (p printed) reason(user, license string) string {
	for _, c := range slices.Concat(p.Refused, p.Undecided) {
		if c.User == user && c.License == license {
			return c.Reason
		}
	}
	return ""
}

// TestReturner takes a license from people who then sign in. If the rule has "onReturn: restore", the next run returns
// the license. Otherwise the plan only lists the person.
func TestReturner(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond}, replace(t, "{changeTo: exchange-online}", "{changeTo: exchange-online, onReturn: restore}"))
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	grouped, g := s.change(p, by("m365-idle-60", plan.EntraGroup))
	direct, d := s.change(p, by("m365-idle-60", plan.Direct))
	citrix, c := s.change(p, by("citrix-idle-90", plan.ADGroup))
	s.done(p.Run)
	time.Sleep(1100 * time.Millisecond) // dates have a resolution of one second, and the next sign-ins must be later than the changes
	s.company.Company.SignIn(g)
	s.company.Company.SignIn(d)
	s.company.Company.LogOn(c)
	next := s.plan(exitDone)
	for _, lost := range []plan.Change{grouped, direct} {
		i := slices.IndexFunc(next.Changes, func(c plan.Change) bool { return c.User == lost.User && c.License == lost.License })
		if i < 0 || next.Changes[i].Rule != plan.RestoreRule || next.Changes[i].RestoreOf != p.Run || next.Changes[i].MonthlySaving != -35 {
			t.Errorf("%s is active again, the plan has %+v", lost.UserPrincipalName, next.Changes)
		}
	}
	want := fmt.Sprintf("after run %s took the license on ", p.Run)
	i := slices.IndexFunc(next.Returned, func(r listed) bool { return r.User == citrix.User && r.License == "citrix" })
	if i < 0 || !strings.Contains(next.Returned[i].Reason, want) || !strings.Contains(next.Returned[i].Reason, "no onReturn: restore") || len(next.Returned) != 3 {
		t.Errorf("returned: %+v", next.Returned)
	}
	s.done(next.Run)
	for _, i := range []int{g, d} {
		after := holding(s.company.Company)[i]
		for range 1500 { // wait until the license follows the group membership
			if slices.Equal(before[i], after) {
				break
			}
			time.Sleep(20 * time.Millisecond)
			after = holding(s.company.Company)[i]
		}
		if !slices.Equal(before[i], after) && i != c {
			t.Errorf("person %d held %v and holds %v", i, before[i], after)
		}
	}
	if got := s.entries(grouped.User, "m365-e3"); !slices.Equal(got, []string{"m365-idle-60 done", "restore done"}) {
		t.Errorf("ledger: %v", got)
	}
	for _, e := range s.company.Company.History() {
		if e.LostMailbox {
			t.Errorf("somebody was without a mailbox: %+v", e)
		}
	}
}

// TestReserve checks that a run returns a license only while more seats are free than keepSeats in the policy.
func TestReserve(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond}, replace(t, "{changeTo: exchange-online}", "{changeTo: exchange-online, onReturn: restore}"),
		replace(t, "{entra: LIC-M365-E3}, ", "{entra: LIC-M365-E3}, keepSeats: 7,"))
	p := s.plan(exitDone)
	s.done(p.Run)
	time.Sleep(1100 * time.Millisecond)
	back := 0
	for _, c := range p.Changes {
		if c.License == "m365-e3" && back < 4 {
			s.company.Company.SignIn(s.number(c.User))
			back++
		}
	}
	_, consumed := s.company.Company.Seats("SPE_E3")
	s.company.Company.SetSeats("SPE_E3", consumed+7+3)
	next := s.plan(exitDone)
	given, refused := 0, 0
	for _, c := range next.Changes {
		if c.RestoreOf != "" {
			given++
		}
	}
	for _, r := range next.Returned {
		if strings.Contains(r.Reason, "no free seat of m365-e3 is left for it, beside the 7 that are kept free") {
			refused++
		}
	}
	if given != 3 || refused != 1 || len(next.Returned) != 4 {
		t.Errorf("%d are restored and %d refused: %+v", given, refused, next.Returned)
	}
}

// TestRestoredByHand: after a restore by a command or by hand, a run may take the license again only when the rule's
// full idle period has passed.
func TestRestoredByHand(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 100*day, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond}, withoutGrace(t))
	p := s.plan(exitDone)
	restored, _ := s.change(p, by("m365-idle-60", plan.EntraGroup))
	citrix, c := s.change(p, by("citrix-idle-90", plan.ADGroup))
	s.done(p.Run)
	s.restored(restored.UserPrincipalName)
	s.company.Company.SetMember(c, "Citrix Users", true)
	check := func(when string, cooling bool) {
		t.Helper()
		next := s.plan(exitDone)
		for lost, want := range map[plan.Change]string{restored: "cooling down: restored on ", citrix: "cooling down: restored "} {
			planned := slices.ContainsFunc(next.Changes, func(c plan.Change) bool { return c.User == lost.User && c.License == lost.License })
			if planned == cooling || strings.HasPrefix(next.reason(lost.User, lost.License), want) != cooling {
				t.Errorf("%s, %s %s: planned %t, reason %q", when, lost.UserPrincipalName, lost.License, planned, next.reason(lost.User, lost.License))
			}
		}
	}
	s.later(day) // now every domain controller shows the removal
	check("the next night", true)
	returned := s.saved()
	if returned.SeatsFreed-returned.SeatsNet != 2 || returned.Returned <= 1800 {
		t.Errorf("a license restored by command and one by hand: %+v", returned.Figures)
	}
	check("the night after", true)
	s.later(58 * day)
	check("58 days later", true)
	s.later(33 * day)
	check("91 days later", false)
	again := s.plan(exitDone) // a plan that was not applied does not restart the idle period
	s.done(again.Run)
	for user, license := range map[string]string{restored.User: "m365-e3", citrix.User: "citrix"} {
		if got := s.entries(user, license); got[len(got)-1] != map[string]string{"m365-e3": "m365-idle-60 done", "citrix": "citrix-idle-90 done"}[license] {
			t.Errorf("%s, idle for the whole span again: %v", license, got)
		}
	}
	var in ledger.Intent
	raw, err := os.ReadFile(s.path("store/ledger/" + citrix.User + "/citrix/000002.json"))
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	if err != nil || in.HeldSince.IsZero() || in.At.Sub(in.HeldSince) < 90*day {
		t.Errorf("the license was held since %v, before %v: %v", in.HeldSince, in.At, err)
	}
	if got := s.saved(); got.SeatsFreed-got.SeatsNet != 2 || got.SeatsFreed != returned.SeatsFreed+len(again.Changes) || got.Unproven <= 0 {
		t.Errorf("both are taken again: %+v", got.Figures)
	}
}

// TestNotice: the first run only announces a change. A later run makes the change, unless the person was active in the
// meantime.
func TestNotice(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 100*day, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond}, replace(t, "{changeTo: exchange-online}", "{changeTo: exchange-online, notice: 14}"), replace(t, "percent: 10", "percent: 50"))
	first := s.plan(exitDone)
	announced := first.Notices
	if len(announced) < 3 || slices.ContainsFunc(first.Changes, func(c plan.Change) bool { return c.License == "m365-e3" }) {
		t.Fatalf("announced %d, changes %+v", len(announced), first.Changes)
	}
	r := s.done(first.Run)
	if r.Count(runs.Announced) != len(announced) {
		t.Errorf("%d of %d announced: %+v", r.Count(runs.Announced), len(announced), r.Results)
	}
	for _, e := range s.company.Company.History() {
		if e.SKU != "" || strings.HasPrefix(e.Group, "LIC-") {
			t.Errorf("a notice changed something: %+v", e)
		}
	}
	s.later(13 * day)
	waiting := s.plan(exitDone)
	for _, c := range announced {
		if got := waiting.reason(c.User, "m365-e3"); !strings.HasPrefix(got, "announced on ") || !strings.Contains(got, "if the person is still idle") {
			t.Errorf("%s after 13 days: %q", c.UserPrincipalName, got)
		}
	}
	if len(waiting.Changes)+len(waiting.Notices) > 10 { // a few people became idle after the notice
		t.Errorf("%d changes and %d notices while all wait", len(waiting.Changes), len(waiting.Notices))
	}
	active := s.number(announced[0].User)
	s.company.Company.SignIn(active)
	s.later(3 * day)
	due := s.plan(exitDone)
	taken := map[string]bool{}
	for _, c := range due.Changes {
		taken[c.User+c.License] = true
	}
	for i, c := range announced {
		if taken[c.User+"m365-e3"] != (i > 0) {
			t.Errorf("%s (%d) after 16 days: taken %t, %s", c.UserPrincipalName, i, taken[c.User+"m365-e3"], due.reason(c.User, "m365-e3"))
		}
	}
	s.done(due.Run)
	if got := s.entries(announced[1].User, "m365-e3"); !slices.Equal(got, []string{"m365-idle-60 noticed", "m365-idle-60 done"}) {
		t.Errorf("ledger: %v", got)
	}
}
