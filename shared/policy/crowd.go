package policy

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Column is one field of many people.
type Column struct {
	// Rows has one value per person: None, an index into Words, microseconds since 1970 for a date, or 0 or 1 for a
	// flag.
	Rows  []int64
	Words []string
}

// Used is the last use of a workload according to a usage report.
type Used struct {
	Last    []int64       // by person, in microseconds since 1970; None if unknown, Never if there is no use in Span
	Through time.Time     // the end of the period that the report covers
	Span    time.Duration // how far back from Through the report reaches
}

// None marks a row without a value. In Used.Last, Never means no use in the span of the report. In the functions of
// Crowd about grace, Never means an unknown time.
const (
	None  = -1 << 63
	Never = None + 1
)

// AccountState says what is known about a person's account in one source.
type AccountState uint8

// The states of an account. Values are known only for Here.
const (
	NotKnown AccountState = iota
	Here
	Nowhere // the person certainly has no account in the source
)

// Crowd has many people in columns, so that a rule can be evaluated for all of them at once. The values in the columns
// count as true: the signals are healthy, and no earlier reading contradicts a value. People with a doubtful account
// are in Open.
type Crowd struct {
	People   int
	Accounts [2][]AccountState // by source
	Field    func(name string) (Column, bool)
	// Used returns the last uses according to the usage report for s, or false if its dates cannot be trusted.
	Used func(s directory.Signal) (Used, bool)
	// For each source, Groups has an index per person: the place of the person's list in GroupLists, or None. The list
	// has the keys of the groups of the policy to which the person is known to belong.
	Groups     [2]Column
	GroupLists [2][][]string
	// Licenses has an index per person: the place of the person's license assignments in LicensePaths, or None.
	Licenses     Column
	LicensePaths [][]directory.Assignment
	Unreadable   []string // keys of groups that could not be read
	Open         []bool   // people who must be evaluated on their own in any case, such as everybody whom the policy lists

	// EnabledSince returns when an account was enabled, and MemberSince returns when it joined a group. Grace begins at
	// these times, which are in microseconds since 1970. The value is None for a time before the first reading, and
	// Never for an unknown time.

	// EnabledSince also returns None for a disabled account.
	EnabledSince func(s directory.Source, row int) int64
	MemberSince  func(s directory.Source, key string, row int) int64
	// Changed returns a text for each person: the dates of all license assignments, separated by spaces, in the format
	// of the table of people.
	Changed func() (Column, bool)
}

// Plain is a verdict that follows from columns alone.
type Plain uint8

// The verdicts. NotPlain means that the columns do not show the verdict. The person must then be evaluated singly
// (AskAll).
const (
	NotPlain Plain = iota
	PlainNotHolder
	PlainNotAsked // kept because the condition "for" is false
	PlainKeep     // kept because the condition "when" is false
	PlainReclaim
)

// PlainVerdicts is the number of values of Plain.
const PlainVerdicts = 5

// Screened has the results of Screen. Verdicts and Turns have one list for each rule, in the order of the policy.
type Screened struct {
	Verdicts [][]Plain
	// Open marks the people who must be evaluated singly, because at least one rule has no plain verdict on them. All
	// their verdicts are NotPlain.
	Open []bool
	// Turns[i] lists the people whose license rule i keeps now and reclaims later, with the time of the change as in
	// Judge.TurnsBy. It omits the people in Open.
	Turns [][]Turned

	screen *screen
}

// Screen evaluates all rules from the columns alone. A plain verdict is the one that AskAll would return. A verdict to
// reclaim is plain only if the columns show that no exemption and no grace can hold. Screen also returns the verdicts
// that turn from keep to reclaim up to the time "until".
func (j *Judge) Screen(c *Crowd, until time.Time) *Screened {
	s := newScreen(j, c)
	verdicts, open := s.asked()
	found := &Screened{Verdicts: verdicts, Open: open, screen: s}
	for i, r := range j.policy.Rules {
		found.Turns = append(found.Turns, s.turns(r, verdicts[i], open, until))
		s.openMixed(r, verdicts[i], open)
	}
	for i := range found.Turns {
		found.Turns[i] = slices.DeleteFunc(found.Turns[i], func(t Turned) bool { return open[t.Row] })
	}
	alone(verdicts, open)
	return found
}

func (s *screen) asked() (verdicts [][]Plain, open []bool) {
	open = make([]bool, s.People)
	copy(open, s.Open)
	s.exempt(open)
	verdicts = make([][]Plain, len(s.policy.Rules))
	for i, r := range s.policy.Rules {
		if r.within != nil {
			continue
		}
		verdicts[i] = s.rule(r, open)
	}
	for i, r := range s.policy.Rules {
		if verdicts[i] == nil {
			verdicts[i] = s.narrowed(r, verdicts[r.withinAt], open)
		}
	}
	return verdicts, open
}

func alone(verdicts [][]Plain, open []bool) {
	for i := range verdicts {
		for row, is := range open {
			if is {
				verdicts[i][row] = NotPlain
			}
		}
	}
}

// The method "rule" returns the verdicts that the columns show. It sets open[row] for each person without such a
// verdict.
func (s *screen) rule(r *Rule, open []bool) []Plain {
	holders := s.holders(r.License)
	scope, when := s.scope(r), s.condition(r.when)
	grace := s.spared(r)
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
		case scope[row] == directory.Yes && when[row] == directory.Yes && !grace.is(row):
			verdicts[row] = PlainReclaim
		default:
			open[row] = true
		}
	}
	return verdicts
}

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

// The method "scope" returns the results of the condition "for". It caches them, because the variants of a rule in a
// Trial have the same condition "for".
func (s *screen) scope(r *Rule) []directory.Flag {
	if r.scope == nil {
		return s.all(directory.Yes)
	}
	if s.scopes[r.scope.source] == nil {
		s.scopes[r.scope.source] = s.condition(r.scope)
	}
	return s.scopes[r.scope.source]
}

func (s *screen) holders(l *License) []directory.Flag {
	if s.held[l] == nil {
		s.held[l] = s.holdersOf(l)
	}
	return s.held[l]
}

func (s *screen) holdersOf(l *License) []directory.Flag {
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

func (s *screen) members(q *MemberQuery) []directory.Flag {
	flags := s.all(directory.Unset)
	var listed [2][]bool
	for side, lists := range s.GroupLists {
		listed[side] = make([]bool, len(lists))
		for word, list := range lists {
			listed[side][word] = slices.Contains(list, q.key)
		}
	}
	unread := slices.Contains(s.Unreadable, q.key)
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

// Empties returns the number of holders without a value, by attribute. It has the attributes that Judge.Empty checks,
// and counts only people on whom rule i has a plain verdict.
func (f *Screened) Empties(i int) map[string]int {
	counts := map[string]int{}
	for _, a := range f.screen.policy.Rules[i].fills {
		n := 0
		for row, empty := range f.screen.empty(a) {
			if empty && f.Verdicts[i][row] > PlainNotHolder {
				n++
			}
		}
		if n > 0 {
			counts[a.name] = n
		}
	}
	return counts
}

// Idle counts the holders on whom rule i has a plain verdict, by the time since their last use.
func (f *Screened) Idle(i int) *Idle {
	return f.screen.idle(f.screen.policy.Rules[i], f.Verdicts[i])
}

// CanScreen reports whether Screen can find any plain verdict under this policy. It cannot if the policy exempts
// accounts of the kind person, or if the columns lack an attribute that Empties counts.
func (j *Judge) CanScreen(c *Crowd) bool {
	for _, r := range j.policy.Rules {
		for _, a := range r.fills {
			if !newScreen(j, c).readable(a) {
				return false
			}
		}
	}
	return slices.Contains(j.policy.Kinds, directory.KindPerson)
}
