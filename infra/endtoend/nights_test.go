package endtoend

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestNights: a person who lost a license on the first night in mode enforce becomes active. The second night returns
// this license and changes nobody else. In the ledger, the execution is the approver of each change.
func TestNights(t *testing.T) {
	t.Parallel()
	small := company
	small.Users = 400
	edit := strings.NewReplacer("{changeTo: exchange-online}", "{changeTo: exchange-online, onReturn: restore}", "then: remove", "then: {remove: true, notice: 14}")
	r := newRig(t, options{company: small, mode: "enforce", edit: edit.Replace})
	out, failure := r.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	results := out["results"].(map[string]any)
	if results["done"] == nil || results["announced"] == nil || len(results) != 2 {
		t.Fatalf("the first night: %v", results)
	}
	run := out["run"].(string)
	p, err := runs.GetPlan(t.Context(), r.store, run)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Notices) == 0 || slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.License == "citrix" }) {
		t.Errorf("%d notices, changes %+v", len(p.Notices), p.Changes)
	}
	lost := p.Changes[0]
	e, err := ledger.In(r.store).Latest(t.Context(), lost.User, lost.License)
	if err != nil || !strings.HasPrefix(e.ApprovedBy, "arn:aws:states:") {
		t.Errorf("approved by %q, %v", e.ApprovedBy, err)
	}

	r.longAgo()
	time.Sleep(1100 * time.Millisecond) // sign-in dates have a resolution of one second
	for i := range small.Users {
		if person := r.box.Company.Person(i); person.Entra != nil && person.Entra.ID == lost.User {
			r.box.Company.SignIn(i)
		}
	}
	out, failure = r.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	if results = out["results"].(map[string]any); len(results) != 1 || results["done"] != 1.0 {
		t.Errorf("the second night: %v", results)
	}
	if e, err = ledger.In(r.store).Latest(t.Context(), lost.User, lost.License); err != nil || e.Rule != plan.RestoreRule || e.Completion.Outcome != ledger.Done {
		t.Errorf("ledger: %+v, %v", e, err)
	}
	for _, event := range r.box.Company.History() {
		if event.LostMailbox {
			t.Errorf("somebody was without a mailbox: %+v", event)
		}
	}
	approval := fmt.Sprintf(`{"apply":%q,"planHash":%q}`, run, p.PlanHash)
	if _, failure := r.run(approval); failure == nil || failure.Error != "Idleseat.Refused" || !strings.Contains(failure.Cause, "superseded it; apply that one") {
		t.Errorf("the plan of the first night approved again: %+v", failure)
	}
}
