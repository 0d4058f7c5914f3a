package command

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestPlanAsMarkdown: stdout has the comment for a pull request and nothing else, even if the plan is on hold.
func TestPlanAsMarkdown(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		percent string
		status  int
		want    []string
	}{
		"to approve": {"percent: 100,", exitDone, []string{"### idleseat: a plan to approve\n", "which save "}},
		"held":       {"percent: 1,", exitHeld, []string{"### idleseat: a plan on HOLD\n", "- **held:** rule m365-idle-60 matches ", "which would save "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 3}, replace(t, "percent: 10,", tc.percent), replace(t, "name: m365-idle-60", `name: "@octocat/m365-idle-60"`))
			out := string(s.want(tc.status, "plan", "--format", "markdown").out)
			p := s.plan(tc.status, "--run", "latest")
			if len(p.Changes) == 0 || !strings.HasPrefix(out, "### idleseat: ") || !strings.HasSuffix(out, "Z.\n") || len(utf16.Encode([]rune(out))) > report.MostMarkdown {
				t.Fatalf("%d changes: %s", len(p.Changes), out)
			}
			for _, c := range p.Changes {
				if !strings.Contains(out, "\n| `"+c.UserPrincipalName+"` | ") {
					t.Errorf("without %s", c.UserPrincipalName)
				}
			}
			for _, part := range append(tc.want, "@\u2060octocat/m365-idle-60") {
				if part = strings.ReplaceAll(part, "rule m365", "rule @\u2060octocat/m365"); !strings.Contains(out, part) {
					t.Errorf("without %q:\n%s", part, out)
				}
			}
			if strings.Contains(out, "@octocat") || strings.Contains(out, "What to do:") {
				t.Errorf("%s", out)
			}
		})
	}
	s := newShell(t, sandbox.Options{Users: 20})
	if a := s.want(exitUsage, "plan", "--format", "markdown", "--aws", "idleseat"); !strings.Contains(a.err, "--format markdown is for plans on this machine") {
		t.Error(a.err)
	}
}
