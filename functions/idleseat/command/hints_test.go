package command

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// printedHint matches a command that an operator can paste. The command stands between back quotes or at the end of a
// line.
var printedHint = regexp.MustCompile("`(idleseat [a-z][^`]*)`|(?m:(?:^ *|  )(idleseat [a-z][^`]*?) *$)")

func hintsIn(text string) (all []string) {
	for _, m := range printedHint.FindAllStringSubmatch(colors.ReplaceAllString(text, ""), -1) {
		all = append(all, m[1]+m[2])
	}
	return all
}

var colors = regexp.MustCompile("\x1b\\[[0-9;]*m")

// pastedWords splits a command as bash does. It fails the test if a shell or the parser of idleseat rejects the
// command.
func pastedWords(t *testing.T, hint string) []string {
	t.Helper()
	for _, name := range []string{"bash", "zsh"} {
		if shell, err := exec.LookPath(name); err == nil {
			if out, err := exec.Command(shell, "-n", "-c", hint).CombinedOutput(); err != nil {
				t.Errorf("%s does not parse %q: %v: %s", name, hint, err, out)
			}
		}
	}
	split := exec.Command("bash", "-c", `printf '%s\0' `+hint)
	split.Dir = t.TempDir()
	out, err := split.Output()
	if err != nil {
		t.Fatalf("bash does not split %q: %v", hint, err)
	}
	if files, _ := os.ReadDir(split.Dir); len(files) > 0 {
		t.Errorf("%q runs something else, too: %v", hint, files)
	}
	all := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	parser, err := kong.New(&commands{}, kong.Name("idleseat"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}), kong.Vars{"version": ""})
	if err != nil {
		t.Fatal(err)
	}
	// The parser's error begins with "expected" if only arguments are missing. A text may name a command without its
	// arguments.
	if _, err := parser.Parse(all[1:]); err != nil && !strings.HasPrefix(err.Error(), "expected ") {
		t.Errorf("%q is no command: %v", hint, err)
	}
	return all
}

// The variable "keepless" lists the commands that use no store.
var keepless = []string{"policy", "init", "approve", "completion", "man", "version", "demo"}

// TestHints tests the commands that other commands print. The folders of the store and of the policy have names that a
// shell would split and evaluate. The shells and the parser accept each command. A command that uses a store names it.
func TestHints(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 7, LicenseDelay: 9 * time.Hour})
	for _, name := range []string{"IDLESEAT_STORE", "IDLESEAT_POLICY"} {
		s.env = slices.DeleteFunc(s.env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	place, rules := s.path(`an operator's $(touch forged) "store"; touch forged`), s.path("it's $(touch forged) mine.yaml")
	text, err := os.ReadFile(s.path("policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	tell := func(status int, args ...string) answer {
		t.Helper()
		a := s.run(args...)
		if a.status != status {
			t.Fatalf("%q: exit status %d, want %d\n%s%s", args, a.status, status, a.out, a.err)
		}
		for _, hint := range hintsIn(string(a.out) + "\n" + a.err) {
			count[args[0]]++
			all := pastedWords(t, hint)
			at := slices.Index(all, "--store")
			if slices.Contains(keepless, all[1]) || slices.Contains(all, "--aws") {
				continue
			}
			if at < 0 || at+1 == len(all) || all[at+1] != place {
				t.Errorf("%q prints %q, which is not about the store %q", args, hint, place)
			}
		}
		return a
	}
	in := func(args ...string) []string { return append(args, "--store", place) }
	tell(exitUsage, in("show", "latest")...)
	tell(exitUsage, in("runs")...)
	s.write(filepath.Base(rules), strings.ReplaceAll(string(text), "percent: 10", "percent: 3"))
	tell(exitHeld, in("plan", "--policy", rules)...)
	s.write(filepath.Base(rules), strings.ReplaceAll(string(text), "percent: 10", "percent: 100"))
	tell(exitDone, in("plan", "--policy", rules)...)
	p := s.plan(exitDone, "--policy", rules, "--store", place)
	moved := p.Changes[slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.Via == plan.EntraGroup })].User
	tell(exitHeld, in("run", "--policy", rules)...)
	tell(exitHeld, in("apply", p.Run)...)
	p = s.plan(exitDone, "--policy", rules, "--store", place)
	tell(exitUsage, in("apply", p.Run, "--only", s.path("policy.yaml"))...)
	tell(exitDone, in("apply", p.Run, "--yes")...)
	tell(exitDone, in("plan", "--policy", rules)...)
	for _, args := range [][]string{{"show", "latest"}, {"show", p.Run}, {"runs"}, {"savings"}, {"explain", moved}, {"history", moved}, {"explain", moved, "--verbose"}} {
		tell(exitDone, in(args...)...)
	}
	for _, args := range [][]string{{"show", "yesterday"}, {"apply", "latest"}, {"explain", "nobody@contoso.example"}, {"restore", "nobody@contoso.example"}} {
		tell(exitUsage, in(args...)...)
	}
	for _, hint := range hintsIn(string(s.want(exitDone, "init", "--policy", s.path("first $(touch forged).yaml")).out)) { // the output of init names no store, because init uses no store
		count["init"]++
		pastedWords(t, hint)
	}
	for _, name := range []string{"plan", "show", "run", "apply", "runs", "explain", "init"} {
		if count[name] == 0 {
			t.Errorf("%s printed no command", name)
		}
	}
	t.Logf("commands printed: %v", count)
}

func TestHintsOfGoldens(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"testdata/doctor.txt", "testdata/mistakes.txt", "../../../infra/endtoend/testdata/notices.txt", "../../../shared/story/testdata/stories.txt", "../../../shared/plain/terminal/testdata/80-color.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := hintsIn(strings.ReplaceAll(string(text), "$ idleseat", "$"))
		slices.Sort(found)
		found = slices.Compact(found)
		if len(found) == 0 {
			t.Errorf("%s has no command", file)
		}
		for _, hint := range found {
			pastedWords(t, hint)
		}
	}
}
