package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Swept is the result of Sweep.
type Swept struct {
	Verdicts [][]Plain // by rule and person; NotPlain for everybody who is open
	Open     []bool    // people who must be evaluated on their own
	screen   *screen
}

// Sweep works like the method Screen, but does not search for verdicts that turn to reclaim later.
func (j *Judge) Sweep(c *Crowd) *Swept {
	s := newScreen(j, c)
	verdicts, open := s.asked()
	alone(verdicts, open)
	return &Swept{Verdicts: verdicts, Open: open, screen: s}
}

// LastSeen returns each person's newest known date in the condition "when", in microseconds since 1970, or None. The
// result "known" says whether there is certainly no later date up to the end of the reports. Both are valid only for
// people who are not in Open.
func (w *Swept) LastSeen(r *Rule) (at []int64, known []bool) {
	s := w.screen
	at, known = make([]int64, s.People), make([]bool, s.People)
	for row := range at {
		at[row], known[row] = None, true
	}
	for _, a := range r.when.activity {
		for _, f := range a.fields {
			s.latest(f, at, known)
		}
	}
	return at, known
}

// The method "latest" writes the date of a field into at[row] if it is later. It sets known[row] to false if the field
// is unknown.
func (s *screen) latest(f *directory.Field, at []int64, known []bool) {
	if used, reported := s.used(f); reported {
		for row, state := range s.Accounts[directory.Entra] {
			last := used.Last[row]
			if known[row] = known[row] && (state == Nowhere || state == Here && last != None); state == Here && last > Never {
				at[row] = max(at[row], last)
			}
		}
		return
	}
	columns := s.columnsOf(f)
	for row, state := range s.Accounts[f.Source] {
		known[row] = known[row] && len(columns) > 0 && state != NotKnown
		for _, c := range columns {
			if state == Here {
				at[row] = max(at[row], c.Rows[row])
			}
		}
	}
}

// The type "narrow" has the people from whom one rule of a Trial reclaims: the rule with the fewest days (Rule.within).
// The same rule with more days can reclaim only from these people.
type narrow struct {
	rows   []int
	screen *screen // the screen of these rows
}

// The method "narrowed" returns the verdicts of a rule r of a Trial. The parameter "within" has the verdicts of
// r.within, which is the same rule with the fewest days. If r.within keeps a license, r keeps it, too. So the condition
// of r is evaluated only for the people from whom r.within reclaims.
func (s *screen) narrowed(r *Rule, within []Plain, open []bool) []Plain {
	part := s.narrow[r.within]
	if part == nil {
		part = &narrow{}
		for row, verdict := range within {
			if verdict == PlainReclaim {
				part.rows = append(part.rows, row)
			}
		}
		part.screen = newScreen(s.Judge, s.pick(part.rows))
		s.narrow[r.within] = part
	}
	verdicts := slices.Clone(within)
	for i, holds := range part.screen.condition(r.when) {
		switch holds {
		case directory.No:
			verdicts[part.rows[i]] = PlainKeep
		case directory.Unset:
			open[part.rows[i]] = true
		}
	}
	return verdicts
}

// The type "spared" says who may be in grace for a rule. The method "is" computes this at its first call for a person.
// The conditions "for" and "when" must be true for this person.
type spared struct {
	by    []func(row int) bool // one for each kind of grace that the policy has
	known []directory.Flag     // results of the method "is", by row; Unset means not computed
}

func (s *spared) is(row int) bool {
	if s.known[row] == directory.Unset {
		may := slices.ContainsFunc(s.by, func(by func(row int) bool) bool { return by(row) })
		s.known[row] = directory.FlagOf(may)
	}
	return s.known[row] == directory.Yes
}

// The method "spared" finds who may be in grace for a rule. It caches the result: all rules of a Trial that are about
// one license and read the same dates share it.
func (s *screen) spared(r *Rule) *spared {
	key := r.License.Name
	for _, a := range r.when.activity {
		key += " " + a.name
	}
	if s.graces[key] == nil {
		may := &spared{known: s.all(directory.Unset)}
		if days := s.policy.Grace.NeverSignedIn; days > 0 && len(r.when.activity) > 0 {
			may.by = append(may.by, s.neverUsed(r, s.graceBegan(days)))
		}
		if days := s.policy.Grace.NewHolder; days > 0 {
			may.by = append(may.by, s.newlyHeld(r.License, s.graceBegan(days)))
		}
		if days := s.policy.Grace.EnabledAgain; days > 0 {
			may.by = append(may.by, s.newlyEnabled(r.License, s.graceBegan(days)))
		}
		s.graces[key] = may
	}
	return s.graces[key]
}

// graceBegan returns the time "days" days ago, in microseconds since 1970. A grace of this length that began at this
// time or earlier is over now.
func (s *screen) graceBegan(days int) int64 {
	return s.now.Add(-time.Duration(days) * day).UnixMicro()
}

// neverUsed returns a function that reports whether Judge.neverSignedIn may give grace to the person in a row. This is
// so if the hire date is after "ended" (graceBegan). It is also so without a known date of use, if the creation date is
// unknown or after "ended".
func (s *screen) neverUsed(r *Rule, ended int64) func(row int) bool {
	var uses [][]int64
	for _, a := range r.when.activity {
		uses = append(uses, s.date(a))
	}
	created := s.date(s.policy.attributes["created"])
	hired, dated := s.Field("entra.hired")
	return func(row int) bool {
		used := slices.ContainsFunc(uses, func(dates []int64) bool { return isDate(dates[row]) })
		return dated && hired.Rows[row] > ended || !used && (!isDate(created[row]) || created[row] > ended)
	}
}

func (s *screen) newlyHeld(l *License, ended int64) func(row int) bool {
	if l.holders != nil {
		return func(row int) bool {
			since := s.MemberSince(l.holders.Ref.Source, l.holders.key, row)
			return since == Never || since > ended // None is less than each time
		}
	}
	changed, ok := s.Changed()
	bound := time.UnixMicro(ended).UTC().Format(inSeconds)
	return func(row int) bool {
		return !ok || changed.Rows[row] == None || !allBefore(changed.Words[changed.Rows[row]], bound)
	}
}

// inSeconds is the format of a date without its fraction and zone.
const inSeconds = "2006-01-02T15:04:05"

// allBefore reports whether a text has dates, and each of them is certainly earlier than a bound. It compares texts,
// because it takes too long to parse everybody's dates.
func allBefore(dates, bound string) bool {
	any := false
	for date := range strings.FieldsSeq(dates) {
		if any = true; len(date) <= len(inSeconds) || date[4] != '-' || date[len(date)-1] != 'Z' || date[:len(inSeconds)] >= bound {
			return false
		}
	}
	return any
}

func (s *screen) newlyEnabled(l *License, ended int64) func(row int) bool {
	source := l.Source()
	return func(row int) bool {
		if s.Accounts[source][row] != Here {
			return true
		}
		since := s.EnabledSince(source, row)
		return since == Never || since > ended // None is less than each time
	}
}

// Outcomes returns the outcome of each rule, in the order of the policy. The result reuses the memory of list. Outcomes
// is faster than AskAll, because it finds no reasons. It also saves evaluations for a Trial, which has one rule several
// times with different numbers of days: if the rule with the fewest days (r.within) takes nothing, r takes nothing
// either.
func (j *Judge) Outcomes(p *directory.Person, list []Outcome) []Outcome {
	var once exempted
	list = slices.Grow(list[:0], len(j.policy.Rules))[:len(j.policy.Rules)]
	for i, r := range j.policy.Rules {
		if r.within == nil {
			list[i] = j.decide(r, p, &once).outcome
		}
	}
	for i, r := range j.policy.Rules {
		if r.within == nil {
			continue
		}
		if list[i] = list[r.withinAt]; list[i] == Reclaim || list[i] == Undecided {
			list[i] = j.decide(r, p, &once).outcome
		}
	}
	return list
}

// LastSeen returns the newest known date of use in the condition "when", or zero. The result "known" reports whether
// there is certainly no later date up to the end of the reports.
func (j *Judge) LastSeen(r *Rule, p *directory.Person) (at time.Time, known bool) {
	return lastSeen(r.when.activity, p), !slices.ContainsFunc(r.when.activity, func(a *attribute) bool {
		return slices.ContainsFunc(a.fields, func(f *directory.Field) bool {
			return f.Of(p).State == directory.Unknown && !absent(p, f.Source)
		})
	})
}

// Late returns the longest delay of the usage reports from which the condition "when" reads dates of use, at most its
// shortest span. It is zero without such a report.
func (r *Rule) Late() time.Duration { return r.late() }
