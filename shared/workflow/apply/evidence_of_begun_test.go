package apply

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestEvidenceOfWhatBegan: just before a change, the person is gone, cannot be read or has another id. A change that
// has begun is then handled differently from a change that has not. For example, with another id, the first is finished
// and the second is refused.
func TestEvidenceOfWhatBegan(t *testing.T) {
	t.Parallel()
	noAD := func(_ *directory.Person, e *reading) { e.adError = errDown }
	renamed := func(p *directory.Person, _ *reading) { p.Entra.ID = "id-else" }
	const unread = "nothing was done: Active Directory could not be read: down"
	for name, tc := range map[string]struct {
		begun  plan.Via // Via of the run's open change; empty: no open change
		edit   func(*directory.Person, *reading)
		status runs.Status
		note   string
	}{
		"not begun":                             {"", func(*directory.Person, *reading) {}, runs.Done, ""},
		"begun":                                 {plan.Direct, func(*directory.Person, *reading) {}, runs.Done, ""},
		"not begun, nothing of AD":              {"", noAD, runs.Done, ""},
		"begun directly, nothing of AD":         {plan.Direct, noAD, runs.Done, ""},
		"begun by a group of AD, nothing of it": {plan.ADGroup, noAD, runs.Pending, unread},
		"not begun, another id":                 {"", renamed, runs.Refused, "known to Entra ID by now as id-else; plan again"},
		"begun, another id":                     {plan.Direct, renamed, runs.Done, ""},
		"not begun, nobody":                     {"", func(_ *directory.Person, e *reading) { e.person, e.why = nil, "unread" }, runs.Pending, "nothing was done: unread"},
		"not begun, gone":                       {"", func(_ *directory.Person, e *reading) { e.person, e.gone, e.why = nil, true, "gone" }, runs.Kept, "gone"},
		"begun, nobody":                         {plan.Direct, func(_ *directory.Person, e *reading) { e.person, e.why = nil, "unread" }, runs.Pending, "nothing was done: unread"},
		"begun, gone":                           {plan.Direct, func(_ *directory.Person, e *reading) { e.person, e.gone, e.why = nil, true, "gone" }, runs.Failed, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			j := b.jobOf(t)
			judge, err := j.run.Judge(b.now)
			if err != nil {
				t.Fatal(err)
			}
			j.judge, j.results = judge, &runs.Results{}
			if tc.begun != "" {
				in := ledger.Intent{Person: "id-bo", License: "e3", To: "exo", Run: "run", PlanHash: j.plan.PlanHash, Rule: "m365", Via: string(tc.begun), At: b.now, SKU: "sku-e3", TargetSKU: "sku-exo"}
				if _, err := j.ledger.Begin(t.Context(), in, nil); err != nil {
					t.Fatal(err)
				}
			}
			all, err := j.fresh(t.Context(), j.plan.Changes)
			if err != nil {
				t.Fatal(err)
			}
			e := all["id-bo"]
			tc.edit(e.person, &e)
			b.entra.users["id-else"] = b.entra.users["id-bo"]
			r := j.change(t.Context(), &j.plan.Changes[0], e)
			if r.Status != tc.status || !strings.HasPrefix(r.Note, tc.note) {
				t.Errorf("%s, %q; want %s, %q", r.Status, r.Note, tc.status, tc.note)
			}
			if wrote := len(b.entra.writes()) > 0; wrote != (tc.status == runs.Done) {
				t.Errorf("wrote %v", b.entra.writes())
			}
		})
	}
}

// TestRestoreInModeAudit: a restore is allowed in every mode.
func TestRestoreInModeAudit(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ restores, want string }{
		"a plan":    {"", "mode audit"},
		"a restore": {"r0", ""},
	} {
		b := newBenchOf(t, strings.Replace(text, "mode: enforce", "mode: audit", 1), changeBo)
		b.plan(t, func(p *plan.Plan) {
			p.Changes, p.Restores, p.Mode = []plan.Change{changeBo}, tc.restores, policy.Audit
		})
		err := b.Check(t.Context(), Request{Run: "run"})
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
