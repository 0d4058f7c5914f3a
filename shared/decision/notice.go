package decision

import (
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// The method "notice" sets d.Notice if the change must be announced. If it is announced already, the method sets
// d.Refused until the change may be made.
//
// An announcement names a day, and promises that a use before this day keeps the license. So it holds for every rule
// about the license, and a later edit of the policy cannot make the day earlier. The announcement no longer counts if
// the person was active after it, or if its day was too long ago (noticeCounts).
//
// No second mail is sent before that day. Afterwards, the change is announced again in four cases: another rule made
// the announcement, it names another target license, it did not know the person's last activity, or it is unknown
// whether the mail was sent.
//
// A use appears in the data only after some time, in usage reports after two to three days. So the change waits until
// the data show each use before that day (dueOf).
func (r *Run) notice(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person, past *history.Item) {
	if !r.told(rule, past) || activeAfter(past.At, d, judge, p) || judge.Now().After(dueOf(rule, past).Add(noticeCounts)) {
		d.Notice = rule.Notice > 0
		return
	}
	again := rule.Notice > 0 && (past.State == history.Unsure || past.Rule != rule.Name || past.To != d.To || d.IdleSince.After(idleBefore(past)))
	switch due := dueOf(rule, past); {
	case judge.Now().Before(due):
		d.Refused = waits(past, due, again)
	case again:
		d.Notice = true
	case !rule.Covered(p, promised(rule, past)):
		d.Refused = fmt.Sprintf("announced on %s; done when the usage reports reach %s, if the person is still idle", dayOf(past.At), dayOf(promised(rule, past)))
	}
}

// noticeCounts is how long an announcement counts after the time from which the change may be made (dueOf). A schedule
// that plans once a month makes the change in this time. Afterwards, the person no longer expects the change, and it is
// announced again.
const noticeCounts = 32 * 24 * time.Hour

// The method "told" reports whether a change was announced in the way that the policy asks for. If the policy sends
// mails, an announcement without a mail does not count. An announcement by an older version has no day, and does not
// bind a rule without a notice.
func (r *Run) told(rule *policy.Rule, past *history.Item) bool {
	if past == nil || past.Due.IsZero() && rule.Notice == 0 {
		return false
	}
	return (past.State == history.Announced || past.State == history.Unsure) && (past.ByMail || r.Policy.Notices == nil)
}

// activeAfter reports whether the person was active after the given time. The end of a leave counts as activity.
func activeAfter(at time.Time, d *plan.Decision, judge *policy.Judge, p *directory.Person) bool {
	return d.IdleSince.After(at) || judge.LeaveEnd(p).After(at)
}

// idleBefore returns the last activity of the person that was known when the change was announced. It returns zero if
// none was known.
func idleBefore(past *history.Item) time.Time {
	if past.IdleSince == nil {
		return time.Time{}
	}
	return *past.IdleSince
}

// The function "waits" returns the refusal of an announced change that is not due. The parameter "again" says whether
// the change must then be announced again.
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

// lastZone is how much later a day begins in the last time zone, UTC-12, than in UTC (IANA time zone database,
// Etc/GMT+12).
const lastZone = 12 * time.Hour

// dueOf returns the time from which an announced change may be made. For a rule that reads no dates of use, this is the
// promised time. For any other rule, every use before the promised day must be known. The time zone of the person is
// not known, so this day must first have begun in the last time zone (lastZone). The directories then need the time
// history.Late until they show each use.
func dueOf(rule *policy.Rule, past *history.Item) time.Time {
	due := promised(rule, past)
	if !rule.ReadsActivity() {
		return due
	}
	if begun := due.UTC().Truncate(24 * time.Hour).Add(lastZone); begun.After(due) {
		due = begun
	}
	return due.Add(history.Late)
}

// The function "promised" returns the later of the time that the announcement named and the time that the rule asks for
// now.
func promised(rule *policy.Rule, past *history.Item) time.Time {
	if due := past.At.Add(time.Duration(rule.Notice) * 24 * time.Hour); due.After(past.Due) {
		return due
	}
	return past.Due
}
