package apply

import (
	"context"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

// The method "recall" plans the restore of what the run took from one person, or from everybody if "user" is empty.
func (b *bench) recall(t *testing.T, user string) *plan.Plan {
	t.Helper()
	p, err := runs.GetPlan(t.Context(), b.Store, "run")
	if err == nil {
		err = history.PutPlanned(t.Context(), b.Store, history.PlannedBy(p), true)
	}
	if err != nil {
		t.Fatal(err)
	}
	back, err := restore.Plan(t.Context(), b.Store, restore.Request{Of: "run", User: user, Run: "20261123T110000Z-00000002"}, b.now)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// TestWithdrawn: a run that an operator is restoring begins nothing. It rolls back the changes that it has begun.
func TestWithdrawn(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, changeBo)
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	b.logged(t, moveAnna, "open")
	if err := history.Withdraw(t.Context(), b.Store, "run", "run9", b.now); err != nil {
		t.Fatal(err)
	}
	b.follow()
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil || r.Count(runs.Kept) != 1 || r.Count(runs.Done) != 1 || r.Of(&moveAnna).Note != "its run is being restored" {
		t.Errorf("%+v, %v", r, err)
	}
	b.wrote(t, joinEXO, changeEXO, leaveEXO)

	b = newBench(t, moveAnna)
	if err := history.Withdraw(t.Context(), b.Store, "run", "run9", b.now); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err == nil || !strings.Contains(err.Error(), "run run9 restores it") {
		t.Errorf("error %v", err)
	}
	b.wrote(t)
}

// The type "writing" is a store that calls a function before it writes an object whose key begins with the field "key".
type writing struct {
	store.Store
	key    string
	before func()
}

func (w *writing) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	if w.key != "" && strings.HasPrefix(key, w.key) {
		w.before()
	}
	return w.Store.PutIfAbsent(ctx, key, body)
}

// TestRecalled: while a change is open, an operator restores all licenses of the run, or those of the person. Apply
// then rolls the change back. For some time, no rule takes the license again.
func TestRecalled(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change    plan.Change
		via       plan.Via
		held      bool
		withdrawn bool
		stopped   string
		note      string
	}{
		"nobody":                          {changeBo, plan.Direct, true, false, "", ""},
		"the run, held":                   {changeBo, plan.Direct, true, true, "", beingRestored},
		"the run, freed":                  {changeBo, plan.Direct, false, true, "", beingRestored},
		"the person, held":                {changeBo, plan.Direct, true, false, "id-bo", askedToRestore},
		"the person, in a group":          {moveAnna, plan.EntraGroup, true, false, "id-anna", askedToRestore},
		"the person, in a group, freed":   {moveAnna, plan.EntraGroup, false, false, "id-anna", askedToRestore},
		"another person":                  {changeBo, plan.Direct, true, false, "id-anna", ""},
		"the run and the person, a group": {moveAnna, plan.EntraGroup, true, true, "id-anna", beingRestored},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			m := b.underWay(t, tc.change, tc.via)
			m.judge, m.withdrawn, m.stopped = b.judging(t).judge, tc.withdrawn, map[string]bool{tc.stopped: true}
			if !tc.held {
				b.entra.in, m.person.Entra.Assignments = members{}, nil
			}
			if status, note := m.advance(t.Context(), false); status != runs.Kept && tc.note != "" || note != tc.note {
				t.Errorf("%s, %q; want %q", status, note, tc.note)
			}
			b.logged(t, tc.change, map[bool]string{true: "done", false: "given back"}[tc.note == ""])
		})
	}
}

// TestRestoreWhileLeaving: a person has left the source group, and the license is not freed yet. A restore of the run
// puts the person back into the group.
func TestRestoreWhileLeaving(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.follow()
	b.apply(t, runs.Pending, "left the source group")
	if back := b.recall(t, ""); len(back.Resumes) != 1 || len(back.Changes) != 0 {
		t.Fatalf("%+v", back)
	}
	b.follow()
	b.apply(t, runs.Pending, beingRestored+"; "+rejoined)
	b.settle()
	b.follow()
	b.apply(t, runs.Kept, beingRestored)
	b.wrote(t, joinEXO, leaveE3, "AddMember g-e3 id-anna", leaveEXO)
	b.logged(t, moveAnna, string(ledger.Restored))
}

// TestRestoreDuringApply: a restore is planned while a call of apply works on the plan. The call takes no further
// license, and the restore lists what the call has taken or begun to take.
func TestRestoreDuringApply(t *testing.T) {
	t.Parallel()
	freeBo := plan.Change{User: "id-bo", Rule: "visio", License: "visio", Via: plan.Direct, IdleSince: &idle}
	for name, tc := range map[string]struct {
		changes []plan.Change
		user    string
		call    string // the call of Entra ID before which the restore is planned
		key     string // the key of the ledger before whose writing the restore is planned
		status  []runs.Status
		logged  []string
		writes  []string
	}{
		"the run, between changes":         {[]plan.Change{moveAnna, changeBo, freeAnna}, "", "ReadLicenses id-anna", "", []runs.Status{runs.Pending, runs.Kept, runs.Refused}, []string{"open", "given back", ""}, []string{joinEXO}},
		"the run, while a change begins":   {[]plan.Change{moveAnna, changeBo}, "", "", "ledger/id-bo/e3", []runs.Status{runs.Pending, runs.Kept}, []string{"open", "given back"}, []string{joinEXO}},
		"the person, between changes":      {[]plan.Change{changeBo, freeBo}, "id-bo", "", "ledger/id-bo/visio", []runs.Status{runs.Done, runs.Kept}, []string{"done", "given back"}, []string{changeEXO}},
		"the person, whose other is begun": {[]plan.Change{moveAnna, freeAnna}, "id-anna", "ReadLicenses id-anna", "", []runs.Status{runs.Pending, runs.Kept}, []string{"open", "given back"}, []string{joinEXO}},
		"another person":                   {[]plan.Change{moveAnna, changeBo}, "id-anna", "ReadLicenses id-anna", "", []runs.Status{runs.Pending, runs.Done}, []string{"open", "done"}, []string{joinEXO, changeEXO}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.changes...)
			bo := b.entra.users["id-bo"]
			bo.Assignments = append(bo.Assignments, directory.Assignment{SKU: "sku-visio", State: "Active"})
			once := sync.OnceFunc(func() { b.recall(t, tc.user) })
			b.entra.at = map[string]func(){tc.call: once}
			b.Store = &writing{b.Store, tc.key, once}
			r, err := b.Apply(t.Context(), Request{Run: "run"})
			if err != nil {
				t.Fatal(err)
			}
			var status []runs.Status
			for i := range tc.changes {
				status = append(status, r.Of(&tc.changes[i]).Status)
				b.logged(t, tc.changes[i], tc.logged[i])
			}
			if d := cmp.Diff(tc.status, status); d != "" {
				t.Errorf("%+v, statuses (-want +got):\n%s", r.Results, d)
			}
			if d := cmp.Diff(tc.writes, b.entra.writes(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
		})
	}
}

// TestStopThatCannotBeRead: if a call cannot read whether a restore stops the change that it has just begun, it takes
// nothing, and the change stays open.
func TestStopThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"history/withdrawn/run.json", "history/withdrawn/run/"} {
		b := newBench(t, changeBo)
		down := &breaking{Store: b.Store}
		b.Store = &writing{down, "ledger/id-bo", func() { down.key = key }}
		b.apply(t, runs.Pending, "down")
		b.wrote(t)
		b.logged(t, changeBo, "open")
		if r := b.results(t); !r.Results[0].Retry {
			t.Errorf("%s: %+v", key, r.Results)
		}
		down.key = ""
		b.apply(t, runs.Done, "")
	}
}

type breaking struct {
	store.Store
	key string
}

func (b *breaking) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	return blindStore{b.Store, b.key}.Get(ctx, key)
}

func (b *breaking) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return brokenStore{b.Store, "", b.key}.List(ctx, prefix)
}
