package command

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

var unreadablePlans = map[string]struct {
	spoil func(s *shell, file string)
	said  string // part of a note in the next plan
}{
	"truncated": {func(s *shell, file string) { s.rewrite(file, func(b []byte) []byte { return b[:len(b)/2] }) }, "unexpected EOF"},
	"altered": {func(s *shell, file string) {
		s.rewrite(file, func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"license":"m365-e3"`), []byte(`"license":"visio-p2"`), 1)
		})
	}, "it was altered"},
	"missing": {func(s *shell, file string) { s.remove(strings.TrimPrefix(file, s.path("store/"))) }, "the run has no plan"},
}

// The method "rewrite" replaces the content of a file by the result of the function "change", which must differ.
func (s *shell) rewrite(file string, change func([]byte) []byte) {
	s.t.Helper()
	old, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	text := change(bytes.Clone(old))
	if bytes.Equal(old, text) {
		s.t.Fatalf("%s is not changed", file)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// TestUnreadablePlanOfAnEarlierRun: if the plan of a run with pending changes is unreadable, the next night plans and
// applies. A restore of that run reads only the ledger: it returns the licenses that the run took, and rolls back the
// changes that the run began.
func TestUnreadablePlanOfAnEarlierRun(t *testing.T) {
	t.Parallel()
	for name, tc := range unreadablePlans {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShellAgo(t, 3*day, sandbox.Options{Users: 200, Seed: 9, LicenseDelay: 3 * time.Minute}, replace(t, "perRun: 200", "perRun: 6"))
			before := holding(s.company.Company)
			first := s.plan(exitDone)
			if a := s.want(exitDone, "apply", first.Run, "--yes", "--format", "json"); !bytes.Contains(a.out, []byte(`"pending"`)) {
				t.Fatal("nothing is pending")
			}
			tc.spoil(s, s.path("store/runs/"+first.Run+"/plan.json"))
			s.later(day)
			second := s.plan(exitDone)
			note := "run " + first.Run + " cannot finish what it began: its plan cannot be read: "
			found := false
			for _, n := range second.Notes {
				found = found || strings.HasPrefix(n, note) && strings.Contains(n, tc.said)
			}
			if !found || len(second.Pending) == 0 || len(second.Resumes) > 0 || len(second.Changes) == 0 {
				t.Errorf("pending %d, resumes %q, changes %d, notes %q; want one that has %q", len(second.Pending), second.Resumes, len(second.Changes), second.Notes, tc.said)
			}
			s.done(second.Run)
			s.restored("--run", second.Run)
			s.restored("--run", first.Run)
			s.asBefore(before)
		})
	}
}

// TestUnreadableHistory damages the object history/plans/<run>.json of the last run. The next night uses the object of
// an older run. If the objects of all runs are damaged, the next plan fails and names a damaged object.
func TestUnreadableHistory(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 3*day, sandbox.Options{Users: 100, Seed: 9})
	cut := func(run string) {
		s.rewrite(s.path("store/history/plans/"+run+".json"), func(b []byte) []byte { return b[:len(b)/2] })
	}
	first := s.plan(exitDone)
	s.later(day)
	second := s.plan(exitDone)
	s.later(day)
	cut(second.Run)
	third := s.plan(exitDone)
	noted := slices.ContainsFunc(third.Notes, func(n string) bool {
		return strings.HasPrefix(n, "read what run "+second.Run+" planned: damaged object ") && strings.HasSuffix(n, "an older run's list counts")
	})
	if !noted || len(third.Changes) == 0 {
		t.Errorf("%d changes, notes %q", len(third.Changes), third.Notes)
	}
	cut(first.Run)
	cut(third.Run)
	if a := s.want(exitFailed, "plan"); !strings.Contains(a.err, third.Run+".json") || !strings.Contains(a.err, "move the object out of the store") {
		t.Errorf("%s", a.err)
	}
}

// TestUnreadablePlanOfARestore: if the plan of a pending restore is unreadable, a second restore of the same run
// finishes the pending restore.
func TestUnreadablePlanOfARestore(t *testing.T) {
	t.Parallel()
	for name, tc := range unreadablePlans {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShellAgo(t, 3*day, sandbox.Options{Users: 200, Seed: 9, LicenseDelay: 3 * time.Minute}, replace(t, "perRun: 200", "perRun: 6"))
			before := holding(s.company.Company)
			first := s.plan(exitDone)
			s.done(first.Run)
			s.passes(time.Hour)
			a := s.want(exitDone, "restore", "--run", first.Run, "--yes", "--format", "json")
			if !bytes.Contains(a.out, []byte(`"pending"`)) {
				t.Fatal("nothing is pending")
			}
			tc.spoil(s, s.path("store/runs/"+runOf(t, a.out)+"/plan.json"))
			if r := s.restored("--run", first.Run); r.Count(runs.Done) != len(r.Results) || len(r.Results) == 0 {
				t.Errorf("%+v", r.Results)
			}
			s.asBefore(before)
		})
	}
}

func runOf(t *testing.T, out []byte) string {
	t.Helper()
	var r runs.Results
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r.Run
}
