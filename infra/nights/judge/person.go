package judge

import "time"

// fact is something that holds from an instant on, and when that can be known.
type fact struct {
	at, shown time.Time
	holds     bool
}

// person is the truth about one person.
type person struct {
	made     map[string]time.Time // by license: the youngest account that it rests on
	nobody   bool                 // a room, an agent, …
	exempt   []fact
	outside  map[string][]fact // by license
	enabled  []fact
	used     map[string][]fact // by license whose rule reads it
	licenses map[string]*license
	clear    map[string]time.Time // by license: idle and clear since
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

// license is what became of one license of a person.
type license struct {
	held      bool
	since     time.Time // held
	released  time.Time // when somebody else took it last
	given     []fact    // back
	taken     time.Time // by the tool, and not given since
	strange   bool      // taken by a stranger
	planned   bool      // a plan lists the removal
	accepted  bool      // an administrator allows the removal beyond the limits
	stuck     bool
	pending   bool      // the tool saw no effect of its write yet
	announced time.Time // the removal, and not carried out since
	notice    time.Time // the announcement of the last removal
}

func (p *person) license(name string) *license {
	if p.licenses[name] == nil {
		p.licenses[name] = &license{}
	}
	return p.licenses[name]
}

// give lets somebody hold the license again, or for the first time.
func (l *license) give(e Event, seen time.Time) {
	if !l.held && (l.released.IsZero() || !l.released.After(seen)) {
		l.since = e.At
	}
	l.held = true
	switch unseen := l.pending && l.taken.After(seen); {
	case l.taken.IsZero(), l.strange:
	case unseen: // the tool may know no more than that it announced a removal
		l.announced = l.notice
	default:
		l.given = append(l.given, fact{e.At, e.Shown, true})
	}
	l.taken, l.planned, l.accepted = time.Time{}, false, false
}

// forget is what the tool forgets with its store. It does not know to have taken a license.
// When no night reads that the person is without it, nobody knows that it was ever gone.
// What it announced before still holds.
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
