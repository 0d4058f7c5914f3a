// Package judge decides whether the tool was right to take a license. It knows the truth about the company, imports
// nothing of the product, and reads none of the product's files. A world sends the judge every event, with the time at
// which the event could be known. The judge decides about every removal at the moment of the write.
//
// Its terms:
//
//   - used: the person signed in, or logged on if the rule is about logons. The use can be known
//     once the directory shows it, which may be a day later.
//   - known: the directory has shown the fact for longer than Slack. The tool may miss a fact
//     that appeared later, because some time passes between its last reading and the write.
//   - wrong: a license was taken too early or from the wrong person, although the tool could
//     have known better. The person was active within the rule's idle period, too new, exempt,
//     outside the rule, or not a human. Or the person had held the license, or the account had
//     been enabled, for too short a time. Or the license was restored within the idle period, or
//     its removal was not announced early enough.
//   - seen: a night after the event read the directories. If an account is blocked and enabled
//     again between two such nights, or a license is lost and given again, the tool cannot
//     notice either event, so the judge ignores both.
//   - stranger: a second machine with its own store took the license. The second machine cannot
//     know what only the first machine's store contains: what was restored or announced, and
//     since when an account has been enabled or a license has been held. The first machine in
//     turn cannot know that somebody restored a license that the second machine took.
//   - forgotten: the tool's store was restored from a backup. The tool does not know what it
//     took after the backup was made.
//   - outside: the rule does not cover the person, or it is unknown whether it does.
//   - stuck: the state of the company makes it unsafe to change the license. The tool may change
//     the license or leave it alone; neither is a fault.
//   - given back: somebody gave the license after the tool took it. If the tool has not yet read
//     the effect of its write, and no night has read the directories since the write, the tool
//     cannot tell a license that was given back from a write that was never carried out. In that
//     case the judge does not count the license as given back.
//   - twice: the license was taken again, although nobody gave it after the tool took it.
//   - hidden: no plan listed the license, or the plan was on hold and nobody overrode it, or the
//     license was taken beyond the limit of the rule.
//   - beyond the limit: within Window, the tool took the license from a greater share of its
//     holders than the limit of the rule. Licenses that somebody gave back or an override
//     accepted do not count. The share may exceed the limit by the factor Mercy, because the
//     tool can count only the holders that it sees. Up to Few licenses are never beyond the
//     limit.
//   - without: a person was left without any license for a mailbox, even if only briefly,
//     because the tool took the last one.
//   - lost: at the end of the story, a change is unfinished, or a license that was taken cannot
//     be restored.
//   - silent: a night without a verdict, or a plan on hold without a reason.
//   - missed: for longer than Patience, the license was unused and the tool was free to take it
//     (the case was clear), but the tool did not.
//
// Each fault except a missed one proves the tool guilty. A few missed cases are acceptable, because in a company where
// something breaks every night the tool must often wait. The nights therefore compare the number of missed cases with
// the number of clear cases.
package judge

import (
	"fmt"
	"slices"
	"time"
)

const (
	// Slack is the largest age of the evidence for a write.
	Slack = 2 * time.Minute
	// Patience is how long the tool may leave a license alone that it is free to take, before the case counts as
	// missed.
	Patience = 30 * 24 * time.Hour
	// Window is the period within which taken licenses count toward the limit. Taking up to Few licenses never exceeds
	// the limit. Mercy is the factor by which the share of taken licenses may exceed the limit.
	Window = 25 * 24 * time.Hour
	Few    = 11
	Mercy  = 1.2
)

// Rule is a rule as its author means it.
type Rule struct {
	License string
	// Idle is how long the license must have been unused before it may be taken, and how long ago it must have been
	// given back.
	Idle time.Duration
	// Grace applies to a person who was never active: the person's newest account must be at least this old.
	Grace time.Duration
	// NewHolder is how long the person must have held the license. EnabledAgain is how long the account must have been
	// enabled. Zero means no minimum.
	NewHolder, EnabledAgain time.Duration
	// Notice is how long before a removal the removal must be announced. Zero means that no announcement is needed.
	Notice time.Duration
	// Limit is the share of the holders from whom the license may be taken within Window without an administrator's
	// acceptance. Zero means no limit.
	Limit float64
}

// Why is a kind of fault.
type Why string

// The kinds of faults.
const (
	Wrong   Why = "wrong"
	Without Why = "without"
	Twice   Why = "twice"
	Lost    Why = "lost"
	Silent  Why = "silent"
	Hidden  Why = "hidden"
	Missed  Why = "missed"
)

// Fault is one fault of the tool.
type Fault struct {
	Why     Why
	At      time.Time
	Person  string // empty: the fault concerns the whole night
	License string
	What    string // a sentence
}

// String returns the fault on one line.
func (f Fault) String() string {
	return fmt.Sprintf("%s %s: %s %s: %s", f.At.UTC().Format(time.RFC3339), f.Why, f.Person, f.License, f.What)
}

// Judge knows the truth about one world.
type Judge struct {
	rules  map[string]Rule // rules by license
	people map[string]*person
	faults []Fault
	seen   map[string]time.Time // time of the last night that read the directory, by license
	reads  map[string]int       // number of nights that read the directory, by license
	clear  int                  // number of times that a license became free to take
}

// New returns a judge with these rules, one for each license.
func New(rules ...Rule) *Judge {
	j := &Judge{rules: map[string]Rule{}, seen: map[string]time.Time{}, reads: map[string]int{}, people: map[string]*person{}}
	for _, r := range rules {
		j.rules[r.License] = r
	}
	return j
}

// Faults returns all faults so far, in the order in which they happened.
func (j *Judge) Faults() []Fault { return slices.Clone(j.faults) }

// Clear returns how often a license became free to take.
func (j *Judge) Clear() int { return j.clear }

func (j *Judge) fault(why Why, e Event, what string) {
	j.faults = append(j.faults, Fault{why, e.At, e.Person, e.License, what})
}

// removed judges a removal by the tool at the moment of the write.
func (j *Judge) removed(e Event, p *person, l *license) {
	if !l.taken.IsZero() {
		j.fault(Twice, e, "it was taken on "+day(l.taken)+", and nobody gave it since")
	}
	if !l.planned {
		j.fault(Hidden, e, "no plan lists it")
	}
	known := *l
	if e.Stranger {
		known = license{since: time.Unix(0, 0), announced: time.Unix(0, 0)}
	}
	if why := j.keeps(p, &known, e.License, e.At.Add(-Slack), e.At, e.Stranger); why != "" {
		j.fault(Wrong, e, why)
	}
	l.accepted = l.accepted || e.Stranger
	l.held, l.taken, l.strange = false, e.At, e.Stranger
	if !e.Stranger { // the first machine did not announce what the stranger does
		l.notice, l.announced = l.announced, time.Time{}
	}
	delete(p.clear, e.License)
	if !l.accepted {
		j.bounded(e)
	}
}

// bounded judges a removal by the limit of its rule.
func (j *Judge) bounded(e Event) {
	taken, holders, limit := 0, 0, j.rules[e.License].Limit
	for _, p := range j.people {
		l := p.licenses[e.License]
		switch {
		case l == nil:
		case l.held:
			holders++
		case e.At.Sub(l.taken) <= Window:
			holders++
			if !l.accepted {
				taken++
			}
		}
	}
	if limit > 0 && taken > Few && float64(taken) > Mercy*limit*float64(holders) {
		j.fault(Hidden, e, fmt.Sprintf("with it %d of %d were taken within %d days, and nobody accepted that many", taken, holders, int(Window.Hours()/24)))
	}
}

// keeps returns why a person must keep a license at an instant, or "" if it may be taken. It uses only facts that a
// directory showed no later than at the time known.
func (j *Judge) keeps(p *person, l *license, name string, known, at time.Time, stranger bool) string {
	r := j.rules[name]
	last := newest(p.used[name], known)
	given := newest(l.given, known)
	switch {
	case p.nobody:
		return "the account is no person"
	case state(p.exempt, known):
		return "exempt"
	case state(p.outside[name], known):
		return "the rule does not concern this person"
	case !last.IsZero() && at.Sub(last) <= r.Idle:
		return "last used on " + day(last)
	case last.IsZero() && at.Sub(p.made[name]) < r.Grace:
		return "never used, and new since " + day(p.made[name])
	case !given.IsZero() && at.Sub(given) <= r.Idle:
		return "given back on " + day(given)
	case r.NewHolder > 0 && at.Sub(l.since) < r.NewHolder:
		return "holds it only since " + day(l.since)
	case r.EnabledAgain > 0 && !stranger && state(p.enabled, known) && at.Sub(since(p.enabled, known)) < r.EnabledAgain:
		return "enabled only since " + day(since(p.enabled, known))
	case r.Notice > 0 && (l.announced.IsZero() || at.Sub(l.announced) < r.Notice):
		return "not announced for long enough"
	}
	return ""
}

// nights returns the number of nights that read the directories of all licenses. Callers compare these numbers instead
// of times, because the world's clock stands still during a reading, so an event right after the reading would have the
// same time.
func (j *Judge) nights() (n int) {
	n = -1
	for name := range j.rules {
		if n < 0 || j.reads[name] < n {
			n = j.reads[name]
		}
	}
	return n
}

// night judges the verdict of a night, and counts how long licenses wait.
func (j *Judge) night(e Event) {
	for name := range j.rules {
		if e.Text != "" && e.Text != Failed && !slices.Contains(e.Unread, name) {
			j.seen[name] = e.At
			j.reads[name]++
		}
	}
	switch {
	case e.Text == "":
		j.fault(Silent, e, "the night has no verdict")
	case e.Text == "hold" && len(e.Reasons) == 0:
		j.fault(Silent, e, "the night is held for no reason")
	}
	for id, p := range j.people {
		for name, l := range p.licenses {
			j.wait(Event{At: e.At, Person: id, License: name}, p, l)
		}
	}
}

// wait measures how long a license has been free to take and was not taken. It records a fault when that is too long.
func (j *Judge) wait(e Event, p *person, l *license) {
	rule, ruled := j.rules[e.License]
	if !ruled || !l.held || l.stuck || p.missed[e.License] || j.unannounced(p, l, e) != "" {
		delete(p.clear, e.License)
		return
	}
	switch began, waits := p.clear[e.License]; {
	case !waits:
		p.clear[e.License] = e.At
		j.clear++
	case e.At.Sub(began) > Patience+rule.Notice:
		p.missed[e.License] = true
		j.fault(Missed, e, "may be taken since "+day(began))
	}
}

// unannounced does what keeps does, but ignores a missing announcement, because announcing the removal is up to the
// tool.
func (j *Judge) unannounced(p *person, l *license, e Event) string {
	told := *l
	told.announced = time.Unix(0, 0)
	return j.keeps(p, &told, e.License, e.At.Add(-Slack), e.At, false)
}
