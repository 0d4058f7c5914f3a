package apply

import (
	"context"
	"iter"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/lease"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
)

// readRun checks that this version can read the stored objects of a run in a golden store. The next night reads only
// some of them, so it would not notice a change in the format of the others.
func readRun(t *testing.T, s store.Store, run string) {
	t.Helper()
	ctx := t.Context()
	// A delta reading starts from the parts of the snapshot, so the parts must be readable too.
	m, _, err := snapshot.GetManifest(ctx, s, run)
	must(t, err)
	var joined, parts directory.Accounts
	must(t, m.ReadColumns(ctx, s, 0, nil, &joined))
	m.People = nil
	must(t, m.ReadColumns(ctx, s, 0, nil, &parts))
	for _, all := range []*directory.Accounts{&joined, &parts} {
		if len(all.Entra) != 8 || len(all.AD) != 2 {
			t.Errorf("run %s has %d accounts of Entra ID, %d of Active Directory", run, len(all.Entra), len(all.AD))
		}
	}
	r, err := decision.Open(ctx, s, run)
	must(t, err)
	c := &collect.Collector{Store: s}
	if again, err := c.EntraReading(ctx, r.Begin); err != nil || cmp.Diff(m.Readings[directory.Entra].Parts, again.Parts) != "" {
		t.Errorf("the calls of run %s read %+v, %v", run, again.Parts, err)
	}
	decided := 0
	_, err = r.Each(ctx, func(*plan.Decision) error { decided++; return nil })
	must(t, err)
	table, err := known.Get(ctx, s, run, 0)
	must(t, err)
	if decided == 0 || len(table.Accounts[directory.Entra]) != 8 || len(table.Accounts[directory.AD]) != 2 {
		t.Errorf("run %s has %d decisions and remembers %d accounts", run, decided, len(table.Accounts[0])+len(table.Accounts[1]))
	}
	p, err := runs.GetPlan(ctx, s, run)
	must(t, err)
	results, err := runs.GetResults(ctx, s, p, p.Batches())
	must(t, err)
	if len(results.Results) != len(p.Changes) {
		t.Errorf("run %s has %d results of %d changes", run, len(results.Results), len(p.Changes))
	}
	if r.Begin.Mailboxes != nil {
		must(t, store.GetLines(ctx, s, r.Begin.Mailboxes.Key, func(*directory.Mailbox) error { return nil }))
	}
	readMarks(t, unrestored{s}, p)
}

// readMoney computes the money from the objects of the store. Two seats of Visio were freed, and then restored. Bo's
// seat of E3 was freed and is still free. The change of Citrix counts in no figure, because nobody knows whether a seat
// became free. Anna's change is pending, so its seat is waiting.
func readMoney(t *testing.T, s store.Store) {
	t.Helper()
	got, err := money.Of(t.Context(), s, goldenRun, asOf.AddDate(0, 0, 3))
	must(t, err)
	want := money.Figures{
		Freed: 2*1500 + 3900 - 400, Returned: 2 * 1500, FreedNet: 3900 - 400, Waiting: 3900, SeatsFreed: 3, SeatsNet: 1,
		Saved: -40, // 4.00 × 3 / 30: three days of Exchange Online in November
	}
	got.CouldFree, got.Seats = 0, 0
	if d := cmp.Diff(want, got.Figures); d != "" || got.Unread != 0 {
		t.Errorf("money, %d unread (-want +got):\n%s", got.Unread, d)
	}
}

var goldenBacktest = &report.Backtest{
	Version: 1, Run: goldenBefore, From: asOf.AddDate(0, 0, -30), To: asOf.AddDate(0, 0, -1), Nights: 30, People: 9, Currency: "USD", Accepted: 0.02, Within: 7,
	Rules: []report.BacktestRule{{Rule: "idle", License: "e3", Days: 60, Words: []string{"", "AzureAdSistaLogon.earlierThan(now - days(60))"}, Thresholds: []report.BacktestThreshold{
		{Days: 60, People: 5, Seats: 3, MonthlySaving: 105, Returned: 1, Known: 4, Rate: 0.25, Low: 0.05, High: 0.7},
	}}},
}

func readBacktest(t *testing.T, s store.Store) {
	t.Helper()
	n, err := report.Gather(t.Context(), s, goldenRun)
	must(t, err)
	if d := cmp.Diff(goldenBacktest, n.Backtest); d != "" {
		t.Errorf("the backtest (-want +got), notes %q:\n%s", n.Notes, d)
	}
}

// The type "unrestored" shows a store as it was before the restore: it hides all ledger entries except the first one of
// each license.
type unrestored struct{ store.Store }

func (s unrestored) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for key, err := range s.Store.List(ctx, prefix) {
			if later := strings.HasPrefix(path.Base(key), "000002"); !later && !yield(key, err) {
				return
			}
		}
	}
}

// readRestored reads the objects about the override and the restore of the night before, and takes the lease.
func readRestored(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	_, err := snapshot.GetBegin(ctx, s, goldenBack)
	must(t, err)
	_, _, err = snapshot.GetManifest(ctx, s, goldenBack)
	must(t, err)
	p, err := runs.GetPlan(ctx, s, goldenBack)
	must(t, err)
	r, err := runs.GetResults(ctx, s, p, p.Batches())
	must(t, err)
	noted, err := history.GetPlanned(ctx, s, goldenBack)
	must(t, err)
	if r.Count(runs.Done) != 2 || len(noted.Touches) != 2 {
		t.Errorf("the restore: %+v, %+v", r.Results, noted)
	}
	by, err := history.Withdrawn(ctx, s, goldenBefore)
	must(t, err)
	people, err := history.Stopped(ctx, s, goldenBefore)
	must(t, err)
	over, err := history.Overrides(ctx, s, asOf.AddDate(0, 0, -2), asOf)
	must(t, err)
	if by != goldenBack || !people["id-gus"] || len(over) != 1 || over[0].Run != goldenBefore {
		t.Errorf("restored by %q, one person of %v, overrides %+v", by, people, over)
	}
	_, err = lease.Take(ctx, s, stopped{asOf.Add(time.Hour)}, "later")
	must(t, err)
}

func readMarks(t *testing.T, s store.Store, p *plan.Plan) {
	t.Helper()
	book, marks := ledger.In(s), 0
	for _, c := range p.Changes {
		e, err := book.Latest(t.Context(), c.User, c.License)
		must(t, err)
		left, err := book.LeavingMark(t.Context(), e)
		must(t, err)
		for _, seen := range []ledger.Seen{ledger.Answered, ledger.SeenInTarget} {
			mark, err := book.Noted(t.Context(), e, seen)
			must(t, err)
			if mark != nil {
				marks++
			}
		}
		if left != nil {
			marks++
		}
	}
	if want := map[string]int{goldenBefore: 4, goldenRun: 5}[p.Run]; marks != want {
		t.Errorf("run %s left %d marks, want %d", p.Run, marks, want)
	}
}
