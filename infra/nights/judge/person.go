package judge

import "time"

// fact is a fact about a person: at is when it begins to hold, and shown is when the tool can first see it.
type fact struct {
	at, shown time.Time
	holds     bool
}

// person is the truth about one person.
type person struct {
	made     map[string]time.Time // when the newest account that can hold the license was created, by license
	nobody   bool                 // whether the account is not a person's, but a room's or an agent's
	exempt   []fact
	outside  map[string][]fact // facts by license
	enabled  []fact
	blocked  int               // value of Judge.nights when the account was last blocked
	used     map[string][]fact // uses that count for the rule, by license
	licenses map[string]*license
	clear    map[string]time.Time // since when the tool has been free to take the license, by license
	missed   map[string]bool
}

// hire makes a person.
func hire(e Event, rules map[string]Rule) *person {
	p := &person{
		made: map[string]time.Time{}, nobody: !e.Holds, outside: map[string][]fact{}, used: map[string][]fact{},
		licenses: map[string]*license{}, clear: map[string]time.Time{}, missed: map[string]bool{},
		enabled: []fact{{at: e.At, shown: e.At, holds: true}},
	}
	for name := range rules {
		p.made[name] = e.At
	}
	return p
}

// license is the history of one license of a person.
type license struct {
	held      bool
	since     time.Time // since when the person holds it
	released  time.Time // when somebody other than the tool last took it
	given     []fact    // when somebody gave it back
	taken     time.Time // when the tool took it; zero once somebody gives it again
	strange   bool      // whether a stranger took it
	planned   bool      // whether a plan lists its removal
	accepted  bool      // whether an administrator accepted the removal beyond the limits
	stuck     bool
	pending   bool      // whether the tool has not seen the effect of its write yet
	announced time.Time // when the next removal was announced; zero: it was not
	notice    time.Time // when the last removal was announced
}

func (p *person) license(name string) *license {
	if p.licenses[name] == nil {
		p.licenses[name] = &license{}
	}
	return p.licenses[name]
}

// give records that the person holds the license, again or for the first time.
func (l *license) give(e Event, seen time.Time) {
	if !l.held && (l.released.IsZero() || !l.released.After(seen)) {
		l.since = e.At
	}
	l.held = true
	switch unseen := l.pending && l.taken.After(seen); {
	case l.taken.IsZero(), l.strange:
	case unseen, // no night saw the removal, so the tool may know only that it announced one
		l.pending && e.What == Undone: // the tool could not finish the change, so nobody has decided that the person keeps it
		l.announced = l.notice
	default:
		l.given = append(l.given, fact{e.At, e.Shown, true})
	}
	l.taken, l.planned, l.accepted = time.Time{}, false, false
}

// forget removes what the tool forgets when its store is restored from a backup. The tool then does not know that it
// took a license. An announcement from before the backup still counts.
func (l *license) forget(since time.Time) {
	if l.taken.After(since) {
		l.released, l.taken = l.taken, time.Time{}
		if l.announced.IsZero() && !l.notice.After(since) {
			l.announced = l.notice
		}
	}
	for i := range l.given {
		if l.given[i].at.After(since) {
			l.given[i].at = time.Time{}
		}
	}
}

// newest returns the latest time at which one of the facts began to hold. It ignores facts that were first shown after
// known.
func newest(facts []fact, known time.Time) (at time.Time) {
	for _, f := range facts {
		if !f.shown.After(known) && f.at.After(at) {
			at = f.at
		}
	}
	return at
}

// state reports whether the last fact holds. It ignores facts that were first shown after known.
func state(facts []fact, known time.Time) (holds bool) {
	for _, f := range facts {
		if !f.shown.After(known) {
			holds = f.holds
		}
	}
	return holds
}

// since returns when the last fact that holds began to hold. It ignores facts that were first shown after known.
func since(facts []fact, known time.Time) (at time.Time) {
	for _, f := range facts {
		if !f.shown.After(known) && f.holds {
			at = f.at
		}
	}
	return at
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
