// Package history tells a run what earlier runs did and saw, without listing the whole ledger.
//
// For each plan, the store has an object with the licenses that the plan may change. A new run looks these licenses up
// in the ledger, and adds what it finds to the digest of the previous run. A digest summarizes what earlier runs did
// and saw. The manifest of the new run has the key of the new digest.
package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Planned is the object that a run stores about its plan for later runs.
type Planned struct {
	Run  string    `json:"run"`
	AsOf time.Time `json:"asOf"`
	// Read is when the run read the directories. Objects of older versions lack it; see Seen.
	Read    time.Time `json:"read,omitzero"`
	Expires time.Time `json:"expires"` // no change begins after this time
	// OnHold means that the plan is on hold, so that it supersedes no other plan.
	OnHold bool `json:"held,omitempty"`
	// Touches lists the licenses that may be changed or announced.
	Touches []Touch `json:"touches"`
	// HeldAgain lists licenses that a run took and that the person holds again, although no run restored them.
	HeldAgain []Touch `json:"again,omitempty"`
	// Feeds has the figures of this run's reading of each directory, with which later runs compare theirs. The entry of
	// an unhealthy directory is nil. Both entries are nil if the rules matched too many people.
	Feeds [2]*plan.Baseline `json:"feeds"`
	// Known has the readings from which this run stored a table of known accounts. The entry of a directory that was
	// not healthy is nil. Older versions wrote only Feeds.
	Known [2]*plan.Baseline `json:"known,omitzero"`
	// Signals is like Feeds, for each signal of a usage report. The map's key is the name of the signal.
	Signals map[string]*plan.Baseline `json:"signals,omitempty"`
	// Earlier has the accounts and groups that this run and earlier runs found for the names in policies. It is nil if
	// the run planned over an old snapshot.
	Earlier *directory.Earlier `json:"earlier,omitempty"`
	// Prices has the prices of this run and of earlier runs, oldest first.
	Prices []Price `json:"prices,omitempty"`
}

// Touch is a license of a person. Run is the run that took it, if a caller needs it.
type Touch struct {
	User    string `json:"user"`
	License string `json:"license"`
	Run     string `json:"run,omitempty"`
}

// PlannedBy returns the Planned of a plan. It has no Touches in mode audit, because such a plan changes nothing.
func PlannedBy(p *plan.Plan) *Planned {
	past := &Planned{Run: p.Run, AsOf: p.AsOf, Expires: p.Expires, Touches: []Touch{}}
	if p.Mode == policy.Audit {
		return past
	}
	for _, c := range slices.Concat(p.Changes, p.Notices) {
		past.Touches = append(past.Touches, Touch{User: c.Person(), License: c.License})
	}
	return past
}

// Seen returns the time of the reading on which the plan rests. A plan of an older version lacks Read. Seen then
// returns the later of AsOf and the time in the name of the run, because AsOf may be any time that an operator chose.
func (p *Planned) Seen() time.Time {
	if began := begunAt(p.Run); p.Read.IsZero() && began.After(p.AsOf) {
		return began
	}
	return cmp.Or(p.Read, p.AsOf)
}

// PutPlanned stores p. The parameter "everybody" is true for a plan that decides about all people by the policy in
// force. Only such plans supersede each other.
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

// Newer returns the newest run whose plan supersedes that of the given run, or "". Only a later plan for everybody
// supersedes a plan. A plan on hold supersedes nothing unless an operator set its limits aside. A run whose name has a
// time after now does not count, because its clock was wrong.
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
		if p.OnHold {
			o, err := overrideOf(ctx, s, newer)
			if err != nil {
				return "", err
			}
			if o == nil {
				continue
			}
		}
		return newer, nil
	}
	return "", nil
}

// GetPlanned returns the Planned of a run. The error is store.ErrNotFound if the run has stored none.
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

// Newest returns the newest run with a plan for everybody, or "". It skips runs whose name has a time after now.
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

// Before returns the runs with a plan for everybody that are older than the given run, newest first. It skips runs
// whose name has a time after now.
func Before(ctx context.Context, s store.Store, run string, now time.Time) ([]string, error) {
	names, err := runs(ctx, s, layout.Plans)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name >= run || snapshot.Ahead(name, now) })
	slices.Reverse(names)
	return names, nil
}

// Earlier returns the field Earlier of the newest readable Planned for everybody before the given run: the accounts and
// groups that were found for the names in policies. It skips plans over old snapshots, which lack this field, and
// returns nil if there is no other plan. The result "lost" describes the damaged objects that Earlier passed over to
// find it. If all are damaged, Earlier fails, because nothing is known about the names.
func Earlier(ctx context.Context, s store.Store, run string, now time.Time) (found *directory.Earlier, lost []string, err error) {
	names, err := runs(ctx, s, layout.Plans)
	if err != nil {
		return nil, nil, err
	}
	var damage error
	for _, earlier := range slices.Backward(names) {
		if earlier >= run || snapshot.Ahead(earlier, now) {
			continue
		}
		p, err := GetPlanned(ctx, s, earlier)
		switch {
		case errors.Is(err, store.ErrDamaged):
			damage, lost = cmp.Or(damage, err), append(lost, err.Error())
		case err != nil:
			return nil, nil, err
		case p.Earlier != nil:
			return p.Earlier, lost, nil
		}
	}
	if damage != nil {
		return nil, nil, fmt.Errorf("%w; no run before it says what the names of the policy meant; move the object out of the store to go on without", damage)
	}
	return nil, nil, nil
}

// The type "withdrawal" says that another run restores the licenses that a run took: of everybody (Withdraw), or of one
// person (Stop).
type withdrawal struct {
	By string    `json:"by"` // the run that restores
	At time.Time `json:"at"`
}

// Withdraw stores that the run "by" restores the licenses that the given run took. The given run then begins no further
// change.
func Withdraw(ctx context.Context, s store.Store, run, by string, at time.Time) error {
	err := store.PutJSONIfAbsent(ctx, s, layout.Noted(layout.Withdrawn, run), withdrawal{By: by, At: at.UTC()})
	if err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("stop run %s: %w", run, err)
	}
	return nil
}

// Withdrawn returns the run that restores the licenses that the given run took, or "".
func Withdrawn(ctx context.Context, s store.Store, run string) (by string, err error) {
	var w withdrawal
	switch err := store.GetJSON(ctx, s, layout.Noted(layout.Withdrawn, run), &w); {
	case errors.Is(err, store.ErrNotFound):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look whether run %s is restored: %w", run, err)
	}
	return w.By, nil
}

// The function "runs" returns the runs with an object below a prefix, in chronological order.
func runs(ctx context.Context, s store.Store, prefix string) (names []string, err error) {
	for key, err := range s.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("look for earlier plans: %w", err)
		}
		names = append(names, layout.NameIn(prefix, key))
	}
	return names, nil
}

var sources = [2]directory.Source{directory.Entra, directory.AD}
