package apply

import (
	"errors"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// TestLedgerUnderAnotherName: an earlier run changed E3 under the name "office", which the policy had for it. The
// ledger's entry has the product, and the product shows that the entry is about E3.
func TestLedgerUnderAnotherName(t *testing.T) {
	t.Parallel()
	office, visio := history.LicenseID{SKU: "sku-e3"}, history.LicenseID{SKU: "sku-visio"}
	for name, tc := range map[string]struct {
		id    history.LicenseID
		ended time.Time     // end of the change in the ledger; zero: it is open
		known history.State // state in the run's digest; empty: none
		want  runs.Status
		note  string
	}{
		"given back by somebody":        {office, daysAgo(30), history.Taken, runs.Refused, "cooling down: restored by somebody else after run r0 took it"},
		"as an earlier run saw":         {office, daysAgo(30), history.Restored, runs.Refused, "cooling down: restored on 2026-11-18"},
		"under way":                     {office, time.Time{}, "", runs.Refused, "another run's change is still open: run r0"},
		"ended after the plan":          {office, asOf.Add(time.Second), "", runs.Refused, "was after this plan was made"},
		"another license":               {visio, daysAgo(30), history.Taken, runs.Done, ""},
		"another license, under way":    {visio, time.Time{}, "", runs.Done, ""},
		"another license, given lately": {visio, daysAgo(30), history.Restored, runs.Done, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			book := ledger.In(b.Store)
			e, err := book.Begin(t.Context(), ledger.Intent{Person: "id-bo", License: "office", Run: "r0", Rule: "m365", Via: "direct", SKU: tc.id.SKU, At: daysAgo(31)}, nil)
			if err == nil && !tc.ended.IsZero() {
				err = book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: tc.ended})
			}
			if err != nil {
				t.Fatal(err)
			}
			m := &snapshot.Manifest{Run: "run", History: "past.jsonl.gz"}
			err = store.PutLines(t.Context(), b.Store, m.History, func(emit func(any) error) error {
				err := emit(map[string]any{"head": map[string]any{"run": "run"}})
				if tc.known != "" {
					err = errors.Join(err, emit(&history.Item{User: "id-bo", License: "office", State: tc.known, Run: "r0", Rule: "m365", ID: tc.id, Began: daysAgo(31), At: daysAgo(5)}))
				}
				return err
			})
			begin, beginErr := snapshot.GetBegin(t.Context(), b.Store, "run")
			if err = errors.Join(err, beginErr); err != nil {
				t.Fatal(err)
			}
			begin.Read = asOf
			if err := errors.Join(store.PutJSON(t.Context(), b.Store, layout.Begin("run"), begin), store.PutJSON(t.Context(), b.Store, layout.Manifest("run"), m)); err != nil {
				t.Fatal(err)
			}
			b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{changeBo} })
			b.apply(t, tc.want, tc.note)
		})
	}
}
