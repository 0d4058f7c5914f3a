package apply

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestTakenAfterRollback: another call has rolled a change back. After that, the write of the first call takes effect,
// and the first call cannot read the person. A later call gives the license again.
func TestTakenAfterRollback(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	other := b.signsIn(t, "id-bo", runs.Pending)
	b.entra.fail = map[string]error{changeEXO: errDown}
	b.apply(t, runs.Pending, "did not go through")
	b.entra.fail = nil
	b.Applier.Entra = &between{b.entra, "ChangeLicenses", func() {
		other()
		b.entra.fail = map[string]error{"ReadLicenses id-bo": errDown}
	}}
	b.apply(t, runs.Pending, "could not be read again")
	b.entra.fail, b.Applier.Entra = nil, b.entra
	b.goesBack(t, runs.Kept, "signed in 1 hour ago")
	b.logged(t, changeBo, "rolled back")
	if d := cmp.Diff([]directory.Assignment{{SKU: "sku-e3", State: "Active"}}, b.entra.users["id-bo"].Assignments); d != "" {
		t.Errorf("Bo holds (-want +got):\n%s", d)
	}
}

// TestRelayedRemovalAfterRestore: a removal is handed to a relay, which is slow. Meanwhile somebody asks to restore the
// license, and another relay finds the person still in the group. Then the slow relay removes the person. The change is
// still pending then, so the next call gives the license again.
func TestRelayedRemovalAfterRestore(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeEgon)
	r := newRelayed(t, b)
	n := r.step(t, "prepare", &BatchState{Run: "run", Batch: "ad-0001"})
	n.Evidence = &protocol.Ending{Answer: protocol.Answer{Key: r.bring(t, n)}}
	if n = r.step(t, "change", n); !n.Ask {
		t.Fatal("nothing for the relay")
	}
	if err := history.Stop(t.Context(), b.Store, "run", freeEgon.User, "x", b.now); err != nil {
		t.Fatal(err)
	}
	r.round(t, "ad-0001", false)
	r.is(t, runs.Pending, "somebody asked to restore it; given again at once")
	b.logged(t, freeEgon, "open")
	b.at(b.now.Add(30 * time.Minute))
	r.write(t, n)
	if slices.Contains(b.ad.in[citrixDN], freeEgon.User) {
		t.Fatal("the first relay removed nobody")
	}
	r.round(t, "ad-0001", false)
	b.lag()
	r.round(t, "ad-0001", false)
	r.is(t, runs.Kept, "somebody asked to restore it")
	b.logged(t, freeEgon, "given back")
	if !slices.Contains(b.ad.in[citrixDN], freeEgon.User) {
		t.Errorf("Egon is not in the group: %v", b.ad.writes())
	}
}

// TestOtherController: a restore reads a controller to which the removal has not been replicated. The restore stays
// pending until the removal must have arrived, and then gives the license again.
func TestOtherController(t *testing.T) {
	t.Parallel()
	c := freeEgon
	c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
	b := newBench(t, c)
	b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, "r0" })
	in := ledger.Intent{Person: c.User, SID: c.SID, License: "citrix", Run: "r0", Rule: "citrix", Via: "ad-group", Source: citrixDN, At: b.now, Before: ledger.Holding{InGroups: []string{citrixDN}}}
	b.put(t, in, ledger.Done)
	b.at(b.now.Add(10 * time.Minute))
	b.apply(t, runs.Pending, "given again at once; each call gives it again until 2026-11-23T16:35:00Z") // this controller still lists Egon
	b.ad.in.remove(citrixDN, c.User)                                                                     // the removal arrives
	b.at(b.now.Add(directory.Replicating))
	b.apply(t, runs.Pending, "given again at once")
	b.logged(t, c, "open")
	b.lag()
	b.apply(t, runs.Done, "")
	if !slices.Contains(b.ad.in[citrixDN], c.User) {
		t.Errorf("Egon is not in the group: %v", b.ad.writes())
	}
}

// TestTakenSince: an entry of the ledger was closed as rolled back, and another call took the license after that. The
// next call gives the license again.
func TestTakenSince(t *testing.T) {
	t.Parallel()
	e3, exo := directory.Assignment{SKU: "sku-e3", State: "Active"}, directory.Assignment{SKU: "sku-exo", State: "Active"}
	for name, tc := range map[string]struct {
		outcome ledger.Outcome
		left    bool
		holds   []directory.Assignment
		fail    error
		later   time.Duration
		alter   bool
		want    runs.Status
		note    string
		writes  []string
	}{
		"taken":                    {ledger.RolledBack, true, []directory.Assignment{exo}, nil, 0, false, runs.Pending, "as noted; another call had taken the license after that; given again", []string{backFromEXO}},
		"taken, after a failure":   {ledger.Failed, true, []directory.Assignment{exo}, nil, 0, false, runs.Pending, "as noted; another call had taken the license after that; given again", []string{backFromEXO}},
		"taken, given by somebody": {ledger.Restored, true, []directory.Assignment{exo}, nil, 0, false, runs.Pending, "as noted; another call had taken the license after that; given again", []string{backFromEXO}},
		"refused":                  {ledger.RolledBack, true, []directory.Assignment{exo}, refusal("no seat"), 0, false, runs.Pending, "as noted; another call had taken the license after that; it cannot be given again, do it by hand: no seat", []string{backFromEXO}},
		"it does not answer":       {ledger.RolledBack, true, []directory.Assignment{exo}, errDown, 0, false, runs.Pending, "as noted; another call had taken the license after that; giving it again is not finished, run apply again: down", []string{backFromEXO}},
		"held":                     {ledger.RolledBack, true, []directory.Assignment{e3}, nil, 0, false, runs.Kept, "as noted", nil},
		"never left":               {ledger.RolledBack, false, []directory.Assignment{exo}, nil, 0, false, runs.Kept, "as noted", nil},
		"done":                     {ledger.Done, true, []directory.Assignment{exo}, nil, 0, false, runs.Done, "as noted", nil},
		"long ago":                 {ledger.RolledBack, true, []directory.Assignment{exo}, nil, plan.Lifetime, false, runs.Kept, "as noted", nil},
		"another product":          {ledger.RolledBack, true, []directory.Assignment{exo}, nil, 0, true, runs.Kept, "as noted", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			in := ledger.Intent{Person: "id-bo", License: "e3", To: "exo", Run: "run", Rule: "m365", Via: "direct", SKU: "sku-e3", TargetSKU: "sku-exo", At: b.now}
			if tc.alter {
				in.SKU = "sku-e5"
			}
			e := b.put(t, in, tc.outcome)
			if tc.left {
				if _, _, err := ledger.In(b.Store).Leave(t.Context(), e, b.now); err != nil {
					t.Fatal(err)
				}
			}
			b.at(b.now.Add(tc.later))
			b.entra.users["id-bo"].Assignments = tc.holds
			b.entra.fail = map[string]error{backFromEXO: tc.fail}
			j := b.judging(t)
			all, err := j.fresh(t.Context(), j.plan.Changes)
			if err != nil {
				t.Fatal(err)
			}
			if r := j.change(t.Context(), &changeBo, all["id-bo"]); r.Status != tc.want || !strings.HasPrefix(r.Note, tc.note) || r.Retry != (tc.want == runs.Pending) {
				t.Errorf("%+v; want %s, %q", r, tc.want, tc.note)
			}
			b.wrote(t, tc.writes...)
		})
	}
}

func TestTakenSinceWithoutALedger(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	e := b.put(t, ledger.Intent{Person: "id-bo", License: "e3", To: "exo", Run: "run", Rule: "m365", Via: "direct", SKU: "sku-e3", TargetSKU: "sku-exo", At: b.now}, ledger.RolledBack)
	m := b.moveOf(t, e.Intent)
	m.ledger = ledger.In(blindStore{b.Store, strings.TrimSuffix(e.Key(), ".json") + ".leaving.json"})
	if note, err := m.takenSince(t.Context(), e); note != "" || !errors.Is(err, errDown) {
		t.Errorf("%q, %v", note, err)
	}
}

// TestRelayWritesInTime: the constant relayWrites is longer than the time that the state machine gives the relay for
// its writes. So a rollback ends only after the last write of the relay.
func TestRelayWritesInTime(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../infra/statemachine.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), `"Write AD batch to AD": {`)
	if !found {
		t.Fatal("the state machine has no such task")
	}
	_, rest, _ = strings.Cut(rest, `"TimeoutSeconds": `)
	var seconds int
	if err := json.NewDecoder(strings.NewReader(rest)).Decode(&seconds); err != nil {
		t.Fatal(err)
	}
	if lease := time.Duration(seconds) * time.Second; relayWrites < lease+time.Minute {
		t.Errorf("the relay may write for %s, and a rollback waits %s", lease, relayWrites)
	}
}
