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
//     span, too new, exempt, outside the rule, no person, given the license within the
//     span, or not announced to for long enough.
//   - twice: taken although it was taken before, and nobody gave it since.
//   - hidden: taken without a plan that lists it.
//   - without: an instant at which somebody holds no license with a mailbox, who held one
//     before and from whom the tool took it.
//   - lost: at the end a change is open, or what was taken cannot be put back.
//   - silent: a night without a verdict, or held without a reason.
//   - missed: idle and clear for Patience, and still held.
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
)

// Rule is one rule as its author means it.
type Rule struct {
	License string
	// Idle is the span without use after which the license is taken, and the one for
	// which it is left alone after somebody gave it.
	Idle time.Duration
	// Grace is how old the youngest account of somebody who was never used must be.
	Grace time.Duration
	// NewHolder and EnabledAgain are how long the license must be held, and the account
	// be enabled. Zero: no matter.
	NewHolder, EnabledAgain time.Duration
	// Notice is how long before a removal it is announced. Zero: never.
	Notice time.Duration
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
	clear  int // cases of Missed that could have been
}

// New makes a judge of these rules, one a license.
func New(rules ...Rule) *Judge {
	j := &Judge{rules: map[string]Rule{}, people: map[string]*person{}}
	for _, r := range rules {
		j.rules[r.License] = r
	}
	return j
}

// Change replaces a rule, as an edited policy does.
func (j *Judge) Change(r Rule) { j.rules[r.License] = r }

// fact is something that holds from an instant on, and when that can be known.
type fact struct {
	at, shown time.Time
	holds     bool
}

// person is the truth about one person.
type person struct {
	made     time.Time
	nobody   bool // a room, an agent, …
	exempt   []fact
	outside  map[string][]fact // by license: outside the rule
	enabled  []fact
	used     map[string][]fact // by license whose rule reads it
	licenses map[string]*license
	clear    map[string]time.Time // by license: idle and clear since
	missed   map[string]bool
}

// license is what became of one license of a person.
type license struct {
	held      bool
	since     time.Time // held
	given     []fact    // by somebody else than the hiring
	taken     time.Time // by the tool, and not given since
	planned   bool      // a plan lists the removal
	announced time.Time
}

// Hire adds a person whose youngest account is made at an instant.
func (j *Judge) Hire(id string, made time.Time, isPerson bool) {
	j.people[id] = &person{
		made: made, nobody: !isPerson, outside: map[string][]fact{}, used: map[string][]fact{}, licenses: map[string]*license{},
		clear: map[string]time.Time{}, missed: map[string]bool{}, enabled: []fact{{at: made, shown: made, holds: true}},
	}
}

// Hold notes that a person holds a license from the start.
func (j *Judge) Hold(id, name string, since time.Time) {
	j.people[id].licenses[name] = &license{held: true, since: since}
}

// Used notes a use that the rules of the licenses count.
func (j *Judge) Used(id string, at, shown time.Time, licenses ...string) {
	p := j.people[id]
	for _, name := range licenses {
		p.used[name] = append(p.used[name], fact{at, shown, true})
		delete(p.clear, name)
	}
}

// Exempt notes that an exemption begins or ends.
func (j *Judge) Exempt(id string, at, shown time.Time, holds bool) {
	p := j.people[id]
	p.exempt = append(p.exempt, fact{at, shown, holds})
	clear(p.clear)
}

// Outside notes that the rule of a license asks a person no more, or again.
func (j *Judge) Outside(id, name string, at, shown time.Time, holds bool) {
	p := j.people[id]
	p.outside[name] = append(p.outside[name], fact{at, shown, holds})
	delete(p.clear, name)
}

// Enabled notes that an account is enabled or disabled.
func (j *Judge) Enabled(id string, at, shown time.Time, holds bool) {
	p := j.people[id]
	p.enabled = append(p.enabled, fact{at, shown, holds})
	clear(p.clear)
}

// Given notes that a license is given to a person, by anybody: a help desk, a restore.
func (j *Judge) Given(id, name string, at, shown time.Time) {
	l := j.license(id, name)
	if !l.held {
		l.held, l.since = true, at
	}
	l.taken, l.planned = time.Time{}, false
	l.given = append(l.given, fact{at, shown, true})
	delete(j.people[id].clear, name)
}

// Released notes that somebody else took the license, or left with it.
func (j *Judge) Released(id, name string) {
	l := j.license(id, name)
	l.held, l.planned = false, false
	delete(j.people[id].clear, name)
}

// Planned notes that a plan lists the removal.
func (j *Judge) Planned(id, name string) { j.license(id, name).planned = true }

// Announced notes that the removal is announced. The first announcement after a use counts.
func (j *Judge) Announced(id, name string, at time.Time) {
	l := j.license(id, name)
	if last := newest(j.people[id].used[name], at); l.announced.IsZero() || last.After(l.announced) {
		l.announced = at
	}
}

func (j *Judge) license(id, name string) *license {
	p := j.people[id]
	if p.licenses[name] == nil {
		p.licenses[name] = &license{}
	}
	return p.licenses[name]
}

// Removed judges a removal by the tool at the moment of the write.
func (j *Judge) Removed(id, name string, at time.Time) {
	l := j.license(id, name)
	if !l.taken.IsZero() {
		j.fault(Twice, at, id, name, "it was taken on "+day(l.taken)+", and nobody gave it since")
	}
	if !l.planned {
		j.fault(Hidden, at, id, name, "no plan lists it")
	}
	if why := j.keeps(id, name, at.Add(-Slack), at); why != "" {
		j.fault(Wrong, at, id, name, why)
	}
	l.held, l.taken, l.announced = false, at, time.Time{}
	delete(j.people[id].clear, name)
}

// keeps says why a person keeps a license at an instant, by what is shown until known;
// empty when it may be taken.
func (j *Judge) keeps(id, name string, known, at time.Time) string {
	p, l, r := j.people[id], j.license(id, name), j.rules[name]
	last := newest(p.used[name], known)
	given := newest(l.given, known)
	switch {
	case p.nobody:
		return "the account is no person"
	case state(p.exempt, known):
		return "exempt"
	case state(p.outside[name], known):
		return "the rule does not ask this person"
	case !last.IsZero() && at.Sub(last) <= r.Idle:
		return "last used on " + day(last)
	case last.IsZero() && at.Sub(p.made) < r.Grace:
		return "never used, and new since " + day(p.made)
	case !given.IsZero() && at.Sub(given) <= r.Idle:
		return "given on " + day(given)
	case r.NewHolder > 0 && at.Sub(l.since) < r.NewHolder:
		return "holds it only since " + day(l.since)
	case r.EnabledAgain > 0 && at.Sub(since(p.enabled, known)) < r.EnabledAgain:
		return "enabled only since " + day(since(p.enabled, known))
	case r.Notice > 0 && (l.announced.IsZero() || at.Sub(l.announced) < r.Notice):
		return "not announced for long enough"
	}
	return ""
}

// Mailbox judges how many licenses with a mailbox somebody is left with by a write of
// the tool.
func (j *Judge) Mailbox(id string, at time.Time, before, after int) {
	if before > 0 && after == 0 {
		j.fault(Without, at, id, "", "no license with a mailbox is left")
	}
}

// Night judges what a night told.
func (j *Judge) Night(at time.Time, verdict string, reasons []string) {
	switch {
	case verdict == "":
		j.fault(Silent, at, "", "", "the night has no verdict")
	case verdict == "hold" && len(reasons) == 0:
		j.fault(Silent, at, "", "", "the night is held for no reason")
	}
	for id, p := range j.people {
		for name, l := range p.licenses {
			j.wait(id, name, p, l, at)
		}
	}
}

// wait counts how long a license that may be taken is not.
func (j *Judge) wait(id, name string, p *person, l *license, at time.Time) {
	if _, ruled := j.rules[name]; !ruled || !l.held || p.missed[name] || j.keeps(id, name, at.Add(-Slack), at) != "" {
		delete(p.clear, name)
		return
	}
	switch began, waits := p.clear[name]; {
	case !waits:
		p.clear[name] = at
		j.clear++
	case at.Sub(began) > Patience:
		p.missed[name] = true
		j.fault(Missed, at, id, name, "may be taken since "+day(began))
	}
}

// Lose notes a change that is open at the end, or that cannot be put back.
func (j *Judge) Lose(id, name string, at time.Time, what string) { j.fault(Lost, at, id, name, what) }

// Faults are all so far, in the order in which they happened.
func (j *Judge) Faults() []Fault { return slices.Clone(j.faults) }

// Clear is how many times a license began to be one that may be taken.
func (j *Judge) Clear() int { return j.clear }

func (j *Judge) fault(why Why, at time.Time, id, name, what string) {
	j.faults = append(j.faults, Fault{why, at, id, name, what})
}

// newest is the newest instant of the facts that are shown by a time.
func newest(facts []fact, known time.Time) (at time.Time) {
	for _, f := range facts {
		if !f.shown.After(known) && f.at.After(at) {
			at = f.at
		}
	}
	return at
}

// state tells whether the last of the facts that are shown by a time holds.
func state(facts []fact, known time.Time) (holds bool) {
	for _, f := range facts {
		if !f.shown.After(known) {
			holds = f.holds
		}
	}
	return holds
}

// since is from when on the last of the facts that are shown by a time holds.
func since(facts []fact, known time.Time) (at time.Time) {
	for _, f := range facts {
		if !f.shown.After(known) && f.holds {
			at = f.at
		}
	}
	return at
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
