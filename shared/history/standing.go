package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
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

// State says what last happened to a person's license.
type State string

// The states. A change that was rolled back or failed leaves none.
const (
	Open      State = "open"       // being changed by Run
	Taken     State = "taken"      // by Run
	GivenBack State = "given back" // by a restore, or by somebody else
	Noticed   State = "noticed"    // announced, and not taken yet
	// Unreadable: the ledger's objects cannot be believed. Why gives the reason.
	Unreadable State = "unreadable"
)

// Item is what last happened to one person's license.
type Item struct {
	User    string    `json:"user"`
	License string    `json:"license"`
	State   State     `json:"state"`
	Run     string    `json:"run"`
	Rule    string    `json:"rule"`
	To      string    `json:"to,omitempty"`
	Via     plan.Via  `json:"via,omitempty"`
	Began   time.Time `json:"began"` // when the change began
	At      time.Time `json:"at"`    // when State became true
	// UserPrincipalName is the person's name. Only open items have it.
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	// IdleSince is the last activity that an announcement rested on. Nil: never active.
	IdleSince *time.Time `json:"idleSince,omitempty"`
	Why       string     `json:"why,omitempty"`
}

// late is how late dates may arrive: those of Entra ID are up to 24 hours behind (Microsoft Entra documentation, "How
// to detect inactive user accounts").
const late = 24 * time.Hour

// Since is the earliest activity that counts as a return. The person had been idle for long when the change began. A
// date shortly before the change therefore arrived late, and counts, too.
func (i *Item) Since() time.Time { return i.Began.Add(-late) }

// Standing is the digest: all that a run knows of the past. A nil one knows nothing.
type Standing struct {
	Run       string            `json:"run"`
	At        time.Time         `json:"at"`
	Baselines [2]*plan.Baseline `json:"baselines"` // of the last healthy feeds
	// Known are the last readings whose accounts are remembered. A reading counts here also when too many people
	// matched: a date that it saw did exist.
	Known [2]*plan.Baseline `json:"known,omitzero"`
	// Signals are the baselines of the signals that come from reports, by name.
	Signals map[string]*plan.Baseline `json:"signals,omitempty"`
	// Earlier is the newest earlier run for everybody that made a plan; empty: none.
	Earlier string `json:"earlier,omitempty"`

	items    map[Touch]*Item
	setbacks map[Touch]*Setback
	// sightings are the dates of activity that changes read at the last moment, by account.
	sightings map[string]*directory.Sighting
	gave      map[Touch]*Item // restored by others, as known before the ledger is read
}

// Of returns what last happened to a person's license, or nil when nothing did.
func (s *Standing) Of(user, license string) *Item {
	if s == nil {
		return nil
	}
	return s.items[Touch{User: user, License: license}]
}

// Baseline returns how a signal looked when it was last healthy, or nil when that is not known.
func (s *Standing) Baseline(of directory.Signal) *plan.Baseline {
	switch {
	case s == nil:
		return nil
	case of.Reported():
		return s.Signals[of.String()]
	}
	return s.Baselines[of]
}

// Len is the number of licenses in the digest.
func (s *Standing) Len() int {
	if s == nil {
		return 0
	}
	return len(s.items)
}

// All yields what last happened to every license in the digest, in no order.
func (s *Standing) All() iter.Seq[*Item] {
	if s == nil {
		return func(func(*Item) bool) {}
	}
	return maps.Values(s.items)
}

// line is one line of a digest: the head, an item, a setback, or a sighting.
type line struct {
	Head     *Standing           `json:"head,omitempty"`
	Setback  *Setback            `json:"setback,omitempty"`
	Sighting *directory.Sighting `json:"sighting,omitempty"`
	*Item
}

// Load reads the digest that a run's manifest binds. It is nil when the manifest binds none.
func Load(ctx context.Context, s store.Store, m *snapshot.Manifest) (*Standing, error) {
	if m.History == "" {
		return nil, nil
	}
	var st *Standing
	err := store.GetLines(ctx, s, m.History, func(l *line) error {
		switch {
		case l.Head != nil:
			st = l.Head
			st.items, st.setbacks, st.sightings = map[Touch]*Item{}, map[Touch]*Setback{}, map[string]*directory.Sighting{}
		case st != nil && l.Setback != nil:
			st.setbacks[Touch{User: l.Setback.User, License: l.Setback.License}] = l.Setback
		case st != nil && l.Sighting != nil:
			st.sightings[l.Sighting.Account] = l.Sighting
		case st == nil || l.Item == nil:
			return fmt.Errorf("%w: a line without an item", store.ErrDamaged)
		default:
			st.items[Touch{User: l.User, License: l.License}] = l.Item
		}
		return nil
	})
	if err == nil && st == nil {
		err = store.ErrDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("read what run %s knew of the past: %w", m.Run, err)
	}
	return st, nil
}

// Settle builds the digest of a run and returns its key for the manifest. It finds what happened to everything that
// earlier runs planned. The step may be repeated: each time it writes a new object.
func Settle(ctx context.Context, s store.Store, run string, now time.Time) (key string, err error) {
	next, err := settle(ctx, s, run, now.UTC())
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

func (t Touch) compare(o Touch) int {
	return strings.Compare(t.User+" "+t.License, o.User+" "+o.License)
}

func settle(ctx context.Context, s store.Store, run string, now time.Time) (*Standing, error) {
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
	next := &Standing{Run: run, At: now, items: map[Touch]*Item{}, setbacks: map[Touch]*Setback{}, sightings: map[string]*directory.Sighting{}, gave: map[Touch]*Item{}, Earlier: newestBefore(plans, run)}
	book := ledger.In(s)
	if old == nil { // the first run of a store, or the first after a long pause
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
	for _, p := range lately {
		for _, t := range p.Again {
			if i := next.Of(t.User, t.License); i != nil && i.State == Taken && i.Run == t.Run {
				i.State, i.At = GivenBack, p.AsOf
			}
		}
	}
	slices.SortFunc(lately, func(a, b *Planned) int { return strings.Compare(a.Run, b.Run) })
	return next, next.readResults(ctx, s, lately)
}

// newestBefore returns the newest of the runs that are older than one, or "" when there is none.
func newestBefore(runs []string, run string) string {
	for _, earlier := range slices.Backward(runs) {
		if earlier < run {
			return earlier
		}
	}
	return ""
}

// previous is the digest of the newest earlier run that still has one.
func previous(ctx context.Context, s store.Store, plans []string, run string) (*Standing, error) {
	for _, earlier := range slices.Backward(plans) {
		if earlier >= run {
			continue
		}
		m, _, err := snapshot.GetManifest(ctx, s, earlier)
		switch {
		case errors.Is(err, snapshot.ErrNone):
			return nil, nil // its data have expired, and so have the data of all runs before
		case errors.Is(err, store.ErrDamaged):
			continue // the plans since and the ledger have what an older digest does not know
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

// watch marks what must be looked up: changes that were open, and everything that a plan may have touched since the
// earlier digest. It returns these plans. unread reports whether the people of some plan cannot be read.
func (st *Standing) watch(ctx context.Context, s store.Store, old *Standing, plans, others []string) (lately []*Planned, unread bool, err error) {
	for t, i := range st.items {
		if i != nil && (i.State == Open || i.State == Unreadable) {
			st.items[t] = nil
		}
	}
	read := func(prefix string, names []string) error {
		for _, run := range slices.Backward(names) {
			if old != nil && tooOld(run, old.At) {
				return nil
			}
			p := &Planned{}
			err := store.GetJSON(ctx, s, prefix+run+".json", p)
			if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) { // damaged, or under a foreign name
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

// later replaces a reading by a newer one.
func (st *Standing) later(last **plan.Baseline, b *plan.Baseline) {
	if b != nil && !b.Read.After(st.At) && (*last == nil || b.Read.After((*last).Read)) {
		*last = b
	}
}

// laterSignal does what later does, for the signal of a report.
func (st *Standing) laterSignal(name string, b *plan.Baseline) {
	last := st.Signals[name]
	if st.later(&last, b); last != nil {
		st.Signals[name] = last
	}
}

// mark marks a license to be looked up in the ledger.
func (st *Standing) mark(t Touch) {
	if i := st.items[t]; i != nil && i.State == GivenBack {
		st.gave[t] = i
	}
	st.items[t] = nil
}

// markAll marks everything that the ledger has.
func (st *Standing) markAll(ctx context.Context, book *ledger.Ledger) error {
	for s, err := range book.All(ctx) {
		if err != nil {
			return err
		}
		st.mark(Touch{User: s.Person, License: s.License})
	}
	return nil
}

// tooOld reports whether a run can have begun nothing after an instant. A run reads and waits for at most two days
// before its plan is made.
func tooOld(run string, at time.Time) bool {
	const reading = 48 * time.Hour
	stamp, _, _ := strings.Cut(run, "-")
	began, err := time.Parse("20060102T150405Z", stamp)
	return err == nil && began.Add(reading+plan.Lifetime).Before(at)
}
