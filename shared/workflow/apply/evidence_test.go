package apply

import (
	"errors"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// TestEvidenceOfBothDirectories: what is read of a person, by what is set up and known.
func TestEvidenceOfBothDirectories(t *testing.T) {
	t.Parallel()
	dora := changeBo
	dora.User, dora.SID = "id-dora", "S-1-5-21-4"
	for name, tc := range map[string]struct {
		change plan.Change
		then   func(*bench, *job)
		check  func(*bench, evidence) bool
	}{
		"both": {dora, func(*bench, *job) {}, func(_ *bench, e evidence) bool { return e.person.AD != nil && e.person.Entra != nil }},
		"Active Directory is not set up": {dora, func(_ *bench, j *job) { j.Applier = &Applier{Store: j.Store, Entra: j.Entra, Now: j.Now} },
			func(_ *bench, e evidence) bool {
				return e.person.AD == nil && e.person.Entra != nil && e.adError == nil
			}},
		"a mailbox that the report calls shared": {changeBo, func(b *bench, j *job) {
			b.entra.users["id-bo"].UserPrincipalName = "bo@x.example"
			j.run.Begin.Mailboxes = &snapshot.Mailboxes{Kinds: map[string]string{"bo@x.example": "Shared"}}
		}, func(_ *bench, e evidence) bool { return e.person.Entra.MailboxKind == "Shared" }},
		"no name to look for in Entra ID": {freeEgon, func(*bench, *job) {}, func(b *bench, e evidence) bool {
			return e.person.Entra == nil && b.entra.count["FindPerson"] == 0
		}},
		"a name to look for": {freeEgon, func(b *bench, _ *job) { b.ad.people["S-1-5-21-5"].UserPrincipalName = "egon@x.example" },
			func(b *bench, e evidence) bool { return e.person.Entra == nil && b.entra.count["FindPerson"] == 1 }},
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

// TestWhatTheRunKnewCannotBeRead: nobody is judged by fresh evidence alone then.
func TestWhatTheRunKnewCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.remembers(t, changeBo)
	b.Store = blindStore{b.Store, "runs/run/known/0000.gz"}
	b.apply(t, runs.Pending, "nothing was done: read what run run knew of accounts")
	b.wrote(t)
	b.logged(t, changeBo, "")
}

// TestADHalf: an account whose controllers were not all asked is dated as far as it is
// proven; one that cannot be read, or whose groups cannot, is not dated at all.
func TestADHalf(t *testing.T) {
	t.Parallel()
	late := &directory.PartialLogonError{Err: errDown, Latest: daysAgo(95)}
	for name, tc := range map[string]struct {
		fail    map[string]error
		there   bool
		state   directory.Presence
		stale   bool
		latest  bool
		unknown int // groups
		is      error
	}{
		"read":                      {nil, true, directory.Present, false, false, 0, nil},
		"controllers not asked":     {map[string]error{"ReadPerson S-1-5-21-5": late}, true, directory.Present, true, true, 0, nil},
		"it cannot be read":         {map[string]error{"ReadPerson S-1-5-21-5": errDown}, false, 0, false, false, 0, errDown},
		"a group is gone":           {map[string]error{"MemberOf #1": directory.ErrNoGroup}, true, directory.Present, false, false, 1, nil},
		"a group cannot be read":    {map[string]error{"MemberOf #1": errDown}, false, 0, false, false, 0, errDown},
		"the same, with a late one": {map[string]error{"MemberOf #1": errDown, "ReadPerson S-1-5-21-5": late}, false, 0, true, false, 0, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeEgon)
			b.ad.fail = tc.fail
			h := directory.Accounts{Memberships: map[string][]string{}}
			latest, err := b.jobOf(t).adAccount(t.Context(), "S-1-5-21-5", &h)
			if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) || !latest.IsZero() != tc.latest {
				t.Errorf("%v, latest %s", err, latest)
			}
			if (len(h.AD) == 1) != tc.there || h.ADState != tc.state || (h.Stale[directory.AD] != "") != tc.stale || len(h.Unreadable) != tc.unknown {
				t.Errorf("%+v", h)
			}
			if tc.there && tc.unknown == 0 && strings.Join(h.Memberships["S-1-5-21-5"], " ") == "" {
				t.Errorf("no memberships: %+v", h)
			}
		})
	}
}
