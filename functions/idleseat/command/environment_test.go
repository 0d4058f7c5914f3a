package command

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestEveryVariableIsKnown: if a program of this repository reads a variable, the command does not call the variable
// misspelt.
func TestEveryVariableIsKnown(t *testing.T) {
	t.Parallel()
	k, err := kong.New(&commands{}, kong.Vars{})
	if err != nil {
		t.Fatal(err)
	}
	known := settings(k.Model)
	tag := regexp.MustCompile(`env:"(IDLESEAT_[A-Z_]+)`)
	found := 0
	for _, root := range []string{"../..", "../../../shared"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range tag.FindAllStringSubmatch(string(text), -1) {
				if found++; !slices.Contains(known, m[1]) {
					t.Errorf("%s reads %s, which the command calls unknown", path, m[1])
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 20 {
		t.Errorf("only %d variables were found", found)
	}
}

// TestMisspeltVariables: a misspelt variable stops the command plan. The help still works.
func TestMisspeltVariables(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 20})
	env := s.env
	for _, tc := range []struct{ name, want string }{
		{"IDLESEAT_SOTRE", "did you mean IDLESEAT_STORE?\n"}, {"IDLESEAT_AD_FILTERS", "did you mean IDLESEAT_AD_FILTER?"}, {"IDLESEAT_LOG_LEVEL", "there is no variable IDLESEAT_LOG_LEVEL; a name"},
	} {
		s.env = append(slices.Clone(env), tc.name+"=x", tc.name+"=y")
		if a := s.want(exitUsage, "plan"); !strings.Contains(a.err, tc.want) || strings.Count(a.err, tc.name) != strings.Count(tc.want, tc.name)+map[bool]int{true: 0, false: 1}[strings.Contains(tc.want, tc.name)] {
			t.Errorf("%s: %s", tc.name, a.err)
		}
		s.want(exitDone, "plan", "--help")
	}
	s.env = append(slices.Clone(env), "IDLESEAT_RELAY_READ_QUEUE=https://sqs.example/q", "IDLESEAT_TEST_ANY=1")
	s.want(exitDone, "plan")
	if n := len(s.company.Requests()); n == 0 {
		t.Error("the plan with variables of the relay read nothing")
	}
	if _, err := os.Stat(s.path("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("another store was made")
	}
}
