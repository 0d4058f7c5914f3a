package runs

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// TestLookFollowsARun: at each stage of a run, the overview has all figures that are known.
func TestLookFollowsARun(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	if _, err := Look(t.Context(), s, "run", time.Now()); !errors.Is(err, snapshot.ErrUnknownRun) {
		t.Errorf("a run that is not there: %v", err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(want Stage, edit func(*Overview)) {
		t.Helper()
		got, err := Look(t.Context(), s, "run", time.Now())
		must(err)
		o := Overview{Run: "run", Stage: want, Started: asOf, AsOf: asOf}
		edit(&o)
		if diff := cmp.Diff(&o, got); diff != "" {
			t.Errorf("stage %s (-want +got):\n%s", want, diff)
		}
	}
	must(snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: "run", Started: asOf, AsOf: asOf, Partitions: 1, User: "anna"}))
	look(StageReading, func(o *Overview) { o.User = "anna" })
	must(snapshot.Seal(t.Context(), s, &snapshot.Manifest{Run: "run"}))
	look(StageDeciding, func(o *Overview) { o.User = "anna" })

	p := newPlan(plan.Change{User: "u", License: "e3", Via: "direct"}, plan.Change{User: "v", License: "e3", Via: "direct"})
	must(PutPlan(t.Context(), s, p, each()))
	planned := func(o *Overview) {
		o.User, o.Mode, o.Verdict, o.HoldReasons, o.PlanHash = "anna", p.Mode, p.Verdict, []string{}, p.PlanHash
		o.Changes, o.Currency, o.Expires = 2, "SEK", p.Expires
	}
	look(StagePlanned, planned)

	results := &Results{Run: "run", PlanHash: p.PlanHash, At: asOf.Add(time.Minute), Results: []Result{{User: "u", License: "e3", Status: Pending}}}
	must(PutResults(t.Context(), s, p.Batches()[0].Name, results))
	look(StageApplying, func(o *Overview) {
		planned(o)
		o.Results, o.Worked = map[Status]int{Pending: 1}, results.At
	})
	results.At, results.Results = asOf.Add(2*time.Minute), []Result{{User: "u", License: "e3", Status: Pending}, {User: "v", License: "e3", Status: Done}}
	must(PutResults(t.Context(), s, Concluded, results))
	look(StageApplying, func(o *Overview) {
		planned(o)
		o.Results, o.Worked = map[Status]int{Pending: 1, Done: 1}, results.At
	})
	// A later night finishes the change and writes the results of the batch again.
	results.At, results.Results[0].Status = asOf.Add(time.Hour), Done
	must(PutResults(t.Context(), s, p.Batches()[0].Name, results))
	must(history.Withdraw(t.Context(), s, "run", "other", asOf))
	look(StageEnded, func(o *Overview) {
		planned(o)
		o.Results, o.Worked, o.Restored = map[Status]int{Done: 2}, results.At, "other"
	})
}

func TestLookSaysWhatIsDamaged(t *testing.T) {
	t.Parallel()
	p := newPlan(plan.Change{User: "u", License: "e3", Via: "direct"})
	batch := layout.Result("run", p.Batches()[0].Name)
	for key, want := range map[string]struct {
		stage   Stage
		changes int
	}{
		layout.Begin("run"):                   {StageUnreadable, 1},
		layout.Plan("run"):                    {StageReading, 0},
		batch:                                 {StagePlanned, 1},
		layout.Result("run", Concluded):       {StagePlanned, 1},
		layout.Noted(layout.Withdrawn, "run"): {StageApplying, 1},
	} {
		for damage, spoil := range map[string]func([]byte) []byte{
			"cut":    func(b []byte) []byte { return b[:len(b)/2] },
			"edited": func(b []byte) []byte { return bytes.Replace(b, []byte(`"`), []byte(`"x`), 1) },
			"empty":  func([]byte) []byte { return nil },
		} {
			t.Run(damage+" "+key, func(t *testing.T) {
				t.Parallel()
				s := &store.Memory{}
				for _, err := range []error{
					snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: "run", Started: asOf, AsOf: asOf, Partitions: 1}),
					PutPlan(t.Context(), s, p, each()),
					PutResults(t.Context(), s, p.Batches()[0].Name, &Results{Run: "run", At: asOf, Results: []Result{{User: "u", License: "e3", Status: Pending}}}),
					PutResults(t.Context(), s, Concluded, &Results{Run: "run", At: asOf, Results: []Result{{User: "u", License: "e3", Status: Pending}}}),
					history.Withdraw(t.Context(), s, "run", "other", asOf),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				if err := store.PutBytes(t.Context(), s, key, spoil(s.Objects()[key])); err != nil {
					t.Fatal(err)
				}
				o, err := Look(t.Context(), s, "run", time.Now())
				if err != nil {
					t.Fatal(err)
				}
				if o.Stage != want.stage || o.Changes != want.changes || len(o.Damage) != 1 || !strings.Contains(o.Damage[0], key) {
					t.Errorf("stage %s, %d changes, damage %q", o.Stage, o.Changes, o.Damage)
				}
			})
		}
	}
}

// TestLookAfterLostResults: the results of a batch were damaged, and then written again. The overview shows the new
// results, and still names the damage. It does so with and without the object Concluded.
func TestLookAfterLostResults(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	p := newPlan(plan.Change{User: "u", License: "e3", Via: "direct"})
	name := p.Batches()[0].Name
	results := &Results{Run: "run", At: asOf, Lost: []string{name}, Results: []Result{{User: "u", License: "e3", Status: Done}}}
	if err := errors.Join(snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: "run", Started: asOf, AsOf: asOf, Partitions: 1}), PutPlan(t.Context(), s, p, each()), PutResults(t.Context(), s, name, results)); err != nil {
		t.Fatal(err)
	}
	for _, concluded := range []bool{false, true} {
		if concluded {
			if err := PutResults(t.Context(), s, Concluded, &Results{Run: "run", At: asOf, Results: results.Results}); err != nil {
				t.Fatal(err)
			}
		}
		o, err := Look(t.Context(), s, "run", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if o.Stage != StageEnded || o.Results[Done] != 1 || len(o.Damage) != 1 || !strings.Contains(o.Damage[0], layout.Result("run", name)) {
			t.Errorf("concluded %t: stage %s, %v, damage %q", concluded, o.Stage, o.Results, o.Damage)
		}
		if all, err := GetResults(t.Context(), s, p, p.Batches()); !errors.Is(err, store.ErrDamaged) || len(all.Results) != 1 {
			t.Errorf("%+v, %v", all, err)
		}
	}
}

// TestLookAtARunWithoutItsBeginning: a missing begin.json counts as damage if the run has other objects.
func TestLookAtARunWithoutItsBeginning(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	if err := PutPlan(t.Context(), s, newPlan(), each()); err != nil {
		t.Fatal(err)
	}
	o, err := Look(t.Context(), s, "run", time.Now())
	if err != nil || o.Stage != StageUnreadable || o.Verdict != plan.Review || len(o.Damage) != 1 || !strings.Contains(o.Damage[0], "begin.json") {
		t.Errorf("%+v, %v", o, err)
	}
	for _, name := range []string{"", "..", "../run", "lease", "relay-check", "a/b", strings.Repeat("x", 2000), "\x00", "run?", "ru"} {
		if o, err := Look(t.Context(), s, name, time.Now()); !errors.Is(err, snapshot.ErrUnknownRun) {
			t.Errorf("%q: %+v, %v", name, o, err)
		}
	}
}

// TestLookAllShowsWhatItCan: if Look fails for one run, LookAll still shows all other runs.
func TestLookAllShowsWhatItCan(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s, err := store.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{"a", "b", "c"} {
		if err := snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: run, Started: asOf, Partitions: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(folder, "runs", "d"), 0o700); err != nil { // the first object of run d is not complete yet
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, "runs/b/begin.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", filepath.Join(folder, "runs/b/begin.json")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	all, err := LookAll(t.Context(), s, []string{"d", "c", "b", "a"}, time.Now())
	if err != nil || len(all) != 3 {
		t.Fatalf("%d runs, %v", len(all), err)
	}
	for i, want := range []struct {
		run    string
		damage int
	}{{"c", 0}, {"b", 1}, {"a", 0}} {
		if all[i].Run != want.run || len(all[i].Damage) != want.damage {
			t.Errorf("%d: %+v, want %+v", i, all[i], want)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := LookAll(ended, s, []string{"a"}, time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
