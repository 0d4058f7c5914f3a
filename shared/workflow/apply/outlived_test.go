package apply

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

type deafEntra struct{ *fakeEntra }

func (d deafEntra) AddMember(_ context.Context, group, id string) error {
	return d.do("AddMember "+group+" "+id, func() {})
}

// comesTo repeats apply until the change ends, and checks the result.
func (b *bench) comesTo(t *testing.T, want runs.Status, note string) {
	t.Helper()
	for range 5 {
		r, err := b.Apply(t.Context(), Request{Run: "run"})
		if err != nil {
			t.Fatal(err)
		}
		if x := r.Results[0]; x.Status != runs.Pending {
			if x.Status != want || !strings.Contains(x.Note, note) {
				t.Errorf("%s: %s; want %s with %q", x.Status, x.Note, want, note)
			}
			return
		}
		b.lag()
		b.follow()
	}
	t.Error("it waits for ever")
}

// TestHeldAgainAfterItWasSeenFree: a read shows the license as free, and a later read shows it as held. Up to
// directory.Settling after the first read, the later read may come from a replica that is behind, so apply reads again.
// After that, somebody has restored the license, and apply leaves it to the person.
func TestHeldAgainAfterItWasSeenFree(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		later time.Duration // time since the read that showed the license as free
		given bool
	}{"at once": {0, false}, "a moment before reads are settled": {directory.Settling - time.Second, false}, "when they are": {directory.Settling, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			b.apply(t, runs.Pending, "joined")
			b.follow()
			b.apply(t, runs.Pending, "waiting for its license to be freed")
			b.entra.in.add("g-e3", "id-anna")
			b.at(b.now.Add(tc.later))
			if !tc.given {
				b.apply(t, runs.Pending, "the license was seen free, and is read as held; it is read again before anything else is done")
				b.wrote(t, joinEXO, leaveE3)
				return
			}
			b.comesTo(t, runs.Kept, "somebody restored it after it was seen free at "+asOf.Add(time.Hour).Format(time.RFC3339))
			b.logged(t, moveAnna, "given back")
			if got := b.entra.in["g-exo"]; len(got) != 0 {
				t.Errorf("the target still has %v", got)
			}
		})
	}
}

// TestGivenBackBeforeARead: the directory accepts the write that takes a license, no read shows the write, and somebody
// restores the license. Apply does not take it again.
func TestGivenBackBeforeARead(t *testing.T) {
	t.Parallel()
	held := func(b *bench, c plan.Change) {
		b.entra.in.add("g-e3", c.User)
		b.ad.in.add(citrixDN, c.User)
		if u := b.entra.users[c.User]; u != nil {
			u.Assignments = []directory.Assignment{{SKU: "sku-e3", State: "Active"}}
		}
	}
	for name, tc := range map[string]struct {
		change plan.Change
		read   string // the read that fails after the write
		later  time.Duration
		given  bool
	}{
		"a group of Entra ID, at once":  {moveAnna, "ReadLicenses #2", directory.Settling - time.Second, false},
		"a group of Entra ID, later":    {moveAnna, "ReadLicenses #2", directory.Settling, true},
		"directly, at once":             {changeBo, "ReadLicenses #1", directory.Settling - time.Second, false},
		"directly, later":               {changeBo, "ReadLicenses #1", directory.Settling, true},
		"Active Directory, soon":        {freeEgon, "MemberOf #3", directory.Replicating - time.Second, false},
		"Active Directory, after hours": {freeEgon, "MemberOf #3", directory.Replicating, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			if tc.change.User == "id-anna" {
				b.apply(t, runs.Pending, "joined")
				b.follow()
			}
			lost := map[string]error{tc.read: errDown}
			b.entra.fail, b.ad.fail = lost, lost
			b.apply(t, runs.Pending, "down")
			b.entra.fail, b.ad.fail = nil, nil
			held(b, tc.change)
			b.at(b.now.Add(tc.later))
			if !tc.given {
				b.apply(t, runs.Pending, "the license was taken, and is read as held")
				return
			}
			b.comesTo(t, runs.Kept, "and it is held: somebody restored it, or it was never done")
			b.logged(t, tc.change, "given back")
		})
	}
}

// TestTakenAndHeldStill: if no read shows a write, calls repeat the write for an hour. After that, the change fails.
func TestTakenAndHeldStill(t *testing.T) {
	t.Parallel()
	for later, ends := range map[time.Duration]bool{doubtful - time.Second: false, doubtful: true} {
		b := newBench(t, moveAnna)
		b.apply(t, runs.Pending, "joined")
		b.follow()
		b.entra.fail = map[string]error{leaveE3: errDown}
		b.apply(t, runs.Pending, "down")
		b.entra.fail = nil
		b.at(b.now.Add(later))
		if !ends {
			b.apply(t, runs.Pending, "waiting for its license to be freed")
			continue
		}
		b.comesTo(t, runs.Failed, "taken at "+asOf.Add(time.Hour).Format(time.RFC3339)+", and held still or again: the write was not made, or somebody restored it")
		b.logged(t, moveAnna, "failed")
	}
}

// TestTakenOutOfTheTarget: a read shows the person in the target group, and a later read does not. If little time has
// passed between the reads, the later one is out of date. Otherwise somebody has removed the person.
func TestTakenOutOfTheTarget(t *testing.T) {
	t.Parallel()
	for later, ends := range map[time.Duration]bool{directory.Settling - time.Second: false, directory.Settling: true} {
		b := newBench(t, moveAnna)
		b.apply(t, runs.Pending, "joined") // the target lists the person
		b.entra.in.remove("g-exo", "id-anna")
		b.at(b.now.Add(later))
		if !ends {
			b.apply(t, runs.Pending, "joined")
			b.wrote(t, joinEXO, joinEXO)
			continue
		}
		b.comesTo(t, runs.Kept, "somebody took the person out of the target group")
		b.logged(t, moveAnna, "given back")
	}
}

// TestTargetThatNeverListsThePerson: the change adds the person to the target group three times, an hour apart. An hour
// after the third time, the change fails.
func TestTargetThatNeverListsThePerson(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.Applier.Entra = deafEntra{b.entra}
	for _, later := range []time.Duration{0, doubtful - time.Second, time.Second, doubtful - time.Second, time.Second, doubtful - time.Second} {
		b.at(b.now.Add(later))
		b.apply(t, runs.Pending, "joined")
	}
	b.at(b.now.Add(time.Second))
	b.comesTo(t, runs.Failed, "the target group was joined three times since "+asOf.Add(time.Hour).Format(time.RFC3339)+", and never listed the person")
	b.logged(t, moveAnna, "failed")
}

// TestExpiredWhileItWaits: after the plan expires, a change is rolled back if the person has not left the source group.
// Otherwise it stays open, and its note asks an operator to look.
func TestExpiredWhileItWaits(t *testing.T) {
	t.Parallel()
	expires := asOf.Add(plan.Lifetime)
	t.Run("not left", func(t *testing.T) {
		t.Parallel()
		for now, ends := range map[time.Time]bool{expires: false, expires.Add(time.Second): true} {
			b := newBench(t, moveAnna)
			b.apply(t, runs.Pending, "joined")
			b.at(now)
			if !ends {
				b.apply(t, runs.Pending, "joined")
				continue
			}
			b.comesTo(t, runs.Failed, "the plan expired at "+expires.Format(time.RFC3339)+", before the license could be taken")
			b.logged(t, moveAnna, "failed")
		}
	})
	t.Run("left", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, moveAnna)
		b.apply(t, runs.Pending, "joined")
		b.follow()
		b.apply(t, runs.Pending, "waiting for its license to be freed")
		b.at(expires.Add(time.Second))
		b.apply(t, runs.Pending, "the plan expired meanwhile: look in the admin center why the licenses of the group are not processed")
		b.logged(t, moveAnna, "open")
		b.follow()
		b.apply(t, runs.Done, "")
	})
	t.Run("taken by somebody else", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, moveAnna)
		b.apply(t, runs.Pending, "joined")
		b.entra.in.remove("g-e3", "id-anna")
		b.entra.users["id-anna"].Assignments = nil
		b.at(expires.Add(time.Second))
		b.apply(t, runs.Failed, "somebody else took the license, and what was to be given for it did not come before the plan expired")
		b.logged(t, moveAnna, "failed")
	})
}

// TestWhatWaitingSaw: a call waits until reads show its write. It notes in the ledger that the person is in the target
// group, or that the license is free, only if a read has shown this.
func TestWhatWaitingSaw(t *testing.T) {
	t.Parallel()
	noted := func(t *testing.T, b *bench, what ledger.Seen) bool {
		t.Helper()
		e, err := ledger.In(b.Store).Latest(t.Context(), "id-anna", "e3")
		if err != nil {
			t.Fatal(err)
		}
		m, err := ledger.In(b.Store).Noted(t.Context(), e, what)
		if err != nil {
			t.Fatal(err)
		}
		return m != nil
	}
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	if !noted(t, b, ledger.SeenInTarget) || noted(t, b, ledger.SeenFree) {
		t.Error("after joining: in the target is to be noted, and nothing else")
	}
	b.follow()
	b.apply(t, runs.Pending, "freed")
	if !noted(t, b, ledger.SeenFree) {
		t.Error("after leaving: free is to be noted")
	}
	d := newBench(t, moveAnna)
	d.Applier.Entra = deafEntra{d.entra}
	d.apply(t, runs.Pending, "joined")
	if noted(t, d, ledger.SeenInTarget) || noted(t, d, ledger.SeenFree) {
		t.Error("nothing was seen, and something is noted")
	}
}
