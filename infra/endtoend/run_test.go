package endtoend

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// The variable "company" has three pages of people. Licenses follow group membership after 1.5 seconds.
var company = sandbox.Options{Users: 1100, Seed: 5, LicenseDelay: 1500 * time.Millisecond}

// TestReviewedRun reads a company in several calls and makes a plan. A second execution approves the plan and applies
// it until no change is pending.
func TestReviewedRun(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{company: company, mode: "review"})
	before := r.holdings()
	out, failure := r.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	if out["verdict"] != "review" || out["changes"].(float64) < 20 || out["go"] != false {
		t.Fatalf("the run ended with %v", out)
	}
	if diff := cmp.Diff(before, r.holdings()); diff != "" {
		t.Errorf("changed without approval:\n%s", diff)
	}
	if n := r.calls["collect entra"]; n < 4 {
		t.Errorf("Entra ID was read in %d calls", n)
	}
	run, hash := out["run"].(string), out["planHash"].(string)
	if _, failure := r.run(`{"apply":"` + run + `","planHash":"0000"}`); failure == nil || failure.Error != "Idleseat.Refused" || !strings.Contains(failure.Cause, hash) {
		t.Errorf("another hash: %+v", failure)
	}
	approval := `{"apply":"` + run + `","planHash":"` + hash + `"}`
	out, failure = r.run(approval)
	if failure != nil {
		t.Fatal(failure)
	}
	results := out["results"].(map[string]any)
	if len(results) != 1 || results["done"] != out["changes"] {
		t.Errorf("results %v of %v changes", results, out["changes"])
	}
	if r.calls["gate settle"] < 2 {
		t.Errorf("settled %d times: nothing was pending", r.calls["gate settle"])
	}
	if _, failure := r.run(approval); failure == nil || !strings.Contains(failure.Cause, "final already") {
		t.Errorf("approved again: %+v", failure)
	}
	if len(r.notices) != 4 {
		t.Errorf("%d notices, want one of each execution: %q", len(r.notices), r.notices)
	}
	r.sameAsCommand(company)
}

// The method "holdings" returns the licenses and license groups of each person, by index of the person.
func (r *rig) holdings() map[int][]string {
	return holdings(r.box.Company)
}

func holdings(c *sandbox.Company) map[int][]string {
	all := map[int][]string{}
	for i := range c.Size() {
		p := c.Person(i)
		all[i] = append(append(all[i], p.Groups...), p.ADGroups...)
		if p.Entra != nil {
			for _, a := range p.Entra.Assignments {
				all[i] = append(all[i], a.SKU+" by "+a.Group+" "+a.State)
			}
		}
	}
	return all
}

// The function "entries" returns the outcome and the note of each completed change in the ledger, by key. The other
// fields differ between runs.
func entries(t testing.TB, s store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for key, err := range s.List(t.Context(), "ledger/") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(key, ".done.json") {
			continue
		}
		var done struct{ Outcome, Note string }
		if err := store.GetJSON(t.Context(), s, key, &done); err != nil {
			t.Fatal(err)
		}
		all[key] = done.Outcome + " " + done.Note
	}
	return all
}
