package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrNothing is returned when there is nothing to put back.
var ErrNothing = errors.New("nothing to put back")

// Restore makes, as a run of its own, the plan that puts back what a run took:
// everything, or what one person (user: an object id, SID or user principal name)
// lost. What was not done, or was put back already, is left out. It is applied as
// any other plan, without asking a rule. It comes from the ledger, so that a run
// whose data are over their time can be put back, too.
//
// A run that is put back as a whole is stopped first. What it is still changing,
// and what another putting back of it has begun, is among the runs that the plan
// resumes.
func Restore(ctx context.Context, s store.Store, old, user, run string, now time.Time) (*plan.Plan, error) {
	touches, err := touched(ctx, s, old)
	if err != nil {
		return nil, err
	}
	if user == "" {
		if err := history.Withdraw(ctx, s, old, run, now); err != nil {
			return nil, err
		}
	}
	changes, resumes, err := backOf(ctx, ledger.In(s), touches, old, user)
	if err != nil {
		return nil, err
	}
	if len(changes)+len(resumes) == 0 {
		return nil, fmt.Errorf("%w: run %s took nothing that is not back already%s", ErrNothing, old, map[bool]string{true: " of " + user}[user != ""])
	}
	if err := copyRun(ctx, s, old, run, now); err != nil {
		return nil, err
	}
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return nil, err
	}
	p := begin(r, now)
	p.Restores, p.Changes, p.Resumes, p.HoldReasons, p.Verdict = old, changes, resumes, []string{}, plan.Review
	if p.Mode == policy.Enforce {
		p.Verdict = plan.Apply
	}
	for _, c := range changes {
		p.MonthlySaving += c.MonthlySaving
	}
	p.PlanHash = p.Hash()
	if err := history.PutPlanned(ctx, s, planned(p), false); err != nil {
		return nil, err
	}
	if err := report.PutPlan(ctx, s, p, nobody); err != nil {
		return nil, err
	}
	return p, report.PutChanges(ctx, s, p)
}

// nobody is the lists of a plan that was not made of decisions.
func nobody(context.Context, func(*plan.Decision) error) (decision.Summary, error) {
	return decision.Summary{}, nil
}

// touched are the licenses that a run may have taken.
func touched(ctx context.Context, s store.Store, run string) ([]history.Touch, error) {
	p, err := history.GetPlanned(ctx, s, run)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadKey) {
		return nil, fmt.Errorf("run %q: %w", run, report.ErrNoPlan)
	}
	if err != nil {
		return nil, err
	}
	return p.Touches, nil
}

// backOf are the changes that put back what a run took, and the runs that have
// begun and not ended to change the same.
func backOf(ctx context.Context, book *ledger.Ledger, touches []history.Touch, old, user string) (changes []plan.Change, resumes []string, err error) {
	changes = []plan.Change{}
	for _, t := range touches {
		e, err := book.Standing(ctx, t.User, t.License)
		if err != nil {
			return nil, nil, err
		}
		if e == nil || user != "" && e.Person != user && e.SID != user && !strings.EqualFold(e.UserPrincipalName, user) {
			continue
		}
		switch done := e.Completion != nil; {
		case !done && (e.Run == old && user == "" || e.Back == old):
			resumes = append(resumes, e.Run)
		case done && e.Run == old && e.Completion.Outcome == ledger.Done && e.Back == "":
			changes = append(changes, plan.Change{
				User: e.Person, SID: e.SID, UserPrincipalName: e.UserPrincipalName, Rule: plan.RestoreRule, License: e.License, To: e.To, Via: plan.Via(e.Via),
				Reason: "put back what run " + old + " took", IdleSince: e.IdleSince, MonthlySaving: 0 - e.MonthlySaving, Back: old,
			})
		}
	}
	slices.Sort(resumes)
	return changes, slices.Compact(resumes), nil
}

// copyRun begins a run over the snapshot of an old one, or of the newest when the
// data of the old are over their time. A step that is tried again finds it there.
func copyRun(ctx context.Context, s store.Store, old, run string, now time.Time) error {
	m, _, err := snapshot.GetManifest(ctx, s, old)
	if errors.Is(err, snapshot.ErrNone) {
		if old, err = history.Newest(ctx, s, now); err != nil {
			return err
		}
		m, _, err = snapshot.GetManifest(ctx, s, old)
	}
	if err != nil {
		return err
	}
	b, err := snapshot.GetBegin(ctx, s, old)
	if err != nil {
		return err
	}
	b.Run, b.Started, b.Copy, m.Run = run, now.UTC(), old, run
	if err := snapshot.PutBegin(ctx, s, b); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return snapshot.Seal(ctx, s, m)
}
