package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// The method "change" carries out as much of a change as is possible now.
func (j *job) change(ctx context.Context, c *plan.Change, e reading) runs.Result {
	m := &move{job: j, person: e.person, latest: e.latest, read: e.read, change: c}
	result := func(s runs.Status, format string, args ...any) runs.Result {
		again := s == troubled
		if again {
			s = runs.Pending
		}
		r := runs.ResultOf(c, s, fmt.Sprintf(format, args...))
		if r.Retry = again; m.person != nil && s == runs.Kept && c.RestoreOf == "" {
			r.Sighting, r.Logon = m.person.Sightings(m.read)
		}
		return r
	}
	page, err := j.ledger.Of(ctx, c.Person())
	if err != nil {
		return result(troubled, "nothing was done: %v", err)
	}
	last, err := page.Latest(ctx, c.License)
	if errors.Is(err, ledger.ErrDamaged) {
		return result(runs.Refused, "%v", err)
	}
	if err != nil {
		return result(troubled, "nothing was done: %v", err)
	}
	ours := last != nil && last.Run == j.plan.Run
	m.page = page
	if ours && last.Completion != nil {
		if c.RestoreOf != "" && last.Completion.Outcome == ledger.Done && e.person != nil {
			if why, err := m.unproven(ctx, last); err != nil || why != "" {
				return result(troubled, "%s", cmp.Or(why, fmt.Sprint(err)))
			}
		}
		if why, err := m.takenSince(ctx, last); err != nil || why != "" {
			return result(troubled, "%s", cmp.Or(why, fmt.Sprint(err)))
		}
		return result(runs.Ended(last.Completion.Outcome), "%s", last.Completion.Note)
	}
	if ours {
		m.entry = last
	}
	via := c.Via
	if ours {
		via = plan.Via(last.Via)
	}
	if e.lost && via.WrittenIn() == directory.Entra { // the license belonged to that account
		e = reading{gone: true, why: goneFromEntra}
	}
	switch {
	case e.person == nil && !e.gone:
		return result(troubled, "nothing was done: %s", e.why)
	case e.adError != nil && (c.Via.WrittenIn() == directory.AD || ours && plan.Via(last.Via).WrittenIn() == directory.AD):
		return result(troubled, "nothing was done: Active Directory could not be read: %v", e.adError)
	case e.person == nil && ours:
		status, note := m.gone(ctx, e.why)
		return result(status, "%s", note)
	case e.person == nil && j.plan.Restores != "":
		return result(runs.Failed, "nobody is there to restore it to: %s", e.why)
	case e.person == nil:
		return result(runs.Kept, "%s", e.why)
	case !ours && j.plan.Restores == "" && e.lost:
		return result(runs.Kept, "%s", goneFromEntra)
	case !ours && j.plan.Restores == "" && e.person.ID() != c.User:
		return result(runs.Refused, "known to Entra ID by now as %s; plan again", e.person.ID())
	}
	if c.RestoreOf != "" {
		status, note := j.restore(ctx, m, last)
		r := result(status, "%s", note)
		r.Elsewhere = m.elsewhere
		return r
	}
	if !ours {
		if r, stop := j.begin(ctx, m, last, result); stop {
			return r
		}
	}
	if ours {
		if why, err := j.altered(ctx, last, c); err != nil {
			return result(troubled, "%v", err)
		} else if why != "" {
			return result(runs.Refused, "%s", why)
		}
	}
	if err := m.lookAgain(ctx, ours); err != nil {
		return result(troubled, "%v", err)
	}
	next := m.advance
	if c.Via == plan.Notice {
		next = m.announce
	}
	status, note := next(ctx, ours)
	for tries := 1; status == aged; tries++ {
		if tries == mostReadings {
			return result(troubled, "nothing was taken: %v", errAged)
		}
		e := j.again(ctx, c)
		if e.person == nil || e.adError != nil {
			return result(troubled, "nothing was taken: %v%s", errAged, plain.Prefixed("; read again: ", cmp.Or(e.why, errorText(e.adError))))
		}
		m.person, m.latest, m.read, m.groups, m.listed = e.person, e.latest, e.read, nil, nil
		if err := m.lookAgain(ctx, true); err != nil {
			return result(troubled, "%v", err)
		}
		status, note = next(ctx, true)
	}
	return result(status, "%s", note)
}

// The constant "mostReadings" is how often a call tries one change. If the evidence is too old to take the license, the
// call reads the person again and tries again.
const mostReadings = 3

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The constant "inBin" is how long Entra ID keeps a deleted account. During this time, an administrator can restore the
// account with its licenses (Microsoft Graph, directory: deletedItems).
const inBin = 30 * 24 * time.Hour

// The method "gone" ends a change whose account no longer exists. If the change may have taken the license, the change
// stays open until the time inBin has passed since it began, because the account may come back.
func (m *move) gone(ctx context.Context, why string) (runs.Status, string) {
	left, err := m.ledger.LeavingMark(ctx, m.entry)
	switch {
	case err != nil:
		return troubled, err.Error()
	case left != nil && m.Now().Sub(m.entry.At) < inBin:
		return runs.Pending, why + "; the change stays open for 30 days, in which the account may come back"
	}
	return m.complete(ctx, ledger.Failed, why)
}

// The method "begin" asks the rule again and writes the intent. It refuses the change for reasons that need the ledger or
// a comparison with the plan. A refusal that a plan can find, too, belongs in decision.Run.Decide, which the method also
// calls. The parameter "last" is the newest ledger entry for the person and the license. The result "stop" is true if the change must not continue. The result "r" is then the result
// of the change.
func (j *job) begin(ctx context.Context, m *move, last *ledger.Entry, result func(runs.Status, string, ...any) runs.Result) (r runs.Result, stop bool) {
	if j.closed != "" {
		return result(runs.Refused, "%s", j.closed), true
	}
	if why := m.recalled(); why != "" {
		return result(runs.Refused, "%s", why), true
	}
	if last != nil && last.Completion != nil && last.Completion.At.After(j.plan.Created) {
		return result(runs.Refused, "run %s changed it after this plan was made; plan again", last.Run), true
	}
	if last != nil && m.recent(last) {
		return result(runs.Refused, "run %s was at it a moment ago, and reads may not show that yet; plan again in some minutes", last.Run), true
	}
	rule, v, keep := m.ask()
	if keep != "" {
		return result(runs.Kept, "%s", keep), true
	}
	first, err := m.earlierRules(ctx, rule)
	var others []plan.Swap
	if err == nil {
		others, err = m.conflict(ctx)
	}
	past, pastErr := m.past(ctx, rule.License.Name)
	if err = errors.Join(err, pastErr); unbelieved(err) {
		return result(runs.Refused, "%v", err), true
	} else if err != nil {
		return result(troubled, "nothing was done: %v", err), true
	}
	d := j.run.Decide(j.judge, rule, m.person, v, past, first)
	users, err := j.userMailbox(ctx, &d)
	if err != nil {
		return result(troubled, "nothing was done: %v", err), true
	}
	route, unsafe := j.run.Tenant.Route(m.person, rule, others)
	switch {
	case d.Refused != "":
		return result(runs.Refused, "%s", d.Refused), true
	case unsafe != "": // Decide knows the pending changes of the digest alone, and the ledger has all
		return result(runs.Refused, "%s", unsafe), true
	case d.Blocked && !users:
		return result(runs.Refused, "%s", plan.MayBeShared), true
	case d.Notice != (m.change.Via == plan.Notice):
		return result(runs.Refused, "it would now have to be announced first, or was announced already; plan again"), true
	case !d.Notice && d.Via != m.change.Via:
		return result(runs.Refused, "now held in another way (%s) than when it was planned (%s); plan again", d.Via, m.change.Via), true
	}
	in := j.intent(m.change)
	if past != nil {
		in.HeldSince = past.Given()
	}
	if !d.Notice {
		in.Via, in.Source, in.Target, in.SKU, in.TargetSKU = string(route.Via), route.Source, route.Target, route.SKU, route.TargetSKU
		in.SourceEntra, in.TargetEntra = route.SourceEntra, route.TargetEntra
		if why, err := targets[route.Via].identify(ctx, j, &in); err != nil {
			return result(troubled, "nothing was done: %v", err), true
		} else if why != "" {
			return result(runs.Refused, "%s", why), true
		}
		if in.Before, err = m.holding(ctx, &in); err != nil {
			return result(troubled, "nothing was done: what the person holds could not be read: %v", err), true
		}
		in.InTarget = in.Target != "" && slices.Contains(in.Before.InGroups, in.Target)
	}
	if m.entry, err = j.ledger.Begin(ctx, in, last); unbelieved(err) {
		return result(runs.Refused, "%v", err), true
	} else if err != nil {
		return result(troubled, "nothing was done: %v", err), true
	}
	return runs.Result{}, false
}

// The method "intent" returns the intent of a change, without groups and products.
func (j *job) intent(c *plan.Change) ledger.Intent {
	return ledger.Intent{
		Person: c.User, SID: c.SID, UserPrincipalName: c.UserPrincipalName, License: c.License, MonthlySaving: c.MonthlySaving, Run: j.plan.Run, PlanHash: j.plan.PlanHash, Rule: c.Rule, To: c.To, Via: string(c.Via),
		RestoreOf: c.RestoreOf, Reason: c.Reason, At: j.Now().UTC(), IdleSince: c.IdleSince, ApprovedBy: j.approver,
		SavesNothing: c.SavesNothing, Payer: c.Payer,
	}
}
