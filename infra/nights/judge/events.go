package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// What is the kind of an event.
type What string

// The kinds of events. All kinds except Ruled, Night, Forgot and Lose concern one person. The first event about a
// person must be Hired. The text after "Holds:" says what is true if the field Holds is set.
const (
	Ruled    What = "ruled"     // from now on, the rule in the field Rule replaces the former rule for its license
	Hired    What = "hired"     // the person has existed since the time At; Holds: the account belongs to a human, and not to a room or an agent
	Remade   What = "remade"    // the account that holds the license was deleted and created again; nobody has used the new account
	Parted   What = "parted"    // nothing links the account that holds the license to the person any longer
	Holding  What = "holding"   // the person has held the license since the time At, although no event Given gave the license to the person
	Used     What = "used"      // a use that counts for the rule of the license
	Erased   What = "erased"    // no controller shows a logon after the time At any longer
	Exempted What = "exempted"  // Holds: an exemption begins; otherwise the exemption ends
	Away     What = "away"      // the list of leaves says from now on that the person is on leave until the time Until; an earlier leave no longer counts
	Outside  What = "outside"   // Holds: the rule for the license does not cover the person
	Stuck    What = "stuck"     // Holds: the license cannot be changed safely
	Enabled  What = "enabled"   // Holds: the account is enabled; otherwise it is blocked
	Given    What = "given"     // the person gets the license, for example from a help desk or from a restore
	Undone   What = "undone"    // the tool gives the license without an operator's request: the tool rolls back a change, or a rule restores the license
	Released What = "released"  // somebody other than the tool takes the license, or the person leaves the company
	Planned  What = "planned"   // a plan lists the removal
	Accepted What = "accepted"  // an administrator accepts the removal, even if the removal exceeds the limits
	Told     What = "announced" // the tool announces the removal
	Pending  What = "pending"   // Holds: the tool's last read did not show the tool's write
	Freed    What = "freed"     // the tool's last read shows its write, although the license itself is not free yet
	Removed  What = "removed"   // the tool takes the license now
	Forgot   What = "forgot"    // the tool's store was restored from a backup that was made at the time At
	Ended    What = "ended"     // the tool says that a change is done; Holds: the license is not free yet, or not given yet
	Mailless What = "mailless"  // the tool has taken the person's last license for a mailbox
	Night    What = "night"     // Text: verdict of a night; Reasons: why the plan is on hold
	Lose     What = "lose"      // at the end of the story, a change is not finished or a license cannot be restored; Text: the reason
)

// Failed is the verdict of a night in which the tool could not read the directories.
const Failed = "failed"

// Event is one line of a story. The field Shown is the earliest time at which the tool can know the event. A zero Shown
// means the time At.
type Event struct {
	What    What      `json:"what"`
	At      time.Time `json:"at"`
	Shown   time.Time `json:"shown,omitzero"`
	Person  string    `json:"person,omitempty"`
	License string    `json:"license,omitempty"`
	Holds   bool      `json:"holds,omitempty"`
	// Until is the first moment after a leave.
	Until time.Time `json:"until,omitzero"`
	// Way is the group by which the tool takes or gives the license. It is empty if the group does not matter.
	Way string `json:"way,omitempty"`
	// Stranger reports whether the event comes from a second machine with its own store.
	Stranger bool     `json:"stranger,omitempty"`
	Text     string   `json:"text,omitempty"`
	Reasons  []string `json:"reasons,omitempty"`
	Rule     *Rule    `json:"rule,omitempty"`
	// Unread contains the licenses whose directory could not be read in a night.
	Unread []string `json:"unread,omitempty"`
}

// Hear judges one event. The caller must pass the events in the order in which they happen. An error means that the
// event is invalid, for example because nobody hired its person. A fault of the tool is not an error.
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

func (j *Judge) about(e Event, p *person) error {
	l := p.license(e.License)
	switch e.What {
	case Remade:
		p.made[e.License], p.used[e.License], p.away[e.License] = e.At, nil, nil // the list of leaves names the deleted account
		l.taken, l.given = time.Time{}, nil                                      // the removal and the restores concerned the deleted account
	case Parted:
		l.taken, l.given = time.Time{}, nil
	case Holding:
		l.held, l.taken = true, time.Time{} // the person holds the license although nobody restored the license, so the license no longer counts as taken
		if l.since.IsZero() {
			l.since = j.since(e)
		}
	case Used:
		p.used[e.License] = append(p.used[e.License], fact{e.At, e.Shown, true})
	case Erased:
		p.used[e.License] = slices.DeleteFunc(p.used[e.License], func(f fact) bool { return f.at.After(e.At) })
	case Exempted:
		p.exempt = append(p.exempt, fact{e.At, e.Shown, e.Holds})
		clear(p.clear)
	case Away:
		for name := range j.rules {
			p.away[name] = append(p.away[name], fact{e.Until, e.Shown, true})
		}
		clear(p.clear)
	case Outside:
		p.outside[e.License] = append(p.outside[e.License], fact{e.At, e.Shown, e.Holds})
	case Stuck:
		l.stuck = e.Holds
	case Enabled:
		j.enable(e, p)
		clear(p.clear)
	case Given, Undone:
		if !l.taken.IsZero() && !l.strange && l.way != "" && e.Way != "" && e.Way != l.way {
			j.fault(Astray, e, "it was taken by "+l.way+", and is given by "+e.Way)
		}
		l.give(e, j.seen[e.License], j.since(e))
	case Released:
		l.held, l.planned, l.released = false, false, e.At
	case Planned:
		l.planned = true
		return nil
	case Accepted:
		l.accepted = true
		return nil
	case Told:
		if last := newest(p.used[e.License], e.At); l.announced.IsZero() || last.After(l.announced) || since(p.away[e.License], e.At).After(l.announced) {
			l.announced = e.At
		}
		return nil
	case Pending:
		l.pending, l.ended = e.Holds, true
		return nil
	case Freed:
		l.freed = true
		return nil
	case Removed:
		j.removed(e, p, l)
	case Ended:
		if e.Holds {
			j.fault(Early, e, "done, before the license followed the group")
		}
		return nil
	case Mailless:
		j.mailless(e, p)
	default:
		return fmt.Errorf("there is no event %q", e.What)
	}
	delete(p.clear, e.License)
	return nil
}

// The method "enable" records for each license whether the account is enabled. If no night read the license's directory
// while the account was blocked, the tool cannot know of the block, so the method forgets the block. To find this out,
// it compares the number of nights before and after the block. Times would not show it, because the world's clock
// stands still during a reading.
func (j *Judge) enable(e Event, p *person) {
	for name, facts := range p.enabled {
		n := len(facts)
		switch {
		case !e.Holds:
			p.enabled[name], p.blocked[name] = append(facts, fact{e.At, e.Shown, false}), j.reads[name]
		case !facts[n-1].holds && p.blocked[name] == j.reads[name]:
			p.enabled[name] = facts[:n-1]
		default:
			p.enabled[name] = append(facts, fact{e.At, e.Shown, true})
		}
	}
}

// Read judges a whole story. Each line contains one event as JSON.
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
