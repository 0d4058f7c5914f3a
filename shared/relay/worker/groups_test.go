package worker

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/store"
)

// TestLicenseGroupIsOnItsOwn: a license group that cannot be read, as one in a domain that is down, stops no change of
// another group. If a group whose members the policy exempts cannot be read, nothing is changed, because nobody knows
// whom it exempts.
func TestLicenseGroupIsOnItsOwn(t *testing.T) {
	t.Parallel()
	const lost = "CN=Lost,DC=down"
	ad := &fakeAD{member: true, down: lost}
	of := protocol.Group{DN: lost, Direct: true}
	m := protocol.Message{Kind: protocol.ReadCandidates, Groups: []protocol.Group{of, {DN: group, Direct: true}, {DN: exempted}}}
	b := newBench(t, ad)
	got, err := b.evidence(t.Context(), &m, &protocol.People{SIDs: []string{anna}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{of.Key(): errBroken.Error()}, got.Failed); d != "" || slices.Contains(got.Groups, of.Key()) || len(got.Groups) != 2 || !slices.Equal(got.People[0].Groups, []string{m.Groups[1].Key()}) {
		t.Errorf("%+v; failed (-want +got):\n%s", got, d)
	}
	list := protocol.Changes{Groups: m.Groups, Changes: []protocol.Change{{ID: "c1", SID: anna, GUID: guid, Group: group, Action: protocol.Remove, Seen: got.People[0].Seen}}}
	write := protocol.Message{Kind: protocol.WriteMembers, Batch: "b1", Input: "runs/r1/ad/input/b1.json"}
	if err := store.PutJSON(t.Context(), b.store, write.Input, list); err != nil {
		t.Fatal(err)
	}
	asked := b.send(write)
	b.run()
	if r := b.result(asked); r.Outcome != protocol.Done || ad.writes != 1 {
		t.Errorf("%d writes, %+v", ad.writes, r)
	}
	m.Groups[0].Direct = false
	if got, err := b.evidence(t.Context(), &m, &protocol.People{SIDs: []string{anna}}); !errors.Is(err, errBroken) {
		t.Errorf("an exempt group: %+v, %v", got, err)
	}
	m.Groups[0].Direct = true
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errLost)
	if got, err := b.evidence(ctx, &m, &protocol.People{}); err == nil {
		t.Errorf("the lease is over: %+v", got)
	}
}
