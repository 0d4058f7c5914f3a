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

// TestMotoReview runs a night, a run for one person, an approval and a restore on moto. After the approval, the
// directories and the ledger must be the same as after a run on the command line and after a run on the project's
// simulation of Step Functions. The restore must return all licenses.
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

// The function "approve" approves a plan twice. The first approval has a wrong hash and must be refused. The second
// approval has the right hash. The function returns the output of the second approval.
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

// The method "looks" makes a run for one person and does not apply this run. The run must change nothing. The method
// also makes a run for an unknown person. The run for the unknown person must be refused.
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

// TestMotoTwoAtOnce runs two nights at the same time on moto, in mode enforce. It kills the functions evaluate, gate
// and apply once each during their work. Together, the two nights must take the same licenses as one night on the
// project's simulation. The two nights must take each license only once.
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
// night on another engine. ownNight fails the test if the verdict, the numbers or the saving differ in the two outputs.
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
