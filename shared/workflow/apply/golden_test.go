package apply

import (
	"context"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/gate"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

// rewrite makes the golden store of the present formats anew. The stores of released versions must stay as they are,
// so a version that changes a format makes a folder of its own.
var rewrite = flag.Bool("rewrite", false, "make the golden store of the present formats again")

const (
	goldenStores  = "testdata/golden"
	goldenPresent = "2026-11" // the folder of the present formats
	goldenRun     = "20261123T090000Z-00000001"
)

// TestMakeGoldenStore makes the golden store of the present formats, after a night that left Anna's change open.
func TestMakeGoldenStore(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "store")
	s, err := store.Open(t.Context(), folder)
	must(t, err)
	rules, err := policy.Load("golden", []byte(goldenPolicy))
	must(t, err)
	b := goldenBench(s)
	b.reads(t, rules)
	p := b.decides(t, goldenRun)
	if len(p.Changes) != 3 || p.Verdict != plan.Apply {
		t.Fatalf("verdict %s %q, changes %+v", p.Verdict, p.HoldReasons, p.Changes)
	}
	r, err := b.Apply(t.Context(), Request{Run: goldenRun, Approver: "golden"})
	must(t, err)
	if r.Count(runs.Pending) != 1 || r.Count(runs.Done) != 2 {
		t.Fatalf("%+v", r.Results)
	}
	_, _, err = gate.Conclude(t.Context(), s, goldenRun, b.now)
	must(t, err)
	if !*rewrite {
		return
	}
	to := filepath.Join(goldenStores, goldenPresent)
	must(t, os.RemoveAll(to))
	must(t, os.RemoveAll(filepath.Join(folder, ".tmp")))
	must(t, os.CopyFS(to, os.DirFS(folder)))
}

// reader records which objects were read.
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

// TestGoldenStores uses the store that each earlier version left: it plans a night, finishes the change that was left
// open, and restores the run. Every object of the store must be read.
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
			before := b.holds()
			b.entra.in.add("g-exo", "id-anna") // what the earlier version had done in the directory
			must(t, b.entra.ChangeLicenses(t.Context(), "id-bo", []directory.Assignment{{SKU: "sku-exo"}}, []string{"sku-e3"}))
			b.ad.in.remove(citrixDN, "S-1-5-21-4")

			b.at(asOf.AddDate(0, 0, 1))
			second := b.nightOver(t)
			if len(second.Pending) != 1 || second.Pending[0].User != "id-anna" || cmp.Diff([]string{goldenRun}, second.Resumes) != "" || second.Counts.Users != 6 || second.FirstRun {
				t.Errorf("pending %+v, resumes %q, counts %+v, notes %q", second.Pending, second.Resumes, second.Counts, second.Notes)
			}
			first, err := runs.GetPlan(t.Context(), s, goldenRun)
			must(t, err)
			readRest(t, s, first)
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
			others := layout.Run(goldenRun) + "members/" // read only by other programs, like the spreadsheet
			unread := slices.DeleteFunc(keys, func(key string) bool {
				return s.read[key] || key == layout.Changes(goldenRun) || strings.HasPrefix(key, others)
			})
			if len(unread) > 0 {
				t.Errorf("nothing reads %q", unread)
			}
		})
	}
}

// golden copies a golden store into memory.
func golden(t *testing.T, folder string) (s *reader, keys []string) {
	t.Helper()
	s = &reader{Store: &store.Memory{}, read: map[string]bool{}}
	must(t, filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		keys = append(keys, filepath.ToSlash(key))
		return store.PutBytes(t.Context(), s.Store, filepath.ToSlash(key), body)
	}))
	if len(keys) < 15 {
		t.Fatalf("the golden store has only %q", keys)
	}
	// The tables of people were made from the snapshot's parts. A delta reading starts from the parts, so they must be
	// readable too.
	m, _, err := snapshot.GetManifest(t.Context(), s, goldenRun)
	must(t, err)
	m.People = nil
	var all directory.Accounts
	must(t, m.ReadColumns(t.Context(), s, 0, nil, &all))
	if len(all.Entra) != 5 || len(all.AD) != 2 || len(all.Memberships) != 2 {
		t.Errorf("the parts have %d accounts of Entra ID, %d of Active Directory, and members %v", len(all.Entra), len(all.AD), all.Memberships)
	}
	return s, keys
}

// readRest reads what only some nights read: the decisions, and the marks in the ledger.
func readRest(t *testing.T, s store.Store, p *plan.Plan) {
	t.Helper()
	r, err := decision.Open(t.Context(), s, p.Run)
	must(t, err)
	decided := 0
	_, err = r.Each(t.Context(), func(*plan.Decision) error { decided++; return nil })
	must(t, err)
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
	if decided == 0 || marks != 5 {
		t.Errorf("%d decisions, %d marks", decided, marks)
	}
}

// nightOver plans a night from the golden run's snapshot.
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

// finish applies a plan until nothing is pending. Every change must then have the wanted status.
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

// holds returns everybody's licenses and every group's members.
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
