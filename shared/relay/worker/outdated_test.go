package worker

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/store"
)

// TestOutdatedEvidence: a message to remove a person from a group waits in the queue. If the account changes in the
// meantime, the relay does not remove the person.
func TestOutdatedEvidence(t *testing.T) {
	t.Parallel()
	then := time.Date(2026, 8, 1, 8, 0, 0, 0, time.UTC)
	partial := func(latest time.Time) func(context.Context) error {
		return func(context.Context) error {
			return &directory.PartialLogonError{Controllers: []string{"ldaps://dc2"}, Err: errBroken, Latest: latest}
		}
	}
	leftOut := func(ad *fakeAD) { ad.read = func(context.Context) error { return directory.ErrLeftOut } }
	tests := map[string]struct {
		before, meanwhile func(*fakeAD)
		want              protocol.Outcome
		note              string
	}{
		"as it was":                       {nil, func(*fakeAD) {}, protocol.Done, ""},
		"logged on":                       {nil, func(ad *fakeAD) { ad.logon = then.AddDate(0, 3, 0) }, protocol.Outdated, "the person logged on after the evidence was read, or may have"},
		"logged on for the first":         {func(ad *fakeAD) { ad.logon = time.Time{} }, func(ad *fakeAD) { ad.logon = then }, protocol.Outdated, "the person logged on after the evidence was read, or may have"},
		"exempt now":                      {nil, func(ad *fakeAD) { ad.exempt = true }, protocol.Outdated, "the account or its groups changed after the evidence was read"},
		"a controller is silent":          {nil, func(ad *fakeAD) { ad.read = partial(time.Time{}) }, protocol.Outdated, "the last logon is no longer known for certain"},
		"silent, may have logged on":      {nil, func(ad *fakeAD) { ad.read = partial(then.AddDate(0, 0, 14)) }, protocol.Outdated, "the person logged on after the evidence was read, or may have"},
		"silent then, read now":           {func(ad *fakeAD) { ad.read = partial(then.AddDate(0, 0, 14)) }, func(ad *fakeAD) { ad.read, ad.logon = nil, then.AddDate(0, 0, 13) }, protocol.Done, ""},
		"never known, so on the way back": {func(ad *fakeAD) { ad.read = partial(time.Time{}) }, func(ad *fakeAD) { ad.read, ad.logon = nil, then.AddDate(0, 3, 0) }, protocol.Done, ""},
		"left out":                        {leftOut, func(*fakeAD) {}, protocol.Done, ""},
		"left out, and exempt now":        {leftOut, func(ad *fakeAD) { ad.exempt = true }, protocol.Outdated, "the account or its groups changed after the evidence was read"},
		"not readable":                    {nil, func(ad *fakeAD) { ad.read = func(context.Context) error { return errBroken } }, protocol.Outdated, "the account could not be read again: connection broke"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ad := &fakeAD{member: true, logon: then}
			if tc.before != nil {
				tc.before(ad)
			}
			b := newBench(t, ad)
			groups := []protocol.Group{{DN: group, Direct: true}, {DN: exempted}, {DN: "CN=None,DC=test"}}
			e, err := b.evidence(t.Context(), &protocol.Message{Groups: groups}, &protocol.People{SIDs: []string{anna}})
			if err != nil || e.People[0].Seen == nil {
				t.Fatalf("evidence %+v, %v", e, err)
			}
			list := protocol.Changes{Groups: groups, Changes: []protocol.Change{{ID: "c1", SID: anna, GUID: guid, Group: group, Action: protocol.Remove, Seen: e.People[0].Seen}}}
			m := protocol.Message{Kind: protocol.WriteMembers, Batch: "b1", Input: "runs/r1/ad/input/b1.json"}
			if err := store.PutJSON(t.Context(), b.store, m.Input, list); err != nil {
				t.Fatal(err)
			}
			tc.meanwhile(ad)
			asked := b.send(m)
			b.run()
			want := protocol.Result{ID: "c1", GUID: guid, Outcome: tc.want, Before: true, After: tc.want != protocol.Done, Note: tc.note}
			if diff := cmp.Diff(want, b.result(asked)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if written := ad.writes > 0; written != (tc.want == protocol.Done) {
				t.Errorf("%d writes", ad.writes)
			}
		})
	}
}
