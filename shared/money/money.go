// Package money computes the money that a company saves when idleseat takes licenses. It reads the ledger, the record
// of all changes of licenses. Amounts are integers. A row has the figures of one license, department and cost center in
// one month, and is rounded once, to cents. All other figures are sums of rows, so the total is the same for every
// grouping.
package money

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Of returns all figures up to now. The figure CouldFree comes from the plan of the run "run". The data of this run
// also say which licenses somebody else has restored. If "run" is empty, CouldFree is zero, and the data are those of
// the newest run for everybody. Unread counts licenses with damaged entries of the ledger, which no other figure
// includes.
func Of(ctx context.Context, s store.Store, run string, now time.Time) (*Sums, error) {
	known, err := history.Prices(ctx, s, "", now)
	if err != nil {
		return nil, fmt.Errorf("compute the money: %w", err)
	}
	b := &book{now: now, prices: pricesOf(known, now), tallies: map[key]*tally{}}
	for _, p := range known {
		b.currency = p.Currency // the newest price is last
	}
	last, err := lastKnown(ctx, s, run, now)
	if err != nil {
		return nil, fmt.Errorf("compute the money: %w", err)
	}
	m, err := newestMemory(ctx, s, "", now)
	if err != nil {
		return nil, fmt.Errorf("compute the money: %w", err)
	}
	defer m.close()
	if run != "" {
		p, err := runs.GetPlan(ctx, s, run)
		if err != nil {
			return nil, fmt.Errorf("compute the money: %w", err)
		}
		b.currency = cmp.Or(p.Currency, b.currency)
		b.plan(p)
	}
	if err := b.read(ctx, s, m, last); err != nil {
		return nil, fmt.Errorf("compute the money: %w", err)
	}
	return b.sums(), nil
}

// The type "restores" has an item for each license that was taken and is restored, by person and license. The items
// come from the data of one run. If somebody other than idleseat restored the license, the item's field Run names the
// run that took it, and At is the time of the run that saw it restored.
type restores map[history.Touch]*history.Item

func (r restores) of(person, license string) *history.Item {
	return r[history.Touch{User: person, License: license}]
}

// lastKnown returns the restored licenses that one run knows from its digest of earlier runs, and those that this run
// found restored itself. If the parameter "run" is empty, or the run has no snapshot, lastKnown uses the newest run for
// everybody.
func lastKnown(ctx context.Context, s store.Store, run string, now time.Time) (restores, error) {
	m, err := manifest(ctx, s, run)
	if err == nil && m == nil {
		if run, err = history.Newest(ctx, s, now); err == nil {
			m, err = manifest(ctx, s, run)
		}
	}
	if err != nil || m == nil {
		return nil, err
	}
	all := restores{}
	err = history.EachItem(ctx, s, m, func(i *history.Item) error {
		if i.State == history.Restored {
			all[history.Touch{User: i.User, License: i.License}] = i
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p, err := history.GetPlanned(ctx, s, run)
	if errors.Is(err, store.ErrNotFound) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	for _, t := range p.HeldAgain {
		of := history.Touch{User: t.User, License: t.License}
		if known := all[of]; known == nil || known.Run != t.Run {
			all[of] = &history.Item{User: t.User, License: t.License, State: history.Restored, Run: t.Run, At: p.Seen()}
		}
	}
	return all, nil
}

func manifest(ctx context.Context, s store.Store, run string) (*snapshot.Manifest, error) {
	if run == "" {
		return nil, nil
	}
	m, _, err := snapshot.GetManifest(ctx, s, run)
	if errors.Is(err, snapshot.ErrNone) || errors.Is(err, snapshot.ErrUnknownRun) {
		return nil, nil
	}
	return m, err
}

func (b *book) read(ctx context.Context, s store.Store, m *memory, last restores) error {
	known, err := bySID(ctx, s)
	if err != nil {
		return err
	}
	err = eachSubject(ctx, s, m, func(of *subject) error {
		if of.damaged {
			b.unread++
			return nil
		}
		if !known.hold(of) {
			b.license(last, of)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, same := range known.held {
		b.license(last, same...)
	}
	return nil
}

// The method "license" adds one license of one person. The ledger may have entries about the person under two keys, the
// Entra object id and the SID. The argument "same" has one subject for each of these keys.
func (b *book) license(last restores, same ...*subject) {
	var restored []*history.Item
	for _, of := range same {
		if i := last.of(of.Person, of.License); i != nil {
			restored = append(restored, i)
		}
	}
	spans := spansOf(same[0].License, factsOf(same), restored, b.now)
	for i := range spans {
		b.add(&spans[i])
	}
}

func (b *book) plan(p *plan.Plan) {
	month := monthOf(b.now)
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.RestoreOf != "" {
			continue
		}
		if c.SavesNothing == "" {
			t, price := b.at(month, c.License, c.Payer, nil)
			t.could, t.seats = t.could+price, t.seats+1
		}
		if c.To != "" {
			t, price := b.at(month, c.To, c.Payer, nil)
			t.could -= price
		}
	}
}

func (b *book) sums() *Sums {
	s := &Sums{AsOf: b.now.UTC(), Currency: b.currency, Unread: b.unread}
	for k, t := range b.tallies {
		s.Rows = append(s.Rows, b.row(k, t))
	}
	slices.SortFunc(s.Rows, func(x, y Row) int {
		return cmp.Or(x.Month.Compare(y.Month), x.compare(&y.Line), cmp.Compare(x.Currency, y.Currency))
	})
	s.total()
	return s
}
