package worker

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/alter"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const alteredKey = "runs/r1/ad/input/b1.json"

// The constant "seal" is the path of the JSON member with the seal, a checksum of the object. The relay also accepts an
// object without a seal, because older versions wrote none.
const seal = ".sha256"

// eachAlteration alters an object in every way that package alter has, stores it, and calls "do".
func (b *bench) eachAlteration(object any, do func(a alter.Alteration)) {
	b.Helper()
	raw, err := store.Encode(alteredKey, object)
	if err != nil {
		b.Fatal(err)
	}
	all, err := alter.Alterations(raw, func(string) []string { return nil })
	if err != nil {
		b.Fatal(err)
	}
	if len(all) < 10 {
		b.Fatalf("only %d alterations of %s", len(all), raw)
	}
	for _, a := range all {
		if err := store.PutBytes(b.Context(), b.store, alteredKey, a.Text()); err != nil {
			b.Fatal(err)
		}
		do(a)
	}
	b.Logf("%d alterations", len(all))
}

// TestAlteredInput: if an input object was altered, the relay rejects it, names it in the error, reads nobody and
// writes nothing. Without its seal, an object is accepted, because earlier versions wrote none.
func TestAlteredInput(t *testing.T) {
	t.Parallel()
	seen := &protocol.Seen{Facts: "abc", Dated: true, Used: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for name, tc := range map[string]struct {
		kind  protocol.Kind
		input any
	}{
		"people": {protocol.ReadCandidates, protocol.People{SIDs: []string{anna, "S-1-5-21-1-2-3-1002"}, Names: []string{"anna@x.example"}}},
		"changes": {protocol.WriteMembers, protocol.Changes{Groups: []protocol.Group{{DN: exempted}, {DN: group, Direct: true}}, Changes: []protocol.Change{
			{ID: "c1", SID: anna, GUID: guid, Group: group, Action: protocol.Remove, Seen: seen},
			{ID: "c2", SID: anna, GUID: guid, Group: group, Action: protocol.Remove, After: "c1"},
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ad := &fakeAD{member: true}
			b := newBench(t, ad)
			b.run()
			b.eachAlteration(tc.input, func(a alter.Alteration) {
				end := b.wait(b.send(protocol.Message{Kind: tc.kind, Batch: "b1", Input: alteredKey, Groups: []protocol.Group{{DN: group}}}))
				ad.mu.Lock()
				defer ad.mu.Unlock()
				refused := end.Error == protocol.ErrorBad && strings.Contains(end.Cause, alteredKey) && ad.writes == 0 && ad.lookups == 0
				if unsealed := a.Path == seal && a.How == "dropped"; refused == unsealed {
					t.Errorf("%s %s: refused by name %t: %+v, %d writes", a.Path, a.How, refused, end, ad.writes)
				}
				ad.member, ad.writes, ad.lookups = true, 0, 0
			})
		})
	}
}

// TestAlteredEarlierReading: if the earlier reading for a delta reading was altered, the relay does not use it.
func TestAlteredEarlierReading(t *testing.T) {
	t.Parallel()
	b := newBench(t, &fakeAD{})
	at := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
	reading := snapshot.Reading{Source: directory.AD, People: 7, Full: at, Changed: 2, Members: map[string]int{"ad:cn=x": 3},
		Watermark: &directory.Watermark{}, Parts: []snapshot.Part{{Key: "runs/r0/ad/0000/a.jsonl.gz", People: 7, SHA256: "ab"}}}
	b.eachAlteration(reading, func(a alter.Alteration) {
		got, err := b.since(t.Context(), &protocol.Message{Since: alteredKey})
		refused := got == nil && err != nil && strings.Contains(err.Error(), alteredKey)
		if unsealed := a.Path == seal && a.How == "dropped"; refused == unsealed {
			t.Errorf("%s %s: %+v, %v", a.Path, a.How, got, err)
		}
	})
}
