// Package history tells a run what earlier runs did and saw, without listing the
// ledger: which licenses were taken, given back, announced or are being changed
// right now; which plan is the newest; which limits were set aside; and how the
// feeds looked when they were last healthy. Every plan leaves an object that
// names whom it may touch. A new run looks those people up in the ledger, joins
// them to what the run before it knew, and writes that down as its own standing,
// which its manifest binds.
package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Planned is what a plan leaves for later runs.
type Planned struct {
	Run     string    `json:"run"`
	AsOf    time.Time `json:"asOf"`
	Expires time.Time `json:"expires"` // nothing new begins afterwards
	// Held: a safety check holds the plan. It supersedes no other one.
	Held bool `json:"held,omitempty"`
	// Touches are the licenses that may be changed or announced.
	Touches []Touch `json:"touches"`
	// Again are licenses that were taken and that the person was seen to hold
	// again, by no doing of ours.
	Again []Touch `json:"again,omitempty"`
	// Feeds are the sources as they were seen, nil for one that was not healthy, and for
	// both when too many people matched.
	Feeds [2]*plan.Baseline `json:"feeds"`
	// Known are the readings whose accounts are remembered, nil for a source that was
	// not healthy. Versions before it remembered those of Feeds alone.
	Known [2]*plan.Baseline `json:"known,omitzero"`
	// Signals are the signals of reports as they were seen, by name, as Feeds has those of
	// the directories.
	Signals map[string]*plan.Baseline `json:"signals,omitempty"`
	// Earlier is what this run and those before it found under the names of policies.
	Earlier *directory.Earlier `json:"earlier,omitempty"`
}

// Touch is one person's license. Run is the run that took it.
type Touch struct {
	User    string `json:"user"`
	License string `json:"license"`
	Run     string `json:"run,omitempty"`
}

// PutPlanned writes what a plan leaves. everybody tells whether it was made for
// all people, from their data: only such plans supersede each other.
func PutPlanned(ctx context.Context, s store.Store, p *Planned, everybody bool) error {
	prefix := layout.Others
	if everybody {
		prefix = layout.Plans
	}
	if err := store.PutJSON(ctx, s, layout.Noted(prefix, p.Run), p); err != nil {
		return fmt.Errorf("note the plan of run %s for later runs: %w", p.Run, err)
	}
	return nil
}

// Newer is the newest run for everybody that was planned after a run and supersedes its
// plan. It is empty when there is none. A held plan supersedes nothing unless its
// limits were set aside. A plan that was made by a clock ahead of now supersedes
// nothing, either.
func Newer(ctx context.Context, s store.Store, run string, now time.Time) (string, error) {
	names, err := runs(ctx, s, layout.Plans)
	if err != nil {
		return "", err
	}
	for _, newer := range slices.Backward(names) {
		if newer <= run {
			break
		}
		if snapshot.Ahead(newer, now) {
			continue
		}
		p, err := GetPlanned(ctx, s, newer)
		if err != nil {
			return "", err
		}
		if p.Held {
			set, err := overridden(ctx, s, newer)
			if err != nil {
				return "", err
			}
			if !set {
				continue
			}
		}
		return newer, nil
	}
	return "", nil
}

// GetPlanned reads what a run's plan left; store.ErrNotFound when it left nothing.
func GetPlanned(ctx context.Context, s store.Store, run string) (*Planned, error) {
	p := &Planned{}
	err := store.GetJSON(ctx, s, layout.Noted(layout.Plans, run), p)
	if errors.Is(err, store.ErrNotFound) {
		err = store.GetJSON(ctx, s, layout.Noted(layout.Others, run), p)
	}
	if err != nil {
		return nil, fmt.Errorf("read what run %s planned: %w", run, err)
	}
	return p, nil
}

// Newest is the newest run for everybody that made a plan; empty when there is none. A
// run that was made by a clock ahead of now does not count.
func Newest(ctx context.Context, s store.Store, now time.Time) (string, error) {
	names, err := runs(ctx, s, layout.Plans)
	if err != nil {
		return "", err
	}
	for _, run := range slices.Backward(names) {
		if !snapshot.Ahead(run, now) {
			return run, nil
		}
	}
	return "", nil
}

// Earlier is what runs before one found under the names of policies, as the newest
// of them for everybody left it; nil when there is none.
func Earlier(ctx context.Context, s store.Store, run string, now time.Time) (*directory.Earlier, error) {
	names, err := runs(ctx, s, layout.Plans)
	if err != nil {
		return nil, err
	}
	for _, earlier := range slices.Backward(names) {
		if earlier >= run || snapshot.Ahead(earlier, now) {
			continue
		}
		p, err := GetPlanned(ctx, s, earlier)
		if err != nil {
			return nil, err
		}
		return p.Earlier, nil
	}
	return nil, nil
}

// withdrawal is history/withdrawn/<run>.json: a run is put back as a whole.
type withdrawal struct {
	By string    `json:"by"` // the run that does
	At time.Time `json:"at"`
}

// Withdraw stops a run that another one puts back: nothing of it begins any more.
func Withdraw(ctx context.Context, s store.Store, run, by string, at time.Time) error {
	err := store.PutJSONIfAbsent(ctx, s, layout.Noted(layout.Withdrawn, run), withdrawal{By: by, At: at.UTC()})
	if err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("stop run %s: %w", run, err)
	}
	return nil
}

// Withdrawn is the run that puts a run back; empty when none does.
func Withdrawn(ctx context.Context, s store.Store, run string) (by string, err error) {
	var w withdrawal
	switch err := store.GetJSON(ctx, s, layout.Noted(layout.Withdrawn, run), &w); {
	case errors.Is(err, store.ErrNotFound):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look whether run %s is put back: %w", run, err)
	}
	return w.By, nil
}

// runs lists the runs below a prefix, in order of time.
func runs(ctx context.Context, s store.Store, prefix string) (names []string, err error) {
	for key, err := range s.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("look for earlier plans: %w", err)
		}
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(key, prefix), ".json"))
	}
	return names, nil
}

// Override is history/overrides/<run>.json: somebody set the limits aside for one
// plan. It accepts the people whom the rules of that very plan matched, by its hash.
type Override struct {
	Run      string    `json:"run"`
	PlanHash string    `json:"planHash"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// OverrideLasts is how long the people of an overridden plan stay accepted.
const OverrideLasts = 30 * 24 * time.Hour

// Holds tells whether an override is in force at an instant.
func (o *Override) Holds(at time.Time) bool {
	return !at.Before(o.At) && at.Sub(o.At) <= OverrideLasts
}

// PutOverride notes an override. The first one for a run stands.
func PutOverride(ctx context.Context, s store.Store, o *Override) error {
	err := store.PutJSONIfAbsent(ctx, s, layout.Noted(layout.Overrides, o.Run), o)
	if err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("note that the limits of run %s are set aside: %w", o.Run, err)
	}
	return nil
}

// OverrideOf is the hash of a plan whose limits somebody set aside; empty: nobody did. A
// damaged override sets nothing aside. The override is noted before the first write, so it
// is known even if the process that had it died before it wrote a result.
func OverrideOf(ctx context.Context, s store.Store, p *plan.Plan) (hash string, err error) {
	var o Override
	err = store.GetJSON(ctx, s, layout.Noted(layout.Overrides, p.Run), &o)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look whether the limits of run %s were set aside: %w", p.Run, err)
	case o.PlanHash != p.PlanHash:
		return "", nil
	}
	return o.PlanHash, nil
}

// overridden tells whether the limits that hold a run's plan were set aside.
func overridden(ctx context.Context, s store.Store, run string) (bool, error) {
	err := store.GetJSON(ctx, s, layout.Noted(layout.Overrides, run), &Override{})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look whether the limits of run %s were set aside: %w", run, err)
	}
	return true, nil
}

// Overrides are those made between two instants, in the order of their runs.
func Overrides(ctx context.Context, s store.Store, from, to time.Time) (all []Override, err error) {
	names, err := runs(ctx, s, layout.Overrides)
	if err != nil {
		return nil, err
	}
	for _, run := range names {
		if tooOld(run, from) {
			continue
		}
		var o Override
		err := store.GetJSON(ctx, s, layout.Noted(layout.Overrides, run), &o)
		if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) {
			continue // damaged, or of a foreign name: it accepts nobody
		}
		if err != nil {
			return nil, fmt.Errorf("read an override: %w", err)
		}
		if o.Run == run && !o.At.Before(from) && !o.At.After(to) {
			all = append(all, o)
		}
	}
	return all, nil
}

// sources are all the sources, by number.
var sources = [2]directory.Source{directory.Entra, directory.AD}
