package runs

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// TestEnded: an outcome that this version does not know counts as Failed.
func TestEnded(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[ledger.Outcome]Status{
		ledger.Done: Done, ledger.Announced: Announced, ledger.RolledBack: Kept, ledger.Restored: Kept, ledger.Failed: Failed, "of a later version": Failed, "": Failed,
	} {
		if got := Ended(outcome); got != want {
			t.Errorf("Ended(%q) = %q, want %q", outcome, got, want)
		}
	}
}

// TestEndedByOneCall: a call has ended a change, and another call wrote the batch without that. The result counts,
// unless a call of the run has begun the change.
func TestEndedByOneCall(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		batch Status // in the results of the batch; empty: none
		begun string // the run that has begun the change; empty: none
		want  Status
	}{
		"the batch has nothing":      {"", "", Kept},
		"the batch waits":            {Pending, "", Kept},
		"begun by another run":       {Pending, "other", Kept},
		"begun by this run":          {Pending, "run", Pending},
		"begun and not in the batch": {"", "run", ""},
		"made by this run":           {Done, "run", Done},
	} {
		s := &store.Memory{}
		c := plan.Change{User: "u", License: "e3", Via: plan.Direct}
		p := newPlan(c, plan.Change{User: "v", License: "e3", Via: plan.ADGroup})
		batches := p.Batches()
		of := slices.IndexFunc(batches, func(b plan.Batch) bool { return b.Changes[0].User == "u" })
		results := func(status Status) *Results {
			return &Results{Run: "run", PlanHash: p.PlanHash, At: asOf, Results: []Result{ResultOf(&c, status, name)}}
		}
		err := PutEnded(t.Context(), s, batches[of].Name, results(Kept))
		if tc.batch != "" {
			err = errors.Join(err, PutResults(t.Context(), s, batches[of].Name, results(tc.batch)))
		}
		if tc.begun != "" {
			_, begun := ledger.In(s).Begin(t.Context(), ledger.Intent{Person: "u", License: "e3", Run: tc.begun, Via: "direct", At: asOf}, nil)
			err = errors.Join(err, begun)
		}
		if err != nil {
			t.Fatal(err)
		}
		got := Status("")
		all, err := GetResults(t.Context(), s, p, batches)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if x := all.Of(&c); x != nil {
			got = x.Status
		}
		if got != tc.want || len(all.Results) > 1 {
			t.Errorf("%s: %q, want %q: %+v", name, got, tc.want, all)
		}
		other, err := GetResults(t.Context(), s, p, batches[1-of:2-of])
		if err != nil || len(other.Results) > 0 {
			t.Errorf("%s: the other batch has %+v, %v", name, other, err)
		}
	}
}

// TestEndedAndDamaged: results of a call that are damaged are an error that names them, as long as they are damaged.
// The other results are still returned.
func TestEndedAndDamaged(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	p := newPlan(plan.Change{User: "u", License: "e3", Via: plan.Direct})
	name := p.Batches()[0].Name
	kept := &Results{Run: "run", At: asOf, Results: []Result{ResultOf(&p.Changes[0], Kept, "signed in")}}
	if err := errors.Join(PutEnded(t.Context(), s, name, kept), PutResults(t.Context(), s, name, kept)); err != nil {
		t.Fatal(err)
	}
	for key, raw := range s.Objects() {
		if !strings.HasPrefix(key, layout.Results("run")+name+"/") {
			continue
		}
		if err := store.PutBytes(t.Context(), s, key, raw[:len(raw)/2]); err != nil {
			t.Fatal(err)
		}
		all, err := GetResults(t.Context(), s, p, p.Batches())
		if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), key) || len(all.Results) != 1 || len(all.Lost) > 0 {
			t.Errorf("%+v, %v", all, err)
		}
		if err := store.PutBytes(t.Context(), s, key, raw); err != nil {
			t.Fatal(err)
		}
		if _, err := GetResults(t.Context(), s, p, p.Batches()); err != nil {
			t.Errorf("brought back: %v", err)
		}
		return
	}
	t.Error("the results of the call are not stored")
}

// TestResumed: a plan first finishes the changes that run r0 has begun. Their results count unchanged, with one
// exception: the plan restores r0, but the change of r0 has taken the license. Nothing has restored this license, so
// the result counts as Failed.
func TestResumed(t *testing.T) {
	t.Parallel()
	b := plan.Begun{User: "ann", Rule: "m365", License: "e3", Run: "r0"}
	restored := b
	restored.Rule = plan.RestoreRule
	const lost = "not restored, because the run had taken it before it was stopped; restore again"
	for name, tc := range map[string]struct {
		restores string
		begun    plan.Begun
		is       Result
		want     *Result
	}{
		"resumed by a later run":         {"", b, Result{Status: Done}, &Result{Status: Done}},
		"restored, and rolled back":      {"r0", b, Result{Status: Kept, Note: "n"}, &Result{Status: Kept, Note: "n"}},
		"restored, and taken":            {"r0", b, Result{Status: Done}, &Result{Status: Failed, Note: lost}},
		"restored, and no way back":      {"r0", b, Result{Status: Done, Note: "no"}, &Result{Status: Failed, Note: lost + ": no"}},
		"restored, and pending":          {"r0", b, Result{Status: Pending}, &Result{Status: Pending}},
		"a restore that another goes on": {"r0", restored, Result{Status: Done}, &Result{Status: Done}},
		"another run is restored":        {"r1", b, Result{Status: Done}, &Result{Status: Done}},
		"of another run":                 {"r0", plan.Begun{User: "ann", License: "e3", Run: "r1"}, Result{Status: Done}, nil},
		"the run has no such change":     {"r0", plan.Begun{User: "bob", License: "e3", Run: "r0"}, Result{Status: Done}, nil},
	} {
		tc.is.User, tc.is.License = "ann", "e3"
		if tc.want != nil {
			tc.want.User, tc.want.License = "ann", "e3"
		}
		r := &Results{Run: "r0", Results: []Result{tc.is}}
		if d := cmp.Diff(tc.want, r.Resumed(&plan.Plan{Restores: tc.restores}, &tc.begun)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if d := cmp.Diff(tc.is, r.Results[0]); d != "" {
			t.Errorf("%s: the result itself changed (-was +is):\n%s", name, d)
		}
	}
}

// TestUnrestored: a license counts as not restored if its change was refused or kept. It does not count if another run
// restores it.
func TestUnrestored(t *testing.T) {
	t.Parallel()
	r := &Results{Results: []Result{{Status: Done}, {Status: Refused, Note: "no seat"}, {Status: Kept}, {Status: Pending}, {Status: Failed}, {Status: Refused, Note: "e3: " + ledger.ErrBlocked.Error(), Elsewhere: true}}}
	if got := r.Unrestored(); got != 2 {
		t.Errorf("%d", got)
	}
}
