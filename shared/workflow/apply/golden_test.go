package apply

import (
	"context"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/lease"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/gate"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

// A golden store is a store that one version of idleseat wrote. The flag rewrite makes the golden store of the present
// formats again. The stores of released versions must not change, so a version that changes a format gets a new folder.
var rewrite = flag.Bool("rewrite", false, "make the golden store of the present formats again")

const (
	goldenStores  = "testdata/golden"
	goldenPresent = "2026-11" // the folder of the present formats
	goldenBefore  = "20261122T090000Z-00000000"
	goldenBack    = "20261122T100000Z-00000002" // restores goldenBefore
	goldenRun     = "20261123T090000Z-00000001"
)

// TestMakeGoldenStore makes a store of the present formats. With the flag rewrite, this store becomes the golden store.
// Without the flag, the test compares the kinds of objects in both.
func TestMakeGoldenStore(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "store")
	s, err := store.Open(t.Context(), folder)
	must(t, err)
	b := goldenBench(s)
	before := b.holds()
	b.overridden(t)
	if d := cmp.Diff(before, b.holds()); d != "" {
		t.Fatalf("after the restore (-before +after):\n%s", d)
	}

	b.now = asOf.Add(time.Minute)
	night, err := lease.Take(t.Context(), s, stopped{b.now}, "golden")
	must(t, err)
	_, end := night.Keep(t.Context())
	b.reads(t, goldenRun, goldenPolicy)
	p := b.decides(t, goldenRun)
	if len(p.Changes) != 3 || p.Verdict != plan.Apply {
		t.Fatalf("verdict %s %q, changes %+v, refused %+v", p.Verdict, p.HoldReasons, p.Changes, p.Counts)
	}
	r, err := b.Apply(t.Context(), Request{Run: goldenRun, Approver: "golden"})
	must(t, err)
	if r.Count(runs.Pending) != 1 || r.Count(runs.Done) != 2 {
		t.Fatalf("%+v", r.Results)
	}
	_, _, err = gate.Conclude(t.Context(), s, goldenRun, b.now)
	must(t, err)
	must(t, report.PutBacktest(t.Context(), s, goldenBacktest))
	must(t, end())
	must(t, os.RemoveAll(filepath.Join(folder, ".tmp")))
	if *rewrite {
		to := filepath.Join(goldenStores, goldenPresent)
		must(t, os.RemoveAll(to))
		must(t, os.CopyFS(to, os.DirFS(folder)))
	}
	if d := cmp.Diff(kindsIn(t, folder), kindsIn(t, filepath.Join(goldenStores, goldenPresent))); d != "" {
		t.Errorf("kinds of objects (-as made now +in the golden store; -rewrite makes it again):\n%s", d)
	}
}

func (b *bench) overridden(t *testing.T) {
	t.Helper()
	b.now = asOf.AddDate(0, 0, -1).Add(time.Minute)
	b.reads(t, goldenBefore, goldenStrict)
	p := b.decides(t, goldenBefore)
	if len(p.Changes) != 2 || p.Verdict != plan.Hold || !p.Overridable {
		t.Fatalf("verdict %s %q, changes %+v", p.Verdict, p.HoldReasons, p.Changes)
	}
	r, err := b.Apply(t.Context(), Request{Run: goldenBefore, Override: p.PlanHash, Approver: "golden"})
	must(t, err)
	if r.Count(runs.Done) != 2 {
		t.Fatalf("%+v", r.Results)
	}
	b.now = b.now.Add(time.Hour)
	back, err := restore.Plan(t.Context(), b.Store, restore.Request{Of: goldenBefore, Run: goldenBack}, b.now)
	must(t, err)
	b.finish(t, back, runs.Done)
	must(t, history.Stop(t.Context(), b.Store, goldenBefore, "id-gus", goldenBack, b.now)) // a restore of one person stores this object if the restored run can still go on
}

type stopped struct{ now time.Time }

func (c stopped) Now() time.Time { return c.now }

func (stopped) Sleep(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }

// kindsIn returns the kinds of objects in a store's folder. A kind is a key without the parts that differ between two
// stores.
func kindsIn(t *testing.T, folder string) []string {
	t.Helper()
	kinds := map[string]bool{}
	attempt := regexp.MustCompile(`(/\d-|/copilot-|/freed-|/0000-|/)[0-9a-zA-Z]{10,16}\.(parquet|jsonl\.gz|bin)$`)
	must(t, filepath.WalkDir(folder, func(file string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && e.Name() != "report.html" { // only people read the report
			key := filepath.ToSlash(strings.TrimPrefix(file, folder+string(filepath.Separator)))
			kinds[attempt.ReplaceAllString(key, "${1}*.$2")] = true
		}
		return err
	}))
	return slices.Sorted(maps.Keys(kinds))
}

type reader struct {
	store.Store
	mu   sync.Mutex
	read map[string]bool
}

func (r *reader) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read[key] = true
	return r.Store.Get(ctx, key)
}

// TestGoldenStores uses the store of each version: the program plans a night, finishes the open change, and restores
// the run. The test fails if an object is not read, with the exceptions below.
func TestGoldenStores(t *testing.T) {
	t.Parallel()
	stores, err := os.ReadDir(goldenStores)
	must(t, err)
	if !slices.ContainsFunc(stores, func(e fs.DirEntry) bool { return e.Name() == goldenPresent }) {
		t.Fatalf("%s lacks the store of the present formats; go test -run TestMakeGoldenStore -rewrite makes it", goldenStores)
	}
	for _, version := range stores {
		t.Run(version.Name(), func(t *testing.T) {
			t.Parallel()
			s, keys := golden(t, filepath.Join(goldenStores, version.Name()))
			b := goldenBench(s)
			for _, run := range []string{goldenBefore, goldenRun} {
				readRun(t, s, run)
			}
			readMoney(t, s)
			readBacktest(t, s)
			readRestored(t, s)
			before := b.holds()
			b.entra.in.add("g-exo", "id-anna") // the writes that the earlier version made in the directory
			must(t, b.entra.ChangeLicenses(t.Context(), "id-bo", []directory.Assignment{{SKU: "sku-exo"}}, []string{"sku-e3"}))
			b.ad.in.remove(citrixDN, "S-1-5-21-4")

			b.at(asOf.AddDate(0, 0, 1))
			second := b.nightOver(t)
			if len(second.Pending) != 1 || second.Pending[0].User != "id-anna" || cmp.Diff([]string{goldenRun}, second.Resumes) != "" || second.Counts.Users != 9 || second.FirstRun {
				t.Errorf("pending %+v, resumes %q, counts %+v, notes %q", second.Pending, second.Resumes, second.Counts, second.Notes)
			}
			first, err := runs.GetPlan(t.Context(), s, goldenRun)
			must(t, err)
			b.finish(t, first, runs.Done)
			for _, c := range first.Changes {
				b.logged(t, c, "done")
			}

			b.at(b.now.Add(time.Hour))
			third, err := restore.Plan(t.Context(), s, restore.Request{Of: goldenRun, Run: snapshot.NewRun(b.now, [4]byte{3})}, b.now)
			must(t, err)
			b.finish(t, third, runs.Done)
			b.follow()
			if d := cmp.Diff(before, b.holds()); d != "" {
				t.Errorf("what people hold (-before +after):\n%s", d)
			}
			// Some objects need no reader here. Other programs read the table of members and the spreadsheet. The key
			// of the object about a stopped person contains all facts. Only the newest lease is read.
			unread := slices.DeleteFunc(keys, func(key string) bool {
				return s.read[key] || path.Base(key) == "changes.csv" || strings.Contains(key, "/members/") || strings.HasPrefix(key, layout.Stopped(goldenBefore)) || key == layout.Lease(1)
			})
			if len(unread) > 0 {
				t.Errorf("nothing reads %q", unread)
			}
		})
	}
}

func golden(t *testing.T, folder string) (s *reader, keys []string) {
	t.Helper()
	s = &reader{Store: &store.Memory{}, read: map[string]bool{}}
	must(t, filepath.WalkDir(folder, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		keys = append(keys, filepath.ToSlash(key))
		return store.PutBytes(t.Context(), s.Store, filepath.ToSlash(key), body)
	}))
	if len(keys) < 50 {
		t.Fatalf("the golden store has only %q", keys)
	}
	return s, keys
}

func (b *bench) nightOver(t *testing.T) *plan.Plan {
	t.Helper()
	first, err := snapshot.GetBegin(t.Context(), b.Store, goldenRun)
	must(t, err)
	rules, err := policy.Load("golden", []byte(first.Policy))
	must(t, err)
	const run = "20261124T090000Z-00000002"
	must(t, collect.BeginOver(t.Context(), b.Store, goldenRun, collect.Start{Run: run, AsOf: b.now, Policy: rules, Text: first.Policy}, "later", b.now))
	return b.decides(t, run)
}

func (b *bench) finish(t *testing.T, p *plan.Plan, want runs.Status) {
	t.Helper()
	for range 20 {
		r, err := b.Apply(t.Context(), Request{Run: p.Run, Approver: "golden"})
		must(t, err)
		if r.Count(runs.Pending) == 0 {
			if r.Count(want) != len(p.Changes) {
				t.Errorf("%+v, want all %s", r.Results, want)
			}
			return
		}
		b.follow()
		b.now = b.now.Add(directory.Settling)
	}
	t.Fatalf("run %s stays pending", p.Run)
}

func (b *bench) holds() map[string][]string {
	all := map[string][]string{}
	for id, u := range b.entra.users {
		for _, a := range u.Assignments {
			all[id] = append(all[id], a.Group+" "+a.SKU)
		}
	}
	for _, in := range []members{b.entra.in, b.ad.in} {
		for group, list := range in {
			all[group] = append(all[group], list...)
		}
	}
	maps.DeleteFunc(all, func(_ string, list []string) bool { return len(list) == 0 })
	for _, list := range all {
		slices.Sort(list)
	}
	return all
}
