package history

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func TestNewestBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, night := range []int{1, 3} {
		w.plans(night)
	}
	for night, want := range map[int]string{0: "", 1: "", 2: nameOf(1), 3: nameOf(1), 4: nameOf(3)} {
		if got := w.settle(night).Earlier; got != want {
			t.Errorf("night %d: %q, want %q", night, got, want)
		}
	}
}

// A digest continues from that of the previous run, even if the store also has a digest of a later run or of a first
// try of this run. If the data of the previous run were deleted because of their age, MakeDigest reads the whole
// ledger.
func TestDigestGoesOnFromTheOneBefore(t *testing.T) {
	t.Parallel()
	w := annIsTaken(t)
	w.plans(1)
	w.writes(1, "bob", "m365", ledger.Done) // no plan names bob; only the ledger has the change
	w.want(w.settle(2), map[string]State{"ann": Taken})
	w.plans(2)
	w.want(w.settle(2), map[string]State{"ann": Taken})
	w.want(w.settle(3), map[string]State{"ann": Taken})
	w.plans(4) // the manifest of night 4 is gone
	w.want(w.settle(5), map[string]State{"ann": Taken, "bob": Taken})
}

func TestDigestThatIsGone(t *testing.T) {
	t.Parallel()
	w := annIsTaken(t)
	w.plans(1)
	w.settle(20)
	w.plans(20)
	if err := store.PutJSON(t.Context(), w.store, "runs/"+nameOf(20)+"/manifest.json", &snapshot.Manifest{Run: nameOf(20), History: "runs/gone"}); err != nil {
		t.Fatal(err)
	}
	w.writes(19, "bob", "m365", ledger.Done) // no plan names bob
	w.want(w.settle(21), map[string]State{"ann": Taken})
}

// MakeDigest reads nothing from the ledger if no recent plan changes a license. It reads damaged entries again each
// night until they are repaired.
func TestLongAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(0)
	w.plans(0, "ann", "bob")
	w.writes(0, "ann", "m365", ledger.Done)
	w.settle(1)
	w.plans(1)
	w.settle(20)
	w.plans(20)
	counted := &counting{Store: w.store}
	if _, err := MakeDigest(t.Context(), counted, nameOf(21), at(21)); err != nil || counted.ledger != 0 {
		t.Errorf("the ledger was read %d times, %v", counted.ledger, err)
	}
	const key = "ledger/ann/e3/000001.json"
	raw, err := store.GetBytes(t.Context(), w.store, key, 1<<20)
	if err != nil || store.PutBytes(t.Context(), w.store, key, []byte("{")) != nil {
		t.Fatal(err)
	}
	w.plans(22, "ann")
	w.want(w.settle(23), map[string]State{"ann": Unreadable})
	w.plans(23)
	w.want(w.settle(40), map[string]State{"ann": Unreadable})
	w.plans(40)
	if err := store.PutBytes(t.Context(), w.store, key, raw); err != nil {
		t.Fatal(err)
	}
	w.want(w.settle(41), map[string]State{"ann": Taken})
}

// TestBaselineAtItsInstant: a digest takes the newest reading up to its own time as its baseline. If two plans have
// readings of the same time, the reading of the newer plan counts.
func TestBaselineAtItsInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	facts := func(night, people int) *plan.Baseline {
		return &plan.Baseline{Read: at(night), Freshness: directory.Freshness{Sampled: people}}
	}
	feeds := func(night int, b *plan.Baseline) {
		w.leave(&Planned{Run: nameOf(night), AsOf: at(night), Feeds: [2]*plan.Baseline{b, nil}})
	}
	w.settle(0)
	feeds(0, facts(1, 100))
	feeds(1, facts(1, 101))
	if d := cmp.Diff([2]*plan.Baseline{facts(1, 101), nil}, w.settle(1).Baselines); d != "" {
		t.Errorf("of the moment itself (-want +got):\n%s", d)
	}
	st, err := MakeDigest(t.Context(), w.store, nameOf(2), at(1))
	if err != nil {
		t.Fatal(err)
	}
	same, err := Load(t.Context(), w.store, &snapshot.Manifest{History: st})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([2]*plan.Baseline{facts(1, 101), nil}, same.Baselines); d != "" {
		t.Errorf("taken over (-want +got):\n%s", d)
	}
	early, err := MakeDigest(t.Context(), w.store, nameOf(2), at(1).Add(-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	before, err := Load(t.Context(), w.store, &snapshot.Manifest{History: early})
	if err != nil {
		t.Fatal(err)
	}
	if before.Baselines != [2]*plan.Baseline{} {
		t.Errorf("a reading of the future was taken over: %+v", before.Baselines)
	}
	if !strings.HasPrefix(early, "runs/"+nameOf(2)+"/history/") || early == st {
		t.Errorf("both tries wrote %s", early)
	}
}

// A baseline (the figures of a healthy reading) stays in the digest long after the plan from which it came. In a digest
// of an older version, the baseline also serves as Known.
func TestBaselineIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := &plan.Baseline{Read: at(0), Freshness: directory.Freshness{Sampled: 100}}
	w.settle(0)
	w.leave(&Planned{Run: nameOf(0), AsOf: at(0), Feeds: [2]*plan.Baseline{good, nil}})
	w.settle(1)
	for _, night := range []int{1, 20} {
		w.plans(night)
		w.settle(night + 19)
	}
	w.plans(39)
	run := nameOf(60)
	err := store.PutLines(t.Context(), w.store, "runs/"+run+"/history/old.jsonl.gz", func(emit func(any) error) error {
		return emit(map[string]any{"head": map[string]any{"run": run, "at": at(60), "baselines": []*plan.Baseline{good, nil}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([2]*plan.Baseline{good, nil}, w.settle(40).Baselines); d != "" {
		t.Errorf("long after (-want +got):\n%s", d)
	}
	if err := snapshot.Seal(t.Context(), w.store, &snapshot.Manifest{Run: run, History: "runs/" + run + "/history/old.jsonl.gz"}); err != nil {
		t.Fatal(err)
	}
	w.plans(60)
	st := w.settle(61)
	if d := cmp.Diff([2]*plan.Baseline{good, nil}, st.Baselines); d != "" {
		t.Errorf("of an older version (-want +got):\n%s", d)
	}
	if d := cmp.Diff([2]*plan.Baseline{good, nil}, st.Known); d != "" {
		t.Errorf("whose accounts are remembered (-want +got):\n%s", d)
	}
}

// If two runs see that a person holds a license again, the later time counts, so that rules leave it alone for longer.
func TestHeldAgainTwice(t *testing.T) {
	t.Parallel()
	w := annIsTaken(t)
	for _, night := range []int{1, 2} {
		w.leave(&Planned{Run: nameOf(night), AsOf: at(night), HeldAgain: []Touch{{"ann", "e3", nameOf(0)}}})
	}
	if got := w.settle(3).Of("ann", "e3"); got == nil || got.State != Restored || !got.At.Equal(at(2)) {
		t.Errorf("%+v", got)
	}
}
