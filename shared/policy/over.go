package policy

import (
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// leaveRest returns how long a leave still matters after its end (afterLeave). This time is at least as long as the
// span of each rule.
func (p *Policy) leaveRest() time.Duration {
	rest := unusedSpan
	for _, r := range p.Rules {
		rest = max(rest, r.rest())
	}
	return rest
}

// Over returns a sentence for each leave that no longer protects anybody. The author may have forgotten to remove it.
func (p *Policy) Over(now time.Time) (notes []string) {
	for _, l := range p.Exempt.Leave {
		if !now.Before(l.Until.Add(p.leaveRest())) {
			notes = append(notes, fmt.Sprintf("exempt.leave: the leave of %s until %s is over and protects nobody; take it out, or give it another date", l.User, l.written))
		}
	}
	return notes
}

// afterLeave gives grace to a person whose leave has ended. The person used nothing during the leave, so without this
// grace a rule would take the license just before the person returns. The end of the leave therefore counts as
// activity, as a restore does (Cooling).
func (j *Judge) afterLeave(r *Rule, p *directory.Person) grace {
	if len(j.policy.Exempt.Leave) == 0 {
		return grace{flag: directory.No}
	}
	for _, hit := range j.names.Of(p) {
		for _, l := range hit.one.leave {
			ended := !j.now.Before(l.Until) && j.now.Before(l.Until.Add(j.policy.leaveRest()))
			if ended && !j.idleSince(r, p, l.Until) {
				return grace{flag: directory.Yes, reason: "was on leave until " + l.written + ", and has not been idle for the whole span of the rule since"}
			}
		}
	}
	return grace{flag: directory.No}
}

// LeaveEnd returns the end of the person's last leave that is over, or zero.
func (j *Judge) LeaveEnd(p *directory.Person) (end time.Time) {
	for _, hit := range j.names.Of(p) {
		for _, l := range hit.one.leave {
			if !j.now.Before(l.Until) && l.Until.After(end) {
				end = l.Until
			}
		}
	}
	return end
}

// idleSince reports whether the condition "when" is true for a person who was active at the given time. For a rule
// without dates of use, it reports whether unusedSpan has passed since then.
func (j *Judge) idleSince(r *Rule, p *directory.Person, at time.Time) bool {
	if len(r.when.activity) == 0 {
		return j.now.Sub(at) >= unusedSpan
	}
	holds, _ := j.eval(r.when, p.ActiveBy(at))
	return holds == directory.Yes
}
