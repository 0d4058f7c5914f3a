package judge

import "time"

// The type "fact" says that something begins at the time "at", such as an exemption. If "holds" is false, it ends at
// that time. The tool can first see this at the time "shown".
type fact struct {
	at, shown time.Time
	holds     bool
}

type person struct {
	made     map[string]time.Time // by license: creation of the newest account that can hold the license
	nobody   bool                 // whether the account belongs to a room or an agent, not to a human
	exempt   []fact
	away     map[string][]fact // leaves by license; the field "at" is the end of the leave, and the last fact counts
	outside  map[string][]fact // facts by license
	enabled  map[string][]fact // by license, because the nights read the licenses' directories independently
	blocked  map[string]int    // by license: value of Judge.reads when the account was last blocked
	used     map[string][]fact // uses that count for the rule, by license
	licenses map[string]*license
	clear    map[string]time.Time // by license: since when the case has been clear
	missed   map[string]bool
}

func hire(e Event, rules map[string]Rule) *person {
	p := &person{
		made: map[string]time.Time{}, nobody: !e.Holds, outside: map[string][]fact{}, used: map[string][]fact{},
		enabled: map[string][]fact{}, blocked: map[string]int{}, away: map[string][]fact{},
		licenses: map[string]*license{}, clear: map[string]time.Time{}, missed: map[string]bool{},
	}
	for name := range rules {
		p.made[name] = e.At
		p.enabled[name] = []fact{{at: e.At, shown: e.At, holds: true}}
	}
	return p
}

type license struct {
	held      bool
	since     time.Time // since when the person has held the license
	released  time.Time // when somebody other than the tool last took the license
	given     []fact    // when somebody restored the license
	taken     time.Time // when the tool took the license; zero after somebody gave the license again
	way       string    // the group by which the tool took the license
	strange   bool      // whether a second machine with its own store took the license
	planned   bool      // whether a plan lists the removal
	accepted  bool      // whether an administrator accepted the removal, even if the removal exceeds the limits
	stuck     bool
	pending   bool      // whether the tool has not seen the effect of its write yet
	ended     bool      // whether the call that took the license has ended
	freed     bool      // whether the tool has seen its write, although the license itself may not be free yet
	announced time.Time // when the coming removal was announced; zero: not announced
	notice    time.Time // when the latest removal had been announced; zero: not announced
}

func (p *person) license(name string) *license {
	if p.licenses[name] == nil {
		p.licenses[name] = &license{}
	}
	return p.licenses[name]
}

// The method "give" records that a person gets the license, for example by a restore. The parameter "seen" is the time
// of the last night that read the directory of the license. The parameter "begins" becomes the time since which the
// person holds the license. The earlier time stays if the person holds the license already. It also stays if somebody
// else took the license after "seen", because the tool then saw no gap.
func (l *license) give(e Event, seen, begins time.Time) {
	if !l.held && (l.released.IsZero() || !l.released.After(seen)) {
		l.since = begins
	}
	l.held = true
	unseen := l.taken.After(seen)
	// A rollback of an unfinished change does not count as a restore, because nobody has decided that the person keeps the
	// license.
	goesBack := e.What == Undone && (l.pending || unseen && !l.ended)
	switch {
	case l.taken.IsZero(), l.strange:
	case goesBack, l.pending && unseen && !l.freed: // the tool may not know that it took the license, so the announcement of this removal still counts
		l.announced = l.notice
	default:
		l.given = append(l.given, fact{e.At, e.Shown, true})
	}
	l.taken, l.planned, l.accepted = time.Time{}, false, false
}

// The method "forget" records that the tool's store was restored from a backup of the time "since". A license that the
// tool took after this time counts as taken by somebody else. If the removal was announced before this time, the tool
// may take the license again without another announcement.
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

// The function "newest" returns the latest time at which a fact began, or the zero time. It ignores facts that were
// first shown after the time "known".
func newest(facts []fact, known time.Time) (at time.Time) {
	for _, f := range facts {
		if !f.shown.After(known) && f.at.After(at) {
			at = f.at
		}
	}
	return at
}

// The function "state" reports whether the state that the facts describe holds, such as an exemption: it returns the
// field "holds" of the last fact. It ignores facts that were first shown after the time "known".
func state(facts []fact, known time.Time) (holds bool) {
	for _, f := range facts {
		if !f.shown.After(known) {
			holds = f.holds
		}
	}
	return holds
}

// The function "since" returns the time at which the state that the facts describe last began, such as an exemption. It
// returns the zero time if the state never began. It ignores facts that were first shown after the time "known".
func since(facts []fact, known time.Time) (at time.Time) {
	for _, f := range facts {
		if !f.shown.After(known) && f.holds {
			at = f.at
		}
	}
	return at
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
