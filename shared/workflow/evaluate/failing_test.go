package evaluate_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/evaluate"
)

// TestObjectThatCannotBeRead: if an object of an evaluation cannot be read or written, the evaluation fails, and does
// not go on as if the object were empty.
func TestObjectThatCannotBeRead(t *testing.T) {
	t.Parallel()
	text := screenHead + screenPolicies[3] // a policy with usage reports
	p, err := policy.Load("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	written, last, run := &store.Memory{}, "20261120T020000Z-00000000", "20261121T020000Z-00000001"
	r := newTown(rand.New(rand.NewPCG(unused, 0)), 60, p.MemberQueries(), false)
	r.night(t, written, last, screenNow, text, p.MemberQueries(), false)
	ask(t, written, last, nil, false)
	r.sleep(p.MemberQueries())
	r.night(t, written, run, screenNow.AddDate(0, 0, 1), text, p.MemberQueries(), false)
	seen := &plan.Baseline{Run: last, Partitions: 2, Read: screenNow}
	for _, tc := range []struct{ alone, lost bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		s := &store.Memory{}
		kept := maps.Clone(written.Objects())
		if tc.lost {
			maps.DeleteFunc(kept, func(key string, _ []byte) bool { return strings.HasPrefix(key, "runs/"+last+"/known/") })
		}
		s.Become(kept)
		evaluated := func(s store.Store) error {
			r, err := decision.Open(t.Context(), s, run)
			if err != nil {
				return err
			}
			r.History = &history.Digest{Baselines: [2]*plan.Baseline{seen, seen}}
			w, err := evaluate.NewWorker(r)
			if err != nil {
				return err
			}
			if tc.alone {
				w.AskEverybody()
			}
			for n := range r.Begin.Partitions {
				if err := w.Partition(t.Context(), n); err != nil {
					return err
				}
			}
			return nil
		}
		whole := failing.Nth(s, 0)
		if err := evaluated(whole); err != nil || len(whole.Keys()) < 8 {
			t.Fatalf("%d calls, %v", len(whole.Keys()), err)
		}
		for _, key := range whole.Keys() {
			if err := evaluated(failing.Key(s, key)); !errors.Is(err, failing.Err) {
				t.Errorf("%+v, %s: %v", tc, key, err)
			}
		}
	}
}
