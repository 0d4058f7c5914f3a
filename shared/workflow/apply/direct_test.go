package apply

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/runs"
)

const changeEXO, backFromEXO = "ChangeLicenses id-bo +sku-exo -sku-e3", "ChangeLicenses id-bo +sku-e3 -sku-exo"

var zero time.Time

func TestDirectChange(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.apply(t, runs.Done, "")
	b.wrote(t, changeEXO)
	e, err := ledger.In(b.Store).Latest(t.Context(), "id-bo", "e3")
	if err != nil {
		t.Fatal(err)
	}
	want := [2]ledger.Holding{
		{Assignments: []directory.Assignment{{SKU: "sku-e3", State: "Active"}}}, {Assignments: []directory.Assignment{{SKU: "sku-exo", State: "Active"}}},
	}
	if d := cmp.Diff(want, [2]ledger.Holding{e.Before, e.Completion.After}); d != "" {
		t.Errorf("before and after (-want +got):\n%s", d)
	}
}

// TestDirectTargetHeld: if the person already has the target license, apply only takes the other license. If some
// service plans of the target license are disabled, apply refuses the change, because nobody knows whether the license
// includes a mailbox.
func TestDirectTargetHeld(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	bo := b.entra.users["id-bo"]
	bo.Assignments = append(bo.Assignments, directory.Assignment{SKU: "sku-exo", State: "Active", DisabledPlans: []string{"plan"}})
	b.apply(t, runs.Refused, "holds exo already, with service plans switched off")
	b.wrote(t)

	b = newBench(t, changeBo)
	bo = b.entra.users["id-bo"]
	bo.Assignments = append(bo.Assignments, directory.Assignment{SKU: "sku-exo", State: "Active"})
	b.apply(t, runs.Done, "")
	b.wrote(t, "ChangeLicenses id-bo -sku-e3")
}

func TestDirectFailures(t *testing.T) {
	t.Parallel()
	down, seats := map[string]error{changeEXO: errDown}, map[string]error{changeEXO: refusal("no free seat")}
	tests := map[string]struct {
		change func(*bench)
		want   runs.Status
		note   string
		logged string
	}{
		"refused":                   {func(b *bench) { b.entra.fail = seats }, runs.Failed, "no free seat", "failed"},
		"does not arrive":           {func(b *bench) { b.entra.fail = down }, runs.Pending, "did not go through", "open"},
		"not answered, but made":    {func(b *bench) { b.entra.lost = down }, runs.Done, "", "done"},
		"refused, but made":         {func(b *bench) { b.entra.lost = seats }, runs.Done, "", "done"},
		"accepted, but not shown":   {func(b *bench) { b.entra.slow = true }, runs.Pending, "does not show it yet", "open"},
		"read back fails":           {func(b *bench) { b.entra.fail = map[string]error{"ReadLicenses #1": errDown} }, runs.Pending, "could not be read again", "open"},
		"read back, nobody there":   {func(b *bench) { b.Entra = vanishing{b.entra} }, runs.Pending, "could not be read again after the write: no such person", "open"},
		"completion is not written": {func(b *bench) { b.Store = brokenStore{Store: b.Store, put: ".done.json"} }, runs.Pending, "run apply again", "open"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			tc.change(b)
			b.apply(t, tc.want, tc.note)
			b.logged(t, changeBo, tc.logged)
			b.wrote(t, changeEXO)
		})
	}
}

// The type "vanishing" is an Entra ID that loses a person while the person's licenses are changed.
type vanishing struct{ *fakeEntra }

func (v vanishing) ChangeLicenses(ctx context.Context, id string, add []directory.Assignment, remove []string) error {
	defer delete(v.users, id)
	return v.fakeEntra.ChangeLicenses(ctx, id, add, remove)
}

// TestDirectIsFinished: the next call finishes an open change. It does not repeat a write that the directory shows.
func TestDirectIsFinished(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fail, put string
		writes    []string
	}{
		"the write did not arrive":   {changeEXO, "", []string{changeEXO, changeEXO}},
		"the write was not read":     {"ReadLicenses #1", "", []string{changeEXO}},
		"the completion was not put": {"", ".done.json", []string{changeEXO}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			whole := b.Store
			b.entra.fail, b.Store = map[string]error{tc.fail: errDown}, brokenStore{Store: whole, put: tc.put}
			b.apply(t, runs.Pending, "")
			b.entra.fail, b.Store = nil, whole
			b.apply(t, runs.Done, "")
			b.wrote(t, tc.writes...)
			b.logged(t, changeBo, "done")
		})
	}
}

// TestDirectByOthers: somebody else changes the licenses while a change is open. The change is rolled back if the
// person then lacks the target license, and is done if that license is active.
func TestDirectByOthers(t *testing.T) {
	t.Parallel()
	exo := func(state string) []directory.Assignment {
		return []directory.Assignment{{SKU: "sku-exo", State: state}}
	}
	tests := map[string]struct {
		holds []directory.Assignment
		after time.Duration
		want  runs.Status
		note  string
		wrote []string
	}{
		"taken, nothing given":        {nil, directory.Settling, runs.Pending, "somebody else changed it", []string{changeEXO, backFromEXO}},
		"taken, nothing given so far": {nil, time.Second, runs.Pending, "does not show it yet", []string{changeEXO}},
		"taken, given, late":          {exo("Disabled"), directory.Settling, runs.Pending, "does not show it yet", []string{changeEXO}},
		"taken, given and active":     {exo("Active"), time.Second, runs.Done, "", []string{changeEXO}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			b.entra.fail = map[string]error{changeEXO: errDown}
			b.apply(t, runs.Pending, "did not go through")
			b.entra.fail, b.entra.users["id-bo"].Assignments = nil, tc.holds
			b.at(b.now.Add(tc.after))
			b.apply(t, tc.want, tc.note)
			b.wrote(t, tc.wrote...)
		})
	}
}

// TestDirectSuccessorGone: Graph accepts a direct change from E3 to Exchange. Before a read shows the change, somebody
// takes the direct Exchange license from the person. Apply must roll the change back, and must not report it as failed:
// no restore could return E3 after a failed change.
func TestDirectSuccessorGone(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.entra.slow = true
	b.apply(t, runs.Pending, notShown)
	b.entra.slow = false
	b.entra.users["id-bo"].Assignments = []directory.Assignment{{SKU: "sku-exo", Group: "g-exo", State: "Active"}}
	b.settle()
	b.entra.fail = map[string]error{backFromEXO: directory.ErrNotHeld}
	b.goesBack(t, runs.Kept, successorGone)
	b.wrote(t, changeEXO, backFromEXO, "ChangeLicenses id-bo +sku-e3", backFromEXO, "ChangeLicenses id-bo +sku-e3")
	b.logged(t, changeBo, "rolled back")
}

// TestNoIntentNoWrite: if the ledger cannot be written or listed, apply writes to no directory.
func TestNoIntentNoWrite(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.Store = brokenStore{Store: b.Store, put: "ledger/"}
	b.apply(t, runs.Pending, "nothing was changed")
	b.wrote(t)
	b = newBench(t, changeBo)
	b.Store = brokenStore{Store: b.Store, list: "ledger/"}
	b.apply(t, runs.Pending, "list the ledger")
	b.wrote(t)
}

func TestAnotherRunIsAtIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	if _, err := ledger.In(b.Store).Begin(t.Context(), ledger.Intent{Person: "id-bo", License: "e3", Run: "other", At: asOf}, nil); err != nil {
		t.Fatal(err)
	}
	b.apply(t, runs.Refused, "run other began to change this license on 2026-11-23")
	b.wrote(t)
}

// TestWayOfAnotherVersion: the field Via of an open intent has a value that this version does not know. Apply then
// writes nothing, and leaves the change open.
func TestWayOfAnotherVersion(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	if _, err := ledger.In(b.Store).Begin(t.Context(), ledger.Intent{Person: "id-bo", License: "e3", Run: "run", Via: "teleport", At: asOf}, nil); err != nil {
		t.Fatal(err)
	}
	b.apply(t, runs.Pending, `unknown way "teleport"`)
	b.wrote(t)
}
