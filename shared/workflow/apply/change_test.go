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

func (b *bench) judging(t *testing.T) *job {
	t.Helper()
	j := b.jobOf(t)
	judge, err := j.run.Judge(b.now)
	if err != nil {
		t.Fatal(err)
	}
	j.judge, j.results = judge, &runs.Results{}
	return j
}

// The method "put" writes a ledger entry with outcome o. If o is empty, the entry stays open.
func (b *bench) put(t *testing.T, in ledger.Intent, o ledger.Outcome) *ledger.Entry {
	t.Helper()
	if in.Run == "" {
		in.Run = "run"
	}
	e, err := ledger.In(b.Store).Begin(t.Context(), in, nil)
	if err == nil && o != "" {
		err = ledger.In(b.Store).Complete(t.Context(), e, ledger.Completion{Outcome: o, Note: "as noted", At: b.now})
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestOpenChangeWhoseEntryCannotBeRead: a change whose ledger entry cannot be read stays open. Apply does not refuse
// it, even if the plan may begin nothing any more.
func TestOpenChangeWhoseEntryCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	e := b.put(t, ledger.Intent{Person: "id-bo", License: "e3", To: "exo", Rule: "m365", Via: "direct", SKU: "sku-e3", TargetSKU: "sku-exo", At: b.now}, "")
	j := b.judging(t)
	j.closed, j.ledger = "superseded", ledger.In(blindStore{b.Store, e.Key()})
	all, err := j.fresh(t.Context(), j.plan.Changes)
	if err != nil {
		t.Fatal(err)
	}
	if r := j.change(t.Context(), &changeBo, all["id-bo"]); r.Status != runs.Pending || !r.Retry || !strings.HasPrefix(r.Note, "nothing was done: ") {
		t.Errorf("%+v", r)
	}
	b.wrote(t)
}

// TestRestoreThatTheLedgerHasAsOver: the ledger says that a restore is done, but anybody may have written this entry.
// The change is final only when a read shows the license, or when the person is gone. A restore that failed is final
// without a read.
func TestRestoreThatTheLedgerHasAsOver(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		o     ledger.Outcome
		then  func(*bench)
		gone  bool
		want  runs.Status
		again bool
		note  string
	}{
		"restored, and shown":                   {ledger.Done, func(b *bench) { b.ad.in.add(citrixDN, "S-1-5-21-5") }, false, runs.Done, false, "as noted"},
		"restored, and not shown":               {ledger.Done, func(*bench) {}, false, runs.Pending, true, "the ledger says that it is restored, and reading does not show it"},
		"restored, and it cannot be read":       {ledger.Done, func(b *bench) { b.ad.fail = map[string]error{"MemberOf #1": errDown} }, false, runs.Pending, true, "down"},
		"restored, and nobody is there":         {ledger.Done, func(*bench) {}, true, runs.Done, false, "as noted"},
		"failed, and not shown, which is right": {ledger.Failed, func(*bench) {}, false, runs.Failed, false, "as noted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := freeEgon
			c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
			b := newBench(t, c)
			b.ad.at(citrixDN, citrixGUID, 900)
			b.ad.in = members{}
			b.put(t, ledger.Intent{Person: c.User, SID: c.SID, License: "citrix", Rule: plan.RestoreRule, RestoreOf: "r0", Via: "ad-group", Source: citrixDN, SourceGUID: citrixGUID, At: b.now}, tc.o)
			tc.then(b)
			e := reading{person: &directory.Person{AD: b.ad.people[c.User], ADState: directory.Present}, read: b.now}
			if tc.gone {
				e = reading{gone: true, why: "gone"}
			}
			r := b.judging(t).change(t.Context(), &c, e)
			if r.Status != tc.want || r.Retry != tc.again || !strings.Contains(r.Note, tc.note) {
				t.Errorf("%+v; want %s, %q", r, tc.want, tc.note)
			}
			b.wrote(t)
		})
	}
}

// TestOpenChangeWhoseGroupCannotBeLookedUp: the ledger entry of an open change names a group, and this group cannot be
// read now. Apply then cannot tell whether it is the group in the policy. It writes nothing, and the change stays
// pending.
func TestOpenChangeWhoseGroupCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeEgon)
	b.ad.at(citrixDN, citrixGUID, 900)
	b.put(t, ledger.Intent{Person: freeEgon.User, SID: freeEgon.SID, License: "citrix", Rule: "citrix", Via: "ad-group", Source: citrixDN, SourceGUID: citrixGUID, At: b.now}, "")
	b.ad.fail = map[string]error{"FindGroup " + citrixDN: errDown}
	b.apply(t, runs.Pending, "down")
	if r := b.results(t); !r.Results[0].Retry {
		t.Errorf("%+v", r.Results)
	}
	b.wrote(t)
	b.ad.fail = nil
	b.apply(t, runs.Done, "")
}

// TestTargetThatNeverTookThePersonIn: a read shows a license through the target group, but the change has not added the
// person to this group. A rollback then does not remove the person from the group.
func TestTargetThatNeverTookThePersonIn(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	u := b.entra.users["id-anna"]
	u.Assignments = append(u.Assignments, directory.Assignment{SKU: "sku-exo", Group: "g-exo", State: "Error", Error: "CountViolation"})
	b.apply(t, runs.Kept, "the target group does not give its license: no free seat")
	b.wrote(t)
	b.logged(t, moveAnna, "rolled back")
}

// The type "slowly" is an Entra ID that calls the function "what" after each reading of people.
type slowly struct {
	*fakeEntra
	what func()
}

func (s slowly) ReadPeople(ctx context.Context, ids []string) (map[string]directory.EntraUser, error) {
	defer s.what()
	return s.fakeEntra.ReadPeople(ctx, ids)
}

// TestReadAgainSinceTheEvidenceIsOld: if the evidence is too old, apply reads the person again. The second reading
// decides.
func TestReadAgainSinceTheEvidenceIsOld(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change plan.Change
		then   func(*bench)
		want   runs.Status
		note   string
	}{
		"nothing new":          {changeBo, func(*bench) {}, runs.Done, ""},
		"the plan has expired": {changeBo, func(b *bench) { b.at(asOf.Add(plan.Lifetime + time.Second)) }, runs.Failed, "the plan expired at "},
		"Active Directory is down": {freeDora, func(b *bench) { b.ad.fail = map[string]error{"ReadPerson S-1-5-21-4": errDown} },
			runs.Pending, "nothing was taken: " + errAged.Error() + "; read again: down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			j := b.judging(t)
			all, err := j.fresh(t.Context(), j.plan.Changes)
			if err != nil {
				t.Fatal(err)
			}
			e := all[tc.change.User]
			e.read = b.now.Add(-evidenceAge - time.Second)
			if tc.want == runs.Failed {
				b.at(asOf.Add(plan.Lifetime))
				e.read = b.now.Add(-evidenceAge - time.Second)
				j.Applier = &Applier{Store: b.Store, AD: b.ad, Now: b.Applier.Now, Entra: slowly{b.entra, func() { tc.then(b) }}}
			} else {
				tc.then(b)
			}
			r := j.change(t.Context(), &tc.change, e)
			if r.Status != tc.want || !strings.HasPrefix(r.Note, tc.note) {
				t.Errorf("%+v; want %s, %q", r, tc.want, tc.note)
			}
			if wrote := len(b.entra.writes())+len(b.ad.writes()) > 0; wrote != (tc.want == runs.Done) {
				t.Errorf("wrote %v %v", b.entra.writes(), b.ad.writes())
			}
		})
	}
}

// TestGoneWhileItIsNotKnownWhetherItLeft: the account of an open change is gone. The ledger may have a mark that the
// change was about to take the license, but this mark cannot be read. The change then stays open, because the account
// may come back.
func TestGoneWhileItIsNotKnownWhetherItLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	m := b.underWay(t, changeBo, plan.Direct)
	m.person = nil
	m.ledger = ledger.In(blindStore{b.Store, "ledger/id-bo/e3/000001.leaving.json"})
	if status, note := m.gone(t.Context(), "gone"); status != troubled || !strings.Contains(note, "down") {
		t.Errorf("%s, %q", status, note)
	}
	b.logged(t, changeBo, "open")
}
