package command

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The function "holding" returns the groups and the licenses of each person, by the index of the person.
func holding(c *sandbox.Company) map[int][]string {
	all := map[int][]string{}
	for i := range c.Size() {
		p := c.Person(i)
		list := append(slices.Clone(p.Groups), p.ADGroups...)
		if p.Entra != nil {
			for _, a := range p.Entra.Assignments {
				list = append(list, strings.Join(append([]string{a.SKU, a.Group, a.State}, a.DisabledPlans...), " "))
			}
		}
		slices.Sort(list)
		all[i] = list
	}
	return all
}

// asBefore checks that people hold the same as in the argument "before". Licenses follow group membership with a delay,
// so asBefore advances the clock.
func (s *shell) asBefore(before map[int][]string) {
	s.t.Helper()
	diff := ""
	for range 150 {
		if diff = cmp.Diff(before, holding(s.company.Company)); diff == "" {
			return
		}
		s.passes(time.Minute)
	}
	s.t.Errorf("what people hold (-before +after):\n%s", diff)
}

// The method "restored" runs the command restore, and then the command apply until nothing is pending.
func (s *shell) restored(args ...string) runs.Results {
	s.t.Helper()
	var r runs.Results
	if err := json.Unmarshal(s.want(exitDone, append([]string{"restore", "--yes", "--format", "json"}, args...)...).out, &r); err != nil {
		s.t.Fatal(err)
	}
	for r.Count(runs.Pending) > 0 {
		s.passes(2 * time.Hour)
		run := r.Run
		r = runs.Results{}
		if err := json.Unmarshal(s.want(exitDone, "apply", run, "--yes", "--format", "json").out, &r); err != nil {
			s.t.Fatal(err)
		}
	}
	return r
}

// TestRestore restores one person's licenses, and then the rest of the run. All people hold the same as before the run.
func TestRestore(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 400, Seed: 9, LicenseDelay: 50 * time.Millisecond})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	s.finish(p.Run)
	if cmp.Equal(before, holding(s.company.Company)) {
		t.Fatal("nothing was taken")
	}
	one := p.Changes[0]
	if r := s.restored(one.UserPrincipalName); len(r.Results) == 0 || r.Count(runs.Done) != len(r.Results) || r.Results[0].User != one.User {
		t.Errorf("one user: %+v", r)
	}
	if again := s.want(exitUsage, "restore", one.UserPrincipalName, "--yes"); !strings.Contains(again.err, "nothing to restore") {
		t.Errorf("again: %s", again.err)
	}
	r := s.restored("--run", p.Run)
	if n := r.Count(runs.Done); n != len(r.Results) || n < len(p.Changes)-3 || n >= len(p.Changes) {
		t.Errorf("%d of %d done, the run had %d changes", n, len(r.Results), len(p.Changes))
	}
	s.asBefore(before)
	s.want(exitUsage, "restore", "--run", p.Run, "--yes")
	s.want(exitUsage, "restore", "--yes")
	s.want(exitUsage, "restore", "nobody@contoso.example", "--yes")
}

// TestRestoreOfOthers: the restore of a run does not wait for a pending restore of one person.
func TestRestoreOfOthers(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 9, LicenseDelay: 1500 * time.Millisecond})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	for range 200 {
		if a := s.run("apply", p.Run, "--yes", "--format", "json"); !bytes.Contains(a.out, []byte(`"pending"`)) {
			break
		}
		s.passes(time.Minute)
	}
	slow := slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.Via == plan.EntraGroup })
	other := slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.Via == plan.ADGroup })
	s.passes(7 * time.Hour) // now every domain controller shows the removals, so a restore does not wait
	// This restore stays pending until the license follows the membership.
	s.want(exitDone, "restore", p.Changes[slow].UserPrincipalName, "--yes")
	var r runs.Results
	if err := json.Unmarshal(s.want(exitDone, "restore", "--run", p.Run, p.Changes[other].User, "--yes", "--format", "json").out, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Results) == 0 || r.Count(runs.Done) != len(r.Results) || r.Results[0].User != p.Changes[other].User {
		t.Errorf("the other one: %+v", r.Results)
	}
	a := s.want(exitDone, "restore", "--run", p.Run, "--yes")
	if !strings.Contains(a.err, "went on with run ") {
		t.Errorf("what was begun before is not gone on with: %s", a.err)
	}
	for range 200 {
		if a := s.run("restore", "--run", p.Run, "--yes"); a.status == exitUsage {
			break
		}
		s.passes(time.Minute)
	}
	s.asBefore(before)
}

// TestRestoreUnasked: without --yes and without a terminal, a restore is refused and stops nothing. The command apply
// can still finish the run that was to be restored.
func TestRestoreUnasked(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 9, LicenseDelay: 700 * time.Millisecond})
	p := s.plan(exitDone)
	if a := s.want(exitDone, "apply", p.Run, "--yes", "--format", "json"); !bytes.Contains(a.out, []byte(`"pending"`)) {
		t.Fatal("nothing is pending")
	}
	for _, args := range [][]string{{"--run", p.Run}, {p.Changes[0].UserPrincipalName}} {
		if a := s.want(exitHeld, append([]string{"restore"}, args...)...); !strings.Contains(a.err, "give --yes") {
			t.Errorf("%v: %s", args, a.err)
		}
	}
	var r runs.Results
	if err := json.Unmarshal(s.finish(p.Run).out, &r); err != nil || r.Count(runs.Done) < len(p.Changes)-3 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestRestoreWhileApplied restores a run whose changes are pending. The run begins no further change, pending changes
// are rolled back, and taken licenses are returned.
func TestRestoreWhileApplied(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 9, LicenseDelay: 700 * time.Millisecond})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	if a := s.want(exitDone, "apply", p.Run, "--yes", "--format", "json"); !bytes.Contains(a.out, []byte(`"pending"`)) {
		t.Fatal("nothing is pending")
	}
	pending := slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.Via == plan.EntraGroup })
	if a := s.want(exitDone, "restore", p.Changes[pending].UserPrincipalName, "--yes"); !strings.Contains(a.err, "somebody asked to restore it") {
		t.Errorf("one whose change is under way: %s", a.err)
	}
	for range 200 {
		if a := s.run("restore", "--run", p.Run, "--yes"); a.status == exitUsage && strings.Contains(a.err, "nothing to restore") {
			break
		}
		s.passes(time.Minute)
	}
	if a := s.want(exitHeld, "apply", p.Run, "--yes"); !strings.Contains(a.err, "final already") && !strings.Contains(a.err, "restores it") {
		t.Errorf("apply again: %s", a.err)
	}
	s.asBefore(before)
	for _, e := range s.company.Company.History() {
		if e.LostMailbox {
			t.Errorf("somebody was without a mailbox: %+v", e)
		}
	}
}

// TestRestoreWhenDataAreOver: after the data of a run are deleted, a restore still works from the ledger.
func TestRestoreWhenDataAreOver(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 9, LicenseDelay: 20 * time.Millisecond})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	s.done(p.Run)
	s.plan(exitDone)
	if err := os.RemoveAll(s.path("store/runs/" + p.Run)); err != nil {
		t.Fatal(err)
	}
	// A restore needs no sign-in dates, so it must work without a premium license.
	s.company.Intercept(lapsed)
	if r := s.restored(p.Changes[0].UserPrincipalName); r.Count(runs.Done) == 0 || r.Count(runs.Done) != len(r.Results) {
		t.Errorf("one user: %+v", r)
	}
	s.restored("--run", p.Run)
	s.asBefore(before)
}

// TestRestoreBesideDamage: the ledger of one license of a person is damaged. The other licenses are restored, and the
// command names the damaged one.
func TestRestoreBesideDamage(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 9, LicenseDelay: 20 * time.Millisecond})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	s.done(p.Run)
	one := p.Changes[slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.Via == plan.Direct })]
	key := "ledger/" + one.User + "/another/000001.json"
	s.object(key, "{")
	a := s.want(exitFailed, "restore", one.UserPrincipalName, "--yes")
	if !strings.Contains(a.err, "not restored: damaged ledger: the object "+key) {
		t.Errorf("%s", a.err)
	}
	n := s.number(one.User)
	if d := cmp.Diff(before[n], holding(s.company.Company)[n]); d != "" {
		t.Errorf("what the person holds (-before +after):\n%s", d)
	}
}

// TestRestoreSaysHowToFinish: a restore that only rolls back what a run has begun prints the command that finishes the
// rollback.
func TestRestoreSaysHowToFinish(t *testing.T) {
	t.Parallel()
	s, first, c, i := waiting(t)
	s.later(13 * time.Hour)
	s.want(exitDone, "apply", first.Run, "--yes") // the person has left the group of E3
	a := s.want(exitDone, "restore", c.UserPrincipalName, "--yes")
	before, back, found := strings.Cut(string(a.out), "then finish:  idleseat ")
	if !found || before != "1 pending change waits for the directory, often for minutes; " {
		t.Fatalf("%s%s", a.out, a.err)
	}
	s.later(13 * time.Hour)
	s.want(exitDone, strings.Fields(back)...)
	s.endsInSource(first, c, i, runs.Kept, "somebody asked to restore it")
}
