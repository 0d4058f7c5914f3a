package command

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

type printedNight struct {
	Pending int
	Plan    printed
	Results *runs.Results
}

// newNights starts a company whose clock advances when commands wait.
func newNights(t *testing.T, o sandbox.Options, edit ...policyText) (*shell, *naps) {
	t.Helper()
	s := newShellAgo(t, 9*day, o, append([]policyText{replace(t, "percent: 10,", "percent: 100,")}, edit...)...)
	clock := &naps{ahead: s.ahead}
	s.waits = clock
	return s, clock
}

// The method "runs" executes "idleseat run". It fails the test on another exit status, or if stdout is not one JSON
// object.
func (s *shell) runs(status int) (n printedNight, stderr string) {
	s.t.Helper()
	a := s.want(status, "run", "--format", "json")
	d := json.NewDecoder(bytes.NewReader(a.out))
	if err := d.Decode(&n); err != nil || d.More() {
		s.t.Fatalf("run --format json is not one object: %v\n%.2000s", err, a.out)
	}
	return n, a.err
}

func inMode(t *testing.T, mode policy.Mode) policyText {
	return replace(t, "mode: review", "mode: "+string(mode))
}

// TestNightLogsNoPeople: without a terminal, such as in the journal, a night prints figures and ids. Its text has no name
// of a person and no date of activity, also when it goes on with changes of an earlier run.
func TestNightLogsNoPeople(t *testing.T) {
	t.Parallel()
	s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3, LicenseDelay: 30 * time.Minute})
	p := s.plan(exitDone)
	s.want(exitDone, "apply", p.Run, "--yes")
	s.logsNoPeople(exitDone, "went on with run "+p.Run+": done ", "verdict nothing")
	s, _ = newNights(t, sandbox.Options{Users: 200, Seed: 3, LicenseDelay: 30 * time.Minute}, inMode(t, policy.Enforce))
	s.logsNoPeople(exitDone, "verdict apply: ", " a month freed")
}

func (s *shell) logsNoPeople(status int, wants ...string) {
	s.t.Helper()
	a := s.want(status, "run")
	text := string(a.out) + a.err
	for i := range s.company.Company.Size() {
		if e := s.company.Company.Person(i).Entra; e != nil && strings.Contains(text, e.UserPrincipalName) {
			s.t.Errorf("the night prints %s", e.UserPrincipalName)
		}
	}
	for _, never := range []string{"no sign-in since", "never signed in", "no logon since", "signed in "} {
		if strings.Contains(text, never) {
			s.t.Errorf("the night prints %q", never)
		}
	}
	for _, want := range append(wants, "m365-idle-60", "with names of people:  idleseat show 2") {
		if !strings.Contains(text, want) {
			s.t.Errorf("the night does not print %q:\n%s", want, text)
		}
	}
}

// TestNightByMode: in audit, a night writes nothing. In review, it only finishes changes that were begun before. In
// enforce, it also applies its plan.
func TestNightByMode(t *testing.T) {
	t.Parallel()
	t.Run("audit", func(t *testing.T) {
		t.Parallel()
		s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3}, inMode(t, policy.Audit))
		n, _ := s.runs(exitDone)
		if len(n.Plan.Changes) == 0 || n.Plan.Verdict != plan.Apply || n.Results != nil {
			t.Errorf("%+v", n)
		}
		a := s.want(exitDone, "run")
		if !strings.Contains(string(a.out), "mode is audit") || !strings.Contains(a.err, "reading the directories") {
			t.Errorf("as text:\n%s%s", a.out, a.err)
		}
		s.unwritten()
	})
	t.Run("review", func(t *testing.T) {
		t.Parallel()
		s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3})
		n, stderr := s.runs(exitHeld)
		if n.Plan.Verdict != plan.Review || n.Results != nil || !strings.Contains(stderr, "run "+n.Plan.Run+" is waiting for approval: idleseat apply "+n.Plan.Run) {
			t.Errorf("%s\n%+v", stderr, n)
		}
		if a := s.want(exitHeld, "run"); !strings.Contains(string(a.out), "apply it:  idleseat apply ") {
			t.Errorf("as text:\n%s", a.out)
		}
		s.unwritten()
	})
	t.Run("review, begun before", func(t *testing.T) {
		t.Parallel()
		s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3, LicenseDelay: 30 * time.Minute})
		p := s.plan(exitDone)
		if a := s.want(exitDone, "apply", p.Run, "--yes", "--format", "json"); !bytes.Contains(a.out, []byte(`"pending"`)) {
			t.Fatal("nothing is pending")
		}
		n, stderr := s.runs(exitDone)
		if n.Plan.Verdict != plan.Nothing || n.Results != nil || n.Pending != 0 || !strings.Contains(stderr, "went on with run "+p.Run+": done") {
			t.Errorf("%s\n%+v", stderr, n)
		}
	})
	t.Run("enforce", func(t *testing.T) {
		t.Parallel()
		s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3, LicenseDelay: 30 * time.Minute}, inMode(t, policy.Enforce))
		n, stderr := s.runs(exitDone)
		if n.Results == nil || n.Results.Count(runs.Done) == 0 || n.Results.Count(runs.Pending) > 0 || n.Pending != 0 || !strings.Contains(stderr, "the directory is asked again in") {
			t.Fatalf("%s\n%+v", stderr, n.Results)
		}
		first := 0
		for _, r := range n.Plan.Refused {
			if strings.HasPrefix(r.Reason, "first reading: ") {
				first++
			}
		}
		if first == 0 {
			t.Error("the night is not one that the schedule starts: nobody is left for a second reading")
		}
		done := map[string]bool{}
		for _, x := range n.Results.Results {
			done[x.User+x.License] = x.Status == runs.Done
		}
		holders(t, s, done)
		intents, err := filepath.Glob(s.path("store/ledger/*/*/000001.json"))
		if err != nil || len(intents) == 0 {
			t.Fatalf("%d intents, %v", len(intents), err)
		}
		if text, err := os.ReadFile(intents[0]); err != nil || !bytes.Contains(text, []byte(`"approvedBy":"idleseat run, `)) {
			t.Errorf("%v %s", err, text)
		}
		s.passes(time.Hour)
		a := s.want(exitDone, "run")
		if strings.Contains(string(a.out), "apply it:") || !strings.Contains(string(a.out), "verdict nothing") {
			t.Errorf("the same night again:\n%s", a.out)
		}
	})
}

// TestHeldNight: a night does not apply a plan on hold, even in mode enforce.
func TestHeldNight(t *testing.T) {
	t.Parallel()
	s, _ := newNights(t, sandbox.Options{Users: 300, Seed: 1}, inMode(t, policy.Enforce), replace(t, "percent: 100,", "percent: 1,"))
	n, stderr := s.runs(exitHeld)
	if n.Plan.Verdict != plan.Hold || n.Results != nil || !strings.Contains(stderr, "more than limits.stopAbove.percent 1") {
		t.Errorf("%s\n%+v", stderr, n)
	}
	s.unwritten()
}

// The function "stuck" answers every removal with an error, so that a restore or a rollback stays half-way.
func stuck(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// TestHeldNightGoesBack: the restore of one person failed and is half-way. A night on hold finishes this restore, and
// does not touch the other pending changes.
func TestHeldNightGoesBack(t *testing.T) {
	t.Parallel()
	s, first, c, i := waiting(t, withoutGrace(t))
	s.company.Intercept(stuck)
	s.want(exitFailed, "restore", c.UserPrincipalName, "--yes")
	if r := s.became(first.Run, c); r.Status != runs.Pending || !strings.Contains(r.Note, "going back is not finished") {
		t.Fatalf("%+v", r)
	}
	s.company.Intercept(nil)
	before := s.results(first.Run)
	s.rewrite(s.path("policy.yaml"), func(b []byte) []byte { return bytes.Replace(b, []byte("percent: 10,"), []byte("percent: 1,"), 1) })
	s.later(day)
	s.waits = &naps{ahead: s.ahead}
	if a := s.want(exitHeld, "run"); !strings.Contains(a.err, "limits.stopAbove.percent 1") {
		t.Errorf("not on hold: %s", a.err)
	}
	s.endsInSource(first, c, i, runs.Kept, "somebody asked to restore it")
	after := s.results(first.Run)
	if was, left := before.Count(runs.Pending), after.Count(runs.Pending); left != was-1 || was < 2 {
		t.Errorf("%d of %d changes are pending after the night", left, was)
	}
}

// TestDeadDatesStopNoRestore: Graph no longer returns sign-in dates, and a restore is half-way. A night that is not on
// hold, and the plan of an operator, finish the restore. Both refuse everything that takes a license.
func TestDeadDatesStopNoRestore(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"run", "enforce", "apply"} {
		s, first, c, i := waiting(t, withoutGrace(t))
		s.company.Intercept(stuck)
		s.want(exitFailed, "restore", c.UserPrincipalName, "--yes")
		s.company.Intercept(nil)
		before := s.results(first.Run)
		s.later(20 * day)
		dead := edited("/users", func(user map[string]any) { delete(user, "signInActivity") })
		clock, args := &naps{ahead: s.ahead}, []string{"run"}
		switch s.waits = clock; how {
		case "enforce": // its own plan is refused in the first round, and the change goes back in the second one
			s.rewrite(s.path("policy.yaml"), func(b []byte) []byte { return bytes.Replace(b, []byte("mode: review"), []byte("mode: enforce"), 1) })
			clock.first = func() { s.company.Intercept(dead) }
		case "apply":
			p := s.plan(exitDone)
			if p.Verdict == plan.Hold || len(p.Changes) == 0 {
				t.Fatalf("%s with %d changes", p.Verdict, len(p.Changes))
			}
			args = []string{"apply", p.Run, "--yes"}
		}
		s.company.Intercept(func(next http.Handler) http.Handler {
			if how == "enforce" {
				next = stuck(next)
			}
			return dead(next)
		})
		a := s.want(exitHeld, args...)
		if strings.Contains(a.err, "on hold") || !strings.Contains(a.err, "source entra is unhealthy") {
			t.Errorf("%s: %s", how, a.err)
		}
		s.endsInSource(first, c, i, runs.Kept, "somebody asked to restore it")
		after := s.results(first.Run)
		if was, left := before.Count(runs.Pending), after.Count(runs.Pending); left != was-1 || was < 2 {
			t.Errorf("%s: %d of %d changes are pending afterwards", how, left, was)
		}
	}
}

// TestPendingNight: licenses arrive after the end of a night. The changes are pending at that time, and the following
// nights finish them.
func TestPendingNight(t *testing.T) {
	t.Parallel()
	s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3, LicenseDelay: 9 * time.Hour}, inMode(t, policy.Enforce))
	n, stderr := s.runs(exitPending)
	if n.Pending == 0 || n.Pending != n.Results.Count(runs.Pending) || !strings.Contains(stderr, "changes are pending; the next run goes on with them") {
		t.Fatalf("%s\n%+v", stderr, n.Results)
	}
	s.rewrite(s.path("policy.yaml"), func(b []byte) []byte { return bytes.Replace(b, []byte("mode: enforce"), []byte("mode: audit"), 1) })
	audit, stderr := s.runs(exitPending)
	if named := strings.Count(stderr, "half-way taken by run "+n.Plan.Run+"; to restore all that this run took from the person, call:  idleseat restore --run "+n.Plan.Run+" "); audit.Pending != n.Pending || named != n.Pending || strings.Contains(stderr, "the next run goes on") {
		t.Errorf("in audit %d are pending, not %d, and %d are named: %s", audit.Pending, n.Pending, named, stderr)
	}
	s.rewrite(s.path("policy.yaml"), func(b []byte) []byte { return bytes.Replace(b, []byte("mode: audit"), []byte("mode: enforce"), 1) })
	for next := range 4 { // each night may begin new changes
		s.later(20 * time.Hour)
		a := s.run("run", "--format", "json")
		wentOn := strings.Contains(a.err, "went on with run "+n.Plan.Run+": ")
		if !wentOn && next == 0 || a.status != exitDone && a.status != exitPending {
			t.Fatalf("night %d after it: %d\n%s", next+1, a.status, a.err)
		}
		if a.status == exitDone {
			intents, _ := filepath.Glob(s.path("store/ledger/*/*/00000?.json"))
			done, _ := filepath.Glob(s.path("store/ledger/*/*/00000?.done.json"))
			if len(intents) != len(done) || len(done) < n.Pending {
				t.Errorf("%d intents, and %d are completed", len(intents), len(done))
			}
			return
		}
	}
	t.Error("the changes stay pending")
}

// TestUnreadNight: without Entra ID, a night ends without a plan. Without Active Directory, it applies the rules that
// need only Entra ID.
func TestUnreadNight(t *testing.T) {
	t.Parallel()
	s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3, LicenseDelay: time.Minute}, inMode(t, policy.Enforce))
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1.0/users" {
				next.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}`))
		})
	})
	if a := s.want(exitUnread, "run"); len(a.out) > 0 || !strings.Contains(a.err, "User.Read.All") {
		t.Errorf("%s%s", a.out, a.err)
	}
	s.unwritten()
	s.company.Intercept(nil)
	s.setenv("IDLESEAT_AD_URLS", "ldaps://127.0.0.1:1")
	n, stderr := s.runs(exitUnread)
	if n.Plan.Sources["ad"].State != plan.Unhealthy || n.Results == nil || n.Results.Count(runs.Done) == 0 || !strings.Contains(stderr, "could not be read: ") {
		t.Errorf("%s\n%+v", stderr, n.Results)
	}
	for _, x := range n.Results.Results {
		if x.License == "citrix" {
			t.Errorf("without Active Directory: %+v", x)
		}
	}
}

func TestNightThatCannotBegin(t *testing.T) {
	t.Parallel()
	s, _ := newNights(t, sandbox.Options{Users: 50, Seed: 3})
	s.want(exitUsage, "run", "--policy", s.path("none.yaml"))
	s.want(exitUsage, "run", "--mode", "enforce")
	s.write("broken.yaml", "rules: [")
	s.want(exitUsage, "run", "--policy", s.path("broken.yaml"))
	s.write("foreign.yaml", strings.Replace(string(s.company.Policy()), "tenant: 1", "tenant: 2", 1))
	s.want(exitUsage, "run", "--policy", s.path("foreign.yaml"))
	s.want(exitFailed, "run", "--store", s.path("policy.yaml"))
	s.unwritten()
}

// TestTwoNightsAtOnce: while a night works in a store, a second night ends at once and changes nothing. Its error names
// the operator of the first night.
func TestTwoNightsAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3}, inMode(t, policy.Audit))
	reading, read := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(reading) })
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			once()
			<-read
			next.ServeHTTP(w, r)
		})
	})
	first := make(chan answer)
	go func() { first <- s.run("run") }()
	<-reading
	a := s.run("run", "--format", "json")
	if a.status != exitHeld || len(a.out) > 0 || !strings.Contains(a.err, "another run is under way: "+approver()) || !strings.Contains(a.err, "nothing was done") {
		t.Errorf("the second: %d %s%s", a.status, a.out, a.err)
	}
	close(read)
	if a := <-first; a.status != exitDone {
		t.Errorf("the first: %d %s", a.status, a.err)
	}
	if begun, err := filepath.Glob(s.path("store/runs/*/begin.json")); err != nil || len(begun) != 1 {
		t.Errorf("%d runs, %v", len(begun), err)
	}
	s.runs(exitDone)
}

// TestKilledNight kills a night. Its lease, which reserves the store for one night, remains. The next night is refused
// until the lease has expired.
func TestKilledNight(t *testing.T) {
	t.Parallel()
	s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3}, inMode(t, policy.Audit))
	cmd := exec.Command(os.Args[0], "run")
	cmd.Env, cmd.Dir = s.env, s.dir
	started := make(chan struct{})
	kill := sync.OnceFunc(func() {
		<-started
		_ = cmd.Process.Kill()
	})
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kill()
			next.ServeHTTP(w, r)
		})
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("it was not killed: %v", err)
	}
	s.company.Intercept(nil)
	if a := s.want(exitHeld, "run"); !strings.Contains(a.err, "if that process is dead, its lease ends by itself at ") {
		t.Errorf("%s", a.err)
	}
	s.passes(30 * time.Minute)
	s.want(exitHeld, "run")
	s.passes(6 * time.Minute)
	s.runs(exitDone)
}

// TestNightThatLostItsLease: if another process takes the lease of a night that still works, the night fails. The
// changes that it has begun stay pending.
func TestNightThatLostItsLease(t *testing.T) {
	t.Parallel()
	s, clock := newNights(t, sandbox.Options{Users: 200, Seed: 3, LicenseDelay: 30 * time.Minute}, inMode(t, policy.Enforce))
	clock.first = func() {
		s.object(layout.Lease(2), `{"holder":"another","id":"x","since":"2026-11-29T02:00:00Z","until":"2026-11-29T02:15:00Z"}`)
	}
	n, stderr := s.runs(exitFailed)
	if !strings.Contains(stderr, "the lease of this run was lost: it was not renewed in time, and another run has taken it") || n.Pending == 0 {
		t.Errorf("%s\n%+v", stderr, n.Results)
	}
	if links, err := filepath.Glob(s.path("store/" + layout.Leases + "*")); err != nil || len(links) != 2 {
		t.Errorf("links %q, %v", links, err)
	}
}
