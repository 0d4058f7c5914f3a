package history

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// If the store fails, no function may answer that a plan, an override, a withdrawal or a taken license does not exist.
func TestAFailingStoreIsNoPast(t *testing.T) {
	t.Parallel()
	past := func(t *testing.T) *world {
		w := newWorld(t)
		w.settle(0)
		w.plans(0, "ann", "bob")
		w.writes(0, "ann", "m365", ledger.Done)
		w.writes(0, "bob", "m365", "")
		if err := store.PutJSON(t.Context(), w.store, "runs/"+nameOf(0)+"/results/entra-0001.json", map[string]any{"results": []outcome{{User: "ann", License: "e3", Status: "failed"}}}); err != nil {
			t.Fatal(err)
		}
		w.settle(1)
		w.leave(&Planned{Run: nameOf(1), AsOf: at(1), Expires: at(4), OnHold: true, Touches: []Touch{{User: "ann", License: "e3"}}})
		if err := PutOverride(t.Context(), w.store, &Override{Run: nameOf(1), At: at(1)}); err != nil {
			t.Fatal(err)
		}
		if err := PutPlanned(t.Context(), w.store, &Planned{Run: nameOf(2) + "-one", Touches: []Touch{{User: "cid", License: "e3"}}}, false); err != nil {
			t.Fatal(err)
		}
		return w
	}
	p := &plan.Plan{Run: nameOf(0), Expires: at(3), Changes: []plan.Change{{User: "cid", License: "e3"}, {User: "bob", License: "e3"}}}
	for name, tc := range map[string]struct {
		do    func(ctx context.Context, s store.Store) error
		calls int // the minimum number of calls
	}{
		"settle": {func(ctx context.Context, s store.Store) error {
			_, err := MakeDigest(ctx, s, nameOf(2), at(2))
			return err
		}, 12},
		"settle a new store": {func(ctx context.Context, s store.Store) error {
			_, err := MakeDigest(ctx, s, nameOf(-9), at(2))
			return err
		}, 5},
		"load": {func(ctx context.Context, s store.Store) error {
			m, _, err := snapshot.GetManifest(ctx, s, nameOf(1))
			if err == nil {
				_, err = Load(ctx, s, m)
			}
			return err
		}, 2},
		"newer":  {func(ctx context.Context, s store.Store) error { _, err := Newer(ctx, s, nameOf(0), at(2)); return err }, 3},
		"newest": {func(ctx context.Context, s store.Store) error { _, err := Newest(ctx, s, at(2)); return err }, 1},
		"earlier": {func(ctx context.Context, s store.Store) error {
			_, _, err := Earlier(ctx, s, nameOf(2), at(2))
			return err
		}, 2},
		"a plan for everybody": {func(ctx context.Context, s store.Store) error { _, err := GetPlanned(ctx, s, nameOf(1)); return err }, 1},
		"another plan": {func(ctx context.Context, s store.Store) error {
			_, err := GetPlanned(ctx, s, nameOf(2)+"-one")
			return err
		}, 2},
		"overrides": {func(ctx context.Context, s store.Store) error {
			_, err := Overrides(ctx, s, at(0), at(2))
			return err
		}, 2},
		"prices":      {func(ctx context.Context, s store.Store) error { _, err := Prices(ctx, s, "", at(2)); return err }, 2},
		"before":      {func(ctx context.Context, s store.Store) error { _, err := Before(ctx, s, nameOf(2), at(2)); return err }, 1},
		"override of": {func(ctx context.Context, s store.Store) error { _, err := OverrideOf(ctx, s, p); return err }, 1},
		"each item": {func(ctx context.Context, s store.Store) error {
			m, _, err := snapshot.GetManifest(ctx, s, nameOf(1))
			if err == nil {
				err = EachItem(ctx, s, m, func(*Item) error { return nil })
			}
			return err
		}, 2},
		"note a plan": {func(ctx context.Context, s store.Store) error { return PutPlanned(ctx, s, &Planned{Run: "r"}, true) }, 1},
		"override":    {func(ctx context.Context, s store.Store) error { return PutOverride(ctx, s, &Override{Run: "r"}) }, 1},
		"withdraw":    {func(ctx context.Context, s store.Store) error { return Withdraw(ctx, s, "r", "q", at(0)) }, 1},
		"withdrawn":   {func(ctx context.Context, s store.Store) error { _, err := Withdrawn(ctx, s, "r"); return err }, 1},
		"stop":        {func(ctx context.Context, s store.Store) error { return Stop(ctx, s, "r", "ann", "q", at(0)) }, 1},
		"stopped":     {func(ctx context.Context, s store.Store) error { _, err := Stopped(ctx, s, "r"); return err }, 1},
		"closed": {func(ctx context.Context, s store.Store) error {
			why, withdrawn, err := closed(ctx, s, p, &snapshot.Begin{}, "", at(1))
			if err != nil && withdrawn {
				return fmt.Errorf("withdrawn by a failure: %s", why)
			}
			return err
		}, 4},
		"admit": {func(ctx context.Context, s store.Store) error {
			a, refusal, err := Admit(ctx, s, p, &snapshot.Begin{}, Request{Left: 1}, at(9)) // the plan has expired, and a change of Bob is open
			if err != nil && refusal != "" || err == nil && a.Closed == "" {
				return fmt.Errorf("refused: %q, closed: %q", refusal, a.Closed)
			}
			return err
		}, 5},
		"begun": {func(ctx context.Context, s store.Store) error {
			begun, err := begun(ctx, ledger.In(s), p)
			if err != nil && begun {
				return errors.New("begun by a failure")
			}
			return err
		}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := past(t)
			all := failing.Nth(w.store, 0)
			if err := tc.do(t.Context(), all); err != nil || len(all.Keys()) < tc.calls {
				t.Fatalf("%d calls, want at least %d: %v", len(all.Keys()), tc.calls, err)
			}
			for nth := 1; nth <= len(all.Keys()); nth++ {
				if err := tc.do(t.Context(), failing.Nth(w.store, nth)); !errors.Is(err, failing.Err) {
					t.Errorf("call %d of %d fails: %v", nth, len(all.Keys()), err)
				}
				cut := failing.Cut(w.store, nth)
				if err := tc.do(t.Context(), cut); cut.Broke() && !errors.Is(err, failing.Err) {
					t.Errorf("the read of %s breaks off: %v", all.Keys()[nth-1], err)
				}
			}
		})
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	run := nameOf(0)
	for name, tc := range map[string]struct {
		prepare   func(w *world)
		change    func(*plan.Plan, *snapshot.Begin)
		inForce   string
		now       time.Time
		why       string
		withdrawn bool
	}{
		"open":                     {now: at(1)},
		"under its own policy":     {inForce: "policy", now: at(1)},
		"at its last instant":      {now: at(0).Add(plan.Lifetime)},
		"expired":                  {now: at(0).Add(plan.Lifetime + time.Second), why: "the plan expired at 2026-11-26T02:00:00Z; plan again"},
		"a restore, clock ahead":   {change: func(p *plan.Plan, _ *snapshot.Begin) { p.Restores = "q" }, now: at(-2), why: "the plan was made by a clock that was ahead: it is named " + run + ", and now it is 2026-11-21T02:00:00Z; set the clocks right and restore again"},
		"another policy":           {inForce: "another", now: at(1), why: "the policy has changed since the plan was made; plan again"},
		"by a clock ahead":         {now: at(-2), why: "the plan was made by a clock that was ahead: it is named " + run + ", and now it is 2026-11-21T02:00:00Z; set the clocks right and plan again"},
		"superseded":               {prepare: func(w *world) { w.plans(1, "ann") }, now: at(1), why: "the plan of run " + nameOf(1) + " superseded it; apply that one"},
		"by a plan of no change":   {prepare: func(w *world) { w.plans(1) }, now: at(1), why: "the plan of run " + nameOf(1) + " superseded it, and no change of that one can begin; plan again"},
		"by a restored plan":       {prepare: func(w *world) { w.plans(1, "ann"); w.withdraws(nameOf(1)) }, now: at(1), why: "the plan of run " + nameOf(1) + " superseded it, and no change of that one can begin; plan again"},
		"for one person":           {prepare: func(w *world) { w.plans(1) }, change: func(_ *plan.Plan, b *snapshot.Begin) { b.User = "ann" }, now: at(1)},
		"a restore":                {prepare: func(w *world) { w.plans(1); w.withdraws(run) }, change: func(p *plan.Plan, _ *snapshot.Begin) { p.Restores = "q" }, inForce: "another", now: at(1)},
		"a restore that expired":   {change: func(p *plan.Plan, _ *snapshot.Begin) { p.Restores = "q" }, now: at(9), why: "the plan expired at 2026-11-26T02:00:00Z; restore again"},
		"restored":                 {prepare: func(w *world) { w.withdraws(run) }, now: at(1), why: "run back restores it, so it cannot be applied again; plan a new run", withdrawn: true},
		"another one is restored":  {prepare: func(w *world) { w.withdraws(nameOf(1)) }, now: at(1)},
		"restored, for one person": {prepare: func(w *world) { w.withdraws(run) }, change: func(_ *plan.Plan, b *snapshot.Begin) { b.User = "ann" }, now: at(1), why: "run back restores it, so it cannot be applied again; plan a new run", withdrawn: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.plans(0)
			if tc.prepare != nil {
				tc.prepare(w)
			}
			p, b := &plan.Plan{Run: run, Expires: at(0).Add(plan.Lifetime)}, &snapshot.Begin{Policy: "policy"}
			if tc.change != nil {
				tc.change(p, b)
			}
			why, withdrawn, err := closed(t.Context(), w.store, p, b, tc.inForce, tc.now)
			if (tc.why == "") != (why == "") || len(why) < len(tc.why) || why[:len(tc.why)] != tc.why || withdrawn != tc.withdrawn || err != nil {
				t.Errorf("%q, withdrawn %t, %v; want %q", why, withdrawn, err, tc.why)
			}
		})
	}
}

// The method "withdraws" calls Withdraw twice. Only the first call has an effect.
func (w *world) withdraws(run string) {
	w.Helper()
	for _, by := range []string{"back", "later"} {
		if err := Withdraw(w.Context(), w.store, run, by, at(0)); err != nil {
			w.Fatal(err)
		}
	}
}

// The function "begun" counts only an open entry of the plan's own run for a license in the plan.
func TestBegun(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		user, run string
		outcome   ledger.Outcome
		damaged   bool
		notices   bool
		want      bool
	}{
		"as another id":    {"dan-before", nameOf(0), "", false, false, true},
		"open":             {"bob", nameOf(0), "", false, false, true},
		"an open notice":   {"bob", nameOf(0), "", false, true, true},
		"behind damage":    {"bob", nameOf(0), "", true, false, true},
		"only damage":      {"eve", nameOf(0), "", true, false, false},
		"closed":           {"bob", nameOf(0), ledger.Done, false, false, false},
		"of another run":   {"bob", nameOf(1), "", false, false, false},
		"of somebody else": {"dan", nameOf(0), "", false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			e, err := w.book.Begin(t.Context(), ledger.Intent{Person: tc.user, License: "e3", Run: tc.run, At: at(0)}, nil)
			if err == nil && tc.outcome != "" {
				err = w.book.Complete(t.Context(), e, ledger.Completion{Outcome: tc.outcome})
			}
			if err == nil && tc.damaged {
				err = store.PutBytes(t.Context(), w.store, "ledger/ann/e3/000001.json", []byte("{"))
			}
			if err != nil {
				t.Fatal(err)
			}
			p := &plan.Plan{Run: nameOf(0), Changes: []plan.Change{{User: "ann", License: "e3"}, {User: "bob", License: "e3"}, {User: "cid", License: "e3"}, {User: "dan-now", TakenAs: "dan-before", License: "e3"}}}
			if tc.notices {
				p.Changes, p.Notices = nil, p.Changes
			}
			if got, err := begun(t.Context(), w.book, p); got != tc.want || err != nil {
				t.Errorf("%t, %v", got, err)
			}
		})
	}
}
