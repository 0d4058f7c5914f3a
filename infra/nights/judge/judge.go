// Package judge decides from the truth alone whether a license was rightly taken. It
// imports nothing of the product and reads none of its files: a world tells it what
// happens and when that could be known, and it is asked about every removal at the
// moment of the write.
//
// Its terms:
//
//   - used: the person signed in (or logged on, for a rule about that). It can be known
//     from the instant at which the directory shows it, which may be a day later.
//   - known: shown for longer than Slack. What came later may be missed: between the last
//     reading and the write lies a moment.
//   - wrong: taken from somebody who, by what could be known, was used within the rule's
//     span, too new, exempt, outside the rule, no person, enabled or holding the license
//     for too short a time, given the license back within the span, or not announced to
//     for long enough.
//   - seen: some night had a verdict that rests on reading the directories, meanwhile. An
//     account that is blocked and enabled again between two such nights, or a license
//     that is lost and given in that time, is as if nothing had happened: nobody can know.
//   - stranger: a second machine with a store of its own took the license. It cannot know
//     what only the first one's store tells: what was given back or announced, and since
//     when an account is enabled or a license held. Nor can the first one know that what
//     a stranger took was given back.
//   - forgotten: the tool's store was brought back from a copy. What it took after the copy
//     was made it does not know.
//   - outside: the rule does not ask about the person, or nobody can say whether it
//     concerns them.
//   - stuck: the license cannot be changed safely, by the company's own doing. It is no
//     fault to change it, and none to leave it.
//   - given back: given by somebody, after the tool took it. When the tool has only seen its
//     write accepted and not yet carried out, and no night was in between, it cannot tell
//     a gift from a write that was never made.
//   - twice: taken although it was taken before, and nobody gave it since.
//   - hidden: taken without a plan that lists it, or with one that is held and that nobody
//     overrode, or beyond the limit of the rule.
//   - beyond the limit: what the tool took within Window, nobody gave back and no override
//     accepted is a greater share of the holders than the limit of the rule. Mercy lies
//     between the two, since a tool counts the holders that it sees. Few are never beyond.
//   - without: an instant at which somebody holds no license with a mailbox, who held one
//     before and from whom the tool took it.
//   - lost: at the end a change is open, or what was taken cannot be put back.
//   - silent: a night without a verdict, or held without a reason.
//   - missed: idle and clear for Patience, and still held.
//
// Every fault but a missed one is the tool's guilt in itself. Missed ones are counted
// beside the clear cases, since a company in which something breaks each night may wait
// for some of them.
package judge

import (
	"fmt"
	"slices"
	"time"
)

const (
	// Slack is how old the evidence of a write may be.
	Slack = 2 * time.Minute
	// Patience is how long somebody may be idle and clear before not taking counts.
	Patience = 30 * 24 * time.Hour
	// Window is the time in which what is taken is added up, Few how many of these are no
	// matter, and Mercy by how much the share may be above the limit.
	Window = 25 * 24 * time.Hour
	Few    = 11
	Mercy  = 1.2
)

// Rule is one rule as its author means it.
type Rule struct {
	License string
	// Idle is the span without use after which the license is taken, and the one for
	// which it is left alone after somebody gave it back.
	Idle time.Duration
	// Grace is how old the youngest account of somebody who was never used must be.
	Grace time.Duration
	// NewHolder and EnabledAgain are how long the license must be held, and the account
	// be enabled. Zero: no matter.
	NewHolder, EnabledAgain time.Duration
	// Notice is how long before a removal it is announced. Zero: never.
	Notice time.Duration
	// Limit is the share of the holders that may be taken in a month unless somebody
	// accepts it. Zero: all.
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

// Fault is one thing that went wrong.
type Fault struct {
	Why     Why
	At      time.Time
	Person  string // empty: of the night as a whole
	License string
	What    string // in a sentence
}

// String is the fault on one line.
func (f Fault) String() string {
	return fmt.Sprintf("%s %s: %s %s: %s", f.At.UTC().Format(time.RFC3339), f.Why, f.Person, f.License, f.What)
}

// Judge knows the truth of one world.
type Judge struct {
	rules  map[string]Rule // by license
	people map[string]*person
	faults []Fault
	seen   map[string]time.Time // by license: the last night that read its directory
	clear  int                  // cases of Missed that could have been
}

// New makes a judge of these rules, one a license.
func New(rules ...Rule) *Judge {
	j := &Judge{rules: map[string]Rule{}, seen: map[string]time.Time{}, people: map[string]*person{}}
	for _, r := range rules {
		j.rules[r.License] = r
	}
	return j
}

// Faults are all so far, in the order in which they happened.
func (j *Judge) Faults() []Fault { return slices.Clone(j.faults) }

// Clear is how many times a license began to be one that may be taken.
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
	if !e.Stranger { // whose removal is not the one that the first machine announced
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

// keeps says why a person keeps a license at an instant, by what is shown until known;
// empty when it may be taken.
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

// seenAll is the last time by which some night had read the directory of each license.
func (j *Judge) seenAll() (at time.Time) {
	first := true
	for name := range j.rules {
		if seen := j.seen[name]; first || seen.Before(at) {
			at, first = seen, false
		}
	}
	return at
}

// night judges what a night told, and counts for how long licenses wait.
func (j *Judge) night(e Event) {
	for name := range j.rules {
		if e.Text != "" && e.Text != Failed && !slices.Contains(e.Unread, name) {
			j.seen[name] = e.At
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

// wait counts how long a license that may be taken is not.
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

// unannounced is keeps without a word on the announcement, which is the tool's part.
func (j *Judge) unannounced(p *person, l *license, e Event) string {
	told := *l
	told.announced = time.Unix(0, 0)
	return j.keeps(p, &told, e.License, e.At.Add(-Slack), e.At, false)
}
