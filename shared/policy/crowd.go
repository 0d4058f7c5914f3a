package policy

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Column is one field of many people.
type Column struct {
	// Rows has for each person None, the place of a text in Words, the microseconds of an
	// instant since 1970, or 0 or 1 for a flag.
	Rows  []int64
	Words []string
}

// Used is the last use by a usage report.
type Used struct {
	Last    []int64       // by person: the microseconds since 1970; None: not known; Never: none in the span
	Through time.Time     // up to when the report tells anything
	Span    time.Duration // how far back from then on
}

// None is a row of a Column without a value. Never stands in Used.Last for no use in the
// span of the report.
const (
	None  = -1 << 63
	Never = None + 1
)

// AccountState is what is known of the account of a person in one source.
type AccountState uint8

// The states of a half. An account that is not Here has no value that is known.
const (
	NotKnown AccountState = iota
	Here
	Nowhere // the person has no account there, for certain
)

// Crowd is many people by columns, each of whom could be asked about alone. What their
// accounts show is not in doubt: neither health nor the past speaks against it.
type Crowd struct {
	People   int
	Accounts [2][]AccountState // by source
	Field    func(name string) (Column, bool)
	// Used is what the usage report of a signal tells of the last use; false when it tells
	// nothing that can be trusted.
	Used func(s directory.Signal) (Used, bool)
	// Groups are the lists of keys of named groups by which a person is known to be a
	// member, by the ids of both accounts: the place of a list for each person, or None.
	Groups     [2]Column
	GroupLists [2][][]string
	// Licenses are the paths to licenses, likewise.
	Licenses     Column
	LicensePaths [][]directory.Assignment
	Unreadable   []string // keys of groups that could not be read
	Open         []bool   // those who are to be asked about alone in any case
}

// Plain is a verdict that columns show.
type Plain uint8

// The verdicts that columns show. Anything else is NotPlain: the person is asked alone.
const (
	NotPlain Plain = iota
	PlainNotHolder
	PlainNotAsked // kept, since the condition "for" does not hold
	PlainKeep     // kept, since the condition "when" does not hold
)

// PlainVerdicts is how many there are.
const PlainVerdicts = 4

// Screen asks all rules about a crowd by its columns. Its answers are those of AskAll
// where they are plain: no holder, or kept because a condition is false. They are by rule
// and person. A person of whom one answer is not plain has none, and is open.
func (j *Judge) Screen(c *Crowd) (verdicts [][]Plain, open []bool) {
	s := newScreen(j, c)
	open = make([]bool, c.People)
	copy(open, c.Open)
	s.exempt(open)
	verdicts = make([][]Plain, len(j.policy.Rules))
	for i, r := range j.policy.Rules {
		verdicts[i] = s.rule(r, open)
	}
	for i := range verdicts {
		for row, alone := range open {
			if alone {
				verdicts[i][row] = NotPlain
			}
		}
	}
	return verdicts, open
}

// rule is the plain verdict of a rule. Rows without one become open.
func (s *screen) rule(r *Rule, open []bool) []Plain {
	holders := s.holders(r.License)
	scope, when := s.all(directory.Yes), s.condition(r.when)
	if r.scope != nil {
		scope = s.condition(r.scope)
	}
	verdicts := make([]Plain, s.People)
	for row := range verdicts {
		switch {
		case holders[row] == directory.No:
			verdicts[row] = PlainNotHolder
		case holders[row] == directory.Unset:
			open[row] = true
		case scope[row] == directory.No:
			verdicts[row] = PlainNotAsked
		case scope[row] == directory.Yes && when[row] == directory.No:
			verdicts[row] = PlainKeep
		default:
			open[row] = true
		}
	}
	return verdicts
}

// exempt opens everybody who may be exempt.
func (s *screen) exempt(open []bool) {
	e := &s.policy.exempt
	for i := range e.groups {
		for row, in := range s.members(&e.groups[i]) {
			open[row] = open[row] || in != directory.No
		}
	}
	if e.when != nil {
		for row, holds := range s.condition(e.when) {
			open[row] = open[row] || holds != directory.No
		}
	}
}

// holders tells who holds a license.
func (s *screen) holders(l *License) []directory.Flag {
	if l.holders != nil {
		return s.members(l.holders)
	}
	byWord := make([]directory.Flag, len(s.LicensePaths))
	for word, paths := range s.LicensePaths {
		byWord[word] = directory.No
		for i := range paths {
			if paths[i].SKU == s.skus[l.index] {
				byWord[word] = directory.Yes
			}
		}
	}
	flags := s.all(directory.Unset)
	for row := range flags {
		switch half := s.Accounts[directory.Entra][row]; {
		case half == Nowhere, half == Here && s.Licenses.Rows[row] == None:
			flags[row] = directory.No
		case half == Here:
			flags[row] = byWord[s.Licenses.Rows[row]]
		}
	}
	return flags
}

// members tells who belongs to a group.
func (s *screen) members(q *MemberQuery) []directory.Flag {
	flags := s.all(directory.Unset)
	var listed [2][]bool
	for side, lists := range s.GroupLists {
		listed[side] = make([]bool, len(lists))
		for word, list := range lists {
			for _, key := range list {
				listed[side][word] = listed[side][word] || key == q.key
			}
		}
	}
	unread := false
	for _, key := range s.Unreadable {
		unread = unread || key == q.key
	}
	for row := range flags {
		for side := range s.Groups {
			if word := s.Groups[side].Rows[row]; word != None && listed[side][word] {
				flags[row] = directory.Yes
			}
		}
		half := s.Accounts[q.Ref.Source][row]
		if flags[row] == directory.Unset && (half == Nowhere || half == Here && !unread) {
			flags[row] = directory.No
		}
	}
	return flags
}

// Empties is by attribute how many holders have no value of it, as Empty tells it of one
// person, of those with a plain verdict of the rule.
func (j *Judge) Empties(c *Crowd, r *Rule, verdicts []Plain) map[string]int {
	s := newScreen(j, c)
	counts := map[string]int{}
	for _, a := range r.fills {
		n := 0
		for row, empty := range s.empty(a) {
			if empty && verdicts[row] > PlainNotHolder {
				n++
			}
		}
		if n > 0 {
			counts[a.name] = n
		}
	}
	return counts
}

// CanScreen tells whether columns can show verdicts on people by this policy at all. They
// cannot where people are no kind that rules ask about, or where what Empty counts does
// not follow from columns.
func (j *Judge) CanScreen(c *Crowd) bool {
	for _, r := range j.policy.Rules {
		for _, a := range r.fills {
			if !newScreen(j, c).readable(a) {
				return false
			}
		}
	}
	for _, kind := range j.policy.Kinds {
		if kind == directory.KindPerson {
			return true
		}
	}
	return false
}
