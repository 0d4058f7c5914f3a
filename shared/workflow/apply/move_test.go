package apply

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

type hiding struct {
	*fakeEntra
	group string
}

func (h hiding) DirectGroups(ctx context.Context, id string) ([]string, error) {
	in, err := h.fakeEntra.DirectGroups(ctx, id)
	return slices.DeleteFunc(in, func(g string) bool { return g == h.group }), err
}

// TestJoinedAndNotShown: a rollback removes the person from the target group if an earlier call added the person, even
// if reads do not show the membership.
func TestJoinedAndNotShown(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.Applier.Entra = hiding{b.entra, "g-exo"}
	b.apply(t, runs.Pending, "joined")
	b.entra.users["id-anna"].LastSuccessful = b.now
	b.apply(t, runs.Kept, "signed in")
	b.wrote(t, joinEXO, leaveEXO)
}

// TestSourceThatCannotBeRead: a call that cannot read whether the person is in the source group does nothing. The next
// call asks the rule again.
func TestSourceThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.follow()
	b.entra.users["id-anna"].LastSuccessful = b.now
	b.entra.count, b.entra.fail = nil, map[string]error{"DirectGroups #1": errDown}
	b.apply(t, runs.Pending, "down")
	b.wrote(t, joinEXO)
	b.apply(t, runs.Kept, "signed in")
	b.wrote(t, joinEXO, leaveEXO)
}

func TestAdvancing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		move   func(*testing.T, *bench) *move
		status runs.Status
		note   string
	}{
		"Active Directory is not set up": {func(t *testing.T, b *bench) *move {
			m := b.inAD(t, ledger.Intent{})
			m.Applier = &Applier{Store: b.Store, Entra: b.entra, Now: b.Applier.Now}
			return m
		}, troubled, "the Active Directory account cannot be read now"},
		"whether it turned back cannot be read, and the license is gone": {func(t *testing.T, b *bench) *move {
			m := b.underWay(t, changeBo, plan.Direct)
			m.person.Entra.Assignments = []directory.Assignment{{SKU: "sku-exo", State: "Active"}}
			m.ledger = ledger.In(blindStore{b.Store, "ledger/id-bo/e3/000001.back.json"})
			return m
		}, troubled, "read the ledger"},
		"its run is restored, and the license has left": {func(t *testing.T, b *bench) *move {
			m := b.underWay(t, changeBo, plan.Direct)
			m.withdrawn, m.person.Entra.Assignments = true, []directory.Assignment{{SKU: "sku-exo", State: "Active"}}
			return m
		}, runs.Kept, "its run is being restored"},
		"somebody else took it, and gave nothing": {func(t *testing.T, b *bench) *move {
			m := b.underWay(t, changeBo, plan.Direct)
			m.person.Entra.Assignments = nil
			return m
		}, runs.Failed, "the license is gone, and what it should be changed to is not there: somebody else changed it"},
		"the account is gone, and whether it left cannot be read": {func(t *testing.T, b *bench) *move {
			m := b.inAD(t, ledger.Intent{})
			m.person.AD, m.person.ADState = nil, directory.NoAccount
			m.ledger = ledger.In(blindStore{b.Store, "ledger/S-1-5-21-5/citrix/000001.leaving.json"})
			return m
		}, troubled, "read the ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			m := tc.move(t, b)
			m.judge = b.judging(t).judge
			if status, note := m.advance(t.Context(), true); status != tc.status || !strings.HasPrefix(note, tc.note) || (note == "") != (tc.note == "") {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			b.wrote(t)
		})
	}
}

// TestJoining: a change cannot go on while the person lacks the license of the target group. The call then adds the
// person to this group, waits for the license, or rolls the change back, depending on what reads show.
func TestJoining(t *testing.T) {
	t.Parallel()
	exo := directory.Assignment{SKU: "sku-exo", Group: "g-exo", State: "Active"}
	with := func(change func(*directory.Assignment)) []directory.Assignment {
		a := exo
		change(&a)
		return []directory.Assignment{a}
	}
	off := with(func(a *directory.Assignment) { a.DisabledPlans = []string{"plan"} })
	full := with(func(a *directory.Assignment) { a.State, a.Error = "Error", "CountViolation" })
	const goesBack = "the target group "
	for name, tc := range map[string]struct {
		holds    []directory.Assignment
		inTarget bool
		inSource bool
		left     time.Duration // time since the change left the source group; negative: it did not leave
		fail     map[string]error
		joined   bool // whether an earlier call joined the target group
		writes   []string
		status   runs.Status
		note     string
		is       bool // whether the call believes that the change joined the target group
	}{
		"given":                                   {[]directory.Assignment{exo}, true, true, -1, nil, false, nil, "", "", false},
		"shown, and membership cannot be read":    {[]directory.Assignment{exo}, true, true, -1, map[string]error{"DirectGroups #1": errDown}, false, nil, troubled, "down", false},
		"not shown, and membership is not read":   {nil, true, true, -1, map[string]error{"DirectGroups #1": errDown}, false, nil, troubled, "down", false},
		"not in it":                               {nil, false, true, -1, nil, false, []string{joinEXO}, runs.Pending, "joined the target group; waiting", true},
		"not in it, left a moment ago, held":      {nil, false, true, time.Minute, nil, false, []string{joinEXO}, runs.Pending, "joined the target group; waiting", true},
		"not in it, left long ago, held":          {nil, false, true, directory.Settling, nil, false, []string{joinEXO}, runs.Pending, "joined the target group; waiting", true},
		"not shown, left a moment ago":            {nil, true, false, directory.Settling - time.Second, nil, true, nil, runs.Pending, targetHidden, true},
		"not shown, left long ago":                {nil, true, false, directory.Settling, nil, true, []string{"AddMember g-e3 id-anna"}, runs.Pending, targetGone, true},
		"not in it, taken by others":              {nil, false, false, -1, nil, false, []string{joinEXO}, runs.Pending, "joined the target group; waiting", true},
		"in it, its license not yet":              {nil, true, true, -1, nil, false, nil, runs.Pending, "joined the target group; waiting", false},
		"with plans off":                          {off, true, true, -1, nil, false, []string{leaveEXO}, runs.Kept, goesBack + "gives its license with service plans switched off", false},
		"with plans off, and the source has left": {off, true, false, time.Minute, nil, false, nil, "", "", false},
		"without seats":                           {full, true, true, -1, nil, true, []string{leaveEXO}, runs.Kept, goesBack + "does not give its license: no free seat", true},
		"it refuses":                              {nil, false, true, -1, map[string]error{joinEXO: refusal("no")}, false, []string{joinEXO}, runs.Failed, "no", false},
		"it refuses who may be in it":             {nil, false, true, -1, map[string]error{joinEXO: refusal("no")}, true, []string{joinEXO, leaveEXO}, runs.Failed, "no", true},
		"it does not answer":                      {nil, false, true, -1, map[string]error{joinEXO: errDown}, false, []string{joinEXO}, troubled, "the write did not go through", true},
		"the license is not read after it":        {nil, false, true, -1, map[string]error{"ReadLicenses #1": errDown}, false, []string{joinEXO}, troubled, "the person could not be read again", true},
		"membership is not read after it":         {[]directory.Assignment{exo}, false, true, -1, map[string]error{"DirectGroups #2": errDown}, false, []string{joinEXO}, troubled, "down", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			b.entra.in = members{}
			if tc.inTarget {
				b.entra.in.add("g-exo", "id-anna")
			}
			had := []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Active"}}
			if tc.inSource {
				b.entra.in.add("g-e3", "id-anna")
				tc.holds = slices.Concat(tc.holds, had)
			}
			m := b.underWay(t, moveAnna, plan.EntraGroup)
			m.entry.Before.Assignments = had
			m.person.Entra.Assignments = tc.holds
			b.entra.users["id-anna"].Assignments = slices.Clone(tc.holds)
			if m.joined = tc.joined; tc.left >= 0 {
				at := b.now.Add(-tc.left)
				if _, _, err := m.ledger.Leave(t.Context(), m.entry, at); err != nil {
					t.Fatal(err)
				}
				m.left = &ledger.Mark{At: at}
			}
			b.entra.fail = tc.fail
			status, note := m.join(t.Context(), tc.inSource)
			if status != tc.status || !strings.HasPrefix(note, tc.note) || (note == "") != (tc.note == "") || m.joined != tc.is {
				t.Errorf("%s, %q, joined %t; want %s, %q, %t", status, note, m.joined, tc.status, tc.note, tc.is)
			}
			if d := cmp.Diff(tc.writes, b.entra.writes(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
		})
	}
}

// TestLeftAndReadAgain: after the write, apply reads the members of the source group and the person's licenses. The
// change ends only when both show that the person has left the group.
func TestLeftAndReadAgain(t *testing.T) {
	t.Parallel()
	visio := []directory.Assignment{{SKU: "sku-visio", Group: "g-visio", State: "Active"}}
	for name, tc := range map[string]struct {
		fail   map[string]error
		deaf   bool
		after  []directory.Assignment // assignments after the write
		writes int
		status runs.Status
		note   string
	}{
		"both show it":                    {nil, false, nil, 1, runs.Done, ""},
		"the license is there still":      {nil, false, visio, 1, runs.Pending, "left the source group; waiting for its license to be freed"},
		"the group has the member still":  {nil, true, nil, 1, runs.Pending, "left the source group; waiting for its license to be freed"},
		"the members cannot be read":      {map[string]error{"DirectGroups #1": errDown}, false, nil, 0, troubled, "down"},
		"nor after it":                    {map[string]error{"DirectGroups #2": errDown}, false, nil, 1, troubled, "down"},
		"the license is not read":         {map[string]error{"ReadLicenses #1": errDown}, false, nil, 1, troubled, "the person could not be read again"},
		"what is held cannot be noted":    {map[string]error{"DirectGroups #3": errDown}, false, nil, 1, runs.Done, ""},
		"it refuses":                      {map[string]error{"RemoveMember #1": refusal("no")}, false, visio, 1, runs.Failed, "no"},
		"it does not answer":              {map[string]error{"RemoveMember #1": errDown}, false, visio, 1, troubled, "the write did not go through"},
		"it does not answer, and is gone": {map[string]error{"RemoveMember #1": directory.ErrNoGroup}, false, visio, 1, runs.Failed, "the group is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeAnna)
			m := b.underWay(t, freeAnna, plan.EntraGroup)
			m.entry.Source, m.entry.SKU, m.entry.Target, m.entry.TargetSKU = "g-visio", "sku-visio", "", ""
			b.entra.users["id-anna"].Assignments, b.entra.fail = tc.after, tc.fail
			if tc.deaf {
				m.Applier = &Applier{Store: b.Store, Entra: deafer{b.entra}, AD: b.ad, Now: b.Applier.Now}
			}
			status, note := m.byGroup(t.Context())
			if status != tc.status || !strings.HasPrefix(note, tc.note) || (note == "") != (tc.note == "") {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			if got := len(b.entra.writes()); got != tc.writes {
				t.Errorf("wrote %v", b.entra.writes())
			}
		})
	}
}

type deafer struct{ *fakeEntra }

func (d deafer) RemoveMember(_ context.Context, group, id string) error {
	return d.do("RemoveMember "+group+" "+id, func() {})
}

// TestCompleting: a completion records what the person holds at that time. If this cannot be read or written, the
// change stays open.
func TestCompleting(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fail   map[string]error
		broken string
		status runs.Status
		note   string
		logged string
	}{
		"closed":                      {nil, "", runs.Done, "", "done"},
		"what is held cannot be read": {map[string]error{"DirectGroups #1": errDown}, "", troubled, "what the person holds now could not be read: down", "open"},
		"it cannot be written":        {nil, ".done.json", troubled, "write the completion into the ledger (the change itself was made; run apply again): ", "open"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			m := b.underWay(t, moveAnna, plan.EntraGroup)
			b.entra.fail, m.ledger = tc.fail, ledger.In(brokenStore{b.Store, tc.broken, ""})
			if status, note := m.complete(t.Context(), ledger.Done, ""); status != tc.status || !strings.HasPrefix(note, tc.note) || (note == "") != (tc.note == "") {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			b.logged(t, moveAnna, tc.logged)
		})
	}
}
