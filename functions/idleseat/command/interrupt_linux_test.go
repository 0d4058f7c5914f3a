package command

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plain/terminal"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The type "stall" delays some requests until the client gives up.
type stall struct {
	mu      sync.Mutex
	matches func(r *http.Request) bool // nil if no request is delayed
	reached chan struct{}              // gets a value when a request is delayed
}

func stalling(s *shell) *stall {
	x := &stall{reached: make(chan struct{}, 100)}
	s.company.Intercept(x.delay)
	return x
}

func (x *stall) delay(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.mu.Lock()
		hit := x.matches != nil && x.matches(r)
		x.mu.Unlock()
		if hit {
			x.reached <- struct{}{}
			<-r.Context().Done()
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (x *stall) at(matches func(*http.Request) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.matches = matches
}

func (x *stall) wait(t *testing.T) {
	t.Helper()
	select {
	case <-x.reached:
	case <-time.After(patience):
		t.Fatal("no request was held back")
	}
}

// The constant "soon" is the maximum time between Ctrl-C and the end of the command.
const soon = 20 * time.Second

// The method "interrupts" sends Ctrl-C, and checks that the command ends soon. The screen shows the texts in the
// argument "want", and no error of the request that the interrupt stopped.
func (x *session) interrupts(want ...string) string {
	x.t.Helper()
	sent := time.Now()
	x.types("\x03")
	status, screen := x.ends()
	if took := time.Since(sent); took > soon {
		x.t.Errorf("ended %s after Ctrl-C", took)
	}
	if status != exitFailed {
		x.t.Errorf("exit status %d, want %d", status, exitFailed)
	}
	screen = colored.ReplaceAllString(screen, "")
	joined := strings.Join(strings.Fields(screen), " ")
	for _, w := range want {
		if !strings.Contains(joined, w) {
			x.t.Errorf("%q is missing on the screen:\n%s", w, screen)
		}
	}
	if strings.Contains(screen, "context canceled") {
		x.t.Errorf("the screen has the broken call:\n%s", screen)
	}
	return screen
}

var colored = regexp.MustCompile("\x1b\\[[0-9;]*m")

var hint = regexp.MustCompile(`(?m)(?:^ *|  )(idleseat [a-z].*)$`)

func (s *shell) pasted(screen string) string {
	s.t.Helper()
	found := hint.FindAllStringSubmatch(screen, -1)
	if len(found) == 0 {
		s.t.Fatalf("no command to paste:\n%s", screen)
	}
	line := strings.TrimRight(found[len(found)-1][1], "\r ")
	for _, name := range []string{"bash", "zsh"} {
		if shell, err := exec.LookPath(name); err == nil {
			if out, err := exec.Command(shell, "-n", "-c", line).CombinedOutput(); err != nil {
				s.t.Errorf("%s does not parse %q: %v: %s", name, line, err, out)
			}
		}
	}
	cmd := exec.Command("bash", "-c", line)
	cmd.Env, cmd.Dir = append(append([]string{}, s.env...), "PATH="+s.path("bin")+":"+os.Getenv("PATH")), s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Errorf("pasted %q: %v\n%s", line, err, out)
	}
	return line
}

// The method "named" puts a program with the name idleseat into a folder, so that a test can paste commands.
func (s *shell) named() {
	s.t.Helper()
	if err := os.Mkdir(s.path("bin"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.Symlink(self, s.path("bin/idleseat")); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shell) without(name string) {
	for i := len(s.env) - 1; i >= 0; i-- {
		if strings.HasPrefix(s.env[i], name+"=") {
			s.env = append(s.env[:i:i], s.env[i+1:]...)
		}
	}
}

// TestInterrupt sends Ctrl-C at prompts and during work. The output says how far the work has come, and the command
// that it recommends continues the work.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 7}, replace(t, "percent: 10", "percent: 100"))
	s.named()
	s.without("IDLESEAT_STORE")
	held := stalling(s)
	place := s.path("an operator's store")
	in := func(args ...string) []string { return append(args, "--store", place) }

	held.at(func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v1.0/users") })
	x := s.terminal(80, in("plan")...)
	x.until("reading the directories, 0s")
	held.wait(t)
	x.interrupts("idleseat: interrupted: nothing was changed in a directory; plan again")
	x = s.terminal(80, in("run")...)
	held.wait(t)
	x.interrupts("interrupted: nothing was changed in a directory; the next run reads anew")
	held.at(nil)
	s.unwritten()

	p := s.plan(exitDone, "--store", place)
	x = s.terminal(80, in("apply", p.Run)...)
	x.until("[yes/no]")
	x.interrupts("interrupted: nothing of run "+p.Run+" was changed", "changes are not begun; go on with:")
	s.unwritten()

	writes := 0
	held.at(func(r *http.Request) bool {
		if r.Method == http.MethodDelete || r.Method == http.MethodPost && (strings.HasSuffix(r.URL.Path, "/$ref") || strings.HasSuffix(r.URL.Path, "/assignLicense")) {
			writes++
		}
		return writes > 5
	})
	x = s.terminal(80, in("apply", p.Run)...)
	x.until("[yes/no]")
	x.types("yes\n")
	held.wait(t)
	screen := x.interrupts("interrupted: of "+plain.Many(len(p.Changes), "change")+" of run "+p.Run+": ", "pending", "not begun", "go on with:")
	held.at(nil)
	line := s.pasted(screen)
	if d := cmp.Diff("idleseat apply "+p.Run+` --store '`+strings.ReplaceAll(place, "'", `'\''`)+`' --yes`, line); d != "" {
		t.Errorf("the command that goes on (-want +got):\n%s", d)
	}
	for range 60 { // until every change is final
		if s.run(in("apply", p.Run, "--yes")...).status == exitHeld {
			break
		}
		s.passes(time.Minute)
	}

	x = s.terminal(80, in("restore", "--run", p.Run)...)
	x.until("[yes/no]")
	x.interrupts("interrupted: nothing of run ", "go on with:")

	x = s.terminal(200, in("restore", "--run", p.Run)...)
	x.until("[yes/no]")
	x.types("no\n")
	status, screen := x.ends()
	if screen = strings.Join(strings.Fields(colored.ReplaceAllString(screen, "")), " "); status != exitHeld || !strings.Contains(screen, "nothing was restored, and run "+p.Run+" stays stopped; to restore later, call: idleseat apply ") {
		t.Errorf("exit status %d after no: %s", status, screen)
	}
}

// TestTerminal checks the output of commands on a terminal. Only commands to paste may be wider than the terminal. No
// progress line is left.
func TestTerminal(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 7}, replace(t, "percent: 10", "percent: 100"))
	p := s.plan(exitDone)
	for _, width := range []uint16{80, 200} {
		for _, args := range [][]string{{"plan", "--run", p.Run}, {"show", p.Run}, {"runs"}, {"savings"}, {"explain", p.Changes[0].UserPrincipalName, "--verbose"}, {"plan"}} {
			x := s.terminal(width, args...)
			status, screen := x.ends()
			if status != exitDone {
				t.Errorf("%v: exit status %d:\n%s", args, status, screen)
			}
			if colors := colored.MatchString(screen); args[0] != "explain" && !colors {
				t.Errorf("%v at %d: no colors", args, width)
			}
			for line := range strings.SplitSeq(colored.ReplaceAllString(screen, ""), "\n") {
				if terminal.Width(line) > int(width) && !hint.MatchString(line) {
					t.Errorf("%v at %d: %d columns: %q", args, width, terminal.Width(line), line)
				}
			}
			if strings.Contains(screen, "reading the directories") || strings.Contains(screen, "deciding,") {
				t.Errorf("%v at %d: progress is left:\n%s", args, width, screen)
			}
		}
	}
	if _, screen := s.terminal(80, "doctor").ends(); !strings.Contains(colored.ReplaceAllString(screen, ""), "\n      pwsh -Command 'Connect-ExchangeOnline; Get-OrganizationConfig | Format-List DelayedDelicensingEnabled'\n") {
		t.Errorf("a command of doctor is broken:\n%s", screen)
	}
	s.setenv("NO_COLOR", "1")
	_, screen := s.terminal(80, "runs").ends()
	if strings.Contains(screen, "\x1b") {
		t.Errorf("colors in spite of NO_COLOR: %q", screen)
	}
}
