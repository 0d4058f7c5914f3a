package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// MakeDigest writes the digest of a run and returns its key, for the run's manifest. It writes a new object each time,
// so the step may be repeated.
func MakeDigest(ctx context.Context, s store.Store, run string, now time.Time) (key string, err error) {
	next, err := makeDigest(ctx, s, run, now.UTC())
	if err != nil {
		return "", fmt.Errorf("find what earlier runs came to: %w", err)
	}
	key = layout.History(run, layout.Attempt())
	return key, store.PutLines(ctx, s, key, func(emit func(any) error) error {
		if err := emit(line{Head: next}); err != nil {
			return err
		}
		for _, t := range slices.SortedFunc(maps.Keys(next.items), Touch.compare) {
			if err := emit(line{Item: next.items[t]}); err != nil {
				return err
			}
		}
		for _, t := range slices.SortedFunc(maps.Keys(next.setbacks), Touch.compare) {
			if err := emit(line{Setback: next.setbacks[t]}); err != nil {
				return err
			}
		}
		for _, account := range slices.Sorted(maps.Keys(next.sightings)) {
			if err := emit(line{Sighting: next.sightings[account]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Now returns the digest of a run that would begin now, and writes nothing.
func Now(ctx context.Context, s store.Store, now time.Time) (*Digest, error) {
	const afterAll = "~" // sorts after the name of every run
	return makeDigest(ctx, s, afterAll, now.UTC())
}

func (t Touch) compare(o Touch) int {
	return strings.Compare(t.User+" "+t.License, o.User+" "+o.License)
}

func makeDigest(ctx context.Context, s store.Store, run string, now time.Time) (*Digest, error) {
	plans, err := runs(ctx, s, layout.Plans)
	if err != nil {
		return nil, err
	}
	others, err := runs(ctx, s, layout.Others)
	if err != nil {
		return nil, err
	}
	old, err := previous(ctx, s, plans, run)
	if err != nil {
		return nil, err
	}
	next := &Digest{Run: run, At: now, items: map[Touch]*Item{}, setbacks: map[Touch]*Setback{}, sightings: map[string]*directory.Sighting{}, restored: map[Touch]*Item{}, Earlier: newestBefore(plans, run)}
	book := ledger.In(s)
	if old == nil { // this run is the first in the store, or the first after a long pause
		if err := next.markAll(ctx, book); err != nil {
			return nil, err
		}
	} else {
		next.Baselines, next.Known, next.items, next.setbacks, next.sightings = old.Baselines, old.Known, old.items, old.setbacks, old.sightings
	}
	for _, source := range sources {
		next.Known[source] = cmp.Or(next.Known[source], next.Baselines[source])
		for _, b := range []**plan.Baseline{&next.Baselines[source], &next.Known[source]} {
			if *b != nil && (*b).Read.After(now) {
				*b = nil
			}
		}
	}
	next.Signals = map[string]*plan.Baseline{}
	if old != nil {
		for name, b := range old.Signals {
			next.laterSignal(name, b)
		}
	}
	lately, unread, err := next.watch(ctx, s, old, plans, others)
	if err == nil && unread {
		err = next.markAll(ctx, book)
	}
	if err != nil {
		return nil, err
	}
	if err := next.look(ctx, book); err != nil {
		return nil, err
	}
	next.index()
	for _, p := range lately {
		for _, t := range p.HeldAgain {
			if i := cmp.Or(next.Of(t.User, t.License), next.OfSID(t.User, t.License)); i != nil && i.State == Taken && i.Run == t.Run {
				i.State, i.At, i.TakenBy, i.TakenAt = Restored, p.Seen(), i.Run, i.At
			}
		}
	}
	slices.SortFunc(lately, func(a, b *Planned) int { return strings.Compare(a.Run, b.Run) })
	if err := next.readResults(ctx, s, lately); err != nil {
		return nil, err
	}
	return next, next.accept(ctx, s, old, plans)
}

// The method "accept" drops each sighting (an activity date that apply read before a change) that is not newer than the
// last run with --accept-feeds. In that run, an operator accepted the dates of the directories. The argument "plans" has
// the names of all runs for everybody. The method looks at the run of the earlier digest and at the runs after it, whose
// digests may be damaged.
func (st *Digest) accept(ctx context.Context, s store.Store, old *Digest, plans []string) error {
	first := ""
	if old != nil {
		first, st.Accepted = old.Run, old.Accepted
	}
	for _, run := range plans {
		if run < first || run >= st.Run {
			continue
		}
		b, err := snapshot.GetBegin(ctx, s, run)
		switch {
		case errors.Is(err, snapshot.ErrUnknownRun), errors.Is(err, store.ErrDamaged): // the sightings stay, which takes no license
		case err != nil:
			return err
		case b.AcceptFeeds && b.Read.After(st.Accepted):
			st.Accepted = b.Read
		}
	}
	maps.DeleteFunc(st.sightings, func(_ string, seen *directory.Sighting) bool { return !seen.At.After(st.Accepted) })
	return nil
}

// newestBefore returns the newest run in the list before the given run, or "".
func newestBefore(runs []string, run string) string {
	for _, earlier := range slices.Backward(runs) {
		if earlier < run {
			return earlier
		}
	}
	return ""
}

// The function "previous" returns the newest readable digest before the given run, or nil. It returns nil if it first
// finds a run whose data were deleted because of their age.
func previous(ctx context.Context, s store.Store, plans []string, run string) (*Digest, error) {
	for _, earlier := range slices.Backward(plans) {
		if earlier >= run {
			continue
		}
		m, _, err := snapshot.GetManifest(ctx, s, earlier)
		switch {
		case errors.Is(err, snapshot.ErrNone):
			return nil, nil // the data of this run, and of all runs before it, were deleted because of their age
		case errors.Is(err, store.ErrDamaged):
			continue // the plans after an older digest and the ledger have everything that this digest had
		case err != nil:
			return nil, err
		}
		st, err := Load(ctx, s, m)
		if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrDamaged) {
			return st, err
		}
	}
	return nil, nil
}

// The method "watch" marks the licenses that must be read from the ledger: those with an open change or damaged
// objects, those that a recent plan may have changed, and those that an older version stored without ids. It also takes
// the newest baselines from the recent plans. The result "lately" has the recent plans, and "unread" says whether one
// of them could not be read.
func (st *Digest) watch(ctx context.Context, s store.Store, old *Digest, plans, others []string) (lately []*Planned, unread bool, err error) {
	for t, i := range st.items {
		switch {
		case i == nil:
		case i.State == Open, i.State == Unreadable:
			st.items[t] = nil
		case i.ID == (LicenseID{}) && (i.State == Taken || i.State == Restored): // of an older version
			st.mark(t)
		}
	}
	read := func(prefix string, names []string) error {
		for _, run := range slices.Backward(names) {
			if old != nil && tooOld(run, old.At) {
				return nil
			}
			p := &Planned{}
			err := store.GetJSON(ctx, s, layout.Noted(prefix, run), p)
			if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) { // the object is damaged, or its content and its key name different runs
				unread = true
				continue
			}
			if err != nil {
				return fmt.Errorf("read what run %s planned: %w", run, err)
			}
			for _, t := range p.Touches {
				key := Touch{User: t.User, License: t.License}
				if i := st.items[key]; i == nil || i.Run != run {
					st.mark(key)
				}
			}
			for _, source := range sources {
				st.later(&st.Baselines[source], p.Feeds[source])
				st.later(&st.Known[source], cmp.Or(p.Known[source], p.Feeds[source]))
			}
			for name, b := range p.Signals {
				st.laterSignal(name, b)
			}
			lately = append(lately, p)
		}
		return nil
	}
	err = errors.Join(read(layout.Plans, plans), read(layout.Others, others))
	return lately, unread, err
}

// The method "later" replaces *last by b if b is newer. Two runs may share one reading, because one of them planned over
// the snapshot of the other. The newer run then counts, because an operator may have accepted the reading in it. The
// method ignores a reading from after the time of the digest.
func (st *Digest) later(last **plan.Baseline, b *plan.Baseline) {
	if b == nil || b.Read.After(st.At) {
		return
	}
	if l := *last; l == nil || b.Read.After(l.Read) || b.Read.Equal(l.Read) && b.Run > l.Run {
		*last = b
	}
}

// laterSignal works like the method "later", for st.Signals[name], the baseline of a usage report.
func (st *Digest) laterSignal(name string, b *plan.Baseline) {
	last := st.Signals[name]
	if st.later(&last, b); last != nil {
		st.Signals[name] = last
	}
}

// The method "mark" makes Digest.look read the license from the ledger.
func (st *Digest) mark(t Touch) {
	if i := st.items[t]; i != nil && !i.Given().IsZero() {
		st.restored[t] = i
	}
	st.items[t] = nil
}

func (st *Digest) markAll(ctx context.Context, book *ledger.Ledger) error {
	for s, err := range book.All(ctx) {
		if err != nil {
			return err
		}
		st.mark(Touch{User: s.Person, License: s.License})
	}
	return nil
}

// tooOld reports whether a run is so old that it certainly began no change after the given time. A run has its plan
// within two days, and the plan may be applied for plan.Lifetime.
func tooOld(run string, at time.Time) bool {
	const reading = 48 * time.Hour
	began := begunAt(run)
	return !began.IsZero() && began.Add(reading+plan.Lifetime).Before(at)
}

// begunAt returns the time in the name of a run, or zero if the name has none.
func begunAt(run string) time.Time {
	stamp, _, _ := strings.Cut(run, "-")
	began, err := time.Parse("20060102T150405Z", stamp)
	if err != nil {
		return time.Time{}
	}
	return began
}
