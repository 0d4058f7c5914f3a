package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The ways in which a license came back to a person.
const (
	ByOperator  = "operator"  // an operator ran `idleseat restore`, or a run for one person restored the license
	ByRule      = "rule"      // the rule has onReturn: restore, and a run for everybody restored the license
	ByOtherHand = "otherHand" // somebody else gave the license back, outside idleseat
)

// The method "past" lists the licenses that earlier runs took. They come from the digest of the ledger that this run
// stored.
func (g *gathering) past(context.Context) error {
	all := []Past{}
	for i := range g.run.History.All() {
		p := Past{User: i.User, Rule: i.Rule, License: i.License, To: i.To, Run: i.Run, At: i.At}
		switch i.State {
		case history.Taken:
		case history.Restored:
			p.Run, p.At, p.Returned, p.How = i.TakenBy, i.TakenAt, i.At, ByRule
			switch {
			case i.TakenBy == i.Run:
				p.How = ByOtherHand
			case !slices.Contains(g.nights, i.Run):
				p.How = ByOperator
			}
		default:
			continue
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Past) int {
		return cmp.Or(b.last().Compare(a.last()), cmp.Compare(a.User, b.User), cmp.Compare(a.License, b.License))
	})
	g.Earlier = List[Past]{Total: len(all), Rows: all[:min(len(all), mostOthers)]}
	return nil
}

func (p *Past) last() time.Time {
	if p.Returned.After(p.At) {
		return p.Returned
	}
	return p.At
}

// mostPoints is the maximum number of runs in the trend.
const mostPoints = 180

// pointsAtOnce is the maximum number of runs, or of licenses in the ledger, that are read at the same time.
const pointsAtOnce = 16

// The method "trend" adds the points of this run and of the earlier runs whose data is kept.
func (g *gathering) trend(ctx context.Context) error {
	g.Trend = []Point{}
	if g.OnePerson || g.Restores != "" {
		return nil
	}
	kept := g.nights[:min(len(g.nights), mostPoints-1)] // newest first
	points := make([]*Point, len(kept))
	all, inner := errgroup.WithContext(ctx)
	all.SetLimit(pointsAtOnce)
	for i, run := range kept {
		all.Go(func() (err error) {
			points[i], err = pointOf(inner, g.store, run)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	for _, p := range slices.Backward(points) {
		if p != nil {
			g.Trend = append(g.Trend, *p)
		}
	}
	g.Trend = append(g.Trend, g.point())
	return nil
}

func (g *gathering) point() Point { return newPoint(g.plan, g.outcome) }

func newPoint(p *plan.Plan, became *runs.Results) Point {
	point := Point{Run: p.Run, AsOf: p.AsOf, Verdict: p.Verdict, Idle: p.Counts.Reclaim, Undecided: p.Counts.Undecided}
	if became == nil {
		return point
	}
	for i := range became.Results {
		switch x := &became.Results[i]; {
		case x.Status != runs.Done:
		case x.Rule == plan.RestoreRule:
			point.Restored++
		default:
			point.Done++
		}
	}
	return point
}

// pointOf returns the stored point of an earlier run, or else a point that is made from its plan. It returns nil if the
// plan is also missing or damaged.
func pointOf(ctx context.Context, s store.Store, run string) (*Point, error) {
	point := &Point{}
	err := store.GetJSON(ctx, s, layout.Point(run), point)
	if err == nil && point.Run == run {
		return point, nil
	}
	if err != nil && !runs.Gone(err) {
		return nil, fmt.Errorf("read the figures of run %s: %w", run, err)
	}
	p, err := runs.GetPlan(ctx, s, run)
	if err == nil {
		var became *runs.Results
		if became, err = runs.Outcome(ctx, s, p); err == nil {
			made := newPoint(p, became)
			return &made, nil
		}
	}
	if runs.Gone(err) {
		return nil, nil
	}
	return nil, err
}
