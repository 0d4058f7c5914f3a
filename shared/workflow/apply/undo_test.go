package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestUndo: a rollback adds the person to the source group again, unless a read proves the membership. If the source
// group gave the person its license before, the person leaves the target group only after that license is back.
func TestUndo(t *testing.T) {
	t.Parallel()
	had := []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Active"}}
	inError := []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Error"}}
	full := []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Error", Error: "CountViolation"}}
	const noSeat = "why; joined the source group again, which does not give its license: no free seat of the license is left; buy one or free one first (CountViolation); when that is resolved, reprocess the person's licenses in the admin center"
	for name, tc := range map[string]struct {
		in     []string // groups that list the person
		holds  []directory.Assignment
		before []directory.Assignment
		left   time.Duration // time since the change left the source group; negative: it did not leave
		fail   map[string]error
		joined bool // whether the change may have joined the target group
		target bool // whether the person was in the target group before the change
		back   string
		writes []string
		status runs.Status
		note   string
	}{
		"held, not left":                  {[]string{"g-e3", "g-exo"}, had, had, -1, nil, true, false, "", []string{leaveEXO}, runs.Kept, "why"},
		"held, left long ago":             {[]string{"g-e3", "g-exo"}, had, had, directory.Settling, nil, true, false, "", []string{leaveEXO}, runs.Kept, "why"},
		"held, left a moment ago":         {[]string{"g-e3", "g-exo"}, had, had, directory.Settling - time.Second, nil, true, false, "", []string{"AddMember g-e3 id-anna"}, runs.Pending, "why; " + rejoined},
		"not in the source":               {[]string{"g-exo"}, nil, had, directory.Settling, nil, true, false, "", []string{"AddMember g-e3 id-anna"}, runs.Pending, "why; " + rejoined},
		"in it, its license not yet":      {[]string{"g-e3", "g-exo"}, nil, had, directory.Settling, nil, true, false, "", nil, runs.Pending, "why; " + rejoined},
		"in it, no free seat":             {[]string{"g-e3", "g-exo"}, full, had, directory.Settling, nil, true, false, "", nil, troubled, noSeat},
		"no free seat, left a moment ago": {[]string{"g-e3", "g-exo"}, full, had, time.Minute, nil, true, false, "", []string{"AddMember g-e3 id-anna"}, runs.Pending, noSeat},
		"no free seat before either":      {[]string{"g-e3", "g-exo"}, full, full, directory.Settling, nil, true, false, "", []string{leaveEXO}, runs.Kept, "why"},
		"had none of it, left just now":   {[]string{"g-e3", "g-exo"}, nil, nil, time.Minute, nil, true, false, "", []string{"AddMember g-e3 id-anna"}, runs.Pending, "why; given again at once; each call gives it again until 2026-11-23T10:04:00Z, because the removal may still take effect"},
		"had none of it before":           {[]string{"g-e3", "g-exo"}, nil, nil, directory.Settling, nil, true, false, "", []string{leaveEXO}, runs.Kept, "why"},
		"had it in error before":          {[]string{"g-e3", "g-exo"}, nil, inError, directory.Settling, nil, true, false, "", []string{leaveEXO}, runs.Kept, "why"},
		"had only the target's before":    {[]string{"g-e3", "g-exo"}, nil, []directory.Assignment{{SKU: "sku-exo", Group: "g-exo", State: "Active"}}, directory.Settling, nil, true, false, "", []string{leaveEXO}, runs.Kept, "why"},
		"a restore waits all the same":    {[]string{"g-e3", "g-exo"}, nil, nil, directory.Settling, nil, true, false, "r0", nil, runs.Pending, "why; " + rejoined},
		"was in the target before":        {[]string{"g-e3", "g-exo"}, had, had, -1, nil, true, true, "", nil, runs.Kept, "why"},
		"target not shown, but joined":    {[]string{"g-e3"}, had, had, -1, nil, true, false, "", []string{leaveEXO}, runs.Kept, "why"},
		"target not shown, never joined":  {[]string{"g-e3"}, had, had, -1, nil, false, false, "", nil, runs.Kept, "why"},
		"target not shown, in a restore":  {[]string{"g-e3"}, had, had, -1, nil, true, false, "r0", nil, runs.Kept, "why"},
		"the source refuses":              {[]string{"g-exo"}, nil, had, directory.Settling, map[string]error{"AddMember g-e3 id-anna": refusal("no")}, true, false, "", []string{"AddMember g-e3 id-anna"}, runs.Done, "why; it could not be restored: no"},
		"the source refuses a restore":    {[]string{"g-exo"}, nil, had, directory.Settling, map[string]error{"AddMember g-e3 id-anna": refusal("no")}, true, false, "r0", []string{"AddMember g-e3 id-anna"}, runs.Failed, "no"},
		"the source refuses who is in it": {[]string{"g-e3", "g-exo"}, had, nil, time.Minute, map[string]error{"AddMember g-e3 id-anna": refusal("no")}, true, false, "", []string{"AddMember g-e3 id-anna"}, runs.Pending, "why; given again at once"},
		"the source does not answer":      {[]string{"g-exo"}, nil, had, directory.Settling, map[string]error{"AddMember g-e3 id-anna": errDown}, true, false, "", []string{"AddMember g-e3 id-anna"}, troubled, "why; going back is not finished, run apply again: down"},
		"the source is handed over":       {[]string{"g-exo"}, nil, had, directory.Settling, map[string]error{"AddMember g-e3 id-anna": directory.ErrDeferred}, true, false, "", []string{"AddMember g-e3 id-anna"}, runs.Pending, "why; going back is " + handedOver},
		"the target refuses":              {[]string{"g-e3", "g-exo"}, had, had, -1, map[string]error{leaveEXO: refusal("no")}, true, false, "", []string{leaveEXO}, runs.Kept, "why; still in the target group: no"},
		"the target refuses, not shown":   {[]string{"g-e3"}, had, had, -1, map[string]error{leaveEXO: refusal("no")}, true, false, "", []string{leaveEXO}, runs.Kept, "why"},
		"the target does not answer":      {[]string{"g-e3", "g-exo"}, had, had, -1, map[string]error{leaveEXO: errDown}, true, false, "", []string{leaveEXO}, troubled, "why; going back is not finished"},
		"groups cannot be read":           {[]string{"g-e3", "g-exo"}, had, had, -1, map[string]error{"DirectGroups #1": errDown}, true, false, "", nil, troubled, "why; going back is not finished"},
		"groups cannot be read after it":  {[]string{"g-exo"}, nil, had, directory.Settling, map[string]error{"DirectGroups #2": errDown}, true, false, "", []string{"AddMember g-e3 id-anna"}, troubled, "why; going back is not finished"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			m := b.underWay(t, moveAnna, plan.EntraGroup)
			c := moveAnna
			c.RestoreOf = tc.back
			m.change, m.joined, m.entry.InTarget, m.entry.RestoreOf, m.entry.Before = &c, tc.joined, tc.target, tc.back, ledger.Holding{Assignments: tc.before}
			b.entra.in = members{}
			for _, g := range tc.in {
				b.entra.in.add(g, "id-anna")
			}
			m.person.Entra.Assignments, b.entra.fail = tc.holds, tc.fail
			if tc.left >= 0 {
				m.leftBy = b.now.Add(-tc.left)
			}
			status, note := m.undo(t.Context(), ledger.RolledBack, "why")
			if status != tc.status || !strings.HasPrefix(note, tc.note) || status == runs.Kept && note != tc.note {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			if d := cmp.Diff(tc.writes, b.entra.writes(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
		})
	}
}

// TestUndoWithoutASeat: Anna has left the group of E3 when its run is restored, and somebody else has got the seat since.
// The result says so, and no night waits for it. When she has the license again, the rollback ends.
func TestUndoWithoutASeat(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.follow()
	b.apply(t, runs.Pending, "left the source group")
	b.recall(t, "")
	b.entra.full["g-e3"] = "CountViolation"
	b.follow()
	b.apply(t, runs.Pending, beingRestored+"; "+rejoined)
	if b.resultOf(t, moveAnna).Retry {
		t.Error("nothing says yet that there is no seat")
	}
	for range 2 {
		b.at(b.now.Add(24 * time.Hour))
		b.follow()
		b.apply(t, runs.Pending, "no free seat of the license is left")
		if !b.resultOf(t, moveAnna).Retry {
			t.Error("a night waits for it")
		}
	}
	b.entra.full = nil
	b.follow()
	b.apply(t, runs.Kept, beingRestored)
	b.wrote(t, joinEXO, leaveE3, "AddMember g-e3 id-anna", leaveEXO)
}

// TestUndoThatDoesNotShow: in a rollback, the person leaves the target group only after a read shows the person in the
// source group.
func TestUndoThatDoesNotShow(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	m := b.underWay(t, moveAnna, plan.EntraGroup)
	b.entra.in = members{"g-exo": {"id-anna"}}
	m.Applier = &Applier{Store: b.Store, Entra: deafEntra{b.entra}, AD: b.ad, Now: b.Applier.Now}
	if status, note := m.undo(t.Context(), ledger.RolledBack, "why"); status != runs.Pending || note != "why; "+rejoined {
		t.Errorf("%s, %q", status, note)
	}
	if len(b.entra.in["g-exo"]) != 1 {
		t.Error("the target was left before the source was joined")
	}
}

// TestUndoDirect rolls back the change of a direct assignment. If Graph refuses to give the taken product again, the
// change counts as done. But if the person has the product anyway, the change counts as rolled back.
func TestUndoDirect(t *testing.T) {
	t.Parallel()
	e3, e5 := []directory.Assignment{{SKU: "sku-e3", State: "Active"}}, []directory.Assignment{{SKU: "sku-e5", State: "Active"}}
	refused, down := map[string]error{backFromEXO: refusal("exclusive")}, map[string]error{backFromEXO: errDown}
	for name, tc := range map[string]struct {
		holds  []directory.Assignment
		fail   map[string]error
		slow   bool
		status runs.Status
		note   string
		logged string
	}{
		"given":                      {e5, nil, false, runs.Kept, "why", "rolled back"},
		"not shown yet":              {e5, nil, true, runs.Pending, "why; given again, and Graph does not show it yet", "open"},
		"refused":                    {e5, refused, false, runs.Done, "why; it could not be restored: exclusive", "done"},
		"refused, held":              {e3, refused, false, runs.Kept, "why", "rolled back"},
		"it does not answer":         {e5, down, false, troubled, "why; going back is not finished, run apply again: down", "open"},
		"it does not answer to held": {e3, down, false, troubled, "why; going back is not finished, run apply again: down", "open"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			in := ledger.Intent{Person: "id-bo", License: "e3", Run: "run", Rule: "m365", Via: "direct", SKU: "sku-e3", TargetSKU: "sku-exo", At: asOf}
			m := b.moveOf(t, in, tc.holds...)
			m.entry = b.put(t, in, "")
			m.leftBy = b.now.Add(-directory.Settling)
			b.entra.fail, b.entra.slow = tc.fail, tc.slow
			status, note := m.undoDirect(t.Context(), ledger.RolledBack, "why")
			if status != tc.status || note != tc.note {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			b.wrote(t, backFromEXO)
			b.logged(t, changeBo, tc.logged)
		})
	}
}

// TestUndoDirectRefused: a change of a product is pending, and an administrator gives the person another product that
// excludes the taken one. Then somebody asks to restore the taken product. Graph refuses to give it, so the change
// counts as done. It does not stay open for ever.
func TestUndoDirectRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.entra.slow = true
	b.apply(t, runs.Pending, notShown)
	b.entra.slow = false
	b.entra.users["id-bo"].Assignments = []directory.Assignment{{SKU: "sku-e5", State: "Active"}}
	if err := history.Stop(t.Context(), b.Store, "run", "id-bo", "x", b.now); err != nil {
		t.Fatal(err)
	}
	b.entra.fail = map[string]error{backFromEXO: directory.ErrNotHeld, "ChangeLicenses id-bo +sku-e3": refusal("the two exclude each other")}
	b.apply(t, runs.Done, "somebody asked to restore it; it could not be restored: the two exclude each other")
	b.logged(t, changeBo, "done")
}
