package apply

import (
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// TestEvidenceOfBothDirectories: a call reads the directories that are set up. For a person from Active Directory, the
// call looks for an account in Entra ID only if the person has a user principal name.
func TestEvidenceOfBothDirectories(t *testing.T) {
	t.Parallel()
	dora := changeBo
	dora.User, dora.SID = "id-dora", "S-1-5-21-4"
	for name, tc := range map[string]struct {
		change plan.Change
		then   func(*bench, *job)
		check  func(*bench, reading) bool
	}{
		"both": {dora, func(*bench, *job) {}, func(_ *bench, e reading) bool { return e.person.AD != nil && e.person.Entra != nil }},
		"Active Directory is not set up": {dora, func(_ *bench, j *job) { j.Applier = &Applier{Store: j.Store, Entra: j.Entra, Now: j.Now} },
			func(_ *bench, e reading) bool {
				return e.person.AD == nil && e.person.Entra != nil && e.adError == nil
			}},
		"a mailbox that the report calls shared": {changeBo, func(b *bench, j *job) {
			b.entra.users["id-bo"].UserPrincipalName = "bo@x.example"
			j.run.Begin.Mailboxes = &snapshot.Mailboxes{Kinds: map[string]string{"bo@x.example": "Shared"}}
		}, func(_ *bench, e reading) bool { return e.person.Entra.MailboxKind == "Shared" }},
		"no name to look for in Entra ID": {freeEgon, func(*bench, *job) {}, func(b *bench, e reading) bool {
			return e.person.Entra == nil && b.entra.count["FindPerson"] == 0
		}},
		"a name to look for": {freeEgon, func(b *bench, _ *job) { b.ad.people["S-1-5-21-5"].UserPrincipalName = "egon@x.example" },
			func(b *bench, e reading) bool { return e.person.Entra == nil && b.entra.count["FindPerson"] == 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			j := b.judging(t)
			tc.then(b, j)
			all, err := j.fresh(t.Context(), j.plan.Changes)
			if err != nil {
				t.Fatal(err)
			}
			if e := all[tc.change.User]; e.person == nil || !tc.check(b, e) || !e.read.Equal(b.now) {
				t.Errorf("%+v, person %+v", e, e.person)
			}
		})
	}
}

// TestWhatTheRunKnewCannotBeRead: a change does not begin if the facts that the run stored about the person cannot be
// read.
func TestWhatTheRunKnewCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.remembers(t, changeBo)
	b.Store = blindStore{b.Store, "runs/run/known/0000.gz"}
	b.apply(t, runs.Pending, "nothing was done: read what run run knew of accounts")
	b.wrote(t)
	b.logged(t, changeBo, "")
}
