package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "unplanned" returns the reason why a ledger entry about a taken license is not believed, or "". The plan
// of the entry's run must contain the change, because a hash protects the plan. If that plan is missing or damaged, the
// list of changes that the run stored for later runs must contain it. If that list is missing, too, the entry is
// believed only in a restore that an operator asked for.
func (j *job) unplanned(ctx context.Context, taken *ledger.Entry) (why string, err error) {
	none := fmt.Sprintf("the plan of run %s has no such change, so the ledger object %s is not believed; bring back its earlier version, or move it out of the store", taken.Run, taken.Key())
	p, err := j.planOf(ctx, taken.Run)
	switch {
	case err != nil:
		return "", err
	case p != nil:
		planned := func(c plan.Change) bool {
			return c.User == taken.Person && c.License == taken.License && c.To == taken.To && c.RestoreOf == ""
		}
		if p.PlanHash == taken.PlanHash && slices.ContainsFunc(p.Changes, planned) {
			return "", nil
		}
		return none, nil
	}
	past, err := history.GetPlanned(ctx, j.Store, taken.Run)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrBadKey):
		if j.plan.Restores != "" {
			return "", nil
		}
		return fmt.Sprintf("not restored by a run: the plan of run %s is over its time, so the ledger alone says that the license was taken; `idleseat restore %s` restores it", taken.Run, plain.Word(taken.Person)), nil
	case err != nil:
		return "", err
	case !slices.ContainsFunc(past.Touches, func(t history.Touch) bool { return t.User == taken.Person && t.License == taken.License }):
		return none, nil
	}
	return "", nil
}

// planOf returns the plan of another run. It returns nil if the plan is missing or damaged.
func (j *job) planOf(ctx context.Context, run string) (*plan.Plan, error) {
	if p, read := j.plans[run]; read {
		return p, nil
	}
	p, err := runs.GetPlan(ctx, j.Store, run)
	if errors.Is(err, runs.ErrNoPlan) || errors.Is(err, store.ErrDamaged) {
		p, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if j.plans == nil {
		j.plans = map[string]*plan.Plan{}
	}
	j.plans[run] = p
	return p, nil
}

// The method "unproven" returns the reason why a license does not count as restored although the ledger records the
// restore. It returns "" if a read shows the license, or if there is nothing to read: the policy does not name the
// license, the person has no account that could have it, or Active Directory is not set up.
func (m *move) unproven(ctx context.Context, e *ledger.Entry) (why string, err error) {
	l, t := m.run.Policy.LicenseNamed(m.change.License), targets[plan.Via(e.Via)]
	switch {
	case l == nil:
		return "", nil
	case l.SKU != "":
		sku := m.run.Tenant.SKUIDs[l.SKU]
		if m.person.Entra == nil || slices.ContainsFunc(m.person.Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == sku && a.Active() }) {
			return "", nil
		}
	case t != nil && t.absent(m):
		return "", nil
	default:
		back, _, refusal, err := m.wayBack(ctx, e.Intent)
		if err != nil || refusal != "" {
			return refusal, err
		}
		m.entry = &ledger.Entry{Seq: e.Seq, Sum: e.Sum, Intent: back}
		in, err := m.in(ctx, back.Source)
		if in || err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("the ledger says that it is restored, and reading does not show it; if that stays so, move what closes %s out of the store and run apply again", e.Key()), nil
}
