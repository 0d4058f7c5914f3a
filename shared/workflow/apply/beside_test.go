package apply

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestClosedBeside: if another call rolled the change back and this call took the license afterwards, this call
// restores the license.
func TestClosedBeside(t *testing.T) {
	t.Parallel()
	const joinE3, joinCitrix = "AddMember g-e3 id-anna", "AddMember " + citrixDN + " guid-egon"
	for name, tc := range map[string]struct {
		via    plan.Via
		closed ledger.Outcome
		took   bool
		back   string // RestoreOf of the change
		fail   bool
		writes []string
		status runs.Status
		note   string
	}{
		"rolled back, taken by a group":          {plan.EntraGroup, ledger.RolledBack, true, "", false, []string{joinE3}, runs.Kept, "of the other"},
		"rolled back, taken in Active Directory": {plan.ADGroup, ledger.RolledBack, true, "", false, []string{joinCitrix}, runs.Kept, "of the other"},
		"failed, taken by a group":               {plan.EntraGroup, ledger.Failed, true, "", false, []string{joinE3}, runs.Failed, "of the other"},
		"rolled back, and given in vain":         {plan.EntraGroup, ledger.RolledBack, true, "", true, []string{joinE3}, runs.Failed, "of the other; this call had taken the license meanwhile, and giving it again failed, do it by hand: down"},
		"rolled back, in vain in the directory":  {plan.ADGroup, ledger.RolledBack, true, "", true, []string{joinCitrix}, runs.Failed, "of the other; this call had taken the license meanwhile"},
		"rolled back, not taken":                 {plan.EntraGroup, ledger.RolledBack, false, "", false, nil, runs.Kept, "of the other"},
		"done":                                   {plan.EntraGroup, ledger.Done, true, "", false, nil, runs.Done, "of the other"},
		"a restore, which takes nothing":         {plan.EntraGroup, ledger.Failed, true, "r0", false, nil, runs.Failed, "of the other"},
		"a restore in the directory, failed":     {plan.ADGroup, ledger.Failed, true, "r0", false, nil, runs.Failed, "of the other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			var m *move
			if tc.via == plan.ADGroup {
				m = b.inAD(t, ledger.Intent{})
			} else {
				m = b.underWay(t, moveAnna, tc.via)
			}
			c := *m.change
			c.RestoreOf = tc.back
			m.change = &c
			b.entra.in, b.ad.in = members{}, members{}
			if tc.fail {
				b.entra.fail, b.ad.fail = map[string]error{joinE3: errDown}, map[string]error{joinCitrix: errDown}
			}
			other := *m.entry
			if err := m.ledger.Complete(t.Context(), &other, ledger.Completion{Outcome: tc.closed, Note: "of the other"}); err != nil {
				t.Fatal(err)
			}
			o := ledger.RolledBack
			if tc.took {
				o = ledger.Done // the outcome that this call would have recorded without the rollback
			}
			status, note := m.complete(t.Context(), o, "of this call")
			if status != tc.status || !strings.HasPrefix(note, tc.note) {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			b.wrote(t, tc.writes...)
		})
	}
}

// TestMarksThatCannotBeRead: a rollback writes nothing to a directory while it cannot read whether another call has
// completed the change or begun a rollback.
func TestMarksThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ ending, writes string }{
		"the completion":   {".done.json", ""},
		"the mark of back": {".back.json", ""},
		"none of them":     {".none.json", "ChangeLicenses id-bo +sku-e3 -sku-exo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			m := b.underWay(t, changeBo, plan.Direct)
			if _, _, err := m.ledger.Leave(t.Context(), m.entry, b.now); err != nil {
				t.Fatal(err)
			}
			m.ledger = ledger.In(blindStore{b.Store, strings.TrimSuffix(m.entry.Key(), ".json") + tc.ending})
			status, note := m.rollBack(t.Context(), ledger.RolledBack, "why")
			if blind := tc.writes == ""; (status == troubled) != blind || strings.Contains(note, "down") != blind {
				t.Errorf("%s, %q", status, note)
			}
			if d := cmp.Diff(strings.Fields(tc.writes), strings.Fields(strings.Join(b.entra.writes(), " ")), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
		})
	}
}

// TestTargetThatCannotBeReadOnTheWayBack: a change does not count as rolled back while it is unknown whether the person
// is still in the target group.
func TestTargetThatCannotBeReadOnTheWayBack(t *testing.T) {
	t.Parallel()
	for _, back := range []string{"", "r0"} {
		b := newBench(t, demoteEgon)
		m := b.inAD(t, ledger.Intent{Target: liteDN, RestoreOf: back})
		c := *m.change
		c.RestoreOf = back
		m.change = &c
		b.ad.fail = map[string]error{"MemberOf " + liteDN + " S-1-5-21-5": errDown}
		if status, note := m.undo(t.Context(), ledger.RolledBack, "why"); status != troubled || !strings.HasPrefix(note, "why; going back is not finished, run apply again: down") {
			t.Errorf("back %q: %s, %q", back, status, note)
		}
		b.wrote(t)
		b.ad.fail = nil
		m.listed = map[string]bool{liteDN: true, citrixDN: true}
		if status, _ := m.undo(t.Context(), ledger.RolledBack, "why"); status != runs.Kept {
			t.Errorf("back %q, read: %s", back, status)
		}
		b.wrote(t, "RemoveMember "+liteDN+" guid-egon")
	}
}
