package backtest

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/idleseat/idleseat/shared/store"
)

// Hit is a hit for tests. It has names where the type "hit" has numbers.
type Hit struct {
	Key                          uint64
	Rule                         string
	Days, Night                  int
	Came                         int64
	Shown, KnownUntil, PresentOn int
	Department                   string
}

func Hits(ctx context.Context, s store.Store, q Question) (*Answer, []Hit, error) {
	t, err := newTrial(&q)
	if err != nil {
		return nil, nil, err
	}
	a := &Answer{Accepted: q.Regret, Within: q.Within}
	var mu sync.Mutex
	var ended []hit
	c, err := t.replay(ctx, s, a, &q, func(h *hit) {
		mu.Lock()
		defer mu.Unlock()
		ended = append(ended, *h)
	})
	if err != nil {
		return nil, nil, err
	}
	var all []Hit
	for _, h := range ended {
		all = append(all, Hit{
			Key: h.key, Rule: t.rules[h.rule].Name, Days: t.rules[h.rule].thresholds[h.threshold], Night: h.night,
			Came: h.came, Shown: h.shown, KnownUntil: h.known, PresentOn: h.present, Department: c.departments[h.department],
		})
	}
	SortHits(all)
	for i := range t.rules {
		a.Rules = append(a.Rules, c.rule(i, a))
	}
	return a, all, nil
}

func SortHits(all []Hit) {
	slices.SortFunc(all, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Days, b.Days), cmp.Compare(a.Night, b.Night), cmp.Compare(a.Key, b.Key))
	})
}

func Interval(returned, stayed int) (rate, low, high float64) {
	r := Regret{Returned: returned, Stayed: stayed}
	r.rate()
	return r.Rate, r.Low, r.High
}

var Choose = choose
