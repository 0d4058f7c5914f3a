package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Stop stores that the run "by" restores what the given run took from one person. The given run then changes no license
// of this person any more.
func Stop(ctx context.Context, s store.Store, run, user, by string, at time.Time) error {
	err := store.PutJSONIfAbsent(ctx, s, layout.Stop(run, user), withdrawal{By: by, At: at.UTC()})
	if err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("stop what run %s changes of one person: %w", run, err)
	}
	return nil
}

// Recalled returns a function that reports whether another run restores what the given run took from a person. A change
// that the given run has begun for such a person is rolled back, and the given run takes no license of the person
// again.
func Recalled(ctx context.Context, s store.Store, run string) (of func(user string) bool, err error) {
	by, err := Withdrawn(ctx, s, run)
	if err != nil {
		return nil, err
	}
	stopped, err := Stopped(ctx, s, run)
	return func(user string) bool { return by != "" || stopped[user] }, err
}

// Stopped returns the people whose licenses a run may no longer change.
func Stopped(ctx context.Context, s store.Store, run string) (map[string]bool, error) {
	prefix := layout.Stopped(run)
	people := map[string]bool{}
	for key, err := range s.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("read which people run %s may no longer change: %w", run, err)
		}
		people[layout.NameIn(prefix, key)] = true
	}
	return people, nil
}
