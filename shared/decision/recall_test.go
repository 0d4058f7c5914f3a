package decision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// The function "night" returns a later run, for which r is the last healthy run.
func night(r *Run, name string, read time.Time) *Run {
	begin := *r.Begin
	begin.Run, begin.Read, begin.AsOf = name, read, read
	next := *r
	next.Begin, next.memory = &begin, newMemory()
	b := &plan.Baseline{Run: r.Begin.Run, Partitions: r.Begin.Partitions, Read: r.Begin.Read}
	next.History = &history.Digest{Baselines: [2]*plan.Baseline{b, b}}
	return &next
}

// The function "lost" returns the accounts whose dates are in doubt, with the time at which they were lost.
func lost(t *testing.T, r *Run, h *directory.Accounts) map[string]time.Time {
	t.Helper()
	for i := range h.Entra {
		h.Entra[i].DatesLost, h.Entra[i].Past = time.Time{}, directory.Past{}
	}
	for i := range h.AD {
		h.AD[i].DatesLost, h.AD[i].Past = time.Time{}, directory.Past{}
	}
	if err := r.recall(t.Context(), h, r.lastReadings(), r.Begin.Read, r.Begin.User != ""); err != nil {
		t.Fatal(err)
	}
	marked := map[string]time.Time{}
	for _, u := range h.Entra {
		if !u.DatesLost.IsZero() {
			marked[u.ID] = u.DatesLost
		}
	}
	for _, u := range h.AD {
		if !u.DatesLost.IsZero() {
			marked[u.SID] = u.DatesLost
		}
	}
	return marked
}

func accountsIn(entra []directory.EntraUser, ad ...directory.ADUser) *directory.Accounts {
	return &directory.Accounts{Entra: entra, AD: ad, EntraState: directory.Present, ADState: directory.Present}
}

// If an account had a date in an earlier run and has none now, its dates are in doubt for at least 90 days (lostFor).
// An account that never had a date is not in doubt.
func TestLostDates(t *testing.T) {
	t.Parallel()
	never := directory.EntraUser{ID: "never", Created: daysAgo(900)}
	active := directory.EntraUser{ID: "active", Created: daysAgo(900), LastInteractive: daysAgo(2)}
	wrongClock := directory.EntraUser{ID: "clock", Created: daysAgo(900), DatesInDoubt: true}
	neverOn := directory.ADUser{SID: "S-never", Created: daysAgo(900)}
	on := directory.ADUser{SID: "S-on", Created: daysAgo(900), LastLogonTimestamp: daysAgo(2)}

	first := world{entra: []directory.EntraUser{accountOf("busy", 1)}, ad: []directory.ADUser{on}}.seal(t)
	if err := first.Remember(t.Context(), 0, accountsIn([]directory.EntraUser{never, active, wrongClock}, neverOn, on)); err != nil {
		t.Fatal(err)
	}

	gone, gonePartly, off := active, active, on
	gone.LastInteractive = time.Time{}
	gonePartly.LastInteractive, gonePartly.LastSuccessful = time.Time{}, daysAgo(400)
	off.LastLogonTimestamp = time.Time{}
	moved := directory.EntraUser{ID: "moved", Created: daysAgo(500)}
	hired := directory.EntraUser{ID: "hired", Created: asOf.Add(time.Hour)}
	ageless := directory.EntraUser{ID: "ageless"}
	wrongClock.DatesInDoubt = false
	tomorrow := asOf.AddDate(0, 0, 1)
	second := night(first, "second", tomorrow)
	got := lost(t, second, accountsIn([]directory.EntraUser{never, gone, moved, hired, ageless, wrongClock}, neverOn, off))
	want := map[string]time.Time{"active": tomorrow, "moved": tomorrow, "ageless": tomorrow, "clock": tomorrow, "S-on": tomorrow}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the night after (-want +got):\n%s", d)
	}
	if got := lost(t, second, accountsIn([]directory.EntraUser{active}, on)); len(got) > 0 {
		t.Errorf("accounts with dates are in doubt: %v", got)
	}
	if d := cmp.Diff(map[string]time.Time{"active": tomorrow}, lost(t, second, accountsIn([]directory.EntraUser{gonePartly}, on))); d != "" {
		t.Errorf("an account of which an old date is left (-want +got):\n%s", d)
	}

	h := accountsIn([]directory.EntraUser{never, gone, hired}, off)
	lost(t, second, h)
	if err := second.Remember(t.Context(), 0, h); err != nil {
		t.Fatal(err)
	}
	for days, want := range map[int]map[string]time.Time{
		1:  {"active": tomorrow, "S-on": tomorrow},
		89: {"active": tomorrow, "S-on": tomorrow},
		90: {}, // the account counts as used when its date was first missing
	} {
		third := night(second, "third", tomorrow.AddDate(0, 0, days))
		if d := cmp.Diff(want, lost(t, third, accountsIn([]directory.EntraUser{never, gone, hired}, off))); d != "" {
			t.Errorf("%d days later (-want +got):\n%s", days, d)
		}
	}
	longer := night(second, "longer", tomorrow.AddDate(0, 0, 100))
	var err error
	if longer.Policy, err = policy.Load("p", []byte(strings.Replace(text, "days(90)", "days(365)", 1))); err != nil {
		t.Fatal(err)
	}
	if got := lost(t, longer, accountsIn([]directory.EntraUser{gone})); len(got) != 1 {
		t.Errorf("a rule looks back for a year, and after 100 days nothing is in doubt: %v", got)
	}
}

// Without a table of known accounts, accounts are in doubt only if the last healthy run should have written one.
func TestLostDatesWithoutTable(t *testing.T) {
	t.Parallel()
	never := directory.EntraUser{ID: "never", Created: daysAgo(900)}
	tests := map[string]struct {
		change func(*Run)
		doubt  bool
	}{
		"the table is gone":          {func(*Run) {}, true},
		"the first run of a store":   {func(r *Run) { r.History = nil }, false},
		"never healthy":              {func(r *Run) { r.History.Baselines = [2]*plan.Baseline{} }, false},
		"made by an older version":   {func(r *Run) { r.History.Baselines[0].Run = "" }, false},
		"a damaged baseline":         {func(r *Run) { r.History.Baselines[0].Partitions = 0 }, false},
		"read before the baseline":   {func(r *Run) { r.Begin.Read = r.History.Baselines[0].Read.Add(-time.Hour) }, false},
		"an operator accepts it":     {func(r *Run) { r.Begin.AcceptFeeds = true }, false},
		"the whole feed is in doubt": {func(r *Run) { r.Feeds[directory.Entra].State = plan.Unhealthy }, false},
		"one person asked for":       {func(r *Run) { r.Begin.User = "never@x.example" }, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := night(world{entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t), "next", asOf.AddDate(0, 0, 1))
			tc.change(r)
			if got := lost(t, r, accountsIn([]directory.EntraUser{never})); (len(got) > 0) != tc.doubt {
				t.Errorf("in doubt: %v, want %t", got, tc.doubt)
			}
		})
	}
}

// A run finds the tables of an earlier run that had another number of partitions. A run for one person writes no
// tables.
func TestKnownTables(t *testing.T) {
	t.Parallel()
	first := world{partitions: 3, entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t)
	var people []directory.EntraUser
	parts := make([]*directory.Accounts, 3)
	for n := range parts {
		parts[n] = accountsIn(nil)
	}
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		u := directory.EntraUser{ID: id, Created: daysAgo(900)}
		people = append(people, u)
		h := parts[directory.Partition(u.PartitionKey(), 3)]
		h.Entra = append(h.Entra, u)
	}
	for n, h := range parts {
		if err := first.Remember(t.Context(), n, h); err != nil {
			t.Fatal(err)
		}
	}
	next := night(first, "next", asOf.AddDate(0, 0, 1))
	next.Begin.Partitions = 1
	if got := lost(t, next, accountsIn(people)); len(got) > 0 {
		t.Errorf("people of other partitions are in doubt: %v", got)
	}
	next.Begin.User = "a@x.example"
	if err := next.Remember(t.Context(), 0, accountsIn(people)); err != nil {
		t.Fatal(err)
	}
	if _, err := known.Get(t.Context(), next.store, "next", 0); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a run for one person left a table: %v", err)
	}
	if err := store.PutBytes(t.Context(), next.store, "runs/run/known/0000.gz", []byte("half")); err != nil {
		t.Fatal(err)
	}
	next = night(first, "after", asOf.AddDate(0, 0, 1))
	next.Begin.Partitions = 1
	if got := lost(t, next, accountsIn(people)); len(got) == 0 || len(got) == len(people) {
		t.Errorf("the table of one partition is made again, and the run read none of its people: %v", got)
	}
	if want := []string{"damaged object: runs/run/known/0000.gz: unexpected EOF; it was made again from what run run read"}; !slices.Equal(next.Losses(), want) {
		t.Errorf("losses %q", next.Losses())
	}
}

type reads struct {
	store.Store
	of map[string]int
}

func (r *reads) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	r.of[key]++
	return r.Store.Get(ctx, key)
}

// A run looks up many accounts of one partition. It reads the object with the known accounts of this partition only
// once.
func TestTablesAreReadOnce(t *testing.T) {
	t.Parallel()
	on := directory.ADUser{SID: "S-on", Created: daysAgo(900), LastLogonTimestamp: daysAgo(2)}
	first := world{partitions: 2, entra: []directory.EntraUser{accountOf("busy", 1)}, ad: []directory.ADUser{on}}.seal(t)
	var people []directory.EntraUser
	var onPremises []directory.ADUser
	for n := range 2 {
		h := accountsIn(nil)
		for i := range 21 {
			u := directory.EntraUser{ID: fmt.Sprint("u", i), Created: daysAgo(900), LastSuccessful: daysAgo(3)}
			a := directory.ADUser{SID: fmt.Sprint("S-1-5-21-", i), Created: daysAgo(900), LastLogonTimestamp: daysAgo(30)}
			if directory.Partition(u.PartitionKey(), 2) == n {
				h.Entra = append(h.Entra, u)
			}
			if directory.Partition(a.SID, 2) == n && i > 0 { // one partition has fewer accounts than the other
				h.AD = append(h.AD, a)
			}
		}
		if err := first.Remember(t.Context(), n, h); err != nil {
			t.Fatal(err)
		}
		for _, u := range h.Entra {
			u.LastSuccessful = time.Time{}
			people = append(people, u)
		}
		for _, a := range h.AD {
			a.LastLogonTimestamp = time.Time{}
			onPremises = append(onPremises, a)
		}
	}
	next := night(first, "next", asOf.AddDate(0, 0, 1))
	counted := &reads{next.store, map[string]int{}}
	next.store = counted
	if got := lost(t, next, accountsIn(people, onPremises...)); len(got) != 41 {
		t.Errorf("%d of 41 accounts are in doubt", len(got))
	}
	want := map[string]int{"runs/run/known/0000.gz": 1, "runs/run/known/0001.gz": 1}
	if d := cmp.Diff(want, counted.of); d != "" {
		t.Errorf("reads (-want +got):\n%s", d)
	}
	lost(t, next, accountsIn(people[:1]))
	clear(counted.of)
	for range 3 {
		if got := lost(t, next, accountsIn(people[:1])); len(got) != 1 {
			t.Errorf("one person alone: %v", got)
		}
	}
	if len(counted.of) != 0 {
		t.Errorf("read again: %v", counted.of)
	}
	if err := known.Put(t.Context(), next.store, "other", 1, &known.Partition{}); err != nil {
		t.Fatal(err)
	}
	for _, of := range []struct {
		run       string
		partition int
		accounts  int
	}{{"run", 0, 21}, {"run", 1, 20}, {"other", 1, 0}, {"run", 1, 20}} {
		p, err := next.remembered(t.Context(), of.run, of.partition)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(p.Accounts[0]) + len(p.Accounts[1]); n != of.accounts {
			t.Errorf("partition %d of run %s remembers %d accounts, want %d", of.partition, of.run, n, of.accounts)
		}
	}
}

// A lost date is unknown, and not "no value".
func TestLostDatesAreUnknown(t *testing.T) {
	t.Parallel()
	r := world{entra: []directory.EntraUser{accountOf("p", 900, e3ByGroup), accountOf("busy", 1)}}.seal(t)
	p := only(t, r, "p@x.example")
	p.Entra.LastSuccessful, p.Entra.DatesLost = time.Time{}, daysAgo(1)
	judge, err := r.Judge(asOf)
	if err != nil {
		t.Fatal(err)
	}
	v := judge.Ask(r.Policy.RuleNamed("m365"), p)
	want := "got lost: no date has come since 2026-11-22"
	if v.Outcome != policy.Undecided || !strings.Contains(v.Reason, want) {
		t.Errorf("%s: %s", v.Outcome, v.Reason)
	}
	p.Entra.DatesLost, p.Entra.DatesInDoubt = time.Time{}, true
	if v := judge.Ask(r.Policy.RuleNamed("m365"), p); v.Outcome != policy.Undecided || !strings.Contains(v.Reason, "lies in the future") {
		t.Errorf("%s: %s", v.Outcome, v.Reason)
	}
}
