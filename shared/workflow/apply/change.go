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

func (j *job) change(ctx context.Context, c *plan.Change, e reading) runs.Result {
	m := &move{job: j, person: e.person, leftOut: e.leftOut, latest: e.latest, adError: e.adError, read: e.read, change: c}
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
	m.page = page
	ours := last != nil && last.Run == j.plan.Run
	if ours && last.Completion != nil {
		status, note := m.ended(ctx, last)
		return result(status, "%s", note)
	}
	via := c.Via
	if ours {
		m.entry, via = last, plan.Via(last.Via)
		if e, err = m.forReturn(ctx, e); err != nil {
			return result(troubled, "nothing was done: %v", err)
		}
	}
	if e.lost && via.WrittenIn() == directory.Entra { // the license belonged to that account
		e = reading{gone: true, why: goneFromEntra}
		m.person = nil
	}
	if ours {
		if err := m.seen(ctx); err != nil {
			return result(troubled, "nothing was done: %v", err)
		}
	}
	if status, note := m.unreadable(ctx, e); status != "" {
		return result(status, "%s", note)
	}
	if c.RestoreOf != "" {
		status, note := j.restore(ctx, m, last)
		r := result(status, "%s", note)
		r.Elsewhere = m.elsewhere
		return r
	}
	if ours {
		if why, err := j.altered(ctx, last, c); err != nil {
			return result(troubled, "%v", err)
		} else if why != "" {
			return result(runs.Refused, "%s", why)
		}
	} else if r, stop := j.begin(ctx, m, last, result); stop {
		return r
	}
	if err := m.lookAgain(ctx, ours); err != nil {
		return result(troubled, "%v", err)
	}
	status, note := m.try(ctx, ours)
	return result(status, "%s", note)
}

// The method "ended" returns the status and the note of a change that an earlier call completed. It reads whether the
// directory still shows what the ledger says.
func (m *move) ended(ctx context.Context, last *ledger.Entry) (runs.Status, string) {
	if m.change.RestoreOf != "" && last.Completion.Outcome == ledger.Done && m.person != nil {
		if why, err := m.unproven(ctx, last); err != nil || why != "" {
			return troubled, cmp.Or(why, fmt.Sprint(err))
		}
	}
	if why, err := m.takenSince(ctx, last); err != nil || why != "" {
		return troubled, cmp.Or(why, fmt.Sprint(err))
	}
	return runs.Ended(last.Completion.Outcome), last.Completion.Note
}

// The method "unreadable" ends a change of a person who was not read, who is gone, or who has another account by now.
// If the change may go on, the status is "". The field "entry" is nil if the run has not begun the change.
func (m *move) unreadable(ctx context.Context, e reading) (runs.Status, string) {
	ours := m.entry != nil
	switch {
	case e.person == nil && !e.gone:
		return troubled, "nothing was done: " + e.why
	case e.adError != nil && (m.change.Via.WrittenIn() == directory.AD || ours && plan.Via(m.entry.Via).WrittenIn() == directory.AD):
		return troubled, "nothing was done: Active Directory could not be read: " + e.adError.Error()
	case e.person == nil && ours:
		return m.gone(ctx, e.why)
	case e.person == nil && m.plan.Restores != "":
		return runs.Failed, "nobody is there to restore it to: " + e.why
	case e.person == nil:
		return runs.Kept, e.why
	case !ours && m.plan.Restores == "" && e.lost:
		return runs.Kept, goneFromEntra
	case !ours && e.leftOut != nil && (e.person.ID() == "" || m.change.Via.WrittenIn() == directory.AD && m.change.RestoreOf == ""):
		return runs.Kept, leftOutNow // of an account that is left out and alone, no rule knows that the person is back
	case !ours && m.plan.Restores == "" && e.person.ID() != m.change.User:
		return runs.Refused, "known to Entra ID by now as " + e.person.ID() + "; plan again"
	}
	return "", ""
}

// The method "forReturn" returns the reading with which a change goes on that the run has begun. If it is not enough, for
// example because an exempt group could not be read, and the change returns its license, it reads the person again as a
// call of the scope runs.Back does. A change that returns a license asks no rule, so it needs no more.
func (m *move) forReturn(ctx context.Context, e reading) (reading, error) {
	inAD := plan.Via(m.entry.Via).WrittenIn() == directory.AD
	enough := e.gone || e.person != nil && !(inAD && (e.adError != nil || e.person.ADState == directory.Contradictory))
	if enough || m.onlyGivesBack() {
		return e, nil
	}
	if m.recalled() == "" {
		if back, err := m.ledger.Returning(ctx, m.entry); err != nil || !back {
			return e, err
		}
	}
	again, err := m.bareOf(ctx, m.change)
	again.read = e.read
	m.person, m.leftOut, m.latest, m.adError = again.person, nil, time.Time{}, again.adError
	return again, err
}

// The constant "mostReadings" is how often a call tries one change. If the evidence is too old, each try reads the
// person again.
const mostReadings = 3

// The method "try" makes the next steps of the change, or sends its notice. The parameter "resumed" reports whether an
// earlier call began the change.
func (m *move) try(ctx context.Context, resumed bool) (runs.Status, string) {
	next := m.advance
	if m.change.Via == plan.Notice {
		next = m.announce
	}
	status, note := next(ctx, resumed)
	for tries := 1; status == aged; tries++ {
		if tries == mostReadings {
			return troubled, "nothing was taken: " + errAged.Error()
		}
		e := m.again(ctx, m.change)
		if e.person == nil || e.adError != nil {
			return troubled, "nothing was taken: " + errAged.Error() + plain.Prefixed("; read again: ", cmp.Or(e.why, errorText(e.adError)))
		}
		m.person, m.leftOut, m.latest, m.read, m.groups, m.listed = e.person, e.leftOut, e.latest, e.read, nil, nil
		if err := m.lookAgain(ctx, true); err != nil {
			return troubled, err.Error()
		}
		status, note = next(ctx, true)
	}
	return status, note
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The method "begin" asks the rule again and writes the intent. It refuses the change for reasons that need the ledger
// or a comparison with the plan. A refusal that a plan can find, too, belongs in decision.Run.Decide. The parameter
// "last" is the newest ledger entry for the person and the license. If "stop" is true, the change must not continue,
// and "r" is its result.
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
	if d.Notice {
		in.Notice, in.ByMail = rule.Notice, j.run.Policy.Notices != nil
	} else if why, err := m.along(ctx, route, &in); err != nil {
		return result(troubled, "nothing was done: %v", err), true
	} else if why != "" {
		return result(runs.Refused, "%s", why), true
	}
	if m.entry, err = j.ledger.Begin(ctx, in, last); unbelieved(err) {
		return result(runs.Refused, "%v", err), true
	} else if err != nil {
		return result(troubled, "nothing was done: %v", err), true
	}
	return runs.Result{}, false
}

// The method "along" adds to an intent the groups and products of a route, and what the person holds before the change.
// The result "refusal" says why the change must not begin, or is "".
func (m *move) along(ctx context.Context, route plan.Route, in *ledger.Intent) (refusal string, err error) {
	in.Via, in.Source, in.Target, in.SKU, in.TargetSKU = string(route.Via), route.Source, route.Target, route.SKU, route.TargetSKU
	in.SourceEntra, in.TargetEntra = route.SourceEntra, route.TargetEntra
	if refusal, err = targets[route.Via].identify(ctx, m.job, in); err != nil || refusal != "" {
		return refusal, err
	}
	if in.Before, err = m.holding(ctx, in); err != nil {
		return "", fmt.Errorf("what the person holds could not be read: %w", err)
	}
	in.InTarget = in.Target != "" && slices.Contains(in.Before.InGroups, in.Target)
	return "", nil
}

// The method "intent" returns the intent of a change, without groups and products.
func (j *job) intent(c *plan.Change) ledger.Intent {
	return ledger.Intent{
		Person: c.User, SID: c.SID, UserPrincipalName: c.UserPrincipalName, License: c.License, MonthlySaving: c.MonthlySaving, Run: j.plan.Run, PlanHash: j.plan.PlanHash, Rule: c.Rule, To: c.To, Via: string(c.Via),
		RestoreOf: c.RestoreOf, Reason: c.Reason, At: j.Now().UTC(), IdleSince: c.IdleSince, ApprovedBy: j.approver,
		SavesNothing: c.SavesNothing, Payer: c.Payer,
	}
}
