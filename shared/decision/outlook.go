package decision

import (
	"cmp"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// OutlookDays is the number of days that an Outlook covers.
const OutlookDays = 30

// Outlook says how long the holders of a license have been idle, and when the rule will take the licenses that it keeps
// now, if their holders stay away.
type Outlook struct {
	Idle *policy.Idle `json:"idle,omitempty"` // nil if the rule reads no date of use
	// Turns[d] counts holders whose verdict turns to reclaim more than d and at most d+1 days after the planning time.
	Turns []int `json:"turns,omitempty"`
}

// Turning is a verdict that turns to reclaim within OutlookDays if the person stays away.
type Turning struct {
	Key  uint64 `json:"key"` // PersonKey of the person
	Rule int    `json:"rule"`
	On   int64  `json:"on"` // in microseconds since 1970
}

func (r *Run) outlooks() []Outlook {
	all := make([]Outlook, len(r.Policy.Rules))
	for i, rule := range r.Policy.Rules {
		all[i] = Outlook{Idle: rule.NewIdle(), Turns: make([]int, OutlookDays)}
	}
	return all
}

// NewSummary returns a summary that counts the people in the given Plain.
func (r *Run) NewSummary(plain *Plain) Summary {
	s := Summary{People: plain.People, Tallies: make([]plan.Tally, len(r.Policy.Rules)), Outlooks: r.outlooks(), Turning: plain.Turning}
	for i, rule := range r.Policy.Rules {
		s.Tallies[i].Rule = rule.Name
		if len(plain.Tallies) > 0 {
			s.Tallies[i].Add(plain.Tallies[i])
			s.Outlooks[i].add(plain.Outlooks[i])
		}
	}
	return s
}

func (r *Run) outlookEnd() time.Time { return r.Begin.AsOf.Add(OutlookDays * 24 * time.Hour) }

func (s *Summary) turn(asOf time.Time, t Turning) {
	s.Outlooks[t.Rule].Turns[(time.UnixMicro(t.On).Sub(asOf)-1)/(24*time.Hour)]++
	s.Turning = append(s.Turning, t)
}

// Look adds a holder of the license of rule i to the outlook. The caller need only set the outcome and the person in
// the decision "d". The parameter "past" is the last event of the license in the history, or nil.
func (r *Run) Look(s *Summary, judge *policy.Judge, i int, p *directory.Person, v *policy.Verdict, d *plan.Decision, past *history.Item) {
	rule := r.Policy.Rules[i]
	judge.CountIdle(s.Outlooks[i].Idle, rule, p)
	if d.Outcome != policy.Keep && d.Outcome != policy.Exempt {
		return
	}
	var lately []time.Time // times at which the license was given
	if r.History.Len() > 0 {
		for _, g := range r.allGiven(d, directory.Yes, past, judge.Now()) {
			lately = append(lately, g.at)
		}
	}
	if len(lately) == 0 && judge.SettledBy(r.outlookEnd(), rule, p, *v) {
		return
	}
	if on, turns := judge.TurnsBy(r.outlookEnd(), rule, p, lately...); turns {
		s.turn(r.Begin.AsOf, Turning{Key: PersonKey(p), Rule: i, On: on.UnixMicro()})
	}
}

// mostTurning is the maximum number of entries in the list Turning of a run.
const mostTurning = 2000

// cutTurning keeps the verdicts that turn soonest. A partition keeps up to four times its share of mostTurning, plus
// 100. This is enough, because the hash that chooses the partition spreads people evenly.
func (r *Run) cutTurning(s *Summary) {
	slices.SortFunc(s.Turning, func(a, b Turning) int {
		return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key, b.Key))
	})
	most := min(mostTurning, 100+4*mostTurning/r.Begin.Partitions)
	s.Turning = s.Turning[:min(len(s.Turning), most)]
}

// The method "add" adds the counts of another partition. If an earlier version stored these counts, they may cover
// another number of days. Days that o does not have are dropped.
func (o *Outlook) add(of Outlook) {
	if o.Idle != nil {
		o.Idle.Add(of.Idle)
	}
	for d, n := range of.Turns[:min(len(of.Turns), len(o.Turns))] {
		o.Turns[d] += n
	}
}

// The method "outlook" sets Outlooks and Turning from the people whom the screening decides by the columns of the
// snapshot, without a Person for each.
func (p *screening) outlook(found *policy.Screened) {
	sum := Summary{Outlooks: make([]Outlook, len(p.run.Policy.Rules))}
	for i := range sum.Outlooks {
		sum.Outlooks[i] = Outlook{Idle: found.Idle(i), Turns: make([]int, OutlookDays)}
		for _, t := range found.Turns[i] {
			key := p.keys[directory.Entra].Rows[t.Row]
			if key == table.None {
				key = p.keys[directory.AD].Rows[t.Row]
			}
			sum.turn(p.run.Begin.AsOf, Turning{Key: uint64(key), Rule: i, On: t.At})
		}
	}
	p.Outlooks, p.Turning = sum.Outlooks, sum.Turning
}
