package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Setback says that the last run that tried a change did not make it. The change failed or was refused, a read or a
// write failed, or the rule kept the license when it was evaluated again just before the change.
type Setback struct {
	User    string    `json:"user"`
	License string    `json:"license"`
	Run     string    `json:"run"`
	AsOf    time.Time `json:"asOf"`  // planning time of the first run of the last night that tried
	Times   int       `json:"times"` // number of consecutive nights whose runs tried and did not make the change
	Status  string    `json:"status"`
	Why     string    `json:"why"`
}

// A change with setbacks is tried again after 1, 2, 4, 8 nights and so on, up to mostNights.
const (
	mostNights = 16
	// setbackLasts is how long a setback counts if no run tries the change again.
	setbackLasts = 2 * mostNights * 24 * time.Hour
	// The constant "early" is how much shorter than a day the time between two nightly runs may be. Without it, a run
	// that begins a minute early would leave the change to the next night.
	early = 12 * time.Hour
)

// Due returns the earliest time for the next try. After the first setback, this is the time of the run with the
// setback, so the next nightly run tries the change again.
func (b *Setback) Due() time.Time {
	if b.Times < 2 {
		return b.AsOf
	}
	nights := min(mostNights, 1<<min(b.Times-1, 10))
	return b.AsOf.Add(time.Duration(nights)*24*time.Hour - early)
}

// Setback returns the setback of a license of a person, or nil.
func (s *Digest) Setback(user, license string) *Setback {
	if s == nil {
		return nil
	}
	return s.setbacks[Touch{User: user, License: license}]
}

type outcome struct {
	User    string `json:"user"`
	License string `json:"license"`
	Status  string `json:"status"`
	Retry   bool   `json:"again"`
	Closed  bool   `json:"closed"`
	Note    string `json:"note"`
	// Sighting and Logon have the activity that was read just before the change, or nil.
	Sighting *directory.Sighting `json:"sighting"`
	Logon    *directory.Sighting `json:"logon"`
}

// readResults reads the results of the plans in "tried", which are in chronological order. It records setbacks, and
// sightings: activity dates that were read just before a change. A change that is open in the ledger is no setback. A
// setback ends when the change is made.
func (st *Digest) readResults(ctx context.Context, s store.Store, tried []*Planned) error {
	for _, p := range tried {
		if len(p.Touches) == 0 || st.At.Sub(p.AsOf) > setbackLasts {
			continue
		}
		for key, err := range s.List(ctx, layout.Results(p.Run)) {
			if err != nil {
				return fmt.Errorf("look for the results of run %s: %w", p.Run, err)
			}
			var results struct {
				Results []outcome `json:"results"`
			}
			err := store.GetJSON(ctx, s, key, &results)
			if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) {
				continue // a result takes no license, so a damaged result may be skipped
			}
			if err != nil {
				return fmt.Errorf("read the results of run %s: %w", p.Run, err)
			}
			for _, o := range results.Results {
				st.count(p, &o)
				st.saw(o.Sighting)
				st.saw(o.Logon)
			}
		}
	}
	st.forget()
	for t, b := range st.setbacks {
		i := st.items[t]
		over := i != nil && (i.State == Open || i.State == Taken || i.State == Restored) && i.Run >= b.Run
		if over || st.At.Sub(b.AsOf) > setbackLasts {
			delete(st.setbacks, t)
		}
	}
	return nil
}

// The method "count" records one result. Several results of one night count once, because an operator may apply several
// plans within an hour.
func (st *Digest) count(p *Planned, o *outcome) {
	t := Touch{User: o.User, License: o.License}
	switch o.Status {
	case "failed", "kept":
	case "refused":
		if o.Closed { // the plan was closed, so the person was not evaluated again
			return
		}
	case "pending":
		if !o.Retry {
			return
		}
	case "done":
		delete(st.setbacks, t)
		return
	default:
		return
	}
	b := st.setbacks[t]
	switch {
	case b == nil:
		b = &Setback{User: o.User, License: o.License}
		st.setbacks[t] = b
	case p.Run < b.Run:
		return
	}
	if b.Run != p.Run {
		if b.Times == 0 || directory.Apart(b.AsOf, p.AsOf) {
			b.AsOf = p.AsOf
			b.Times++
		}
		b.Run = p.Run
	}
	b.Status, b.Why = o.Status, o.Note
}

// Said returns a description of the setback for the plan.
func (b *Setback) Said() string {
	what := map[string]string{"pending": "not made"}[b.Status]
	if what == "" {
		what = b.Status
	}
	if b.Times > 1 {
		return fmt.Sprintf("%s in the last run, and %d nights in a row could not make it: %s", what, b.Times, b.Why)
	}
	return fmt.Sprintf("%s in the last run: %s", what, b.Why)
}
