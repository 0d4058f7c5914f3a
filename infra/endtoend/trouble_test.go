package endtoend

import (
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake/states"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestOnePerson evaluates one person who does not use Citrix. The function reevaluate changes nothing. The function
// reevaluate-apply makes the relay take the license.
func TestOnePerson(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{company: company, mode: "review"})
	who := r.idle(sandbox.CitrixGroup)
	type answer struct {
		Status, Verdict, Failed, Refused string
		People                           []struct {
			UserPrincipalName string
			Profile           []struct{ Name, Value string }
			Answers           []struct{ Rule, License, Outcome, Reason string }
		}
		Results []struct{ License, Status string }
	}
	ask := func(function, request string) (a answer) {
		raw, err := r.functions[function].Invoke(t.Context(), []byte(request))
		if err != nil {
			t.Fatalf("%v\n%s", err, r.functions[function].Logs())
		}
		if err := json.Unmarshal(raw, &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	// Kill the function while it waits for the execution, and then request the same person again.
	r.functions["arn:reevaluate"].KillNext(100 * time.Millisecond)
	if _, err := r.functions["arn:reevaluate"].Invoke(t.Context(), []byte(`{"user":"`+who+`","apply":false}`)); err == nil || !strings.Contains(err.Error(), "Runtime.ExitError") {
		t.Errorf("killed: %v", err)
	}
	looked := ask("arn:reevaluate", `{"user":"`+who+`","apply":false}`)
	if looked.Status != "SUCCEEDED" || len(looked.People) != 1 || looked.Results != nil || len(looked.People[0].Profile) == 0 {
		t.Fatalf("%+v", looked)
	}
	outcome := map[string]string{}
	for _, a := range looked.People[0].Answers {
		outcome[a.License] = a.Outcome
	}
	if outcome["citrix"] != "reclaim" {
		t.Fatalf("answers %+v", looked.People[0].Answers)
	}
	if n := len(r.box.Company.History()); n != 0 {
		t.Errorf("%d changes by looking", n)
	}
	refused := ask("arn:reevaluate", `{"user":"`+who+`","apply":true}`)
	if n := len(r.box.Company.History()); n != 0 || refused.Status != "SUCCEEDED" || !strings.Contains(refused.Refused, "wrong entrance") {
		t.Errorf("%d changes by the function that looks: %+v", n, refused)
	}
	done := ask("arn:reevaluate-apply", `{"user":"`+who+`","apply":true}`)
	found := false
	for _, res := range done.Results {
		found = found || res.License == "citrix" && res.Status == "done"
	}
	if !found {
		t.Errorf("results %+v (%s, %s)", done.Results, done.Status, done.Failed)
	}
	for _, request := range []string{`{"user":""}`, `{"user":"  "}`} {
		if _, err := r.functions["arn:reevaluate"].Invoke(t.Context(), []byte(request)); err == nil || !strings.Contains(err.Error(), "name the user") {
			t.Errorf("%s: %v", request, err)
		}
	}
	if nobody := ask("arn:reevaluate", `{"user":"nobody@contoso.example"}`); nobody.Status != "SUCCEEDED" || !strings.Contains(nobody.Refused, "(name left out)") {
		t.Errorf("nobody: %+v", nobody)
	}
}

// The method "idle" returns the userPrincipalName of a person who has been idle for a long time, has accounts in both
// directories and is in the given Active Directory group.
func (r *rig) idle(group string) string {
	r.Helper()
	for i := range r.box.Company.Size() {
		p := r.box.Company.Person(i)
		if p.AD == nil || p.Entra == nil || p.Kind != sandbox.Synced || time.Since(p.LastLogon) < 120*24*time.Hour || p.LastLogon.IsZero() {
			continue
		}
		for _, g := range p.ADGroups {
			if g == group {
				return p.Entra.UserPrincipalName
			}
		}
	}
	r.Fatal("the company has nobody idle in " + group)
	return ""
}

// TestKilled kills each function of the state machine, and the relay, once during its work, each in a new deployment.
// The run must end like a run without a kill.
func TestKilled(t *testing.T) {
	t.Parallel()
	small := company
	small.Users = 600
	whole := newRig(t, options{company: small, mode: "enforce"})
	want, failure := whole.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	for _, name := range []string{"collect", "evaluate", "gate", "apply", "relay"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, options{company: small, mode: "enforce", noRelay: name == "relay"})
			if name == "relay" {
				first := r.relay()
				time.AfterFunc(400*time.Millisecond, func() {
					_ = first.Process.Kill() // an error means that the process has already ended
					r.relay()
				})
			} else {
				r.functions["arn:"+name].KillNext(20 * time.Millisecond)
			}
			got, failure := r.run(nightly)
			if failure != nil {
				t.Fatal(failure)
			}
			for _, key := range []string{"verdict", "changes", "results"} {
				if diff := cmp.Diff(want[key], got[key]); diff != "" {
					t.Errorf("%s (-undisturbed +killed):\n%s", key, diff)
				}
			}
			if diff := cmp.Diff(entries(t, whole.store), entries(t, r.store)); diff != "" {
				t.Errorf("ledger (-undisturbed +killed):\n%s", diff)
			}
			if diff := cmp.Diff(whole.holdings(), r.holdings()); diff != "" {
				t.Errorf("licenses and groups (-undisturbed +killed):\n%s", diff)
			}
		})
	}
}

// TestPartitionThatCannotBeEvaluated: if the function evaluate fails for a share of the people, the run is on hold and
// applies nothing. An override is refused.
func TestPartitionThatCannotBeEvaluated(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{company: company, mode: "enforce", broken: func(function string, _ []byte) *states.Failure {
		if function == "evaluate" {
			return &states.Failure{Error: "Runtime.ExitError", Cause: "for good"}
		}
		return nil
	}})
	out, failure := r.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	if out["verdict"] != "hold" || out["changes"].(float64) != 0 || !strings.Contains(out["holdReasons"].([]any)[0].(string), "for good") {
		t.Errorf("the run ended with %v", out)
	}
	if n := len(r.box.Company.History()); n != 0 {
		t.Errorf("%d changes", n)
	}
	approval := `{"apply":"` + out["run"].(string) + `","planHash":"` + out["planHash"].(string) + `","override":true}`
	if _, failure := r.run(approval); failure == nil || !strings.Contains(failure.Cause, "the plan is held") {
		t.Errorf("overridden: %+v", failure)
	}
}

// TestThrottledPartition: Lambda refuses the first ten calls of the function evaluate with status 429, because the
// account may run few functions at the same time. The run still evaluates everybody, because the state machine repeats
// a refused call more often than a failed one.
func TestThrottledPartition(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	r := newRig(t, options{company: company, mode: "enforce", broken: func(function string, _ []byte) *states.Failure {
		if function == "evaluate" && calls.Add(1) <= 10 {
			return &states.Failure{Error: "Lambda.TooManyRequestsException", Cause: "Rate Exceeded. (Service: Lambda, Status Code: 429)"}
		}
		return nil
	}})
	out, failure := r.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	if out["verdict"] != "apply" || out["changes"].(float64) == 0 {
		t.Errorf("the run ended with %v", out)
	}
}

// TestNoRelay: on a night without a relay, Active Directory is unknown, and all other work continues.
func TestNoRelay(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{company: company, mode: "enforce", noRelay: true})
	before := r.inCitrix()
	out, failure := r.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	results := out["results"].(map[string]any)
	if out["verdict"] != "apply" || results["done"] == nil || results["done"] != out["changes"] {
		t.Errorf("the run ended with %v", out)
	}
	p, err := runs.GetPlan(t.Context(), r.store, out["run"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if f := p.Sources["ad"]; f.State != plan.Unhealthy || !strings.Contains(f.Reason, "the relay brought nothing: ") || !strings.Contains(f.Reason, "Check that the relay is running") {
		t.Errorf("source ad: %+v", f)
	}
	for key := range entries(t, r.store) {
		if strings.Contains(key, "citrix") {
			t.Errorf("the ledger has %s", key)
		}
	}
	if undecided := out["counts"].(map[string]any)["undecided"].(float64); undecided < 50 {
		t.Errorf("%v undecided: who holds Citrix should be", undecided)
	}
	if diff := cmp.Diff(before, r.inCitrix()); diff != "" || len(before) < 50 {
		t.Errorf("Citrix was changed for some of %d:\n%s", len(before), diff)
	}
}

func (r *rig) inCitrix() (people []int) {
	for i := range r.box.Company.Size() {
		if slices.Contains(r.box.Company.Person(i).ADGroups, sandbox.CitrixGroup) {
			people = append(people, i)
		}
	}
	return people
}

// TestTooMuchData: the simulated state machine limits the size of its data as AWS does. So the tests of this package
// fail if a function returns the data of people in place of the keys of objects.
func TestTooMuchData(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{company: company, mode: "enforce"})
	e, err := r.machines[entrance.Plan].Start("", `{"user":"`+strings.Repeat("x", 300<<10)+`"}`)
	if err != nil {
		t.Fatal(err)
	}
	_, failure, err := e.Wait(t.Context())
	if err != nil || failure == nil || failure.Error != "States.DataLimitExceeded" {
		t.Errorf("%+v, %v", failure, err)
	}
}
