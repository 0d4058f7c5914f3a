package endtoend

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake/states"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// TestMotoReview: on moto, a night, an approval and a restore give the same directories and ledger as the command line
// and as the project's simulation of Step Functions. The restore returns all licenses.
func TestMotoReview(t *testing.T) {
	t.Parallel()
	m := newMotoRig(t, "review")
	before := m.holdings()
	out, failure := m.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	if out["verdict"] != "review" || out["changes"].(float64) < 5 || !cmp.Equal(before, m.holdings()) {
		t.Fatalf("the night ended with %v", out)
	}
	own, planned := ownNight(t, out)
	m.looks()
	approved := approve(t, m.run, out)
	if diff := cmp.Diff(approve(t, own.run, planned)["results"], approved["results"]); diff != "" {
		t.Errorf("results (-own engine +moto):\n%s", diff)
	}
	if m.calls["gate settle"] < 2 {
		t.Errorf("settled %d times: nothing was pending", m.calls["gate settle"])
	}
	m.sameAs(own)
	m.sameAsCommand(townsfolk)
	m.longAgo()
	if _, failure = m.run(fmt.Sprintf(`{"restore":%q}`, out["run"])); failure != nil {
		t.Fatal(failure)
	}
	m.settled(before)
	if got := m.subjects(6); len(got) != 6 {
		t.Errorf("%d notices, want one of each execution: %q", len(got), got)
	}
}

// The function "approve" approves a plan with a wrong hash, which must be refused, and then with the right hash. It
// returns the output of the second approval.
func approve(t *testing.T, run func(string) (map[string]any, *states.Failure), planned map[string]any) map[string]any {
	t.Helper()
	if _, failure := run(fmt.Sprintf(`{"apply":%q,"planHash":"0000"}`, planned["run"])); failure == nil || failure.Error != "Idleseat.Refused" {
		t.Errorf("another hash: %+v", failure)
	}
	out, failure := run(fmt.Sprintf(`{"apply":%q,"planHash":%q}`, planned["run"], planned["planHash"]))
	if failure != nil {
		t.Fatal(failure)
	}
	if results := out["results"].(map[string]any); len(results) != 1 || results["done"] != out["changes"] {
		t.Errorf("results %v of %v changes", results, out["changes"])
	}
	return out
}

// The method "looks" makes a run for one person without applying it, which must change nothing, and a run for an
// unknown person, which must be refused.
func (m *motoRig) looks() {
	m.Helper()
	before := m.holdings()
	out, failure := m.run(fmt.Sprintf(`{"user":%q,"apply":false}`, m.idle(sandbox.CitrixGroup)))
	if failure != nil {
		m.Fatal(failure)
	}
	if out["changes"].(float64) < 1 || !cmp.Equal(before, m.holdings()) {
		m.Errorf("one person: %v", out)
	}
	if _, failure := m.run(`{"user":"nobody@contoso.example","apply":false}`); failure == nil || failure.Error != "Idleseat.Refused" {
		m.Errorf("nobody: %+v", failure)
	}
}

// TestMotoTwoAtOnce runs two nights at the same time on moto, in mode enforce, and kills functions during their work.
// Together, the nights take the same licenses as one night on the project's simulation, each license once.
func TestMotoTwoAtOnce(t *testing.T) {
	t.Parallel()
	m := newMotoRig(t, "enforce")
	own := newRig(t, options{company: townsfolk, mode: "enforce", patient: true})
	if _, failure := own.run(nightly); failure != nil {
		t.Fatal(failure)
	}
	for _, name := range []string{"evaluate", "gate", "apply"} {
		m.functions["arn:"+name].KillNext(20 * time.Millisecond)
	}
	for _, arn := range []string{m.start(nightly), m.start(nightly)} {
		out, failure := m.end(arn)
		if failure != nil {
			t.Fatalf("%+v\n%s", failure, m.story(arn))
		}
		t.Logf("a night of %v changes ended with %v %v", out["changes"], out["results"], out["refused"])
	}
	if diff := cmp.Diff(taken(t, own.store), taken(t, m.store)); diff != "" {
		t.Errorf("licenses taken, and how often (-own engine +moto):\n%s", diff)
	}
	m.settled(own.holdings())
}

// The function "taken" returns the number of completed changes in the ledger, by person and license.
func taken(t *testing.T, s store.Store) map[string]int {
	all := map[string]int{}
	for key, outcome := range entries(t, s) {
		if strings.HasPrefix(outcome, string(ledger.Done)+" ") {
			all[path.Dir(key)]++
		}
	}
	return all
}

// ownNight runs the same night on the project's simulation of Step Functions. The parameter "out" is the output of the
// night on another engine. The verdict, the numbers and the saving must be the same.
func ownNight(t *testing.T, out map[string]any) (own *rig, planned map[string]any) {
	t.Helper()
	own = newRig(t, options{company: townsfolk, mode: "review", patient: true})
	planned, failure := own.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	for _, key := range []string{"verdict", "changes", "counts", "monthlySaving"} {
		if diff := cmp.Diff(planned[key], out[key]); diff != "" {
			t.Errorf("%s (-own engine +here):\n%s", key, diff)
		}
	}
	return own, planned
}
