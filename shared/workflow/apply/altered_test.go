package apply

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/alter"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/store"
)

// TestAlteredAnswersOfTheRelay: if a value in the relay's evidence or results was altered, the step fails and writes
// nothing.
func TestAlteredAnswersOfTheRelay(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	r := newRelayed(t, b)
	state := r.step(t, "prepare", &BatchState{Run: "run", Batch: "ad-0001"})
	state.Evidence = &protocol.Ending{Answer: protocol.Answer{Key: r.bring(t, state)}}
	asked := r.step(t, "change", state)
	if !asked.Ask {
		t.Fatalf("nothing is to be written: %+v", asked)
	}
	asked.Written = &protocol.Ending{Answer: protocol.Answer{Key: r.write(t, asked)}}
	written := len(b.ad.writes())
	again := r.step(t, "prepare", asked)
	again.Evidence = &protocol.Ending{Answer: protocol.Answer{Key: r.bring(t, again)}}
	for _, key := range []string{again.Evidence.Key, again.Results[0]} {
		raw, err := store.GetBytes(t.Context(), b.Store, key, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		all, err := alter.Alterations(raw, func(string) []string { return nil })
		if err != nil || len(all) < 10 {
			t.Fatalf("%d alterations of %s, %v", len(all), raw, err)
		}
		for _, a := range all {
			if a.Path == ".sha256" && a.How == "dropped" {
				continue // accepted, because objects of older versions have no hash
			}
			if err := store.PutBytes(t.Context(), b.Store, key, a.Text()); err != nil {
				t.Fatal(err)
			}
			_, err := r.Do(t.Context(), StepInput{Op: "change", Batch: *again})
			if err == nil || !strings.Contains(err.Error(), key) || len(b.ad.writes()) != written {
				t.Errorf("%s: %s %s: %v, writes %q", key, a.Path, a.How, err, b.ad.writes())
			}
		}
		t.Logf("%s: %d alterations", key, len(all))
		if err := store.PutBytes(t.Context(), b.Store, key, raw); err != nil {
			t.Fatal(err)
		}
	}
	if end := r.step(t, "change", again); end.Ask || end.Counts["done"] != 1 {
		t.Errorf("unaltered: %+v", end)
	}
}
