package decision

import (
	"fmt"
	"time"

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
// announcement counts no longer if the person was active after it.
func (r *Run) notice(d *plan.Decision, rule *policy.Rule, past *history.Item, now time.Time) {
	if !r.told(past) || activeSince(d, past) {
		d.Notice = rule.Notice > 0
		return
	}
	again := rule.Notice > 0 && (past.State == history.Unsure || past.Rule != rule.Name || past.To != d.To)
	if due := dueOf(rule, past); now.Before(due) {
		d.Refused = waits(past, due, again)
	} else {
		d.Notice = again
	}
}

// The method "told" reports whether a change was announced in the way that the policy asks for. If the policy sends
// mails, an announcement in the ledger alone does not count.
func (r *Run) told(past *history.Item) bool {
	return past != nil && (past.State == history.Announced || past.State == history.Unsure) && (past.ByMail || r.Policy.Notices == nil)
}

// activeSince reports whether the person was active after the announcement.
func activeSince(d *plan.Decision, past *history.Item) bool {
	var idle time.Time
	if past.IdleSince != nil {
		idle = *past.IdleSince
	}
	return d.IdleSince.After(idle)
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
