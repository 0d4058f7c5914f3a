package command

import (
	"net/http"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestInterruptedInit: init writes no file if Ctrl-C ends it at a question.
func TestInterruptedInit(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300})
	// The answers are the group of Citrix, how the seats of Citrix are counted, the prices of three licenses, and the
	// currency of the prices.
	answers := []string{"1\n", "user\n", "39\n", "4\n", "18\n", "EUR\n"}
	answer := func(n int) *session {
		x := s.terminal(80, "init", "--policy", "first.yaml")
		for i, text := range answers[:n] {
			if !x.asks(i + 1) {
				t.Fatalf("ended before question %d:\n%s", i+1, x.text())
			}
			x.types(text)
		}
		return x
	}
	for n := range answers {
		x := answer(n)
		if !x.asks(n + 1) {
			t.Fatalf("ended before question %d:\n%s", n+1, x.text())
		}
		x.interrupts("interrupted: no file was written, and nothing was changed in a directory")
		if files, _ := os.ReadDir(s.dir); len(files) != 1 { // the file is the policy of the company
			t.Errorf("Ctrl-C at question %d leaves %v", n+1, files)
		}
	}
	if status, screen := answer(len(answers)).ends(); status != exitDone {
		t.Errorf("exit status %d after every answer:\n%s", status, screen)
	}
}

func (x *session) asks(n int) bool {
	x.t.Helper()
	for late := time.After(patience); ; {
		if len(endOfQuestion.FindAllString(x.text(), -1)) >= n {
			return true
		}
		select {
		case <-x.more:
		case <-x.ended:
			return len(endOfQuestion.FindAllString(x.text(), -1)) >= n
		case <-late:
			x.t.Fatalf("waited for question %d:\n%s", n, x.text())
		}
	}
}

var endOfQuestion = regexp.MustCompile(`empty:[^)]*\):? `)

// TestInterruptedNight: after Ctrl-C, the output of a night has the number of pending changes and the command that
// continues the night.
func TestInterruptedNight(t *testing.T) {
	t.Parallel()
	s, _ := newNights(t, sandbox.Options{Users: 200, Seed: 3, LicenseDelay: 9 * time.Hour}, inMode(t, policy.Enforce))
	x := s.terminal(200, "run")
	x.until("the directory is asked again in")
	x.interrupts("interrupted: of ", "pending ", "go on with: idleseat run")
}

// TestInterruptedWayBack: apply refuses a plan, and asks whether to finish only the changes that return a license.
// Ctrl-C ends the command at this question, or while the command finishes such a change. The output says that changes
// of earlier runs may be incomplete, and has the command that continues them.
func TestInterruptedWayBack(t *testing.T) {
	t.Parallel()
	s, first, c, i := waiting(t, withoutGrace(t))
	s.company.Intercept(stuck)
	s.want(exitFailed, "restore", c.UserPrincipalName, "--yes")
	s.company.Intercept(nil)
	s.later(20 * day)
	p := s.plan(exitDone)
	held := &stall{reached: make(chan struct{}, 100)}
	held.at(func(r *http.Request) bool { return r.Method == http.MethodDelete })
	s.company.Intercept(func(next http.Handler) http.Handler {
		return edited("/users", func(user map[string]any) { delete(user, "signInActivity") })(held.delay(next))
	})
	half := "and what earlier runs began may be half-way; go on with: idleseat apply " + p.Run
	x := s.terminal(400, "apply", p.Run)
	x.until("[yes/no]")
	x.interrupts("source entra is unhealthy", "idleseat: interrupted: nothing of run "+p.Run+" was changed, ", half)
	x = s.terminal(400, "apply", p.Run)
	x.until("[yes/no]")
	x.types("yes\n")
	held.wait(t)
	x.interrupts("idleseat: interrupted: nothing of run "+p.Run+" was changed, ", " not begun, "+half+" --yes")
	held.at(nil)
	s.want(exitHeld, "apply", p.Run, "--yes")
	s.endsInSource(first, c, i, runs.Kept, "somebody asked to restore it")
}
