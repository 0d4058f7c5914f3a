package command

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// tenMinutes returns the commands in the README's section about the first ten minutes. The result "playing" has those
// for the company of the demo. The result "own" has those for the reader's own tenant.
func tenMinutes(t *testing.T) (playing, own []string) {
	t.Helper()
	page, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "## The first ten minutes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	before, after, split := strings.Cut(section, "\n**3. ")
	if !found || !split {
		t.Fatal("the README has no first ten minutes, or no third step")
	}
	commands := func(text string) (all []string) {
		for _, m := range regexp.MustCompile(`(?m)^ {4}(.+)$`).FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
		return all
	}
	return commands(before), commands(after)
}

// The function "arguments" returns the arguments of a command of idleseat. It returns false for a command of another
// program, and for demo and serve, which do not end by themselves.
func arguments(command string) (args []string, ends bool) {
	text, _, _ := strings.Cut(command, " #")
	args = strings.Fields(text)
	if len(args) == 0 || args[0] != "idleseat" || args[1] == "demo" || args[1] == "serve" {
		return nil, false
	}
	return args[1:], true
}

// endOfApply matches the last line that apply prints while changes are pending.
var endOfApply = regexp.MustCompile(`(?m); then finish:  idleseat (.+)$`)

// TestTenMinutes runs the commands of the README against the company of the demo, and then against another tenant.
func TestTenMinutes(t *testing.T) {
	t.Parallel()
	playing, own := tenMinutes(t)
	for _, shell := range []string{"bash", "zsh"} {
		if _, err := exec.LookPath(shell); err != nil {
			continue
		}
		cmd := exec.Command(shell, "-n")
		cmd.Stdin = strings.NewReader(strings.Join(append(playing, own...), "\n"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
	ran := 0
	s := newShell(t, sandbox.Options{Users: 300})
	for _, command := range playing {
		args, ends := arguments(command)
		if !ends {
			continue
		}
		ran++
		if args[0] == "restore" {
			args = append(args, "--yes") // restore cannot ask a question, because stdin is no terminal
		}
		text := s.want(exitDone, args...).out
		if args[0] != "plan" || args[len(args)-1] != "latest" {
			s.write("policy.yaml", replace(t, "days(60)", "days(400)")(strings.ReplaceAll(string(s.company.Policy()), "days(400)", "days(60)")))
			continue
		}
		apply := regexp.MustCompile(`(?m)^apply it:  idleseat apply (\S+)$`).FindSubmatch(text)
		if apply == nil {
			t.Fatalf("the plan does not end with the line that applies it:\n%s", text)
		}
		text = s.want(exitDone, "apply", string(apply[1]), "--yes").out
		for next := endOfApply.FindSubmatch(text); next != nil; next = endOfApply.FindSubmatch(text) {
			s.passes(time.Minute)
			text = s.want(exitDone, strings.Fields(string(next[1]))...).out
		}
		if text := s.want(exitDone, "plan").out; !bytes.Contains(text, []byte("verdict nothing")) || bytes.Contains(text, []byte("idleseat apply")) {
			t.Errorf("after the lines of the README, something is left to do:\n%s", text)
		}
	}
	mine := newShell(t, sandbox.Options{Users: 300})
	mine.env = append(mine.company.Env(), "IDLESEAT_TEST_MAIN=1", "HOME="+mine.dir, "PATH="+os.Getenv("PATH"))
	mine.apart = true // its commands run in its own folder
	if err := os.Remove(mine.path("policy.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, command := range own {
		if args, ends := arguments(command); ends {
			ran++
			if a := mine.run(args...); a.status != exitDone && (a.status != exitHeld || !bytes.Contains(a.out, []byte("What to do:"))) {
				t.Errorf("%s: exit status %d\n%s%s", command, a.status, a.out, a.err)
			}
		}
	}
	if ran < 8 {
		t.Errorf("the README has %d commands", ran)
	}
	mine.unwritten()
}
