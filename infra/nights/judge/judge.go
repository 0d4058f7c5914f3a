// Package judge decides from the truth alone whether a license was rightly taken. It imports nothing of the product and
// reads none of its files. A world sends it every event, with the time at which the event could be known. The judge
// decides about every removal at the moment of the write.
//
// Its terms:
//
//   - used: the person signed in (or logged on, for a rule about that). It can be known
//     once the directory shows it, which may be a day later.
//   - known: the fact was shown for longer than Slack. Anything later may be missed, because some time
//     passes between the last reading and the write.
//   - wrong: a license was taken too early or from the wrong person. By what could be known,
//     the person was active within the rule's span, too new, exempt, outside the rule, or no
//     person. Or the person had held the license, or the account had been enabled, for too
//     short a time. Or the license was restored within the span, or not announced early
//     enough.
//   - seen: a later night had a verdict that rests on reading the directories. An account
//     may be blocked and enabled again between two such nights, or a license lost and
//     given. Nobody can know that, so it counts as if nothing had happened.
//   - stranger: a second machine with its own store took the license. It cannot know what
//     only the first machine's store has: what was restored or announced, and since when an
//     account is enabled or a license held. The first machine cannot know that a license
//     which the stranger took was restored.
//   - forgotten: the tool's store was restored from a backup. The tool does not know what it
//     took after the backup was made.
//   - outside: the rule does not ask about the person, or it is unknown whether it does.
//   - stuck: the license cannot be changed safely, because of the company. Neither changing
//     it nor leaving it is a fault.
//   - given back: somebody gave the license after the tool took it. The tool may have seen
//     only that its write was accepted, and not yet that it was carried out. If no night was
//     in between, it cannot distinguish a gift from a write that was never made.
//   - twice: the license was taken again, although nobody gave it after the tool took it.
//   - hidden: the license was taken without a plan that lists it, by a plan on hold that
//     nobody overrode, or beyond the limit of the rule.
//   - beyond the limit: the tool took a greater share of the holders within Window than the
//     limit of the rule. What somebody gave back or an override accepted does not count.
//     Mercy is the difference that is allowed, because a tool counts the holders that it
//     sees. Few licenses are never beyond the limit.
//   - without: at some instant a person holds no license with a mailbox, because the tool
//     took the last one.
//   - lost: at the end a change is open, or a license that was taken cannot be restored.
//   - silent: a night without a verdict, or a plan on hold without a reason.
//   - missed: the license was idle and clear for Patience, and is still held.
//
// Each fault except a missed one proves the tool guilty. The number of missed cases is compared with the number of clear
// cases, because a company in which something breaks each night has to wait for some of them.
package judge

import (
	"fmt"
	"slices"
	"time"
)

const (
	// Slack is the largest age of the evidence for a write.
	Slack = 2 * time.Minute
	// Patience is how long a person may be idle and clear before the case counts as missed.
	Patience = 30 * 24 * time.Hour
	// Window is the time over which taken licenses are added up. Few is a number of licenses that is never too many.
	// Mercy is by how much the share may exceed the limit.
	Window = 25 * 24 * time.Hour
	Few    = 11
	Mercy  = 1.2
)

// Rule is one rule in the meaning of its author.
type Rule struct {
	License string
	// Idle is how long the license must have been unused before it is taken. After somebody gave the license back, it
	// is left alone for as long.
	Idle time.Duration
	// Grace is the least age of the youngest account of a person who was never active.
	Grace time.Duration
	// NewHolder and EnabledAgain are for how long the person must have held the license, and the account must have
	// been enabled. Zero means any time.
	NewHolder, EnabledAgain time.Duration
	// Notice is how long before a removal it must be announced. Zero means that it need not be.
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
	seen   map[string]time.Time // the last night that read the directory, by license
	reads  map[string]int       // number of nights that read the directory, by license
	clear  int                  // number of cases in which a license may be taken
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

// Clear returns how often a license came into the state in which it may be taken.
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

// keeps returns why a person must keep a license at an instant, or "" if it may be taken. It uses only facts that
// were shown by known.
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

// nights returns the number of nights that read the directories of all licenses. Nights are counted because times
// cannot be compared: the world's clock stands still during a reading, so an event after the reading has the same
// time.
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

// wait counts for how long a license may be taken but is not.
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

// unannounced works like keeps without checking the announcement, which is the tool's own task.
func (j *Judge) unannounced(p *person, l *license, e Event) string {
	told := *l
	told.announced = time.Unix(0, 0)
	return j.keeps(p, &told, e.License, e.At.Add(-Slack), e.At, false)
}
