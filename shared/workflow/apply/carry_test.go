package apply

import (
	"errors"
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

func (b *bench) inAD(t *testing.T, in ledger.Intent) *move {
	t.Helper()
	in.Person, in.License, in.Run, in.Via, in.Source = "S-1-5-21-5", "citrix", "run", "ad-group", citrixDN
	j := b.jobOf(t)
	e, err := j.ledger.Begin(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := freeEgon
	return &move{job: j, entry: e, change: &c, person: &directory.Person{AD: b.ad.people["S-1-5-21-5"], ADState: directory.Present}, read: b.now}
}

// TestGroupsOfActiveDirectory: the person joins the new group before leaving the old one. A write counts only when a
// read shows it.
func TestGroupsOfActiveDirectory(t *testing.T) {
	t.Parallel()
	const join, leave, unjoin, rejoin = "AddMember " + liteDN + " guid-egon", "RemoveMember " + citrixDN + " guid-egon", "RemoveMember " + liteDN + " guid-egon", "AddMember " + citrixDN + " guid-egon"
	for name, tc := range map[string]struct {
		target string
		fail   map[string]error
		deaf   bool
		age    time.Duration // age of the evidence
		writes []string
		status runs.Status
		note   string
	}{
		"removed":                       {"", nil, false, 0, []string{leave}, runs.Done, ""},
		"moved":                         {liteDN, nil, false, 0, []string{join, leave}, runs.Done, ""},
		"handed over":                   {liteDN, map[string]error{join: directory.ErrDeferred, leave: directory.ErrDeferred}, false, 0, []string{join, leave}, runs.Pending, handedOver},
		"the target refuses":            {liteDN, map[string]error{join: refusal("no")}, false, 0, []string{join}, runs.Failed, "no"},
		"the target does not answer":    {liteDN, map[string]error{join: errDown}, false, 0, []string{join}, troubled, "the write did not go through"},
		"the target is deaf":            {liteDN, nil, true, 0, []string{join}, troubled, "the target group was written and read again: it does not show the person"},
		"the target cannot be read":     {liteDN, map[string]error{"MemberOf #1": errDown}, false, 0, []string{join}, troubled, "the target group was written and read again: down"},
		"old evidence":                  {liteDN, nil, false, evidenceAge + time.Second, []string{join}, aged, ""},
		"the source refuses":            {liteDN, map[string]error{leave: refusal("no")}, false, 0, []string{join, leave, unjoin}, runs.Failed, "no"},
		"the source is deaf":            {"", nil, true, 0, []string{leave}, runs.Pending, "Active Directory accepted the change but still shows the member"},
		"the source does not answer":    {"", map[string]error{leave: errDown}, false, 0, []string{leave}, troubled, "the write did not go through"},
		"the source cannot be read":     {"", map[string]error{"MemberOf #1": errDown}, false, 0, []string{leave}, troubled, "the group could not be read again: down"},
		"handed over, and not read":     {"", map[string]error{leave: directory.ErrDeferred, "MemberOf #1": errDown}, false, 0, []string{leave}, runs.Pending, handedOver},
		"not sent, and not read":        {"", map[string]error{leave: errAged, "MemberOf #1": errDown}, false, 0, []string{leave}, aged, ""},
		"it refuses, and is not read":   {"", map[string]error{leave: refusal("no"), "MemberOf #1": errDown}, false, 0, []string{leave}, runs.Failed, "no"},
		"left by an answer that failed": {"", map[string]error{}, false, 0, []string{leave}, runs.Done, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeEgon)
			m := b.inAD(t, ledger.Intent{Target: tc.target})
			m.read = b.now.Add(-tc.age)
			b.ad.fail, b.ad.deaf = tc.fail, tc.deaf
			if strings.HasPrefix(name, "left by an answer") {
				b.ad.lost = map[string]error{leave: errDown}
			}
			status, note := m.byMembership(t.Context())
			if status != tc.status || !strings.HasPrefix(note, tc.note) {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			if d := cmp.Diff(tc.writes, b.ad.writes(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
			if joined := tc.target != "" && name != "the target refuses"; m.joined != joined {
				t.Errorf("joined %t, want %t", m.joined, joined)
			}
			if strings.Contains(strings.Join(b.ad.writes(), " "), rejoin) {
				t.Error("the source was joined, which was not left")
			}
		})
	}
}

// TestLeavingInActiveDirectory: apply takes no license if it cannot write a mark into the ledger first. It also takes
// none after another call began a rollback.
func TestLeavingInActiveDirectory(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		broken, target string
		back           bool
		writes         []string
		status         runs.Status
		note           string
	}{
		"the mark cannot be written":   {".leaving.json", "", false, nil, troubled, "write a mark into the ledger"},
		"another call has turned back": {"", "", true, []string{"AddMember " + citrixDN + " guid-egon"}, runs.Pending, "wanted; given again at once"},
		"the target refuses now":       {"", liteDN, false, []string{joinEgon, "RemoveMember " + liteDN + " guid-egon"}, runs.Failed, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeEgon)
			m := b.inAD(t, ledger.Intent{Target: tc.target})
			if tc.back {
				if _, err := m.ledger.RollBack(t.Context(), m.entry, ledger.Mark{Outcome: ledger.Restored, Why: "wanted", At: b.now}); err != nil {
					t.Fatal(err)
				}
			}
			m.joined, b.ad.fail = true, map[string]error{joinEgon: refusal("no")}
			m.ledger = ledger.In(brokenStore{b.Store, tc.broken, ""})
			if status, note := m.byMembership(t.Context()); status != tc.status || !strings.HasPrefix(note, tc.note) || !m.joined {
				t.Errorf("%s, %q, joined %t; want %s, %q", status, note, m.joined, tc.status, tc.note)
			}
			if d := cmp.Diff(tc.writes, b.ad.writes(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
		})
	}
}

// TestRollingBack: a rollback gives the license again if a call may have taken the license. It writes nothing if no
// call took the license, or if another call has completed the change.
func TestRollingBack(t *testing.T) {
	t.Parallel()
	const give = "ChangeLicenses id-bo +sku-e3 -sku-exo"
	e3, exo := directory.Assignment{SKU: "sku-e3", State: "Active"}, directory.Assignment{SKU: "sku-exo", State: "Active"}
	for name, tc := range map[string]struct {
		left      bool // whether a call may have taken the license
		unchanged bool // whether the directory refused the write of this call
		closed    ledger.Outcome
		took      bool
		holds     []directory.Assignment
		fail      map[string]error
		broken    string // part of the key of an object that cannot be written
		writes    []string
		status    runs.Status
		note      string
	}{
		"not left":                         {false, false, "", false, []directory.Assignment{e3}, nil, "", nil, runs.Kept, "why"},
		"left, and refused":                {true, true, "", false, []directory.Assignment{e3}, nil, "", nil, runs.Kept, "why"},
		"left":                             {true, false, "", true, []directory.Assignment{exo}, nil, "", []string{give}, runs.Pending, "why; given again at once"},
		"left, and given in vain":          {true, false, "", true, []directory.Assignment{exo}, map[string]error{give: errDown}, "", []string{give}, troubled, "why; going back is not finished, run apply again: down"},
		"closed by another as rolled back": {true, false, ledger.RolledBack, true, []directory.Assignment{exo}, nil, "", []string{give}, runs.Kept, "of the other"},
		"closed so, and given in vain":     {true, false, ledger.RolledBack, true, []directory.Assignment{exo}, map[string]error{give: errDown}, "", []string{give}, runs.Failed, "of the other; this call had taken the license meanwhile, and giving it again failed, do it by hand: down"},
		"closed by another, not taken":     {true, false, ledger.RolledBack, false, []directory.Assignment{e3}, nil, "", nil, runs.Kept, "of the other"},
		"closed by another as done":        {true, false, ledger.Done, true, []directory.Assignment{exo}, nil, "", nil, runs.Done, "of the other"},
		"the mark cannot be written":       {true, false, "", true, []directory.Assignment{exo}, nil, "back", nil, troubled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			m := b.underWay(t, changeBo, plan.Direct)
			m.entry.Before = ledger.Holding{Assignments: []directory.Assignment{e3}}
			m.person.Entra.Assignments, m.took, m.unchanged = tc.holds, tc.took, tc.unchanged
			b.entra.users["id-bo"].Assignments = append([]directory.Assignment{}, tc.holds...)
			if tc.left {
				if _, _, err := m.ledger.Leave(t.Context(), m.entry, b.now); err != nil {
					t.Fatal(err)
				}
			}
			if tc.closed != "" {
				other := *m.entry
				if err := m.ledger.Complete(t.Context(), &other, ledger.Completion{Outcome: tc.closed, Note: "of the other"}); err != nil {
					t.Fatal(err)
				}
			}
			if tc.broken != "" {
				m.ledger = ledger.In(brokenStore{b.Store, tc.broken, ""})
			}
			b.entra.fail = tc.fail
			status, note := m.rollBack(t.Context(), ledger.RolledBack, "why")
			if status != tc.status || !strings.HasPrefix(note, tc.note) || !m.turned {
				t.Errorf("%s, %q; want %s, %q; turned %t", status, note, tc.status, tc.note, m.turned)
			}
			if d := cmp.Diff(tc.writes, b.entra.writes(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
		})
	}
	b := newBench(t, changeBo)
	b.entra.slow = true
	m := b.underWay(t, changeBo, plan.Direct)
	m.person.Entra.Assignments, b.entra.users["id-bo"].Assignments = nil, nil
	if _, _, err := m.ledger.Leave(t.Context(), m.entry, b.now); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"why; given again at once; ", "why; given again, and Graph does not show it yet"} {
		if status, note := m.rollBack(t.Context(), ledger.RolledBack, "why"); status != runs.Pending || !strings.HasPrefix(note, want) {
			t.Errorf("it does not show: %s, %q", status, note)
		}
		b.settle()
	}
}

// TestRestoreThatIsOpen: an open restore continues only while its entry names the groups and products by which the
// license may be restored now.
func TestRestoreThatIsOpen(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		alter  func(*ledger.Intent)
		status runs.Status
		note   string
	}{
		"as it is right":    {func(*ledger.Intent) {}, "", ""},
		"another source":    {func(in *ledger.Intent) { in.Source = "g-mfa" }, runs.Failed, "the groups or products of ledger/id-anna/e3/000001.json are not those by which it may be restored now; restore again"},
		"another target":    {func(in *ledger.Intent) { in.Target = "g-mfa" }, runs.Failed, "the groups or products of"},
		"another product":   {func(in *ledger.Intent) { in.SKU = "sku-x" }, runs.Failed, `the ledger has the product "sku-x" for e3`},
		"another successor": {func(in *ledger.Intent) { in.TargetSKU = "sku-x" }, runs.Failed, "the groups or products of"},
	} {
		b := newBench(t, moveAnna)
		in := ledger.Intent{Person: "id-anna", License: "e3", To: "exo", Run: "run", RestoreOf: "r0", Rule: plan.RestoreRule, Via: "entra-group", Source: "g-e3", Target: "g-exo", SKU: "sku-e3", TargetSKU: "sku-exo", At: b.now}
		tc.alter(&in)
		j := b.jobOf(t)
		e, err := j.ledger.Begin(t.Context(), in, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := moveAnna
		c.RestoreOf = "r0"
		u := *b.entra.users["id-anna"]
		m := &move{job: j, entry: e, change: &c, person: &directory.Person{Entra: &u, EntraState: directory.Present}, read: b.now}
		status, note := j.stillOpen(t.Context(), m)
		if status != tc.status || !strings.HasPrefix(note, tc.note) || len(b.entra.writes()) > 0 {
			t.Errorf("%s: %s, %q; wrote %v", name, status, note, b.entra.writes())
		}
	}
}

// TestClosed: no change of a plan may begin any more, for example because a newer plan superseded it. The result of a
// change that is refused for this reason has the field Closed set.
func TestClosed(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	j := b.jobOf(t)
	judge, err := j.run.Judge(b.now)
	if err != nil {
		t.Fatal(err)
	}
	j.judge, j.results, j.batches, j.closed = judge, &runs.Results{}, j.plan.Batches(), "superseded"
	for _, of := range j.batches {
		if err := j.batch(t.Context(), of); err != nil {
			t.Fatal(err)
		}
	}
	r := j.results.Of(&changeBo)
	if r == nil || r.Status != runs.Refused || !r.Closed || r.Note != "superseded" {
		t.Errorf("%+v", j.results)
	}
	b.wrote(t)
	j.closed, j.results = "", &runs.Results{}
	for _, of := range j.batches {
		if err := j.batch(t.Context(), of); err != nil {
			t.Fatal(err)
		}
	}
	if r := j.results.Of(&changeBo); r == nil || r.Status != runs.Done || r.Closed {
		t.Errorf("%+v", j.results)
	}
}

// TestReopened: the next call works on a change that is open in the ledger, even if its stored result is final.
func TestReopened(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		run    string
		o      ledger.Outcome
		damage bool
		want   runs.Status
	}{
		"open":           {"run", "", false, runs.Pending},
		"over":           {"run", ledger.Done, false, runs.Done},
		"of another run": {"other", "", false, runs.Done},
		"nothing there":  {"", "", false, runs.Done},
		"damaged":        {"", "", true, runs.Done},
	} {
		b := newBench(t, changeBo)
		j := b.jobOf(t)
		if tc.run != "" {
			e, err := j.ledger.Begin(t.Context(), ledger.Intent{Person: "id-bo", License: "e3", Run: tc.run, At: b.now}, nil)
			if err == nil && tc.o != "" {
				err = j.ledger.Complete(t.Context(), e, ledger.Completion{Outcome: tc.o})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if tc.damage {
			b.damage(t, "ledger/id-bo/e3/000001.json")
		}
		j.batches, j.results = j.plan.Batches(), &runs.Results{}
		j.results.Set(runs.ResultOf(&changeBo, runs.Done, ""))
		if err := j.reopen(t.Context()); err != nil || j.results.Of(&changeBo).Status != tc.want {
			t.Errorf("%s: %+v, %v", name, j.results.Of(&changeBo), err)
		}
	}
	b := newBench(t, changeBo)
	j := b.jobOf(t)
	j.batches, j.results, j.ledger = j.plan.Batches(), &runs.Results{}, ledger.In(brokenStore{b.Store, "", "ledger/"})
	if err := j.reopen(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("the ledger cannot be read: %v", err)
	}
}
