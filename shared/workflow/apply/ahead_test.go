package apply

import (
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestWhatBeganIsLookedAt: before each further step of a change that has begun, apply checks whether it outlived its
// time. The change fails if the plan expired before the license was taken, or if reads still show the license long
// after it was taken.
func TestWhatBeganIsLookedAt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change  plan.Change
		via     plan.Via
		held    bool
		left    time.Duration // time since the person left the source; zero: the person did not leave
		expires time.Duration // time until the plan expires
		status  runs.Status
		note    string
	}{
		"held":                      {changeBo, plan.Direct, true, 0, time.Hour, "", ""},
		"free":                      {changeBo, plan.Direct, false, time.Minute, time.Hour, "", ""},
		"expires now":               {changeBo, plan.Direct, true, 0, 0, "", ""},
		"expired, held":             {changeBo, plan.Direct, true, 0, -time.Second, runs.Failed, "the plan expired"},
		"expired, free":             {changeBo, plan.Direct, false, 0, -time.Second, "", ""},
		"expired, left, held":       {changeBo, plan.Direct, true, time.Minute, -time.Second, "", ""},
		"left, and held for long":   {changeBo, plan.Direct, true, 30 * 24 * time.Hour, time.Hour, runs.Failed, "taken at"},
		"in a group, not in target": {moveAnna, plan.EntraGroup, true, 0, time.Hour, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			m := b.underWay(t, tc.change, tc.via)
			m.plan.Expires = b.now.Add(tc.expires)
			if tc.left > 0 {
				m.left = &ledger.Mark{At: b.now.Add(-tc.left)}
			}
			status, note := m.outlived(t.Context(), tc.held)
			if status != tc.status || len(note) < len(tc.note) || note[:min(len(note), len(tc.note))] != tc.note || (note == "") != (tc.note == "") {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			if n := b.entra.count["DirectGroups"]; n > 0 && tc.via == plan.Direct {
				t.Error("groups were read of a license that is held directly")
			}
		})
	}
}

// TestStepsThatCannotBeLookedUp: if the ledger's marks of a rollback or of a write that takes the license cannot be
// read, apply does nothing.
func TestStepsThatCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	for _, mark := range []string{"back", "leaving"} {
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.Direct)
		judge, err := m.run.Judge(b.now)
		if err != nil {
			t.Fatal(err)
		}
		m.judge = judge
		m.ledger = ledger.In(blindStore{b.Store, "ledger/id-bo/e3/000001." + mark + ".json"})
		if status, note := m.advance(t.Context(), true); status != troubled {
			t.Errorf("%s: %s, %q", mark, status, note)
		}
		b.wrote(t)
	}
}
