package command

import (
	"errors"
	"fmt"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The constant "latest" is the word that commands accept in place of the name of a run. It means the newest run that
// has the data for the command.
const latest = "latest"

// latestPlanned returns the newest run that has a plan. A run whose name has a time in the future does not count.
func latestPlanned(a *Process, s store.Store) (string, error) {
	names, err := snapshot.Runs(a.Context, s)
	if err != nil {
		return "", err
	}
	for _, run := range names {
		if snapshot.Ahead(run, a.Clock.Now()) {
			continue
		}
		if _, err := runs.GetPlan(a.Context, s, run); !errors.Is(err, runs.ErrNoPlan) {
			return run, err
		}
	}
	return "", fmt.Errorf("%w has a plan: plan first", snapshot.ErrUnknownRun)
}

// planOf returns the plan of a run. If the store has no such run, it returns a usageError.
func planOf(a *Process, s store.Store, run string) (*plan.Plan, error) {
	p, err := runs.GetPlan(a.Context, s, run)
	if errors.Is(err, runs.ErrNoPlan) {
		if _, none := snapshot.GetBegin(a.Context, s, run); errors.Is(none, snapshot.ErrUnknownRun) {
			return nil, usageError{fmt.Errorf("the store has no run %q; `idleseat runs` lists its runs", run)}
		}
	}
	return p, err
}

// latestRead returns the newest run that has read everybody. A run that plans again over the snapshot of another run
// does not count. Neither does a run whose name has a time in the future.
func latestRead(a *Process, s store.Store) (string, error) {
	return snapshot.Latest(a.Context, s, func(b *snapshot.Begin) bool {
		return b.User == "" && b.Copy == "" && !snapshot.Ahead(b.Run, a.Clock.Now())
	})
}

// The function "itself" returns a usageError for the word "latest". A command that changes licenses accepts only the
// name of a run, because a newer run may have been made after the operator looked.
func itself(run string) error {
	if run != latest {
		return nil
	}
	return usageError{errors.New("name the run itself: this command changes licenses, and another run may be the latest by now; `idleseat runs` lists their names")}
}
