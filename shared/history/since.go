package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Since returns the digest of a run together with what newer runs learned up to the time "now": the last healthy
// reading of each directory, and the activity dates that were read just before a change. A plan may wait for its
// approval while newer runs see the person sign in. The result has the licenses and the baselines of the digest, which
// may be nil.
func (s *Digest) Since(ctx context.Context, in store.Store, run string, now time.Time) (*Digest, error) {
	next := &Digest{Run: run}
	if s != nil {
		*next = *s
	}
	next.At, next.setbacks, next.sightings = now.UTC(), map[Touch]*Setback{}, map[string]*directory.Sighting{}
	for _, source := range sources {
		next.Known[source] = cmp.Or(next.Known[source], next.Baselines[source])
	}
	if s != nil {
		for _, seen := range s.sightings {
			next.saw(seen)
		}
	}
	var newer []*Planned
	for _, prefix := range []string{layout.Plans, layout.Others} {
		names, err := runs(ctx, in, prefix)
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Backward(names) {
			if name <= run {
				break
			}
			if snapshot.Ahead(name, now) {
				continue
			}
			p, err := GetPlanned(ctx, in, name)
			if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) {
				return nil, fmt.Errorf("look for what runs after %s saw of people (bring the object back from a backup, or delete it to go on without it): %w", run, err)
			}
			if err != nil {
				return nil, err
			}
			for _, source := range sources {
				next.later(&next.Known[source], cmp.Or(p.Known[source], p.Feeds[source]))
			}
			newer = append(newer, p)
		}
	}
	slices.SortFunc(newer, func(a, b *Planned) int { return strings.Compare(a.Run, b.Run) })
	if err := next.readResults(ctx, in, newer); err != nil {
		return nil, err
	}
	if s != nil {
		next.setbacks = s.setbacks
	}
	return next, nil
}
