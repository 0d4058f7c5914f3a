package backtest

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// Group counts hits by their outcome.
type Group struct {
	Hits   int                  `json:"hits"`
	Regret [len(Windows)]Regret `json:"regret"` // in the order of Windows
}

// Regret counts the hits after which the person came back within the number of days in the field Days. A hit is young
// if fewer days have passed since the hit. A young hit can show a return, but not the absence of a return. The rate
// therefore leaves out all young hits, even young hits with a return.
//
// (A Kaplan-Meier estimate would also use young hits. But its confidence interval does not hold for the few returns at
// a good threshold.)
type Regret struct {
	Days     int `json:"days"`
	Returned int `json:"returned"` // the person was active again within Days
	Stayed   int `json:"stayed"`   // the person is known to be inactive for all of Days
	NotYet   int `json:"notYet"`   // the hit is young, or the dates of the person became unknown
	// Rate is the share of Returned in Returned and Stayed. Low and High are the bounds of its confidence interval of
	// 95% by Wilson's score, which holds for few hits and for rates near zero (Brown, Cai and DasGupta, "Interval
	// Estimation for a Binomial Proportion", 2001). They are 0 and 1 if no outcome is known.
	Rate float64 `json:"rate"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Known returns the number of hits with a known outcome.
func (r *Regret) Known() int { return r.Returned + r.Stayed }

// z is the quantile of the normal distribution for a two-sided interval of 95%.
const z = 1.959963984540054

func (r *Regret) rate() {
	n := float64(r.Known())
	if r.Low, r.High = 0, 1; n == 0 {
		return
	}
	r.Rate = float64(r.Returned) / n
	middle := (r.Rate + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(r.Rate*(1-r.Rate)/n+z*z/(4*n*n))
	r.Low, r.High = max(0, middle-half), min(1, middle+half)
	if r.Returned == 0 {
		r.Low = 0 // without the rounding error
	}
	if r.Stayed == 0 {
		r.High = 1
	}
}

// part is a set of hits that is counted on its own.
type part int

const (
	stock part = iota
	flow
	older
	newer
	parts
)

type tally struct {
	parts       [parts]Group
	departments map[int32]*Group
	seats       int
	people      int
}

type counts struct {
	*trial
	asOf        []time.Time
	complete    int       // the last night that proves who is gone; see completeUntil
	tallies     [][]tally // by rule and threshold
	people      int       // people in the last snapshot
	departments []string
}

func newCounts(t *trial, nights []night) *counts {
	c := &counts{trial: t, tallies: make([][]tally, len(t.rules)), complete: -1}
	for i := range nights {
		c.asOf = append(c.asOf, nights[i].asOf)
	}
	for i := range c.tallies {
		c.tallies[i] = make([]tally, len(t.rules[i].thresholds))
		for k := range c.tallies[i] {
			c.tallies[i][k].departments = map[int32]*Group{}
		}
	}
	return c
}

// completeUntil returns the last night on which Entra ID was healthy, and Active Directory was healthy or not set up.
// If there is none, it returns -1. A person who is missing from the snapshot of this night is gone.
func completeUntil(nights []night) int {
	for i, n := range slices.Backward(nights) {
		ad := n.feeds[directory.AD].State
		if n.feeds[directory.Entra].State == plan.Healthy && (ad == plan.Healthy || ad == plan.Absent) {
			return i
		}
	}
	return -1
}

func (c *counts) half() int { return len(c.asOf) / 2 }

func (c *counts) count(h *hit) {
	t := &c.tallies[h.rule][h.threshold]
	late := c.rules[h.rule].Late()
	last := len(c.asOf) - 1
	of := t.departments[h.department]
	if of == nil {
		of = &Group{}
		t.departments[h.department] = of
	}
	c.add1(of, h, last, late)
	switch {
	case h.night == 0:
		c.add1(&t.parts[stock], h, last, late)
		return
	case h.night < c.half():
		c.add1(&t.parts[older], h, c.half()-1, late)
	default:
		c.add1(&t.parts[newer], h, last, late)
	}
	c.add1(&t.parts[flow], h, last, late)
}

// The method "add1" counts a hit in a group. It uses only what the nights up to "until" show. The parameter "late" is
// the largest delay of the reports: a night shows all activity only up to this long before the night.
func (c *counts) add1(g *Group, h *hit, until int, late time.Duration) {
	g.Hits++
	began := c.asOf[h.night]
	known := c.asOf[min(h.known, until)]
	if h.came == policy.None && h.present < c.complete { // the person is gone and therefore did not come back
		known = c.asOf[min(c.complete, until)]
	}
	for i, days := range Windows {
		r, ends := &g.Regret[i], began.AddDate(0, 0, days)
		switch {
		case c.asOf[until].Add(-late).Before(ends):
			r.NotYet++
		case h.came != policy.None && h.shown <= until && h.came <= ends.UnixMicro():
			r.Returned++
		case !known.Add(-late).Before(ends):
			r.Stayed++
		default:
			r.NotYet++
		}
	}
}

func (c *counts) addSeats(rule int, mask uint32) {
	for k := range c.tallies[rule] {
		c.tallies[rule][k].seats += int(mask >> k & 1)
	}
}

func (c *counts) addPeople(rule int, mask uint32) {
	for k := range c.tallies[rule] {
		c.tallies[rule][k].people += int(mask >> k & 1)
	}
}

func (c *counts) add(o *counts) {
	c.people += o.people
	for i := range c.tallies {
		for k := range c.tallies[i] {
			t, from := &c.tallies[i][k], &o.tallies[i][k]
			t.seats, t.people = t.seats+from.seats, t.people+from.people
			for p := range t.parts {
				t.parts[p].add(&from.parts[p])
			}
			for d, g := range from.departments {
				if t.departments[d] == nil {
					t.departments[d] = &Group{}
				}
				t.departments[d].add(g)
			}
		}
	}
}

func (g *Group) add(o *Group) {
	g.Hits += o.Hits
	for i := range g.Regret {
		r, from := &g.Regret[i], &o.Regret[i]
		r.Returned, r.Stayed, r.NotYet = r.Returned+from.Returned, r.Stayed+from.Stayed, r.NotYet+from.NotYet
	}
}

func (g *Group) rated() Group {
	for i := range g.Regret {
		g.Regret[i].Days = Windows[i]
		g.Regret[i].rate()
	}
	return *g
}

func (c *counts) rule(i int, a *Answer) Rule {
	of := &c.rules[i]
	r := Rule{Name: of.Name, License: of.License.Name, Days: of.days, SeatPrice: price(of.Rule), Words: []string{of.ForSource, of.WhenSource}}
	if of.ChangeTo != nil {
		r.To = of.ChangeTo.Name
	}
	for k, days := range of.thresholds {
		t := &c.tallies[i][k]
		one := Threshold{
			Days: days, InForce: days == of.days, People: t.people, Seats: t.seats, MonthlySaving: float64(t.seats) * r.SeatPrice,
			Stock: t.parts[stock].rated(), Flow: t.parts[flow].rated(), Older: t.parts[older].rated(), Newer: t.parts[newer].rated(),
			Departments: []Department{},
		}
		for d, g := range t.departments {
			one.Departments = append(one.Departments, Department{c.departments[d], g.rated()})
		}
		slices.SortFunc(one.Departments, func(a, b Department) int {
			return cmp.Or(cmp.Compare(b.Hits, a.Hits), cmp.Compare(a.Name, b.Name))
		})
		r.Thresholds = append(r.Thresholds, one)
	}
	r.Choice = choose(r.Thresholds, a.Accepted, slices.Index(Windows[:], a.Within))
	return r
}

// The method "describe" fills in the fields of an answer that are about the nights.
func (a *Answer) describe(p *policy.Policy, nights []night) {
	last := &nights[len(nights)-1]
	a.Nights, a.From, a.To, a.Last = len(nights), nights[0].asOf, last.asOf, last.run
	for i := 1; i < len(nights); i++ {
		a.Gap = max(a.Gap, int(nights[i].asOf.Sub(nights[i-1].asOf)/(24*time.Hour)))
	}
	a.Doubted = doubted(p, nights)
}
