package collect

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/alter"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// TestAlteredReadingOfTheRelay: a run is not sealed if a value in the relay's reading was altered. The error names the
// object.
func TestAlteredReadingOfTheRelay(t *testing.T) {
	t.Parallel()
	const key = "runs/x/ad/0.json"
	s, b := newSteps(t, true)
	everyone := s.take(t, begin(`{}`))
	for call := 0; !s.take(t, StepInput{Op: "entra", Run: everyone.Run, Call: call}).Done; call++ {
	}
	one := s.take(t, StepInput{Op: "begin", Entrance: entrance.Plan, Execution: "e-2", Started: asOf, Request: []byte(`{"user":"anna@x.example"}`)})
	evidence := protocol.Evidence{Run: one.Run, Read: s.Now(), Sample: []time.Time{asOf}, People: []protocol.Account{{SID: annaAD.SID, User: &annaAD}}}
	for _, g := range one.Groups {
		evidence.Groups = append(evidence.Groups, g.Key())
	}
	reading := snapshot.Reading{Source: directory.AD, People: 1, Full: asOf, Members: map[string]int{"ad:cn=x": 3}, Unreadable: []string{"ad:cn=y"},
		Groups: map[string]string{"ad:cn=x": "guid"}, Parts: []snapshot.Part{{Key: "runs/x/ad/0000/a.jsonl.gz", People: 1, SHA256: "ab"}}}
	for name, tc := range map[string]struct {
		object any
		step   StepInput
	}{
		"everyone": {reading, StepInput{Op: "seal", Run: everyone.Run}},
		"one":      {evidence, StepInput{Op: "one", Run: one.Run, User: "anna@x.example"}},
	} {
		raw, err := store.Encode(key, tc.object)
		if err != nil {
			t.Fatal(err)
		}
		all, err := alter.Alterations(raw, func(string) []string { return nil })
		if err != nil || len(all) < 10 {
			t.Fatalf("%d alterations of %s, %v", len(all), raw, err)
		}
		tc.step.AD = protocol.Ending{Answer: protocol.Answer{Key: key}}
		for _, a := range all {
			if a.Path == ".sha256" && a.How == "dropped" {
				continue // accepted, because objects of older versions have no hash
			}
			if err := store.PutBytes(t.Context(), b.Store, key, a.Text()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Do(t.Context(), tc.step, time.Time{}); err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("%s: %s %s: %v", name, a.Path, a.How, err)
			}
		}
		t.Logf("%s: %d alterations", name, len(all))
		if _, _, err := snapshot.GetManifest(t.Context(), b.Store, tc.step.Run); !errors.Is(err, snapshot.ErrNone) {
			t.Errorf("%s: the run is sealed: %v", name, err)
		}
	}
}
