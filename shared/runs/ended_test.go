package runs

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
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
