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

// ErrRefused means that idleseat does not do what was asked, such as to apply a plan, because a safety check forbids it
// or the request is wrong. A retry fails, too.
var ErrRefused = errors.New("refused")

// NewPlan returns a plan without changes. The plan has the hashes of the run's data and policy, the health of the
// signals, and the version of idleseat.
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

// Nobody is a function of the type Each that has no decisions. It is for a plan that was not made from decisions, such
// as the plan of a restore.
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

// Gone reports whether an error about the plan or the data of a run is permanent: the run has no plan, or a retry would
// fail, too (decision.Lasts).
func Gone(err error) bool { return errors.Is(err, ErrNoPlan) || decision.Lasts(err) }
