package apply

import (
	"context"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "faulty" is an Entra ID that panics in one method, which the field "method" names: in ChangeLicenses for Bo,
// or in DirectGroups for Anna.
type faulty struct {
	*fakeEntra
	method string
}

func (f faulty) ChangeLicenses(ctx context.Context, id string, add []directory.Assignment, remove []string) error {
	if f.method == "ChangeLicenses" && id == "id-bo" {
		panic("secret of bo@x.example")
	}
	return f.fakeEntra.ChangeLicenses(ctx, id, add, remove)
}

func (f faulty) DirectGroups(ctx context.Context, id string) ([]string, error) {
	if f.method == "DirectGroups" && id == "id-anna" {
		var none *directory.EntraUser
		return []string{none.ID}, nil
	}
	return f.fakeEntra.DirectGroups(ctx, id)
}

// TestFaultIsOneChanges: a panic ends only the change in which it occurs.
func TestFaultIsOneChanges(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method string
		broken plan.Change
		want   runs.Status
		note   string
	}{
		"before the intent": {"DirectGroups", freeAnna, runs.Failed, "nothing was begun: idleseat has a fault (runtime error: invalid memory address or nil pointer dereference) at "},
		"half-way":          {"ChangeLicenses", changeBo, runs.Pending, "it may be half-way, run apply again: idleseat has a fault (string) at "},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.broken, freeDora, freeEgon)
			b.Entra = faulty{b.entra, tc.method}
			r, err := b.Apply(t.Context(), Request{Run: "run"})
			if err != nil {
				t.Fatal(err)
			}
			got := r.Of(&tc.broken)
			if got.Status != tc.want || !strings.HasPrefix(got.Note, tc.note) || !strings.Contains(got.Note, "one_test.go:") || !strings.Contains(got.Note, "change.go:") {
				t.Errorf("%s: %s", got.Status, got.Note)
			}
			if strings.Contains(got.Note, "secret") {
				t.Errorf("the note holds data: %s", got.Note)
			}
			for _, c := range []plan.Change{freeDora, freeEgon} {
				if x := r.Of(&c); x == nil || x.Status != runs.Done {
					t.Errorf("another one: %+v", x)
				}
			}
			b.Entra = b.entra
			if tc.want == runs.Pending { // after the bug is fixed, a call finishes the change
				if r, err = b.Apply(t.Context(), Request{Run: "run"}); err != nil || r.Of(&tc.broken).Status != runs.Done {
					t.Errorf("mended: %+v, %v", r, err)
				}
			}
		})
	}
}

// TestFaultOfWhatMayHaveBegun: after a panic, a change counts as failed only if the ledger certainly has no open entry
// of this run for the change.
func TestFaultOfWhatMayHaveBegun(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		run   string // run of the entry; empty: no entry
		o     ledger.Outcome
		blind bool
		want  runs.Status
	}{
		"nothing is there":      {"", "", false, runs.Failed},
		"of another run":        {"other", "", false, runs.Failed},
		"over":                  {"run", ledger.RolledBack, false, runs.Failed},
		"open":                  {"run", "", false, runs.Pending},
		"it cannot be read":     {"run", "", true, runs.Pending},
		"another's is not read": {"other", "", true, runs.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			if tc.run != "" {
				b.put(t, ledger.Intent{Person: "id-bo", License: "e3", Run: tc.run, At: b.now}, tc.o)
			}
			j := b.jobOf(t)
			if tc.blind {
				j.ledger = ledger.In(blindStore{b.Store, "ledger/id-bo/e3/000001.json"})
			}
			if r := j.broken(t.Context(), &changeBo, "a fault"); r.Status != tc.want || r.Retry != (tc.want == runs.Pending) || !strings.HasSuffix(r.Note, ": a fault") {
				t.Errorf("%+v, want %s", r, tc.want)
			}
		})
	}
}

// TestDamagedLedgerIsOnePersons: a damaged ledger object stops only the changes of its person.
func TestDamagedLedgerIsOnePersons(t *testing.T) {
	t.Parallel()
	for _, license := range []string{"e3", "visio"} { // the change's license, and another license of the person
		t.Run(license, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo, freeDora)
			key := "ledger/id-bo/" + license + "/000001.json"
			if err := store.PutBytes(t.Context(), b.Store, key, []byte("{")); err != nil {
				t.Fatal(err)
			}
			r, err := b.Apply(t.Context(), Request{Run: "run"})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Of(&changeBo); got.Status != runs.Refused || !strings.Contains(got.Note, "the object "+key+" ") {
				t.Errorf("%+v", got)
			}
			if got := r.Of(&freeDora); got.Status != runs.Done {
				t.Errorf("another one: %+v", got)
			}
			b.wrote(t, "RemoveMember "+citrixDN+" guid-dora")
		})
	}
}

// takenFromEgon returns a bench with a run that restores Citrix to Egon and to Dora. Run r0 took it from them.
func takenFromEgon(t *testing.T) *bench {
	t.Helper()
	var changes []plan.Change
	for _, c := range []plan.Change{freeEgon, freeDora} {
		c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
		changes = append(changes, c)
	}
	b := newBench(t, changes...)
	b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = changes, "r0" })
	b.ad.in = members{}
	for _, c := range changes {
		in := ledger.Intent{Person: c.User, SID: c.SID, License: c.License, Run: "r0", Rule: "citrix", Via: "ad-group", Source: citrixDN, At: daysAgo(10), Before: ledger.Holding{InGroups: []string{citrixDN}}}
		e, err := ledger.In(b.Store).Begin(t.Context(), in, nil)
		if err == nil {
			err = ledger.In(b.Store).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: daysAgo(10)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// TestRestoreWithoutAccount: a restore in Active Directory ends if the account is gone. If Active Directory is not set
// up, the restore waits, and the call succeeds.
func TestRestoreWithoutAccount(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		what       func(*bench)
		egon, dora runs.Status
		note       string
	}{
		"account gone":       {func(b *bench) { delete(b.ad.people, "S-1-5-21-5") }, runs.Failed, runs.Done, "nobody is there to restore it to: the account is no longer in Active Directory"},
		"not set up":         {func(b *bench) { b.AD = nil }, runs.Pending, runs.Pending, "is not set up here"},
		"cannot be read":     {func(b *bench) { b.AD = unreadable{b.ad, "S-1-5-21-5"} }, runs.Pending, runs.Done, "could not be read"},
		"Entra ID is silent": {func(b *bench) { b.entra.fail = map[string]error{"ReadLicenses id-dora": errDown} }, runs.Done, runs.Pending, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := takenFromEgon(t)
			tc.what(b)
			r, err := b.Apply(t.Context(), Request{Run: "run"})
			if err != nil {
				t.Fatal(err)
			}
			egon, dora := r.Of(&freeEgon), r.Of(&freeDora)
			if egon.Status != tc.egon || !strings.Contains(egon.Note, tc.note) || dora.Status != tc.dora {
				t.Errorf("Egon %+v\nDora %+v", egon, dora)
			}
		})
	}
}

type unreadable struct {
	*fakeAD
	sid string
}

func (u unreadable) ReadPerson(ctx context.Context, sid string) (directory.ADUser, error) {
	if sid == u.sid {
		return directory.ADUser{}, errDown
	}
	return u.fakeAD.ReadPerson(ctx, sid)
}
