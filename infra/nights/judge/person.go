package judge

import "time"

// fact is a fact that holds starting at at, and can be known starting at shown.
type fact struct {
	at, shown time.Time
	holds     bool
}

// person is the truth about one person.
type person struct {
	made     map[string]time.Time // creation of the youngest account behind the license, by license
	nobody   bool                 // whether the account is not a person's, but a room's or an agent's
	exempt   []fact
	outside  map[string][]fact // facts by license
	enabled  []fact
	blocked  int               // number of nights before the last block; see Judge.nights
	used     map[string][]fact // uses that count for the rule, by license
	licenses map[string]*license
	clear    map[string]time.Time // since when the license is idle and clear, by license
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
	case unseen: // the tool may know only that it announced a removal
		l.announced = l.notice
	default:
		l.given = append(l.given, fact{e.At, e.Shown, true})
	}
	l.taken, l.planned, l.accepted = time.Time{}, false, false
}

// forget removes what the tool forgets when its store is restored from a backup. The tool then does not know that it
// took a license. If no night has read that the person lacks the license, nobody knows that it was ever gone. An
// earlier announcement still counts.
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

// newest returns the newest instant of the facts that were shown by known.
func newest(facts []fact, known time.Time) (at time.Time) {
	for _, f := range facts {
		if !f.shown.After(known) && f.at.After(at) {
			at = f.at
		}
	}
	return at
}

// state reports whether the last fact that was shown by known holds.
func state(facts []fact, known time.Time) (holds bool) {
	for _, f := range facts {
		if !f.shown.After(known) {
			holds = f.holds
		}
	}
	return holds
}

// since returns when the last fact that was shown by known began to hold.
func since(facts []fact, known time.Time) (at time.Time) {
	for _, f := range facts {
		if !f.shown.After(known) && f.holds {
			at = f.at
		}
	}
	return at
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
