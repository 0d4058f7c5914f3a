package apply

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "untouched" fails the test if a call has written to a directory or to the ledger, or has stored a result.
func (b *bench) untouched(t *testing.T) {
	t.Helper()
	b.wrote(t)
	for key, err := range b.Store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(key, "ledger/") || strings.HasPrefix(key, "runs/run/results/") {
			t.Errorf("%s was written", key)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	edit := func(edit func(*plan.Plan)) func(*testing.T, *bench, *Request) {
		return func(t *testing.T, b *bench, _ *Request) { b.plan(t, edit) }
	}
	hold := func(overridable bool) func(*plan.Plan) {
		return func(p *plan.Plan) {
			p.Verdict, p.HoldReasons, p.Overridable = plan.Hold, []string{"too many", "much too many"}, overridable
		}
	}
	tests := map[string]struct {
		what func(*testing.T, *bench, *Request)
		want string
	}{
		"mode audit":                    {func(t *testing.T, b *bench, _ *Request) { b.audit(t) }, "mode audit"},
		"nothing to do":                 {edit(func(p *plan.Plan) { p.Verdict = plan.Nothing }), "changes nothing"},
		"another policy in the run":     {edit(func(p *plan.Plan) { p.PolicyHash = "x" }), "another policy than runs/run/begin.json"},
		"another snapshot":              {edit(func(p *plan.Plan) { p.ManifestHash = "x" }), "another snapshot than runs/run/manifest.json"},
		"the policy changed":            {func(_ *testing.T, _ *bench, r *Request) { r.Policy = text + "# edited\n" }, "policy has changed"},
		"held":                          {edit(hold(true)), "too many; much too many; to apply this very plan all the same: --override-limits "},
		"held by a feed":                {edit(hold(false)), "held: too many; much too many"},
		"held by a feed, overridden":    {func(t *testing.T, b *bench, r *Request) { r.Override = b.plan(t, hold(false)) }, "held: too many"},
		"override of another plan":      {func(t *testing.T, b *bench, r *Request) { b.plan(t, hold(true)); r.Override = "abc" }, "--override-limits names abc"},
		"override of a plan not held":   {func(_ *testing.T, _ *bench, r *Request) { r.Override = "abc" }, "--override-limits names abc"},
		"expired":                       {func(_ *testing.T, b *bench, _ *Request) { b.at(asOf.Add(plan.Lifetime + time.Second)) }, "expired at 2026-11-26T09:00:00Z"},
		"another tenant":                {func(_ *testing.T, b *bench, _ *Request) { b.entra.tenant = "other" }, "Graph answered for other"},
		"nobody has a sign-in date now": {func(_ *testing.T, b *bench, _ *Request) { clearDates(b) }, "source entra is unhealthy"},
		"nobody signed in for days": {func(_ *testing.T, b *bench, _ *Request) {
			delete(b.entra.users, "id-busy")
			delete(b.entra.users, "id-dora")
		}, "source entra is unhealthy"},
		"nobody logged on for weeks": {func(t *testing.T, b *bench, _ *Request) {
			b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{freeEgon} })
			delete(b.ad.people, "S-1-5-21-9")
		}, "source ad is unhealthy"},
		"Active Directory not set up": {func(t *testing.T, b *bench, _ *Request) {
			b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{freeEgon} })
			b.AD = nil
		}, "not set up"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			in := Request{Run: "run"}
			tc.what(t, b, &in)
			_, err := b.Apply(t.Context(), in)
			for of, err := range map[string]error{"Apply": err, "Check": b.Check(t.Context(), in)} {
				if !errors.Is(err, runs.ErrRefused) || !strings.Contains(fmt.Sprint(err), tc.want) {
					t.Errorf("%s: %v, want runs.ErrRefused and %q", of, err, tc.want)
				}
			}
			b.untouched(t)
		})
	}
}

func (b *bench) audit(t *testing.T) {
	t.Helper()
	begin, err := snapshot.GetBegin(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	begin.Policy = strings.Replace(text, "mode: enforce", "mode: audit", 1)
	if err := store.PutJSON(t.Context(), b.Store, "runs/run/begin.json", begin); err != nil {
		t.Fatal(err)
	}
	b.plan(t, func(p *plan.Plan) { p.Mode = policy.Audit })
}

func clearDates(b *bench) {
	for _, u := range b.entra.users {
		u.LastSuccessful = zero
	}
}

// TestFails: a failed read is an error and no refusal. Apply then writes nothing.
func TestFails(t *testing.T) {
	t.Parallel()
	fail := func(call string) func(*testing.T, *bench) {
		return func(_ *testing.T, b *bench) { b.entra.fail = map[string]error{call: errDown} }
	}
	put := func(key, body string) func(*testing.T, *bench) {
		return func(t *testing.T, b *bench) {
			if err := store.PutBytes(t.Context(), b.Store, key, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]struct {
		what func(*testing.T, *bench)
		is   error
	}{
		"tenant":                 {fail("Tenant"), errDown},
		"sign-in dates":          {fail("ListPeople"), errDown},
		"whether it is restored": {func(_ *testing.T, b *bench) { b.Store = blindStore{b.Store, "history/withdrawn/run.json"} }, errDown},
		"whom it may change":     {func(_ *testing.T, b *bench) { b.Store = brokenStore{b.Store, "", "history/withdrawn/run/"} }, errDown},
		"newer plans":            {func(_ *testing.T, b *bench) { b.Store = brokenStore{b.Store, "", "history/plans/"} }, errDown},
		"damaged plan":           {put("runs/run/plan.json", "{"), store.ErrDamaged},
		"damaged manifest":       {put("runs/run/manifest.json", "{"), store.ErrDamaged},
		"damaged results":        {put("runs/run/results/entra-0001.json", "{"), store.ErrDamaged},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			tc.what(t, b)
			if r, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, tc.is) || errors.Is(err, runs.ErrRefused) || r != nil {
				t.Errorf("results %+v, error %v, want %v", r, err, tc.is)
			}
			b.wrote(t)
		})
	}
	b := newBench(t, moveAnna)
	if err := b.Check(t.Context(), Request{Run: "other"}); !errors.Is(err, runs.ErrNoPlan) {
		t.Errorf("no such plan: %v", err)
	}
}

func TestPeopleNotReadAfresh(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.entra.fail = map[string]error{"ReadPeople #1": errDown}
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if !errors.Is(err, errDown) || len(r.Results) > 0 {
		t.Errorf("results %+v, error %v", r, err)
	}
	b.wrote(t)
}

func TestCheckWritesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	if err := b.Check(t.Context(), Request{Run: "run", Policy: text}); err != nil {
		t.Fatal(err)
	}
	b.untouched(t)
}

// TestOverride: a call with the hash of a plan on hold applies the plan. Later calls continue without the hash.
func TestOverride(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hash := b.plan(t, func(p *plan.Plan) { p.Verdict, p.Overridable = plan.Hold, true })
	r, err := b.Apply(t.Context(), Request{Run: "run", Override: hash})
	if err != nil || r.Count(runs.Pending) != 1 || r.Override != hash {
		t.Fatalf("results %+v, error %v", r, err)
	}
	b.follow()
	b.apply(t, runs.Pending, "left the source group")
	b.wrote(t, joinEXO, leaveE3)
}

// TestOverrideOutlivesItsProcess: a process overrides the limits and dies before it writes a result. Later calls finish
// the change without a new override.
func TestOverrideOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		noted string // stored in place of the override; empty: the override itself
		want  error
	}{
		"the override is known":       {"", nil},
		"it is of another plan":       {`{"run":"run","planHash":"abc"}`, runs.ErrRefused},
		"nobody can read it any more": {"{", runs.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			hash := b.plan(t, func(p *plan.Plan) { p.Verdict, p.Overridable = plan.Hold, true })
			whole := b.Store
			b.Store = brokenStore{whole, "runs/run/results/", ""}
			if _, err := b.Apply(t.Context(), Request{Run: "run", Override: hash}); err == nil {
				t.Fatal("the results were written")
			}
			b.Store = whole
			b.follow()
			if tc.noted != "" {
				if err := store.PutBytes(t.Context(), whole, "history/overrides/run.json", []byte(tc.noted)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, tc.want) {
				t.Fatalf("error %v, want %v", err, tc.want)
			}
			if tc.want == nil {
				b.wrote(t, joinEXO, leaveE3)
			}
		})
	}
}

// TestBegunBeforeItExpired: after the plan expires, a change is finished if the person has left the source group. Any
// other open change is rolled back.
func TestBegunBeforeItExpired(t *testing.T) {
	t.Parallel()
	for _, left := range []bool{false, true} {
		b := newBench(t, moveAnna)
		b.apply(t, runs.Pending, "joined")
		b.follow()
		if left {
			b.apply(t, runs.Pending, "left the source group")
		}
		b.at(asOf.Add(2 * plan.Lifetime))
		if left {
			b.apply(t, runs.Pending, "the plan expired meanwhile")
			b.follow()
			b.apply(t, runs.Done, "")
			b.wrote(t, joinEXO, leaveE3)
			continue
		}
		b.apply(t, runs.Failed, "before the license could be taken")
		b.wrote(t, joinEXO, leaveEXO)
	}
}

func TestAllFinal(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.apply(t, runs.Done, "")
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, runs.ErrRefused) || !strings.Contains(fmt.Sprint(err), "final") {
		t.Errorf("error %v", err)
	}
	b.wrote(t, changeEXO)
}

// TestExpiredAndDone: the ledger shows a change as completed, but its stored result is lost. After the plan expires,
// this change does not count as open, so Check refuses the plan.
func TestExpiredAndDone(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.apply(t, runs.Done, "")
	if err := store.PutBytes(t.Context(), b.Store, resultsFile, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	b.at(asOf.Add(2 * plan.Lifetime))
	if err := b.Check(t.Context(), Request{Run: "run"}); !errors.Is(err, runs.ErrRefused) || !strings.Contains(fmt.Sprint(err), "expired") {
		t.Errorf("error %v", err)
	}
}
