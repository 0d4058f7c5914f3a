package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func TestShow(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 16})
	p := s.plan(exitDone)
	before := string(s.want(exitDone, "show", latest).out)
	for _, want := range []string{p.Run, "waits for approval", "apply it:  idleseat apply " + p.Run, p.PlanHash, "m365-idle-60", p.Changes[0].UserPrincipalName, "WHY NOTHING IS CHANGED"} {
		if !strings.Contains(before, want) {
			t.Errorf("before the changes, show does not say %q:\n%s", want, before)
		}
	}
	undecided := regexp.MustCompile(`(?m)^  \d+ +m365-idle-60 +undecided +\S`)
	if !undecided.MatchString(before) || strings.ContainsRune(before, utf8.RuneError) {
		t.Errorf("show does not say undecided, or says something that is no text:\n%s", before)
	}
	s.finish(p.Run)
	after := string(s.want(exitDone, "show", p.Run).out)
	if !strings.Contains(after, "done: done ") || strings.Contains(after, "apply it:") {
		t.Errorf("after the changes:\n%s", after)
	}
	n := s.shown(latest)
	if n.Run != p.Run || n.Changes.Total != len(p.Changes) || n.Settled == nil || n.Settled.Statuses[runs.Done] != len(p.Changes) {
		t.Errorf("as JSON: run %s, %d changes, settled %+v", n.Run, n.Changes.Total, n.Settled)
	}
	if a := s.want(exitUsage, "show", "no-such-run"); !strings.Contains(a.err, "no such run") {
		t.Errorf("a run that is not there: %q", a.err)
	}
}

func (s *shell) shown(run string) (n report.Night) {
	s.t.Helper()
	if err := json.Unmarshal(s.want(exitDone, "show", run, "--format", "json").out, &n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestShowAHeldPlan: the command show names the flag with which a plan that only limits hold can be applied. It
// proposes no command for a plan that no operator can apply.
func TestShowAHeldPlan(t *testing.T) {
	t.Parallel()
	for _, overridable := range []bool{true, false} {
		for _, deployment := range []string{"", "seats"} {
			n := &report.Night{Run: "R", PlanHash: "H", Deployment: deployment, Mode: policy.Review, Verdict: plan.Hold, Overridable: overridable, Expires: time.Now().Add(time.Hour)}
			var text bytes.Buffer
			a := &Process{Context: t.Context(), Stdout: &text, Clock: clock.Real, Variable: func(string) (string, bool) { return "", false }}
			if err := new(showCmd).print(a, &runs.Overview{Stage: runs.StagePlanned}, n); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"": "apply it despite the limits:  idleseat apply R --override-limits H", "seats": "approve it despite the limits:  idleseat approve R H --override-limits --aws seats\n"}[deployment]
			if strings.Contains(text.String(), want) != overridable || strings.Contains(text.String(), "plan hash") != overridable {
				t.Errorf("%q, overridable %t:\n%s", deployment, overridable, text.String())
			}
		}
	}
}

// TestShowARunThatStopped: if a run has no plan, the command show prints the stage of the run.
func TestShowARunThatStopped(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 16})
	p := s.plan(exitDone)
	folder := filepath.Join(s.path("store"), "runs", p.Run)
	for _, step := range []struct{ gone, want string }{{"plan.json", "is deciding"}, {"manifest.json", "is reading"}} {
		if err := os.Remove(filepath.Join(folder, step.gone)); err != nil {
			t.Fatal(err)
		}
		if a := s.want(exitUsage, "show", p.Run); !strings.Contains(a.err, step.want) {
			t.Errorf("without %s: %q", step.gone, a.err)
		}
	}
	if a := s.want(exitUsage, "show", latest); !strings.Contains(a.err, "plan first") {
		t.Errorf("no run with a plan: %q", a.err)
	}
}
