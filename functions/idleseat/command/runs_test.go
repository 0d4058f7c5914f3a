package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func (s *shell) listedNow(args ...string) (l listedRuns) {
	s.t.Helper()
	a := s.want(exitDone, append([]string{"runs", "--format", "json"}, args...)...)
	if err := json.Unmarshal(a.out, &l); err != nil {
		s.t.Fatalf("runs --format json: %v\n%s", err, a.out)
	}
	return l
}

func TestRunsAreListed(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 16})
	if a := s.want(exitUsage, "runs"); !strings.Contains(a.err, "make the first run") {
		t.Errorf("no store: %q", a.err)
	}
	if _, err := os.Stat(s.path("store")); !os.IsNotExist(err) {
		t.Errorf("listing made the store: %v", err)
	}
	if err := os.Mkdir(s.path("store"), 0o700); err != nil {
		t.Fatal(err)
	}
	if a := s.want(exitDone, "runs"); !strings.Contains(string(a.out), "no runs in") {
		t.Errorf("an empty store: %q", a.out)
	}
	first := s.plan(exitDone)
	s.finish(first.Run)
	second := s.plan(exitDone)
	one := s.plan(exitDone, "--user", first.Changes[0].UserPrincipalName)
	over := s.plan(exitDone, "--run", latest) // uses the snapshot of the latest run for everybody
	s.passes(7 * time.Hour)                   // now every domain controller shows the removals, so a restore does not wait
	s.want(exitDone, "restore", first.Changes[0].UserPrincipalName, "--yes")

	all := s.listedNow("--last", "0")
	if all.Total != 5 || len(all.Runs) != 5 {
		t.Fatalf("%d runs, %d listed", all.Total, len(all.Runs))
	}
	byName := map[string]*runs.Overview{}
	for i, o := range all.Runs {
		byName[o.Run] = o
		if len(o.Damage) > 0 || i > 0 && o.Run >= all.Runs[i-1].Run {
			t.Errorf("run %d: %+v", i, o)
		}
	}
	was := byName[first.Run]
	if was.Stage != runs.StageEnded || was.Results[runs.Done] != len(first.Changes) || was.MonthlySaving != first.MonthlySaving || was.Counts != first.Counts {
		t.Errorf("the first run: %+v", was)
	}
	if o := byName[second.Run]; o.Verdict != second.Verdict || o.Changes != len(second.Changes) {
		t.Errorf("the second run: %+v", o)
	}
	if o := byName[one.Run]; o.User != first.Changes[0].UserPrincipalName {
		t.Errorf("the run for one person: %+v", o)
	}
	if o := byName[over.Run]; o.Copy != second.Run {
		t.Errorf("the run over a snapshot: %+v, want over %s", o, second.Run)
	}
	if o := all.Runs[0]; o.Restore != first.Run {
		t.Errorf("the restore: %+v", o)
	}
	if got := s.listedNow("--last", "2"); got.Total != 5 || cmp.Diff(all.Runs[:2], got.Runs) != "" {
		t.Errorf("the last two: %+v", got)
	}
	text := string(s.want(exitDone, "runs", "--last", "4").out)
	for _, want := range []string{second.Run, "only " + first.Changes[0].UserPrincipalName, "over the snapshot of run " + second.Run, "restores run " + first.Run, "… and 1 older", "done 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the list does not say %q:\n%s", want, text)
		}
	}
	s.want(exitUsage, "runs", "--last", "-1")
}

// TestRunsSaysWhatIsDamaged: the list says what is damaged in a run, and still shows the other runs.
func TestRunsSaysWhatIsDamaged(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 16})
	first, second := s.plan(exitDone), s.plan(exitDone)
	if err := os.WriteFile(filepath.Join(s.path("store"), "runs", second.Run, "plan.json"), []byte(`{"run":`), 0o600); err != nil {
		t.Fatal(err)
	}
	text := string(s.want(exitDone, "runs").out)
	for _, want := range []string{first.Run, second.Run, "damaged: read the plan of run " + second.Run} {
		if !strings.Contains(text, want) {
			t.Errorf("the list does not say %q:\n%s", want, text)
		}
	}
}

// TestLatestIsNoNameForChanges: commands that change licenses do not accept the word latest as the name of a run.
func TestLatestIsNoNameForChanges(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 16})
	p := s.plan(exitDone)
	for _, args := range [][]string{{"apply", latest, "--yes"}, {"restore", "--run", latest, "--yes"}, {"approve", latest, p.PlanHash, "--aws", "stack"}} {
		if a := s.want(exitUsage, args...); !strings.Contains(a.err, "name the run itself") {
			t.Errorf("%q: %q", args, a.err)
		}
	}
	s.unwritten()
	user := p.Changes[0].UserPrincipalName
	named, meant := s.want(exitDone, "explain", user, "--run", p.Run), s.want(exitDone, "explain", user, "--run", latest)
	if diff := cmp.Diff(string(named.out), string(meant.out)); diff != "" {
		t.Errorf("explain --run (-%s +latest):\n%s", p.Run, diff)
	}
}
