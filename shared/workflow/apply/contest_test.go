package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// The method "meanwhile" makes another run begin a change of a license, just before this run writes an object whose key
// begins with the given text.
func (b *bench) meanwhile(t *testing.T, key string, other ledger.Intent) {
	t.Helper()
	w := &writing{Store: b.Store, key: key}
	w.before = func() {
		w.key, other.Run, other.At = "", "other", b.now
		if _, err := ledger.In(w.Store).Begin(t.Context(), other, nil); err != nil {
			t.Error(err)
		}
	}
	b.Store = w
}

const otherOpen = "another run's change is still open: run other since "

// TestTwoRunsBeginAtOnce: another run begins a change just before this run writes its intent. If the two changes
// exclude each other, this run ends its change before it writes to a directory.
func TestTwoRunsBeginAtOnce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change plan.Change
		other  ledger.Intent
		note   string // empty: the change goes on
		want   []string
	}{
		"the target, in groups":     {moveAnna, ledger.Intent{Person: "id-anna", License: "exo", Rule: "x", Via: "entra-group", Source: "g-exo", SKU: "sku-exo"}, otherOpen, nil},
		"the target, directly":      {changeBo, ledger.Intent{Person: "id-bo", License: "exo", Rule: "x", Via: "direct", SKU: "sku-exo"}, otherOpen, nil},
		"the source is to be given": {changeBo, ledger.Intent{Person: "id-bo", License: "visio", To: "e3", Rule: "x", Via: "direct", SKU: "sku-visio", TargetSKU: "sku-e3"}, otherOpen, nil},
		"nothing in common":         {changeBo, ledger.Intent{Person: "id-bo", License: "visio", Rule: "x", Via: "direct", SKU: "sku-visio"}, "", []string{changeEXO}},
		"of somebody else":          {changeBo, ledger.Intent{Person: "id-anna", License: "exo", Rule: "x", Via: "direct", SKU: "sku-exo"}, "", []string{changeEXO}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			b.meanwhile(t, "ledger/"+tc.change.User+"/e3/000001.json", tc.other)
			if tc.note == "" {
				b.apply(t, runs.Done, "")
			} else {
				b.apply(t, runs.Kept, tc.note)
				b.logged(t, tc.change, "rolled back")
			}
			b.wrote(t, tc.want...)
		})
	}
}

// TestTwoRunsTakeOneMailbox: two runs begin at once to take the two licenses that give one mailbox. One of the licenses
// stays.
func TestTwoRunsTakeOneMailbox(t *testing.T) {
	t.Parallel()
	b := mailboxBench(t, plan.EntraGroup, removeE3)
	b.meanwhile(t, "ledger/id-bo/e3/", ledger.Intent{Person: "id-bo", License: "exo", Rule: "mail", Via: "entra-group", Source: "g-exo", SKU: "sku-exo"})
	b.apply(t, runs.Kept, "the mailbox would be left without a license, since exo is taken, too")
	b.wrote(t)
}

// TestTwoRunsBeganAtOnce: a call wrote its intent and ended before it looked for changes of other runs. Meanwhile,
// another run began a change that excludes this change. The next call notices this. If the license may be taken
// already, the call completes this change. Otherwise, it takes nothing.
func TestTwoRunsBeganAtOnce(t *testing.T) {
	t.Parallel()
	other := ledger.Intent{Person: "id-bo", License: "exo", Rule: "x", Run: "other", Via: "direct", SKU: "sku-exo"}
	for name, left := range map[string]bool{"nothing taken": false, "taken": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			b.entra.fail = map[string]error{"ChangeLicenses id-bo +sku-exo -sku-e3": errDown}
			if left {
				b.apply(t, runs.Pending, "did not go through")
			} else {
				e := b.put(t, ledger.Intent{Person: "id-bo", License: "e3", To: "exo", Rule: "m365", Via: "direct", SKU: "sku-e3", TargetSKU: "sku-exo", At: b.now}, "")
				if e.Seq != 1 {
					t.Fatal(e)
				}
			}
			b.entra.fail = nil
			b.put(t, other, "")
			if left {
				b.apply(t, runs.Done, "")
				return
			}
			b.apply(t, runs.Kept, otherOpen)
			b.wrote(t)
		})
	}
}

// TestRestoreBeginsAtOnce: a restore fails if another run begins at the same time to take the license that the restore
// removes.
func TestRestoreBeginsAtOnce(t *testing.T) {
	t.Parallel()
	b := takenFromAnna(t)
	b.meanwhile(t, "ledger/id-anna/e3/000002.json", ledger.Intent{Person: "id-anna", License: "exo", Rule: "x", Via: "entra-group", Source: "g-exo", SKU: "sku-exo"})
	b.apply(t, runs.Failed, otherOpen)
	b.wrote(t)
}

// TestContestCannotBeRead: after apply has written its intent, it lists the ledger for changes of other runs. If that
// fails, apply takes and gives nothing.
func TestContestCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]*bench{"a change": newBench(t, moveAnna), "a restore": takenFromAnna(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &writing{Store: b.Store, key: "ledger/id-anna/e3/00000"}
			blind := &breaking{Store: w}
			w.before = func() { blind.key = "ledger/id-anna/" }
			b.Store = blind
			b.apply(t, runs.Pending, "list the ledger")
			b.wrote(t)
		})
	}
}

// TestLadderUnrestored: a run exchanged one license for a second one, and another run took the second license. If the
// second license is being restored or was restored, the first license cannot be restored. The result counts as not
// restored, and advises to restore again.
func TestLadderUnrestored(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		b := newBench(t, changeBo)
		b.apply(t, runs.Done, "")
		b.at(b.now.Add(time.Hour))
		p := b.recall(t, "")
		lower := ledger.Intent{Person: "id-bo", License: "exo", Rule: plan.RestoreRule, RestoreOf: "r2", Run: "back-of-r2", Via: "entra-group", Source: "g-exo", SKU: "sku-exo"}
		b.settle()
		lower.At = b.now
		b.put(t, lower, map[bool]ledger.Outcome{true: ledger.Done}[done])
		r, err := b.Apply(t.Context(), Request{Run: p.Run})
		if err != nil || r.Unrestored() != 1 || !strings.HasSuffix(r.Results[0].Note, "restore again") {
			t.Errorf("the lower one is back %t: %+v, %v", done, r, err)
		}
	}
}
