package command

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func isWrite(r *http.Request) bool {
	return r.Method == http.MethodPost || r.Method == http.MethodDelete
}

func (s *shell) results(run string) (all runs.Results) {
	s.t.Helper()
	files, err := filepath.Glob(s.path("store/runs/" + run + "/results/*.json"))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("run %s has %d files of results: %v", run, len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		var r runs.Results
		if err := json.Unmarshal(raw, &r); err != nil {
			s.t.Fatal(err)
		}
		all.Results = append(all.Results, r.Results...)
	}
	return all
}

// TestKilledInTheMiddle kills the command apply when a write has reached Graph and is not yet recorded. Later calls
// finish the change.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 6, LicenseDelay: 50 * time.Millisecond})
	p := s.plan(exitDone)
	for _, after := range []int64{1, 4, 9} {
		var writes atomic.Int64
		kill := make(chan *os.Process, 1)
		s.company.Intercept(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				if isWrite(r) && writes.Add(1) == after {
					_ = (<-kill).Kill()
				}
			})
		})
		cmd := exec.Command(os.Args[0], "apply", p.Run, "--yes")
		cmd.Env, cmd.Dir = s.env, s.dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill <- cmd.Process
		if err := cmd.Wait(); err == nil {
			t.Fatalf("apply outlived write %d", after)
		}
	}
	s.company.Intercept(nil)
	s.finish(p.Run)
	r := s.results(p.Run)
	if n := r.Count(runs.Done); n != len(p.Changes) {
		t.Errorf("%d of %d changes are done: %+v", n, len(p.Changes), r.Results)
	}
	done := map[string]bool{}
	for _, x := range r.Results {
		done[x.User+x.License] = true
	}
	holders(t, s, done)
	for _, e := range s.company.Company.History() {
		if e.LostMailbox {
			t.Errorf("somebody was without a mailbox: %+v", e)
		}
	}
	for _, kind := range []string{"[0-9][0-9][0-9][0-9][0-9][0-9]", "*.leaving", "*.done"} {
		if files, _ := filepath.Glob(s.path("store/ledger/*/*/" + kind + ".json")); len(files) != len(p.Changes) {
			t.Errorf("%d objects %s.json in the ledger, want one for each of %d changes", len(files), kind, len(p.Changes))
		}
	}
}

// TestTargetStalls: no seat of Exchange Online is free, and E3 is to be changed to it. Each change of E3 is rolled back
// or fails. Nobody stays in the group that gives Exchange Online.
func TestTargetStalls(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 6, LicenseDelay: 30 * time.Millisecond})
	p := s.plan(exitDone)
	_, consumed := s.company.Company.Seats("EXCHANGESTANDARD")
	s.company.Company.SetSeats("EXCHANGESTANDARD", consumed)
	for range 60 { // until all changes have failed or were rolled back
		if a := s.run("apply", p.Run, "--yes"); a.status == exitHeld {
			break
		}
		s.passes(time.Minute)
	}
	r := s.results(p.Run)
	moved := 0
	for _, x := range r.Results {
		if x.License != "m365-e3" {
			continue
		}
		if x.Status != runs.Kept && x.Status != runs.Failed || x.Note == "" {
			t.Errorf("no seat was free, but: %+v", x)
		}
		moved++
	}
	if moved == 0 {
		t.Fatal("nobody was to be moved")
	}
	for i := range s.company.Company.Size() {
		person := s.company.Company.Person(i)
		if person.Entra == nil || !slices.ContainsFunc(r.Results, func(x runs.Result) bool { return x.User == person.Entra.ID && x.License == "m365-e3" }) {
			continue
		}
		if slices.Contains(person.Groups, "LIC-EXO-P1") {
			t.Errorf("%s was left in the target group", person.Entra.UserPrincipalName)
		}
	}
	for _, e := range s.company.Company.History() {
		if e.LostMailbox {
			t.Errorf("somebody was without a mailbox: %+v", e)
		}
	}
}

// TestPendingBelongsToItsRun: a later run lists a pending change and does not plan it again. After a newer plan, the
// run that began the change may still finish it, but may begin no further change.
func TestPendingBelongsToItsRun(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 1, LicenseDelay: time.Hour})
	first := s.plan(exitDone)
	s.want(exitDone, "apply", first.Run, "--yes")
	r := s.results(first.Run)
	pending := map[string]bool{}
	for _, x := range r.Results {
		pending[x.User+x.License] = x.Status == runs.Pending
	}
	if r.Count(runs.Pending) == 0 {
		t.Fatal("nothing is pending")
	}
	second := s.plan(exitDone)
	for _, c := range second.Changes {
		if pending[c.User+c.License] {
			t.Errorf("%s is planned while pending", c.UserPrincipalName)
		}
	}
	shown := 0
	for _, c := range second.Refused {
		if pending[c.User+c.License] && strings.HasPrefix(c.Reason, "pending: run "+first.Run+" began to change this license on ") {
			shown++
		}
	}
	if shown != r.Count(runs.Pending) {
		t.Errorf("%d are shown as pending, want %d: %+v", shown, r.Count(runs.Pending), second.Refused)
	}
	writes := len(s.company.Company.History())
	s.want(exitDone, "apply", first.Run, "--yes")
	if n := len(s.company.Company.History()); n != writes {
		t.Errorf("applying again wrote %d times", n-writes)
	}
}

// TestLaterRunsGoOn: the next run finishes the changes that an earlier run began, even if the next run has no changes
// of its own. Each change is made once.
func TestLaterRunsGoOn(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 1, LicenseDelay: 3 * time.Minute})
	first := s.plan(exitDone)
	s.want(exitDone, "apply", first.Run, "--yes")
	second := s.plan(exitDone)
	if !slices.Equal(second.Resumes, []string{first.Run}) || second.Verdict != plan.Nothing {
		t.Fatalf("verdict %s, resumes %q: %+v", second.Verdict, second.Resumes, second.Changes)
	}
	for range 60 {
		s.passes(time.Minute)
		a := s.want(exitDone, "apply", second.Run, "--yes")
		if !strings.Contains(a.err, "went on with run "+first.Run+": done ") && !strings.Contains(a.err, "every change of the plan is final already") {
			t.Fatalf("stderr: %s", a.err)
		}
		if !strings.Contains(a.err, "pending") {
			break
		}
	}
	if r := s.results(first.Run); r.Count(runs.Done) != len(first.Changes) {
		t.Errorf("%d of %d are done: %+v", r.Count(runs.Done), len(first.Changes), r.Results)
	}
	for _, c := range first.Changes {
		if got := s.entries(c.User, c.License); !slices.Equal(got, []string{c.Rule + " done"}) {
			t.Errorf("the ledger of %s for %s: %v", c.UserPrincipalName, c.License, got)
		}
	}
}

// TestPlanOfAPullRequest: a plan is made with an edited copy of the policy, as for a pull request. The plan of the
// night can still be applied. After the edited text has become the policy in force, the plan that was made with it can
// be applied, and the plan of the night cannot.
func TestPlanOfAPullRequest(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: time.Millisecond})
	night := s.plan(exitDone)
	text := string(s.company.Policy())
	for _, old := range []string{"days(60)", "days(90)"} {
		text = strings.ReplaceAll(text, old, "days(61)")
	}
	s.write("pr.yaml", text)
	tried := s.plan(exitDone, "--policy", s.path("pr.yaml"), "--run", latest)
	again := s.plan(exitDone, "--policy", s.path("pr.yaml"), "--run", tried.Run)
	for _, run := range []string{tried.Run, again.Run} {
		if _, err := os.Stat(s.path("store/" + layout.Noted(layout.Plans, run))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("later runs take the plan for one of the company: %v", err)
		}
		if a := s.want(exitHeld, "apply", run, "--yes", "--policy", s.path("policy.yaml")); !strings.Contains(a.err, "the policy has changed") {
			t.Errorf("under the policy in force: %s", a.err)
		}
	}
	s.unwritten()
	s.want(exitDone, "apply", night.Run, "--yes", "--limit", "1")
	s.write("policy.yaml", text)
	if a := s.want(exitHeld, "apply", night.Run, "--yes"); !strings.Contains(a.err, "the policy has changed") {
		t.Errorf("the night's plan: %s", a.err)
	}
	s.want(exitDone, "apply", tried.Run, "--yes", "--policy", s.path("policy.yaml"))
}

// TestSuperseded: a plan cannot be applied after a newer plan for everybody.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 1})
	first := s.plan(exitDone)
	second := s.plan(exitDone, "--run", first.Run)
	one := s.plan(exitDone, "--user", second.Changes[0].UserPrincipalName) // a plan for one person supersedes no other plan
	if a := s.want(exitHeld, "apply", first.Run, "--yes"); !strings.Contains(a.err, "the plan of run "+second.Run+" superseded it; apply that one") {
		t.Errorf("stderr: %s", a.err)
	}
	s.unwritten()
	var list struct{ Runs []runs.Overview }
	if err := json.Unmarshal(s.want(exitDone, "runs", "--format", "json").out, &list); err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Runs {
		if want := map[string]string{first.Run: second.Run}[o.Run]; o.Superseded != want {
			t.Errorf("run %s is superseded by %q, want %q", o.Run, o.Superseded, want)
		}
	}
	if n := s.shown(first.Run); n.Superseded != second.Run {
		t.Errorf("show says that %q supersedes it", n.Superseded)
	}
	text := string(s.want(exitDone, "show", first.Run).out)
	if !strings.Contains(text, "done: nothing: the plan of run "+second.Run+" superseded it") || strings.Contains(text, "apply it") {
		t.Errorf("show says:\n%s", text)
	}
	s.want(exitDone, "apply", second.Run, "--yes")
	s.want(exitDone, "apply", one.Run, "--yes") // nothing is left to change, because the second run has made the same changes
	for _, x := range s.results(one.Run).Results {
		if x.Status == runs.Done {
			t.Errorf("done twice: %+v", x)
		}
	}
}

// TestLedgerComesFirst checks that no write reaches a directory when the ledger cannot be written.
func TestLedgerComesFirst(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 6})
	p := s.plan(exitDone)
	s.write("store/ledger", "a file where the ledger should be")
	s.want(exitFailed, "apply", p.Run, "--yes")
	s.unwritten()
}

// TestFeedBreaksBeforeApply checks that apply changes nothing when Graph stops returning sign-in dates after the
// plan.
func TestFeedBreaksBeforeApply(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 1})
	p := s.plan(exitDone)
	s.company.Intercept(spoil(func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
		for _, u := range body["value"].([]any) {
			delete(u.(map[string]any), "signInActivity")
		}
		_ = json.NewEncoder(w).Encode(body)
	}))
	if a := s.want(exitHeld, "apply", p.Run, "--yes"); !strings.Contains(a.err, "sign-in") {
		t.Errorf("stderr: %s", a.err)
	}
	s.unwritten()
}
