package apply

import (
	"errors"
	"testing"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// TestResumedWithoutResults: a run has begun the change of Anna, and its stored results are damaged. A later run can
// still finish this change, because the ledger has it. A call for all changes is refused from then on. An object of its
// own still says that Bo keeps the license. The calls that finish Anna's change store new results.
func TestResumedWithoutResults(t *testing.T) {
	t.Parallel()
	for _, scope := range []runs.Scope{runs.Begun, runs.Back} {
		b := newBench(t, moveAnna, changeBo)
		b.entra.users["id-bo"].LastSuccessful = daysAgo(0) // Bo is kept
		if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
			t.Fatal(err)
		}
		if scope == runs.Back {
			b.recall(t, "id-anna")
		}
		b.damage(t, "runs/run/results/entra-0001.json")
		b.follow()
		b.entra.users["id-bo"].LastSuccessful = idle // Graph answers with an older date again
		r, err := b.Apply(t.Context(), Request{Run: "run", Scope: scope})
		ann, bo := r.Of(&moveAnna), r.Of(&changeBo)
		if err != nil || ann == nil || ann.Retry || bo == nil || bo.Status != runs.Kept {
			t.Errorf("%s: %+v, %v", scope, r, err)
		}
		want := []string{joinEXO, map[runs.Scope]string{runs.Begun: leaveE3, runs.Back: leaveEXO}[scope]}
		for range 2 {
			if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("all changes: %v", err)
			}
			if _, err := b.Apply(t.Context(), Request{Run: "run", Scope: scope}); err != nil {
				t.Error(err)
			}
		}
		b.wrote(t, want...)
		b.logged(t, changeBo, "")
		var stored runs.Results
		if err := store.GetJSON(t.Context(), b.Store, "runs/run/results/entra-0001.json", &stored); err != nil || stored.Of(&moveAnna) == nil {
			t.Errorf("%+v, %v", stored, err)
		}
	}
}

// TestReturnWithoutResults: the results of a run are damaged. A call for all changes is refused, but it still finishes
// a change that returns a license. The results stay damaged, so the next call is refused, too.
func TestReturnWithoutResults(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, changeBo)
	b.entra.users["id-bo"].LastSuccessful = daysAgo(0)
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	b.recall(t, "id-anna")
	b.damage(t, "runs/run/results/entra-0001.json")
	b.entra.users["id-bo"].LastSuccessful = idle
	for i := range 3 {
		if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	b.wrote(t, joinEXO, leaveEXO)
	b.logged(t, moveAnna, "given back")
	b.logged(t, changeBo, "")
}
