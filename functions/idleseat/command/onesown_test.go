package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// nobodyExemptBy removes the exemption of guests from the policy. This exemption would be unknown for people who are
// only in Active Directory, and their verdicts would be undecided.
func nobodyExemptBy(t *testing.T) policyText {
	return replace(t, "  when:   userType == \"Guest\"\n", "")
}

func (s *shell) object(key, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path("store/"+key)), 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.write("store/"+key, text)
}

// The method "restoring" runs the command restore. Then it repeats apply until no change is pending, or until a failed
// read or write blocks every pending change.
func (s *shell) restoring(status int, args ...string) (r runs.Results, stderr string) {
	s.t.Helper()
	a := s.want(status, append([]string{"restore", "--yes", "--format", "json"}, args...)...)
	for {
		r = runs.Results{}
		if err := json.Unmarshal(a.out, &r); err != nil {
			s.t.Fatalf("%v\n%s%s", err, a.out, a.err)
		}
		if r.Count(runs.Pending) == r.Troubled() {
			return r, a.err
		}
		s.passes(time.Minute)
		a = s.run("apply", r.Run, "--yes", "--format", "json")
	}
}

// TestRestoreWithoutOneAccount restores a run after somebody replaced one person's account in Active Directory. The
// result names this person and the reason. The others get their licenses back.
func TestRestoreWithoutOneAccount(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 3000, Seed: 9, LicenseDelay: 20 * time.Millisecond}, nobodyExemptBy(t), replace(t, "perRun: 600", "perRun: 60"))
	p := s.plan(exitDone)
	var alone []plan.Change // people who are only in Active Directory
	for _, c := range p.Changes {
		if strings.HasPrefix(c.User, "S-1-") {
			alone = append(alone, c)
		}
	}
	if len(alone) < 2 {
		t.Fatalf("%d people in Active Directory alone", len(alone))
	}
	s.done(p.Run)
	missing := s.number(alone[1].User)
	s.company.Company.Replace(missing)

	urls := s.env
	s.setenv("IDLESEAT_AD_URLS", "")
	s.setenv("IDLESEAT_AD_BASE", "")
	r, _ := s.restoring(exitFailed, "--run", p.Run)
	for _, x := range r.Results {
		if strings.HasPrefix(x.User, "S-1-") != (x.Status == runs.Pending) && x.License != "citrix" {
			t.Errorf("without Active Directory: %+v", x)
		}
	}
	if r.Count(runs.Done) == 0 {
		t.Errorf("nobody was restored: %+v", r.Results)
	}
	s.env = urls
	s.run("apply", r.Run, "--yes") // continues the restore
	for _, c := range alone {
		want := c.User != alone[1].User
		if in := s.inCitrix(c.User); want && !in {
			t.Errorf("%s is not back", c.User)
		}
	}
	r, _ = s.restoring(exitFailed, "--run", p.Run)
	if len(r.Results) != 1 || r.Results[0].User != alone[1].User || r.Results[0].Status != runs.Failed || !strings.Contains(r.Results[0].Note, "no longer in Active Directory") {
		t.Errorf("what is left: %+v", r.Results)
	}
}

// inCitrix reports whether a user is in the Citrix group. The argument "user" is an object id or a SID.
func (s *shell) inCitrix(user string) bool {
	for i := range s.company.Company.Size() {
		if p := s.company.Company.Person(i); p.AD != nil && (p.AD.SID == user || p.Entra != nil && p.Entra.ID == user) {
			for _, g := range p.ADGroups {
				if g == sandbox.CitrixGroup {
					return true
				}
			}
		}
	}
	return false
}

// TestDamagedStoreIsOnePersons puts malformed and foreign objects into the ledger. Each of them stops only the changes
// of one license of one person, and the reason names the object. A damaged manifest, or a damaged object of
// history/plans, does not stop later runs.
func TestDamagedStoreIsOnePersons(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 400, Seed: 9, LicenseDelay: 20 * time.Millisecond})
	first := s.plan(exitDone)
	cut, foreign, later := first.Changes[0], first.Changes[1], first.Changes[2]
	open := "ledger/" + cut.User + "/" + cut.License + "/000001.json"
	s.object(open, `{"person":"`+cut.User+`","license":"`)
	notes := "ledger/" + foreign.User + "/" + foreign.License + "/notes.json"
	s.object(notes, "{}")
	s.object("runs/"+first.Run+"/manifest.json", "{")

	second := s.plan(exitDone)
	if len(second.Changes) != len(first.Changes)-2 {
		t.Errorf("%d changes, there were %d", len(second.Changes), len(first.Changes))
	}
	for c, key := range map[*plan.Change]string{&cut: open, &foreign: notes} {
		got := second.reason(c.User, c.License)
		if !strings.HasPrefix(got, "undecided: ") || !strings.Contains(got, "the object "+key+" ") || !strings.Contains(got, "bring back its earlier version") {
			t.Errorf("the reason for the one with %s: %q", key, got)
		}
	}
	s.object("history/plans/"+first.Run+".json", "nothing")
	orphan := "ledger/" + later.User + "/" + later.License + "/000001.done.json"
	s.object(orphan, `{"outcome":"done"}`) // written after the plan was made
	r := s.done(second.Run)
	if n := r.Count(runs.Done); n != len(second.Changes)-1 {
		t.Errorf("%d of %d done", n, len(second.Changes))
	}
	if x := r.Of(&later); x == nil || x.Status != runs.Refused || !strings.Contains(x.Note, "the object "+orphan+" ") {
		t.Errorf("the one without intent: %+v", x)
	}
	for _, key := range []string{open, notes, orphan} { // an operator solves the problem by removing the objects
		if err := os.Remove(s.path("store/" + key)); err != nil {
			t.Fatal(err)
		}
	}
	if third := s.plan(exitDone); len(third.Changes) != 3 {
		t.Errorf("mended: %d changes", len(third.Changes))
	}
}
