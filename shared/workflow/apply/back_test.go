package apply

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// takenFromAnna returns a bench with a run that restores a license to Anna. Run r0 took that license.
func takenFromAnna(t *testing.T) *bench {
	t.Helper()
	return takenFromAnnaBy(t, text)
}

func takenFromAnnaBy(t *testing.T, policy string) *bench {
	t.Helper()
	c := moveAnna
	c.Rule, c.RestoreOf, c.MonthlySaving = plan.RestoreRule, "r0", -35
	b := newBenchOf(t, policy, c)
	b.entra.in = members{"g-exo": {"id-anna"}}
	b.follow()
	b.entra.users["id-anna"].LastSuccessful = daysAgo(1)
	left := &history.Planned{Run: "r0", Touches: []history.Touch{{User: "id-anna", License: "e3"}}}
	if err := history.PutPlanned(t.Context(), b.Store, left, true); err != nil {
		t.Fatal(err)
	}
	in := ledger.Intent{
		Person: "id-anna", License: "e3", Run: "r0", Rule: "m365", To: "exo", Via: "entra-group", Source: "g-e3", Target: "g-exo", SKU: "sku-e3", TargetSKU: "sku-exo", At: daysAgo(10),
		Before: ledger.Holding{Assignments: []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Active"}}, InGroups: []string{"g-e3"}},
	}
	book := ledger.In(b.Store)
	e, err := book.Begin(t.Context(), in, nil)
	if err == nil {
		err = book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: daysAgo(10)})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGivenBack: a person who is active again gets the license back. Only then does the person lose the license that
// was given in its place.
func TestGivenBack(t *testing.T) {
	t.Parallel()
	b := takenFromAnna(t)
	b.apply(t, runs.Pending, "joined the source group again, waiting for its license before the target is left")
	b.wrote(t, "AddMember g-e3 id-anna")
	b.follow()
	b.apply(t, runs.Done, "")
	b.wrote(t, "AddMember g-e3 id-anna", "RemoveMember g-exo id-anna")
	e, err := ledger.In(b.Store).Latest(t.Context(), "id-anna", "e3")
	if err != nil || e.Seq != 2 || e.Rule != plan.RestoreRule || e.Run != "run" || e.Completion.Outcome != ledger.Done {
		t.Errorf("ledger: %+v, %v", e, err)
	}
}

func TestNotGivenBack(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		what func(*bench)
		want runs.Status
		note string
	}{
		"away after all": {func(b *bench) { b.entra.users["id-anna"].LastSuccessful = daysAgo(11) }, runs.Kept, "not known to be active since the license was taken"},
		"another run restored it": {func(b *bench) {
			book := ledger.In(b.Store)
			last, _ := book.Latest(t.Context(), "id-anna", "e3")
			e, _ := book.Begin(t.Context(), ledger.Intent{Person: "id-anna", License: "e3", Run: "r1", Rule: plan.RestoreRule, At: daysAgo(5)}, last)
			_ = book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: daysAgo(5)})
		}, runs.Refused, "it is no longer as run r0 left it"},
		"not readable": {func(b *bench) { b.entra.fail = map[string]error{"GroupsOf id-anna": errDown} }, runs.Pending, "nothing was done"},
		"account gone": {func(b *bench) { delete(b.entra.users, "id-anna") }, runs.Kept, "no longer in Entra ID"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := takenFromAnna(t)
			tc.what(b)
			b.apply(t, tc.want, tc.note)
			b.wrote(t)
			if x := b.results(t).Results[0]; x.Sighting != nil {
				t.Errorf("somebody who keeps nothing was seen active: %+v", x.Sighting)
			}
		})
	}
}

// TestNotGivenBackInUnknownScope: a run restores nothing while it is unknown whether the rule still applies to the
// person.
func TestNotGivenBackInUnknownScope(t *testing.T) {
	t.Parallel()
	for enabled, want := range map[directory.Flag]runs.Status{directory.Yes: runs.Pending, directory.No: runs.Kept, directory.Unset: runs.Kept} {
		b := takenFromAnnaBy(t, strings.Replace(text, "license: e3, when:", "license: e3, for: accountEnabled, when:", 1))
		b.entra.users["id-anna"].Enabled = enabled
		if want == runs.Kept {
			b.apply(t, want, "the rule no longer asks them")
			b.wrote(t)
			continue
		}
		b.apply(t, want, "joined the source group again")
	}
}

// TestGivenBackWithoutSeats: the product has no free seat, so the group does not give the license and the restore
// fails. The person keeps the license that was given in exchange, and a later run can restore again.
func TestGivenBackWithoutSeats(t *testing.T) {
	t.Parallel()
	b := takenFromAnna(t)
	b.entra.full["g-e3"] = "CountViolation"
	b.apply(t, runs.Pending, "waiting for its license")
	b.follow()
	b.apply(t, runs.Failed, "the group does not give the license: no free seat of the license is left; buy one or free one first (CountViolation)")
	b.wrote(t, "AddMember g-e3 id-anna", "RemoveMember g-e3 id-anna")
	standing, err := ledger.In(b.Store).Standing(t.Context(), "id-anna", "e3")
	if err != nil || standing.Run != "r0" {
		t.Errorf("it stands by %+v, %v", standing, err)
	}
}

func announced(t *testing.T, via plan.Via) *bench {
	t.Helper()
	c := moveAnna
	c.Via = via
	b := newBenchOf(t, strings.Replace(text, "then: {changeTo: exo}", "then: {changeTo: exo, notice: 14}", 1), c)
	b.plan(t, func(p *plan.Plan) {
		if p.Changes = []plan.Change{c}; via == plan.Notice {
			p.Changes, p.Notices = []plan.Change{}, []plan.Change{c}
		}
	})
	return b
}

func (b *bench) notice(t *testing.T, days int) {
	t.Helper()
	book := ledger.In(b.Store)
	e, err := book.Begin(t.Context(), ledger.Intent{Person: "id-anna", License: "e3", Run: "r0", Rule: "m365", To: "exo", Via: "notice", At: daysAgo(days), IdleSince: &idle}, nil)
	if err == nil {
		err = book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Announced, At: daysAgo(days)})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoticeIsGiven(t *testing.T) {
	t.Parallel()
	b := announced(t, plan.Notice)
	b.apply(t, runs.Announced, "announced")
	b.wrote(t)
	b.logged(t, moveAnna, "noticed")
	e, err := ledger.In(b.Store).Latest(t.Context(), "id-anna", "e3")
	if err != nil || e.Via != "notice" || e.Source+e.Target+e.SKU+e.TargetSKU != "" || len(e.Before.InGroups)+len(e.Before.Assignments) > 0 {
		t.Errorf("a notice names no way: %+v, %v", e, err)
	}
	if e.Notice != 14 || e.ByMail {
		t.Errorf("the notice is of %d days, by mail %t", e.Notice, e.ByMail)
	}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, runs.ErrRefused) {
		t.Errorf("again: %v", err)
	}
	signedIn := announced(t, plan.Notice)
	signedIn.entra.users["id-anna"].LastSuccessful = asOf
	signedIn.apply(t, runs.Kept, "signed in 1 hour ago")
	signedIn.logged(t, moveAnna, "")
	open := announced(t, plan.Notice) // the process was killed between the intent and the completion
	if _, err := ledger.In(open.Store).Begin(t.Context(), ledger.Intent{Person: "id-anna", License: "e3", Run: "run", Rule: "m365", Via: "notice", At: asOf}, nil); err != nil {
		t.Fatal(err)
	}
	open.apply(t, runs.Announced, "announced")
	open.logged(t, moveAnna, "noticed")
}

func TestAfterTheNotice(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		days int // days since the announcement; negative: none
		last int // days since the last sign-in
		want runs.Status
		note string
	}{
		"without notice":     {-1, 100, runs.Refused, "it would now have to be announced first, or was announced already; plan again"},
		"too early":          {13, 100, runs.Refused, "announced on 2026-11-10; done from 2026-11-25T12:00:00Z on if the person is still idle"},
		"in time":            {16, 100, runs.Pending, "joined the target group"},
		"finer date, before": {16, 95, runs.Pending, "joined the target group"},
		"active since":       {80, 70, runs.Refused, "it would now have to be announced first"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := announced(t, plan.EntraGroup)
			if tc.days >= 0 {
				b.notice(t, tc.days)
			}
			b.entra.users["id-anna"].LastSuccessful = daysAgo(tc.last)
			b.apply(t, tc.want, tc.note)
		})
	}
}

// TestChangedByAnotherRun: a run does not change a license that another run changed after the plan was made.
func TestChangedByAnotherRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	book := ledger.In(b.Store)
	e, err := book.Begin(t.Context(), ledger.Intent{Person: "id-bo", License: "e3", Run: "other", Rule: plan.RestoreRule, At: asOf}, nil)
	if err == nil {
		err = book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: asOf.Add(1)})
	}
	if err != nil {
		t.Fatal(err)
	}
	b.apply(t, runs.Refused, "run other changed it after this plan was made; plan again")
	b.wrote(t)
}

// TestNewerPlan: after a newer plan was made, the older plan begins no change. It finishes the changes that it has
// begun.
func TestNewerPlan(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, freeAnna)
	newer := &history.Planned{Run: "run-2", Expires: asOf.Add(plan.Lifetime), Touches: []history.Touch{{User: "id-anna", License: "e3"}}}
	if err := history.PutPlanned(t.Context(), b.Store, newer, false); err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context(), Request{Run: "run"}); err != nil {
		t.Errorf("a run for one person supersedes nothing: %v", err)
	}
	if err := history.PutPlanned(t.Context(), b.Store, newer, true); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, runs.ErrRefused) || !strings.Contains(err.Error(), "the plan of run run-2 superseded it; apply that one") {
		t.Errorf("apply: %v", err)
	}
	in := ledger.Intent{Person: "id-anna", License: "e3", Run: "run", Rule: "m365", To: "exo", Via: "entra-group", Source: "g-e3", Target: "g-exo", SKU: "sku-e3", TargetSKU: "sku-exo", At: asOf}
	if _, err := ledger.In(b.Store).Begin(t.Context(), in, nil); err != nil {
		t.Fatal(err)
	}
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil || r.Results[0].Status != runs.Pending || r.Results[1].Status != runs.Refused || !strings.Contains(r.Results[1].Note, "superseded") {
		t.Errorf("results %+v, %v", r, err)
	}
}

// TestOverrideIsRemembered: the store records who overrode the limits, and for which plan.
func TestOverrideIsRemembered(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	hash := b.plan(t, func(p *plan.Plan) {
		p.Changes, p.Verdict, p.Overridable, p.Matches = []plan.Change{changeBo}, plan.Hold, true, map[string]int{"m365": 900}
	})
	if _, err := b.Apply(t.Context(), Request{Run: "run", Override: hash, Approver: "kim@host"}); err != nil {
		t.Fatal(err)
	}
	want := []history.Override{{Run: "run", PlanHash: hash, By: "kim@host", At: b.now}}
	got, err := history.Overrides(t.Context(), b.Store, b.now, b.now)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if e, err := ledger.In(b.Store).Latest(t.Context(), "id-bo", "e3"); err != nil || e.ApprovedBy != "kim@host" {
		t.Errorf("ledger %+v, %v", e, err)
	}
}
