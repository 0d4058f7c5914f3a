package backtest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

// TestInterval checks the bounds of the Wilson interval by their definition: a bound p is z·sqrt(p(1-p)/n) away from
// the counted rate.
func TestInterval(t *testing.T) {
	t.Parallel()
	const z = 1.959963984540054
	if _, low, high := backtest.Interval(0, 0); low != 0 || high != 1 {
		t.Errorf("nothing known: between %v and %v", low, high)
	}
	for _, c := range [][2]int{{0, 10}, {10, 0}, {1, 9}, {5, 95}, {50, 950}, {0, 1}, {1, 0}, {333, 667}, {2, 100_000}} {
		rate, low, high := backtest.Interval(c[0], c[1])
		n := float64(c[0] + c[1])
		if want := float64(c[0]) / n; math.Abs(rate-want) > 1e-12 || low > rate || high < rate {
			t.Errorf("%v: rate %v between %v and %v, want %v", c, rate, low, high, want)
		}
		for _, bound := range []float64{low, high} {
			if atEnd := bound == rate && (bound == 0 || bound == 1); atEnd {
				continue
			}
			if away := math.Abs(rate-bound) / math.Sqrt(bound*(1-bound)/n); math.Abs(away-z) > 1e-6 {
				t.Errorf("%v: the bound %v is %v standard deviations away", c, bound, away)
			}
		}
	}
}

const onePolicy = `tenant: 11111111-2222-3333-4444-555555555555
licenses:
  m365:     {sku: SPE_E3, monthlyPrice: 39}
  exchange: {sku: EXCHANGESTANDARD, monthlyPrice: 4}
rules:
  - {name: a, license: m365, when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue(), then: {changeTo: exchange}}
`

// ofHabits returns a world of people with sign-ins. Some people stop signing in for good. Some pause for less than
// "away" days, and the others sign in to the end. The parameter "every" has the averages of the days between two
// sign-ins, of which each person gets one.
func ofHabits(r *rand.Rand, people, nights int, every []float64, away float64) *world {
	w := &world{policy: onePolicy, partitions: func(int) int { return 1 }}
	for i := range people {
		p := newPerson(i)
		h := habit{every: every[r.IntN(len(every))], stops: 1e9, resume: 1e9}
		switch h.stops = float64(r.IntN(nights+280) - 280); r.IntN(10) {
		case 0, 1, 2, 3, 4, 5:
		case 6, 7:
			h.resume = h.stops + away*(0.4+0.5*r.Float64())
		default:
			h.stops = 1e9
		}
		p.signIns = h.times(r, nights)
		w.people = append(w.people, p)
	}
	return w
}

// hitsByTruth computes the hits at one number of days from the true sign-ins, without a snapshot. It returns the hits
// of the nights from "from" to before "to", except those of the first night. A key of the result is a person and a
// night. The value says whether the person came back within 30 days, if the nights before "until" show that.
func hitsByTruth(w *world, days, nights, from, to, until int) map[string]string {
	all := map[string]string{}
	end := asOf(until - 1)
	for i := range w.people {
		p := &w.people[i]
		for k, s := range p.signIns {
			var next time.Time
			if k+1 < len(p.signIns) {
				next = p.signIns[k+1]
			}
			// A hit is on the first night that is more than "days" days after a sign-in, unless the person signs in
			// again before that night.
			hit := int(math.Floor(s.Add(time.Duration(days)*day).Sub(firstNight).Hours()/24)) + 1
			if hit < 1 || hit < from || hit >= min(to, nights) || !next.IsZero() && !next.After(asOf(hit)) {
				continue
			}
			over := asOf(hit).AddDate(0, 0, 30)
			shown := firstNight.Add(time.Duration(math.Ceil(float64(next.Sub(firstNight))/float64(day))) * day)
			became := "not yet known"
			switch {
			case over.After(end):
			case !next.IsZero() && !next.After(over) && !shown.After(end):
				became = "returned"
			default:
				became = "stayed"
			}
			all[fmt.Sprintf("%x on night %d", known.KeyOf(p.id), hit)] = became
		}
	}
	return all
}

func counted(hits map[string]string) (counts map[string]int) {
	counts = map[string]int{}
	for _, became := range hits {
		counts[became]++
	}
	return counts
}

// TestRecommendationHolds tries ten companies with different habits. The regret of a threshold is the share of its hits
// after which the person comes back. A threshold is chosen from the older half of the nights. In the newer half, its
// regret must be at most the accepted regret. For every threshold, the counted hits must equal the hits of the
// simulation.
func TestRecommendationHolds(t *testing.T) {
	t.Parallel()
	const seed = 16 // fixed, because chance also decides whether a threshold holds
	const people, nights, accepted = 600, 150, 0.15
	for i, c := range []struct {
		name  string
		every []float64
		away  float64
	}{
		{"daily", []float64{1}, 20},
		{"daily, with long holidays", []float64{1}, 50},
		{"weekly", []float64{7}, 30},
		{"daily and weekly", []float64{1, 1, 7}, 40},
		{"monthly", []float64{30}, 40},
		{"daily and monthly", []float64{1, 1, 30}, 60},
		{"every third week", []float64{21}, 80},
		{"daily, with parental leave", []float64{1}, 110},
		{"shifts", []float64{2, 5, 14}, 35},
		{"all sorts", []float64{1, 2, 7, 14, 30, 45}, 70},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			w := ofHabits(rand.New(rand.NewPCG(seed, uint64(i))), people, nights, c.every, c.away)
			s := &store.Memory{}
			for n := range nights {
				w.keep(t, s, n)
			}
			a, hits, err := backtest.Hits(t.Context(), s, backtest.Question{
				PolicyName: "policy", Policy: []byte(onePolicy), Days: []int{14, 30, 45, 75, 90, 120, 150, 180}, Regret: accepted, Within: 30, Now: asOf(nights), Workers: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, th := range a.Rules[0].Thresholds {
				truth, got := hitsByTruth(w, th.Days, nights, 1, nights, nights), map[string]string{}
				for _, h := range hits {
					if h.Days == th.Days && h.Night > 0 {
						became := "stayed"
						switch over := asOf(h.Night).AddDate(0, 0, 30); {
						case over.After(asOf(nights - 1)):
							became = "not yet known"
						case h.Came != policy.None && h.Came <= over.UnixMicro():
							became = "returned"
						}
						got[fmt.Sprintf("%x on night %d", h.Key, h.Night)] = became
					}
				}
				if d := cmp.Diff(truth, got); d != "" {
					t.Errorf("seed %d, %d days (-truth +got):\n%.2000s", seed, th.Days, d)
				}
				for name, g := range map[string]struct {
					backtest.Group
					from, to int
				}{"flow": {th.Flow, 1, nights}, "older": {th.Older, 1, nights / 2}, "newer": {th.Newer, nights / 2, nights}} {
					r := g.Regret[1]
					want := counted(hitsByTruth(w, th.Days, nights, g.from, g.to, g.to))
					if want["returned"] != r.Returned || want["stayed"] != r.Stayed || want["not yet known"] != r.NotYet || g.Hits != r.Known()+r.NotYet {
						t.Errorf("seed %d, %d days, %s: %+v; the truth is %v", seed, th.Days, name, r, want)
					}
				}
			}
			choice := a.Rules[0].Choice
			t.Logf("%d days: %s", choice.Days, choice.Reason)
			if choice.Days == 0 || !choice.Holds || choice.Checked.Rate > accepted {
				t.Errorf("seed %d: %+v", seed, choice)
			}
		})
	}
}

// TestHabitsThatChangeAreNoticed: few people come back after the hits of a threshold in the older half of the nights,
// and too many in the newer half. Then no threshold is recommended.
func TestHabitsThatChangeAreNoticed(t *testing.T) {
	t.Parallel()
	const people, nights = 400, 150
	w := ofHabits(rand.New(rand.NewPCG(16, 0)), people, nights, []float64{1}, 10)
	from, to := asOf(80), asOf(120)
	for i := range w.people {
		p := &w.people[i]
		if i%5 == 0 {
			continue // if nobody signed in, the source would be unhealthy
		}
		p.signIns = slices.DeleteFunc(p.signIns, func(at time.Time) bool { return at.After(from) && at.Before(to) })
	}
	s := &store.Memory{}
	for n := range nights {
		w.keep(t, s, n)
	}
	a, err := backtest.Run(t.Context(), s, backtest.Question{PolicyName: "policy", Policy: []byte(onePolicy), Days: []int{30}, Regret: 0.2, Within: 30, Now: asOf(nights), Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if c := a.Rules[0].Choice; c.Days != 0 || c.Holds || !strings.Contains(c.Reason, "30 days fit the older half of the nights") || !strings.Contains(c.Reason, "habits have changed") {
		t.Errorf("%+v", c)
	}
}
