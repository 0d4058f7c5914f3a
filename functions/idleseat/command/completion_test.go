package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// The variable "completions" has command lines up to the cursor. Each line has the words that a shell must offer.
var completions = []struct {
	line string
	want []string
}{
	{"idleseat pl", []string{"plan"}},
	{"idleseat policy ", []string{"check", "explain", "schema", "test"}},
	{"idleseat policy explain --l", []string{"--language"}},
	{"idleseat policy explain policy.yaml --language ", []string{"en", "sv"}},
	{"idleseat plan --format j", []string{"json"}},
	{"idleseat completion z", []string{"zsh"}},
	{"idleseat plan --acc", []string{"--accept-feeds"}},
	{"idleseat apply 20260101T000000Z-00000000 --overr", []string{"--override-limits"}},
	{"idleseat plan --store pl", nil},
}

func script(t *testing.T, shell string) string {
	t.Helper()
	a := call(t, "completion", shell)
	if a.status != exitDone || a.err != "" {
		t.Fatalf("completion %s: exit status %d, stderr %q", shell, a.status, a.err)
	}
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, a.out, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func offered(t *testing.T, shell string, args ...string) []string {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		t.Skipf("%s is not installed, so its completion is not tried", shell)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", shell, err, out)
	}
	words := strings.Fields(string(out))
	slices.Sort(words)
	return slices.Compact(words)
}

func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	file := script(t, "bash")
	for _, tc := range completions {
		words := strings.Split(tc.line, " ")
		got := offered(t, "bash", append([]string{"--norc", "-c", `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _idleseat; echo "${COMPREPLY[@]}"`, file}, words...)...)
		if d := cmp.Diff(tc.want, got); d != "" && len(got)+len(tc.want) > 0 {
			t.Errorf("%q (-want +got):\n%s", tc.line, d)
		}
	}
}

// TestCompletionInZsh: zsh runs the completion function of bash through bashcompinit. In zsh, the function offers all
// words, because zsh itself removes words that do not begin like the word at the cursor.
func TestCompletionInZsh(t *testing.T) {
	t.Parallel()
	file := script(t, "zsh")
	for _, tc := range completions {
		words := strings.Split(tc.line, " ")
		got := offered(t, "zsh", append([]string{"-f", "-c", `autoload -Uz compinit && compinit -u -D; source "$0"; emulate -L ksh; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _idleseat; echo "${COMPREPLY[@]}"`, file}, words...)...)
		got = slices.DeleteFunc(got, func(word string) bool { return !strings.HasPrefix(word, words[len(words)-1]) })
		if d := cmp.Diff(tc.want, got); d != "" && len(got)+len(tc.want) > 0 {
			t.Errorf("%q (-want +got):\n%s", tc.line, d)
		}
	}
}

func TestCompletionInFish(t *testing.T) {
	t.Parallel()
	file := script(t, "fish")
	for _, tc := range completions {
		got := offered(t, "fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2] | string split -f1 \t; true`, file, tc.line)
		for _, want := range tc.want {
			if !slices.Contains(got, want) {
				t.Errorf("%q: %q lacks %s", tc.line, got, want)
			}
		}
	}
}

// TestCompletionInPowerShell: the script for PowerShell has commands, flags, and values of flags.
func TestCompletionInPowerShell(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(script(t, "powershell"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"'idleseat plan' = @(", "'--accept-feeds'", "'idleseat plan --format' = @('text','json','markdown')", "'idleseat policy' = @('check','test','explain','schema',"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the script lacks %s", want)
		}
	}
	file := script(t, "powershell")
	for _, tc := range completions {
		if got := offered(t, "pwsh", "-NoProfile", "-Command", ". "+file+"; (TabExpansion2 '"+tc.line+"' "+"-cursorColumn "+ /* the end */ "'"+tc.line+"'.Length).CompletionMatches.CompletionText"); len(tc.want) > 0 && !slices.Contains(got, tc.want[0]) {
			t.Errorf("%q: %q", tc.line, got)
		}
	}
}

func TestMan(t *testing.T) {
	t.Parallel()
	a := call(t, "man")
	page := string(a.out)
	k, err := kong.New(&commands{}, kong.Vars{"version": "x"})
	if err != nil || a.status != exitDone {
		t.Fatal(err, a.status)
	}
	for _, n := range everyNode(k.Model.Node) {
		for _, f := range n.Flags {
			if !strings.Contains(page, `\-\-`+roff(f.Name)) {
				t.Errorf("the page lacks --%s of %s", f.Name, n.FullPath())
			}
		}
		if n.Leaf() && !strings.Contains(page, ".SS "+roff(n.Path())) {
			t.Errorf("the page lacks %s", n.FullPath())
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed, so the page is not set")
	}
	cmd := exec.Command(groff, "-man", "-Tutf8", "-ww", "-P-c")
	cmd.Stdin = strings.NewReader(page)
	var faults strings.Builder
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil || faults.Len() > 0 {
		t.Errorf("groff: %v\n%s", err, faults.String())
	}
	set := regexp.MustCompile(".\x08").ReplaceAllString(string(out), "") // groff prints each bold letter twice, with a backspace in between
	for _, want := range []string{"--accept-feeds", "--format=text|json", "EXIT STATUS", "policy explain", "IDLESEAT_STORE"} {
		if !strings.Contains(set, want) {
			t.Errorf("the page does not show %q:\n%s", want, set)
		}
	}
}
