package command

import (
	"bytes"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// TestOutcomeOfADeployment checks what a command with --aws prints about the end of an execution, and its exit status.
func TestOutcomeOfADeployment(t *testing.T) {
	t.Parallel()
	restored := gate.StepOutput{Run: "r2", Restores: "r1", Mode: policy.Review, Verdict: plan.Review, Changes: 20, Results: map[runs.Status]int{runs.Done: 14, runs.Refused: 6}}
	with := func(out gate.StepOutput, edit func(*gate.StepOutput)) gate.StepOutput { edit(&out); return out }
	planned := func(v plan.Verdict, m policy.Mode, begun int) gate.StepOutput {
		return gate.StepOutput{Run: "r1", PlanHash: "h", Mode: m, Verdict: v, Changes: 2, Begun: begun}
	}
	const approve, waits = "approve it:  idleseat approve r1 h --aws idleseat", "begun by earlier runs and not finished: 1 change\n"
	for name, tc := range map[string]struct {
		out       gate.StepOutput
		status    int
		says, why string // texts on stdout and on stderr
	}{
		"a plan in review":                      {planned(plan.Review, policy.Review, 0), exitDone, approve, ""},
		"a plan in enforce":                     {planned(plan.Apply, policy.Enforce, 0), exitDone, approve, ""},
		"a plan of nothing, and a change waits": {planned(plan.Nothing, policy.Enforce, 1), exitDone, waits + approve, ""},
		"a plan in audit, and a change waits":   {planned(plan.Apply, policy.Audit, 1), exitDone, waits, ""},
		"a plan of nothing, and a run is lost":  {with(planned(plan.Nothing, policy.Enforce, 1), func(o *gate.StepOutput) { o.Stuck = 1 }), exitDone, waits, ""},
		"a restore":                             {with(restored, func(o *gate.StepOutput) { o.Results = map[runs.Status]int{runs.Done: 20} }), exitDone, "done 20", ""},
		"a restore that refuses":                {with(restored, func(o *gate.StepOutput) { o.Unrestored = 6 }), exitHeld, "done 14, refused 6", "not restored: 6 licenses"},
		"a restore that another run finishes":   {restored, exitDone, "done 14, refused 6", ""},
		"a plan that was superseded midway":     {with(restored, func(o *gate.StepOutput) { o.Restores = "" }), exitDone, "done 14, refused 6", ""},
		"a restore that failed": {with(restored, func(o *gate.StepOutput) {
			o.Unrestored, o.Results = 1, map[runs.Status]int{runs.Failed: 1, runs.Refused: 1}
		}), exitFailed, "failed 1", "1 change failed"},
	} {
		var out, errs bytes.Buffer
		a := &Process{Context: t.Context(), Stdout: &out, Stderr: &errs}
		status := a.fail(awsFlag{"idleseat"}.printOutcome(a, &tc.out, formatFlag{"text"}))
		if approved := strings.Contains(out.String(), "approve it:"); approved != strings.Contains(tc.says, approve) {
			t.Errorf("%s: asks for an approval: %t", name, approved)
		}
		if status != tc.status || !strings.Contains(out.String(), tc.says) || !strings.Contains(errs.String(), tc.why) || tc.why == "" && errs.Len() > 0 {
			t.Errorf("%s: status %d, %s%s", name, status, out.String(), errs.String())
		}
	}
}

// TestFlagsInVain: a command does not accept a policy or a store that the deployment would ignore.
func TestFlagsInVain(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 20})
	for _, args := range [][]string{{"plan"}, {"reevaluate", "anna@contoso.example"}, {"restore", "--run", "R"}} {
		for _, flag := range []string{"--policy", "--store"} {
			if a := s.want(exitUsage, append(args, "--aws", "idleseat", flag, "x")...); !strings.Contains(a.err, flag+" is for commands on this machine") {
				t.Errorf("%s: %s", args, a.err)
			}
		}
	}
}
