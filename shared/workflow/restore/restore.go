// Package restore makes the plan that restores the licenses that a run took. The plan belongs to a new run. Its changes
// come from the ledger alone, because the data of the earlier run may be missing or damaged.
package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrNothing is returned if there is nothing to restore.
var ErrNothing = errors.New("nothing to restore")

// Request is a request to restore licenses.
type Request struct {
	Of   string // the run that took the licenses
	User string // object id, SID or user principal name of the only person; empty: everybody
	// Name is the name of the person of User by which an operator gave the id in User, or "". When an account in Entra ID
	// was created again, the newest run may know the person by this name, and not by the new id.
	Name string
	Run  string // the new run of the restore
	// Policy is the text of the policy in force. It is empty if the policy cannot be read.
	Policy string
	// Deployment is the name of the deployment in AWS that restores. It is empty if a command on an operator's machine
	// restores.
	Deployment string
	// Unreadable has the errors about damaged ledger entries of the person. The caller found them.
	Unreadable []string

	// If the request is for one person, the field "keys" has the ids and the SID of this person, as far as the newest
	// run knows them. The field "failed" says why ids may be missing.
	keys   []string
	failed error
	// The field "others" has the licenses that the run may have taken from other people than the only one.
	others map[history.Touch]bool
}

// Plan makes the plan that restores the licenses that the run in.Of took, from everybody or from one person. It omits
// licenses that are restored already. When the plan is applied, no rule is evaluated. Plan fails with ErrNothing if
// there is nothing to restore.
//
// A restore for everybody first stops the run in.Of. A restore for one person stops only the changes of this person in
// that run. If one of the licenses has an unfinished change, of the run in.Of or of another restore of it, the plan
// resumes the run of that change. If that run cannot go on, the plan itself rolls the change back or finishes it.
func Plan(ctx context.Context, s store.Store, in Request, now time.Time) (*plan.Plan, error) {
	book := ledger.In(s)
	touches, err := touched(ctx, s, book, in)
	if err != nil {
		return nil, err
	}
	known := false
	if in.User != "" {
		who, err := keysOf(ctx, s, now, in.User, in.Name)
		if err != nil {
			return nil, err
		}
		in.keys, in.failed, known = who.keys, who.failed, who.unknown == ""
	}
	stopped, others, err := stop(ctx, s, in, now)
	if err != nil {
		return nil, err
	}
	if known { // otherwise a change of another name may be one of the same person
		in.others = others
	}
	if in.failed != nil && !runs.Gone(in.failed) { // a repeated call may find other ids
		return nil, fmt.Errorf("nothing is restored yet, and run %s is stopped for %q; call it again: %w", in.Of, in.User, in.failed)
	}
	found, err := restorable(ctx, s, book, touches, in)
	if err != nil {
		return nil, err
	}
	if len(found.changes)+len(found.resumes) == 0 {
		return nil, found.nothing(in, stopped)
	}
	if err := lay(ctx, s, in, found.changes, now); err != nil {
		return nil, err
	}
	r, err := decision.Open(ctx, s, in.Run)
	if err != nil {
		return nil, err
	}
	p := runs.NewPlan(r, now)
	p.Sources = map[string]plan.Feed{}
	for _, source := range []string{"entra", "ad"} {
		p.Sources[source] = plan.Feed{State: plan.Absent, Reason: "a restore reads nobody"}
	}
	p.Restores, p.Changes, p.Resumes, p.HoldReasons, p.Verdict = in.Of, found.changes, found.resumes, []string{}, plan.Review
	p.Unreadable, p.Pending = found.unreadable, found.pending
	if in.User != "" {
		p.RestoresUser = in.keys[0]
	}
	for _, why := range p.Unreadable {
		p.Notes = append(p.Notes, "not restored: "+plain.OneLine(why))
	}
	if in.failed != nil {
		p.Notes = append(p.Notes, in.doubt())
	}
	switch p.Mode {
	case policy.Enforce:
		p.Verdict = plan.Apply
	case policy.Audit: // the operator asked for the restore
		p.Mode = policy.Review
	}
	for _, c := range p.Changes {
		p.MonthlySaving += c.MonthlySaving
	}
	p.Bind()
	if err := history.PutPlanned(ctx, s, history.PlannedBy(p), false); err != nil {
		return nil, err
	}
	if err := runs.PutPlan(ctx, s, p, runs.Nobody); err != nil {
		return nil, err
	}
	if err := report.PutChanges(ctx, s, nil, p); err != nil {
		return nil, err
	}
	return p, nil
}

// The method "about" reports whether the request is for the person with the given names, or for everybody. The
// parameter "key" is the person's key in the ledger.
func (in *Request) about(key, sid, name string) bool {
	return in.User == "" || key == in.User || sid == in.User || strings.EqualFold(name, in.User) ||
		slices.Contains(in.keys, key) || slices.Contains(in.keys, sid)
}

// The function "touched" lists the licenses that a run may have taken. It reads the list that the run stored with its
// plan. Without such a list, it returns every license in the ledger, because a person can have entries under an object
// id and under a SID. It fails with runs.ErrNoPlan if the run left no trace.
func touched(ctx context.Context, s store.Store, book *ledger.Ledger, in Request) ([]history.Touch, error) {
	p, err := history.GetPlanned(ctx, s, in.Of)
	switch {
	case err == nil:
		return p.Touches, nil
	case errors.Is(err, store.ErrBadKey):
		return nil, fmt.Errorf("run %q: %w", in.Of, runs.ErrNoPlan)
	case !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrDamaged):
		return nil, err
	}
	touches, known := []history.Touch{}, errors.Is(err, store.ErrDamaged)
	for t, err := range book.All(ctx) {
		if err != nil {
			return nil, err
		}
		touches = append(touches, history.Touch{User: t.Person, License: t.License})
	}
	found, err := restorable(ctx, s, book, touches, Request{Of: in.Of})
	if err == nil && !known && len(found.changes)+len(found.resumes)+len(found.unreadable)+found.back == 0 {
		err = fmt.Errorf("run %q: %w, and the ledger has nothing of it", in.Of, runs.ErrNoPlan)
	}
	return touches, err
}

// The type "found" says what a restore must do, according to the ledger.
type found struct {
	changes    []plan.Change
	resumes    []string // runs that have open changes of these licenses
	pending    []plan.Begun
	unreadable []string // errors about damaged ledger entries
	back       int      // number of changes that were restored or changed nothing
}

// The method "nothing" returns the error of a restore that found nothing to restore. The run of the request may begin
// no more changes even then, and the error says so. If the request is for one person, "stopped" is the number of this
// person's changes in the plan of that run.
func (f *found) nothing(in Request, stopped int) error {
	ends := "it is stopped all the same, so its plan cannot be applied any more; plan again to take licenses"
	switch {
	case in.User != "" && stopped == 0:
		ends = "its plan has no change of this person, so none is stopped; if one is meant, give the object id or the SID of the person"
	case in.User != "":
		ends = "its changes of this person are stopped all the same"
	}
	if len(f.unreadable) > 0 {
		return fmt.Errorf("%w to restore run %s: %s; %s", runs.ErrRefused, in.Of, strings.Join(f.unreadable, "; "), ends)
	}
	if in.failed != nil {
		ends += "; " + in.doubt()
	}
	return fmt.Errorf("%w: run %s took nothing%s that is not restored already; %s", ErrNothing, in.Of, map[bool]string{true: " of " + in.User}[in.User != ""], ends)
}

// readAtOnce is the largest number of licenses whose ledger entries are read concurrently.
const readAtOnce = 16

// The function "restorable" finds out what a restore must do about the licenses in "touches".
func restorable(ctx context.Context, s store.Store, book *ledger.Ledger, touches []history.Touch, in Request) (*found, error) {
	var mu sync.Mutex
	known := map[string]bool{}
	over := func(run string) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if lost, asked := known[run]; asked {
			return lost, nil
		}
		lost, err := isOver(ctx, s, run)
		if err == nil {
			known[run] = lost
		}
		return lost, err
	}
	parts := make([]found, len(touches))
	all, gctx := errgroup.WithContext(ctx)
	all.SetLimit(readAtOnce)
	for i, t := range touches {
		all.Go(func() error {
			e, err := book.Standing(gctx, t.User, t.License)
			switch {
			case errors.Is(err, ledger.ErrDamaged) && in.others[history.Touch{User: t.User, License: t.License}]:
				return nil
			case errors.Is(err, ledger.ErrDamaged):
				parts[i].unreadable = []string{err.Error()}
				return nil
			}
			if err != nil || e == nil || !in.about(e.Person, e.SID, e.UserPrincipalName) {
				return err
			}
			return parts[i].note(e, in, over)
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	sum := &found{changes: []plan.Change{}, unreadable: in.Unreadable}
	for _, p := range parts {
		sum.changes, sum.resumes = append(sum.changes, p.changes...), append(sum.resumes, p.resumes...)
		sum.pending, sum.back = append(sum.pending, p.pending...), sum.back+p.back
		sum.unreadable = append(slices.Clip(sum.unreadable), p.unreadable...)
	}
	slices.Sort(sum.unreadable)
	sum.unreadable = slices.Compact(sum.unreadable)
	slices.Sort(sum.resumes)
	sum.resumes = slices.Compact(sum.resumes)
	return sum, nil
}

// The method "note" records what the restore must do about a ledger entry. The function "over" reports whether a run
// cannot go on. The restore then rolls back the run's open change, or finishes it if the change restores a license.
func (f *found) note(e *ledger.Entry, in Request, over func(run string) (bool, error)) error {
	done := e.Completion != nil
	switch {
	case !done && (e.Run == in.Of || e.RestoreOf == in.Of):
		lost, err := over(e.Run)
		switch {
		case err != nil:
			return err
		case !lost:
			f.resumes, f.pending = []string{e.Run}, []plan.Begun{begunBy(e)}
		case e.RestoreOf == "":
			rolledBack := change(e, "roll back what run "+e.Run+" had begun")
			rolledBack.MonthlySaving = 0
			f.changes = []plan.Change{rolledBack}
		default:
			rest := change(e, "finish what run "+e.Run+" had begun to restore")
			rest.MonthlySaving, rest.RestoreOf = e.MonthlySaving, e.RestoreOf
			f.changes = []plan.Change{rest}
		}
	case done && e.Run == in.Of && e.Completion.Outcome == ledger.Done && e.RestoreOf == "":
		f.changes = []plan.Change{change(e, "restore what run "+in.Of+" took")}
	case e.Run == in.Of, e.RestoreOf == in.Of:
		f.back = 1
	}
	return nil
}

func begunBy(e *ledger.Entry) plan.Begun {
	return plan.Begun{User: e.Person, UserPrincipalName: e.UserPrincipalName, Rule: e.Rule, License: e.License, To: e.To, Run: e.Run, Since: e.At, Reason: "to be restored", Back: true}
}

func change(e *ledger.Entry, reason string) plan.Change {
	return plan.Change{
		User: e.Person, SID: e.SID, UserPrincipalName: e.UserPrincipalName, Rule: plan.RestoreRule, License: e.License, To: e.To, Via: plan.Via(e.Via),
		Reason: reason, IdleSince: e.IdleSince, MonthlySaving: 0 - e.MonthlySaving, RestoreOf: e.Run,
	}
}
