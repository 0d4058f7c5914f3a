package decision

import (
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// The method "notice" sets d.Notice if the change must be announced. If the change is announced already, it sets
// d.Refused until the day of the announcement.
//
// An announcement promises that the person keeps the license by using it before the day. It therefore holds for every
// rule about the license, and no later edit of the policy brings the day forward. If another rule made the announcement,
// if it names another target, or if nobody knows whether the mail was sent, the change must be announced again after the
// day of the first announcement. So nobody gets two mails for one notice, and nobody loses a license without a mail. An
// announcement counts no longer if the person was active after it, or if its day was too long ago (noticeCounts).
func (r *Run) notice(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person, past *history.Item) {
	if !r.told(past) || activeSince(d, judge.LeaveEnd(p), past) {
		d.Notice = rule.Notice > 0
		return
	}
	again := rule.Notice > 0 && (past.State == history.Unsure || past.Rule != rule.Name || past.To != d.To)
	switch now, due := judge.Now(), dueOf(rule, past); {
	case now.After(due.Add(noticeCounts)):
		d.Notice = rule.Notice > 0
	case now.Before(due):
		d.Refused = waits(past, due, again)
	default:
		d.Notice = again
	}
}

// noticeCounts is how long an announcement counts after its day. A license that was not taken by then was not due, for
// example because the person was exempt, or the run could not take it. The person does not expect the change any more.
const noticeCounts = 30 * 24 * time.Hour

// The method "told" reports whether a change was announced in the way that the policy asks for. If the policy sends
// mails, an announcement in the ledger alone does not count.
func (r *Run) told(past *history.Item) bool {
	return past != nil && (past.State == history.Announced || past.State == history.Unsure) && (past.ByMail || r.Policy.Notices == nil)
}

// activeSince reports whether the person was active after the announcement. The end of a leave counts as activity, as it
// does for the rules.
func activeSince(d *plan.Decision, leaveEnd time.Time, past *history.Item) bool {
	var idle time.Time
	if past.IdleSince != nil {
		idle = *past.IdleSince
	}
	return d.IdleSince.After(idle) || leaveEnd.After(past.At)
}

// The function "waits" returns the refusal of an announced change that is not due. The parameter "again" says whether the
// change must then be announced again.
func waits(past *history.Item, due time.Time, again bool) string {
	at := due.UTC().Format(time.RFC3339)
	switch {
	case again && past.State == history.Unsure:
		return fmt.Sprintf("perhaps announced: nobody knows whether the mail of %s was sent; announced again from %s on if the person is still idle", dayOf(past.At), at)
	case again:
		return fmt.Sprintf("announced on %s; announced again from %s on if the person is still idle", dayOf(past.At), at)
	}
	return fmt.Sprintf("announced on %s; done from %s on if the person is still idle", dayOf(past.At), at)
}

// dueOf returns the time from which an announced change may be made. It is the later of the time that the announcement
// named and the time that the rule asks for now.
func dueOf(rule *policy.Rule, past *history.Item) time.Time {
	if due := past.At.Add(time.Duration(rule.Notice) * 24 * time.Hour); due.After(past.Due) {
		return due
	}
	return past.Due
}
