package runs

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
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// Status is the state of a change of a plan after the plan was applied, in whole or in part.
type Status string

// The statuses. All except Pending are final.
const (
	Done      Status = "done"      // a read of the directory confirms the change
	Announced Status = "announced" // announced; a later run makes the change
	Pending   Status = "pending"   // begun, but the directory does not show the change yet
	Kept      Status = "kept"      // the rule does not take the license any more, or the change was rolled back
	Refused   Status = "refused"   // the change cannot be made safely
	Failed    Status = "failed"    // the change failed, or nobody knows whether the mail of a notice was sent
)

// Scope says which changes of a plan are applied.
type Scope string

// The scopes. If a later run resumes a run, only the begun changes of the resumed run are applied, because nobody asked
// for the others.
const (
	All   Scope = ""
	Begun Scope = "begun" // the changes that have begun before
	// The scope Back is the part of Begun that gives licenses back: restores, rollbacks, and changes that an operator
	// has asked to restore.
	Back Scope = "back"
)

// Ended returns the status of a change that is complete in the ledger, the record of all changes. It is Failed for the
// outcome Unsure and for an unknown outcome, so that an operator looks at the change.
func Ended(o ledger.Outcome) Status {
	switch o {
	case ledger.Done:
		return Done
	case ledger.Announced:
		return Announced
	case ledger.RolledBack, ledger.Restored:
		return Kept
	default:
		return Failed
	}
}

// Result is one change with its status.
type Result struct {
	User              string `json:"user"`
	UserPrincipalName string `json:"userPrincipalName"`
	Rule              string `json:"rule"`
	License           string `json:"license"`
	To                string `json:"to,omitempty"`
	Status            Status `json:"status"`
	// Retry is set if the change is pending because a read or a write failed, or because the account is gone. Waiting
	// does not help: an operator must fix the failure, or bring the account back.
	Retry bool `json:"again,omitempty"`
	// Closed is set if the change was refused because no change of the plan may begin any more, for example after the
	// plan has expired.
	Closed bool `json:"closed,omitempty"`
	// Elsewhere is set if a restore was refused because another run restores or has restored this license.
	Elsewhere     bool    `json:"elsewhere,omitempty"`
	Note          string  `json:"note,omitempty"`
	MonthlySaving float64 `json:"monthlySaving"`
	// Sighting has the activity in Entra ID that was read just before the change, or nil. Later runs use it, because
	// Graph may return older dates again.
	Sighting *directory.Sighting `json:"sighting,omitempty"`
	// Logon has the last logon to Active Directory that was read just before the change, or nil. Later runs use it,
	// because a last logon is lost if its domain controller is removed or restored.
	Logon *directory.Sighting `json:"logon,omitempty"`
}

func ResultOf(c *plan.Change, s Status, note string) Result {
	return Result{
		User: c.User, UserPrincipalName: c.UserPrincipalName, Rule: c.Rule, License: c.License, To: c.To,
		Status: s, Note: note, MonthlySaving: c.MonthlySaving,
	}
}

// Results is the object runs/<run>/results/<batch>.json. The objects of PutEnded have the same form.
type Results struct {
	Run      string    `json:"run"`
	PlanHash string    `json:"planHash"`
	At       time.Time `json:"at"`
	Override string    `json:"override,omitempty"`
	Refused  string    `json:"refused,omitempty"` // the safety check that stopped the batch; empty if none did
	// Lost names the batches whose results were damaged, and then written again from the ledger. The ledger does not
	// have all that the damaged results said, such as who was kept.
	Lost    []string `json:"lost,omitempty"`
	Results []Result `json:"results"`
}

// PutResults writes the results of a batch.
func PutResults(ctx context.Context, s store.Store, batch string, r *Results) error {
	if err := store.PutJSON(ctx, s, layout.Result(r.Run, batch), r); err != nil {
		return fmt.Errorf("write the results of run %s (the ledger has them): %w", r.Run, err)
	}
	return nil
}

// PutEnded writes results of changes that one call has ended without taking the license. Two calls of one run may work
// on a batch at the same time, and the later one writes the batch as it knows it. The ledger has what both have taken,
// but only the results say what one of them has left to the person. So these results are an object of their own, which
// no call writes again.
func PutEnded(ctx context.Context, s store.Store, batch string, r *Results) error {
	if err := store.PutJSONIfAbsent(ctx, s, layout.Ended(r.Run, batch, layout.Attempt()), r); err != nil {
		return fmt.Errorf("write what a call of run %s has ended: %w", r.Run, err)
	}
	return nil
}

// GetResults returns the results that exist so far for the given batches, in their order. It skips batches without
// results. A change that the batch does not end has the result of PutEnded, if there is one. If results are damaged, or
// were damaged and then written again (see Results.Lost), it returns the results that are known, together with an error
// that wraps store.ErrDamaged.
func GetResults(ctx context.Context, s store.Store, p *plan.Plan, batches []plan.Batch) (*Results, error) {
	all, damaged, err := readResults(ctx, s, p, batches)
	if all != nil {
		err = errors.Join(err, all.lost())
		all.Lost = append(all.Lost, damaged...)
	}
	return all, err
}

// The method "lost" returns an error that names the objects of the batches in r.Lost. It returns nil if there are none.
func (r *Results) lost() (damage error) {
	for _, batch := range r.Lost {
		damage = errors.Join(damage, fmt.Errorf("read the results of run %s: %w %q: it was damaged before, and what it said then is lost; bring back an earlier version, or plan again", r.Run, store.ErrDamaged, layout.Result(r.Run, batch)))
	}
	return damage
}

// The function "readResults" is like GetResults, but results that were damaged earlier and then written again cause no
// error. Their batches are only listed in all.Lost. The list "damaged" has the batches whose results cannot be decoded
// now. The error "damage" names these batches, too.
func readResults(ctx context.Context, s store.Store, p *plan.Plan, batches []plan.Batch) (all *Results, damaged []string, damage error) {
	all = &Results{Run: p.Run, PlanHash: p.PlanHash, Results: []Result{}}
	for _, b := range batches {
		var one Results
		err := store.GetJSON(ctx, s, layout.Result(p.Run, b.Name), &one)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("read the results of run %s: %w", p.Run, err)
		}
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case errors.Is(err, store.ErrDamaged):
			damage, damaged = errors.Join(damage, err), append(damaged, b.Name)
			continue
		case err != nil:
			return nil, nil, err
		}
		all.Lost = append(all.Lost, one.Lost...)
		all.Results = append(all.Results, one.Results...)
		if one.At.After(all.At) {
			all.At = one.At
		}
		all.Override, all.Refused = cmp.Or(one.Override, all.Override), cmp.Or(all.Refused, one.Refused)
	}
	err := all.addEnded(ctx, s, batches)
	if err != nil && !errors.Is(err, store.ErrDamaged) {
		return nil, nil, err
	}
	return all, damaged, errors.Join(damage, err)
}

// The method "addEnded" adds the results of PutEnded to those of the batches. Such a result does not count if another
// call of the run has begun the change, because that call or a later one then ends it.
func (r *Results) addEnded(ctx context.Context, s store.Store, batches []plan.Batch) (damage error) {
	for key, err := range s.List(ctx, layout.Results(r.Run)) {
		if err != nil {
			return fmt.Errorf("look for the results of run %s: %w", r.Run, err)
		}
		name, _, inFolder := strings.Cut(strings.TrimPrefix(key, layout.Results(r.Run)), "/")
		i := slices.IndexFunc(batches, func(b plan.Batch) bool { return b.Name == name })
		if !inFolder || i < 0 {
			continue
		}
		var one Results
		err := store.GetJSON(ctx, s, key, &one)
		if err == nil {
			err = r.addUnbegun(ctx, s, batches[i].Changes, &one)
		}
		if err == nil {
			continue
		}
		if err = fmt.Errorf("read the results of run %s: %w", r.Run, err); !errors.Is(err, store.ErrDamaged) {
			return err
		}
		damage = errors.Join(damage, err)
	}
	return damage
}

func (r *Results) addUnbegun(ctx context.Context, s store.Store, changes []plan.Change, ended *Results) error {
	for _, c := range changes {
		x := ended.Of(&c)
		if x == nil || r.Final(&c) {
			continue
		}
		last, err := ledger.In(s).Latest(ctx, c.Person(), c.License)
		if err != nil && !errors.Is(err, ledger.ErrDamaged) { // nothing is changed about a damaged license
			return err
		}
		if last == nil || last.Run != r.Run {
			r.Set(*x)
		}
	}
	return nil
}

// Of returns the result of a change, or nil if the change has no result yet.
func (r *Results) Of(c *plan.Change) *Result {
	i := slices.IndexFunc(r.Results, func(x Result) bool { return x.User == c.User && x.License == c.License })
	if i < 0 {
		return nil
	}
	return &r.Results[i]
}

// Unrestored returns the number of licenses that a restore left out, because their change was refused or kept. A
// license that another run restores does not count.
func (r *Results) Unrestored() (n int) {
	for _, x := range r.Results {
		if (x.Status == Refused || x.Status == Kept) && !x.Elsewhere {
			n++
		}
	}
	return n
}

// Resumed returns the result of the change b, which an earlier run began and the plan p finishes. If p restores the
// earlier run, the change must not take the license any more. If it took the license nevertheless, its result counts as
// failed, because nothing restored the license. Resumed returns nil if b is of another run than r, or has no result.
func (r *Results) Resumed(p *plan.Plan, b *plan.Begun) *Result {
	x := r.Of(&plan.Change{User: b.User, License: b.License})
	if b.Run != r.Run || x == nil {
		return nil
	}
	if p.Restores != r.Run || b.Rule == plan.RestoreRule || x.Status != Done {
		return x
	}
	lost := *x
	lost.Status, lost.Note = Failed, "not restored, because the run had taken it before it was stopped; restore again"+plain.Prefixed(": ", x.Note)
	return &lost
}

// Final reports whether a change needs no further work.
func (r *Results) Final(c *plan.Change) bool {
	x := r.Of(c)
	return x != nil && x.Status != Pending
}

// Set adds the result of a change, or replaces an earlier one.
func (r *Results) Set(x Result) {
	if known := r.Of(&plan.Change{User: x.User, License: x.License}); known != nil {
		*known = x
		return
	}
	r.Results = append(r.Results, x)
}

// Count returns the number of results with the given status.
func (r *Results) Count(s Status) int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Status == s {
			n++
		}
	}
	return n
}

// Troubled returns the number of pending changes for which waiting does not help (see Result.Retry).
func (r *Results) Troubled() int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Retry {
			n++
		}
	}
	return n
}
