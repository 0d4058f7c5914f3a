package command

import (
	"regexp"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestHeldFirstPlan: if a plan is on hold only because of limits, the command prints advice with commands that work.
func TestHeldFirstPlan(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300}, replace(t, "percent: 10", "percent: 1"))
	text := string(s.want(exitHeld, "plan").out)
	for _, want := range []string{"A first plan is usually held", "What to do:", "idleseat serve --open", "--override-limits ", "limits.perRun"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan does not say %q:\n%s", want, text)
		}
	}
	begin := regexp.MustCompile(`(?m)^    idleseat (apply .* --limit \d+)$`).FindStringSubmatch(text)
	if begin == nil || !strings.HasSuffix(begin[1], " 9") { // ten would be more than 1 % of the holders
		t.Fatalf("the plan does not say with how many to begin: %q\n%s", begin, text)
	}
	// The choice is within the limits. It waits for approval, because stdin is no terminal.
	if a := s.want(exitHeld, strings.Fields(begin[1])...); strings.Contains(a.err, "limits.stopAbove") || !strings.Contains(a.err, "not approved") {
		t.Errorf("%s says: %s", begin[1], a.err)
	}
	again := regexp.MustCompile(`(?m)^    idleseat (plan --run .*)$`).FindStringSubmatch(text)
	if again == nil {
		t.Fatalf("the plan does not say how to plan again:\n%s", text)
	}
	s.write("policy.yaml", strings.Replace(string(s.company.Policy()), "percent: 10", "percent: 2", 1))
	second := string(s.want(exitHeld, strings.Fields(again[1])...).out)
	if strings.Contains(second, "A first plan is") || !strings.Contains(second, "What to do:") {
		t.Errorf("the second plan says:\n%s", second)
	}
	s.write("policy.yaml", string(s.company.Policy()))
	if text := string(s.want(exitDone, strings.Fields(again[1])...).out); strings.Contains(text, "What to do:") {
		t.Errorf("a plan that is not held says what to do:\n%s", text)
	}
	// If the mode is audit, an operator cannot override the limits.
	s.write("policy.yaml", strings.NewReplacer("mode: review", "mode: audit", "percent: 10", "percent: 1").Replace(string(s.company.Policy())))
	if text := string(s.want(exitHeld, strings.Fields(again[1])...).out); strings.Contains(text, "--override-limits") {
		t.Errorf("a plan in audit offers to be accepted:\n%s", text)
	}
	if a := s.want(exitHeld, "plan", "--format", "json"); strings.Contains(string(a.out), "What to do") {
		t.Errorf("JSON has words for people:\n%s", a.out)
	}
}
