package decision

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "again" returns a run over the snapshot of r. A newer run has read the directories five days later.
func (r *Run) again(t *testing.T) (over, newer *Run) {
	t.Helper()
	newer = r.nextNight(5)
	over = night(r, "run-over", r.Begin.Read)
	over.Begin.Copy = r.Begin.Run
	b := &plan.Baseline{Run: newer.Begin.Run, Partitions: 1, Read: newer.Begin.Read}
	over.History = &history.Digest{Known: [2]*plan.Baseline{b, b}, Baselines: [2]*plan.Baseline{b, b}}
	return over, newer
}

// A plan over an old snapshot knows when people signed in since, because a newer run stored it.
func TestOlderSnapshotHeedsNewerReadings(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		newest    time.Time // the date in the newer reading
		want      time.Time
		spoil     bool
		forgotten bool
	}{
		"signed in since":         {daysAgo(-4), daysAgo(-4), false, false},
		"nothing since":           {daysAgo(100), daysAgo(100), false, false},
		"an older date":           {daysAgo(200), daysAgo(100), false, false},
		"the table is unreadable": {daysAgo(-4), daysAgo(100), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			over, newer := firstNight(t).again(t)
			newer.read(t, accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastSuccessful: tc.newest}}, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: tc.newest}))
			if tc.spoil {
				if err := store.PutBytes(t.Context(), over.store, "runs/"+newer.Begin.Run+"/known/0000.gz", []byte("half")); err != nil {
					t.Fatal(err)
				}
			}
			h := accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastSuccessful: daysAgo(100)}}, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(100)})
			if err := over.addPast(t.Context(), h); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]time.Time{tc.want, tc.want}, []time.Time{h.Entra[0].LastSuccessful, h.AD[0].LastLogonTimestamp}); d != "" {
				t.Errorf("dates (-want +got):\n%s", d)
			}
			if got := h.Entra[0].Past.ForgottenBy != ""; got != tc.forgotten {
				t.Errorf("forgotten by %q", h.Entra[0].Past.ForgottenBy)
			}
		})
	}
}

// A plan over an old snapshot compares it with the reading before it, as the run that read it did. If that run's digest
// is damaged, the rules are undecided about everybody, and a note names the run.
func TestOlderSnapshotAndTheReadingBefore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		damaged, accept bool
		lost            bool
		forgotten       string
		losses          int
	}{
		"the digest is there":    {false, false, true, "", 0},
		"it is damaged":          {true, false, false, "run", 1},
		"damaged, and accepted":  {true, true, false, "", 1},
		"accepted, digest there": {false, true, false, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := &plan.Baseline{Run: "first", Partitions: 1, Read: daysAgo(1)}
			w := world{entra: []directory.EntraUser{accountOf("busy", 1)}, ad: []directory.ADUser{{SID: "S-busy", LastLogonTimestamp: daysAgo(1)}}, feeds: [2]*plan.Baseline{first, nil}}
			r := w.seal(t)
			k := known.Account{Key: known.KeyOf("a"), Seen: known.Always, Enabled: known.Always}
			k.Newest[2] = known.SecondOf(daysAgo(3))
			if err := known.Put(t.Context(), r.store, "first", 0, &known.Partition{Accounts: [2][]known.Account{{k}, nil}}); err != nil {
				t.Fatal(err)
			}
			over, newer := r.again(t)
			over.Begin.AcceptFeeds = tc.accept
			if err := known.Put(t.Context(), r.store, newer.Begin.Run, 0, &known.Partition{}); err != nil {
				t.Fatal(err)
			}
			if tc.damaged {
				if err := store.PutBytes(t.Context(), r.store, r.Manifest.History, []byte("half")); err != nil {
					t.Fatal(err)
				}
			}
			if err := over.loadBefore(t.Context()); err != nil {
				t.Fatal(err)
			}
			h := accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastSuccessful: daysAgo(100)}})
			if err := over.addPast(t.Context(), h); err != nil {
				t.Fatal(err)
			}
			if got := !h.Entra[0].DatesLost.IsZero(); got != tc.lost || h.Entra[0].Past.ForgottenBy != tc.forgotten {
				t.Errorf("lost: %t, forgotten by %q", got, h.Entra[0].Past.ForgottenBy)
			}
			losses := over.Losses()
			if len(losses) != tc.losses || tc.losses > 0 && !strings.Contains(losses[0], "run run ") {
				t.Errorf("losses %q", losses)
			}
		})
	}
}
