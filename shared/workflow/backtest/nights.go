package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "nights" returns the kept snapshots of everybody that fit the policy of the trial, oldest first. It adds
// the others to a.LeftOut, with the reason. It skips runs for one person, copies of a snapshot, unsealed runs and runs
// from the future. It returns ErrNoNights if fewer than two nights are left.
func (t *trial) nights(ctx context.Context, s store.Store, a *Answer, now time.Time) (nights []night, err error) {
	runs, err := snapshot.Runs(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, run := range slices.Backward(runs) {
		if snapshot.Ahead(run, now) {
			continue
		}
		switch sealed, err := snapshot.Sealed(ctx, s, run); {
		case err != nil:
			return nil, err
		case !sealed:
			continue
		}
		b, err := snapshot.GetBegin(ctx, s, run)
		switch {
		case err != nil:
			a.LeftOut = append(a.LeftOut, LeftOut{run, err.Error()})
		case b.User != "" || b.Copy != "":
			// A run for one person, or over a copy of an earlier run's snapshot, is no night. It is skipped without a reason.
		case b.Tenant != t.policy.Tenant:
			a.LeftOut = append(a.LeftOut, LeftOut{run, fmt.Sprintf("it read the tenant %s, and the policy is for %s", b.Tenant, t.policy.Tenant)})
		case b.AsOf.Sub(b.Read).Abs() > mostShifted:
			a.LeftOut = append(a.LeftOut, LeftOut{run, "it was planned as of another day than it was read"})
		default:
			why, err := t.cannot(ctx, s, run)
			if err != nil {
				return nil, err
			}
			if why != "" {
				a.LeftOut = append(a.LeftOut, LeftOut{run, why})
				continue
			}
			nights = append(nights, night{run: run, asOf: b.AsOf})
		}
	}
	if len(nights) < 2 {
		err := fmt.Errorf("%w: it has %d that fit the policy", ErrNoNights, len(nights))
		for _, l := range a.LeftOut {
			err = fmt.Errorf("%w; run %s is left out: %s", err, l.Run, l.Why)
		}
		return nil, err
	}
	return nights, nil
}

// mostShifted is the largest time between the planning time of a night and the time of its reading. With a larger
// difference, the run was planned for another day, so it cannot serve as a night.
const mostShifted = 36 * time.Hour

// The method "cannot" returns the reason why the trial's policy cannot be evaluated on the snapshot of a night, or ""
// if it can.
func (t *trial) cannot(ctx context.Context, s store.Store, run string) (why string, err error) {
	r, err := decision.OpenUnder(ctx, s, run, t.policy)
	var column *snapshot.ErrNoColumn
	var group *decision.ErrNotRead
	switch {
	case errors.As(err, &column), errors.As(err, &group), errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrNotFound):
		return err.Error(), nil
	case err != nil:
		return "", err
	}
	if _, err := r.Judge(r.Begin.AsOf); err != nil {
		return err.Error(), nil //nolint:nilerr // the night's tenant lacks a product of the policy
	}
	return "", nil
}
