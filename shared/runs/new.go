package runs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrRefused means that a safety check forbids an action on a plan. Nothing was changed.
var ErrRefused = errors.New("refused")

// NewPlan returns a plan without changes for a run, with the hashes of the run's data and policy, and the version of
// the tool.
func NewPlan(r *decision.Run, now time.Time) *plan.Plan {
	return &plan.Plan{
		Run: r.Begin.Run, AsOf: r.Begin.AsOf, Tenant: r.Begin.Tenant, Mode: r.Policy.Mode, Currency: r.Policy.Currency,
		Sources:      signals(r),
		FirstRun:     r.History == nil || r.History.Earlier == "" && r.History.Len() == 0,
		ManifestHash: r.ManifestHash, PolicyHash: r.Begin.PolicyHash(), Tool: r.Begin.Tool,
		Created: now.UTC(), Expires: now.UTC().Add(plan.Lifetime),
	}
}

func signals(r *decision.Run) map[string]plan.Feed {
	all := map[string]plan.Feed{}
	for s, f := range r.Feeds {
		if f.State != "" {
			all[directory.Signal(s).String()] = f
		}
	}
	return all
}

// Nobody is an Each that yields no decisions, for a plan that was not made from decisions, such as the plan of a
// restore.
func Nobody(context.Context, func(*plan.Decision) error) (decision.Summary, error) {
	return decision.Summary{}, nil
}

// GoesOn returns nil if the plan and the data of a run can be read. A run that has begun to make changes can then
// continue. After an error, the function Gone reports whether the error is permanent.
func GoesOn(ctx context.Context, s store.Store, run string) error {
	if _, err := GetPlan(ctx, s, run); err != nil {
		return fmt.Errorf("its plan cannot be read: %w", err)
	}
	if _, err := decision.Open(ctx, s, run); err != nil {
		return fmt.Errorf("its data cannot be read: %w", err)
	}
	return nil
}

// Gone reports whether err means that a run has no plan, or that a retry does not help to read it (decision.Lasts).
func Gone(err error) bool { return errors.Is(err, ErrNoPlan) || decision.Lasts(err) }
