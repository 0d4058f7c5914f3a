package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// What is what an event tells.
type What string

// The events. Each but Ruled, Night and Lose is about a person, who is Hired before.
const (
	Ruled    What = "ruled"     // Rule is in force from now on, in place of that for its license
	Hired    What = "hired"     // a person is there, since At; Holds: it is a person and no room
	Remade   What = "remade"    // the account that a license rests on was made again, unused
	Parted   What = "parted"    // the account that the license rests on is no longer known to be the person's
	Holding  What = "holding"   // holds the license since At, by nobody's act: at first, or again
	Used     What = "used"      // the rule for the license counts it
	Exempted What = "exempted"  // Holds: it begins; else it ends
	Outside  What = "outside"   // Holds: the rule for the license does not concern the person
	Stuck    What = "stuck"     // Holds: the license cannot be changed safely
	Enabled  What = "enabled"   // Holds: the account is enabled; else it is blocked
	Given    What = "given"     // anybody gives the license: a help desk, a restore
	Released What = "released"  // somebody else takes it, or leaves with it
	Planned  What = "planned"   // a plan lists the removal
	Accepted What = "accepted"  // an administrator allows the removal beyond the limits
	Told     What = "announced" // the removal is announced
	Pending  What = "pending"   // Holds: the tool has not seen its write carried out, when it looked last
	Removed  What = "removed"   // the tool takes the license, now
	Forgot   What = "forgot"    // the tool's store was brought back from a copy of At
	Mailless What = "mailless"  // the tool leaves somebody without a mailbox's license
	Night    What = "night"     // Text: the verdict of a night; Reasons: why it is held
	Lose     What = "lose"      // at the end something is open or cannot be put back; Text says so
)

// Failed is the verdict of a night in which nothing could be read.
const Failed = "failed"

// Event is one thing that happens. Shown is from when on it can be known; zero: at once.
type Event struct {
	What    What      `json:"what"`
	At      time.Time `json:"at"`
	Shown   time.Time `json:"shown,omitzero"`
	Person  string    `json:"person,omitempty"`
	License string    `json:"license,omitempty"`
	Holds   bool      `json:"holds,omitempty"`
	// Stranger tells that a machine with a store of its own does it.
	Stranger bool     `json:"stranger,omitempty"`
	Text     string   `json:"text,omitempty"`
	Reasons  []string `json:"reasons,omitempty"`
	Rule     *Rule    `json:"rule,omitempty"`
	// Unread are the licenses whose directory a night could not read.
	Unread []string `json:"unread,omitempty"`
}

// Hear takes what happens. Events come in the order in which they happen. An event about
// somebody who was never hired, or of no kind that there is, is an error.
func (j *Judge) Hear(e Event) error {
	if e.Shown.IsZero() {
		e.Shown = e.At
	}
	switch e.What {
	case Ruled:
		if e.Rule == nil {
			return errors.New("an event changes the rules without a rule")
		}
		j.rules[e.Rule.License] = *e.Rule
		return nil
	case Hired:
		j.people[e.Person] = hire(e, j.rules)
		return nil
	case Night:
		j.night(e)
		return nil
	case Lose:
		j.fault(Lost, e, e.Text)
		return nil
	case Forgot:
		for name, seen := range j.seen {
			if seen.After(e.At) {
				j.seen[name] = e.At
			}
		}
		for _, p := range j.people {
			for _, l := range p.licenses {
				l.forget(e.At)
			}
		}
		return nil
	}
	p := j.people[e.Person]
	if p == nil {
		return fmt.Errorf("%s: nobody hired %q", e.What, e.Person)
	}
	return j.about(e, p)
}

// about takes an event about one person.
func (j *Judge) about(e Event, p *person) error {
	l := p.license(e.License)
	switch e.What {
	case Remade:
		p.made[e.License], p.used[e.License] = e.At, nil
		l.taken, l.given = time.Time{}, nil // of the account before it
	case Parted:
		l.taken, l.given = time.Time{}, nil
	case Holding:
		l.held, l.taken = true, time.Time{} // one of several ways was taken
		if l.since.IsZero() {
			l.since = e.At
		}
	case Used:
		p.used[e.License] = append(p.used[e.License], fact{e.At, e.Shown, true})
	case Exempted:
		p.exempt = append(p.exempt, fact{e.At, e.Shown, e.Holds})
		clear(p.clear)
	case Outside:
		p.outside[e.License] = append(p.outside[e.License], fact{e.At, e.Shown, e.Holds})
	case Stuck:
		l.stuck = e.Holds
	case Enabled:
		if n := len(p.enabled); e.Holds && n > 0 && !p.enabled[n-1].holds && p.enabled[n-1].at.After(j.seenAll()) {
			p.enabled = p.enabled[:n-1] // no night saw the block
		} else {
			p.enabled = append(p.enabled, fact{e.At, e.Shown, e.Holds})
		}
		clear(p.clear)
	case Given:
		l.give(e, j.seen[e.License])
	case Released:
		l.held, l.planned, l.released = false, false, e.At
	case Planned:
		l.planned = true
		return nil
	case Accepted:
		l.accepted = true
		return nil
	case Told:
		if last := newest(p.used[e.License], e.At); l.announced.IsZero() || last.After(l.announced) {
			l.announced = e.At
		}
		return nil
	case Pending:
		l.pending = e.Holds
		return nil
	case Removed:
		j.removed(e, p, l)
	case Mailless:
		j.fault(Without, e, "no license with a mailbox is left")
	default:
		return fmt.Errorf("there is no event %q", e.What)
	}
	delete(p.clear, e.License)
	return nil
}

// Read hears a story, one JSON event a line, to its end.
func (j *Judge) Read(story io.Reader) error {
	lines := json.NewDecoder(story)
	lines.DisallowUnknownFields()
	for n := 1; ; n++ {
		var e Event
		err := lines.Decode(&e)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = j.Hear(e)
		}
		if err != nil {
			return fmt.Errorf("event %d of the story: %w", n, err)
		}
	}
}
