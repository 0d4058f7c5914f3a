package runs

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// FuzzPlan: for any bytes at the key of a plan, GetPlan returns an error or a plan that matches its hash. EachListed
// and GetResults do not panic.
func FuzzPlan(f *testing.F) {
	var s store.Memory
	if err := PutPlan(f.Context(), &s, newPlan(plan.Change{User: "u", IdleSince: &idle}), each(plan.Decision{User: "r", Refused: "why"})); err != nil {
		f.Fatal(err)
	}
	good := s.Objects()[layout.Plan("run")]
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(`{"run":"run","refused":[`))
	f.Add([]byte(`{"refused":7,"undecided":[{}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s store.Memory
		if err := store.PutBytes(t.Context(), &s, layout.Plan("run"), raw); err != nil {
			t.Fatal(err)
		}
		p, err := GetPlan(t.Context(), &s, "run")
		if err == nil && (p.Run != "run" || cmp.Diff(p.PlanHash, p.Hash()) != "") {
			t.Errorf("read as %+v", p)
		}
		_ = EachListed(t.Context(), &s, "run", func(string, *Listed) error { return nil })
		_, _ = GetResults(t.Context(), &s, &plan.Plan{Run: "run"}, []plan.Batch{{Name: "entra-0001"}})
	})
}
