package apply

import (
	"errors"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "learns" stores what another run left for later runs: its plan is on hold, and its table of known accounts
// has a sign-in of Bo.
func (b *bench) learns(t *testing.T, run string, read, signIn time.Time) {
	t.Helper()
	k := known.Account{Key: known.KeyOf("id-bo"), Seen: known.Always, Enabled: known.Always}
	k.Newest[2] = known.SecondOf(signIn)
	p := &history.Planned{Run: run, AsOf: read, Read: read, OnHold: true}
	p.Known[directory.Entra] = &plan.Baseline{Run: run, Partitions: 1, Read: read}
	err := errors.Join(
		known.Put(t.Context(), b.Store, run, 0, &known.Partition{Accounts: [2][]known.Account{directory.Entra: {k}}}),
		history.PutPlanned(t.Context(), b.Store, p, true),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// TestLearnedSince: a plan waits for its approval, and another run reads the directories in the meantime. A sign-in that
// the other run saw counts just before a change, although Graph shows an older date again. That is also so if an
// operator accepted the readings of the plan's run (--accept-feeds), because the other reading is newer.
func TestLearnedSince(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		run          string
		read, signIn time.Time
		begin        func(*snapshot.Begin)
		want         runs.Status
		note         string
	}{
		"the same date":       {"run2", asOf.Add(time.Minute), idle, nil, runs.Done, ""},
		"a newer date":        {"run2", asOf.Add(time.Minute), daysAgo(5), nil, runs.Kept, "the newest known one is 2026-11-18"},
		"a run for one":       {"run2", asOf.Add(time.Minute), daysAgo(5), func(b *snapshot.Begin) { b.User = "bo@x.example" }, runs.Kept, "the newest known one is 2026-11-18"},
		"accepted":            {"run2", asOf.Add(time.Minute), daysAgo(5), func(b *snapshot.Begin) { b.AcceptFeeds = true }, runs.Kept, "the newest known one is 2026-11-18"},
		"accepted afterwards": {"run2", asOf.Add(-time.Minute), daysAgo(5), func(b *snapshot.Begin) { b.AcceptFeeds = true }, runs.Done, ""},
		"of an older reading": {"run2", asOf.Add(-time.Minute), daysAgo(5), nil, runs.Done, ""},
		"of a clock ahead":    {"run2", asOf.Add(90 * time.Minute), daysAgo(5), nil, runs.Done, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			b.remembers(t, changeBo)
			k := known.Account{Key: known.KeyOf("id-bo"), Seen: known.Always, Enabled: known.Always}
			k.Newest[2] = known.SecondOf(idle)
			if err := known.Put(t.Context(), b.Store, "run", 0, &known.Partition{Accounts: [2][]known.Account{directory.Entra: {k}}}); err != nil {
				t.Fatal(err)
			}
			if tc.begin != nil {
				b.begins(t, tc.begin)
			}
			b.learns(t, tc.run, tc.read, tc.signIn)
			b.apply(t, tc.want, tc.note)
		})
	}
}

// The method "begins" edits begin.json of the run, and plans again.
func (b *bench) begins(t *testing.T, edit func(*snapshot.Begin)) {
	t.Helper()
	begin, err := snapshot.GetBegin(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	edit(begin)
	if err := store.PutJSON(t.Context(), b.Store, layout.Begin("run"), begin); err != nil {
		t.Fatal(err)
	}
	b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{changeBo} })
}

// The plan of a newer run is damaged. Nobody can tell what that run saw, so the call begins nothing. If nothing may
// begin any more, the call finishes what began.
func TestPlanOfANewerRunIsDamaged(t *testing.T) {
	t.Parallel()
	for closed, want := range map[string]error{"": store.ErrDamaged, "the plan expired": nil} {
		b := newBench(t, changeBo)
		b.learns(t, "run2", asOf.Add(time.Minute), daysAgo(5))
		if err := store.PutBytes(t.Context(), b.Store, layout.Noted(layout.Plans, "run2"), []byte("{")); err != nil {
			t.Fatal(err)
		}
		j := b.jobOf(t)
		j.closed = closed
		if err := j.learn(t.Context()); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("closed %q: %v, want %v", closed, err, want)
		}
	}
}
