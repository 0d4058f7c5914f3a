package endtoend

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestLogonWhileTheWriteWaits: three people log on while the message that takes their license waits in the queue. The
// relay must not take the licenses. The rules are evaluated again, and the ledger marks the three changes as rolled
// back. They stay pending, because another relay may still carry out the removal.
func TestLogonWhileTheWriteWaits(t *testing.T) {
	t.Parallel()
	small := company
	small.Users = 600
	var once sync.Once
	var back []int
	r := newRig(t, options{company: small, mode: "enforce", hurried: true, sending: func(r *rig, queue string) {
		if queue != r.write {
			return
		}
		once.Do(func() {
			all := r.inCitrix()
			for _, i := range all {
				if id := r.idOf(i); len(back) < 3 && r.opened(id) {
					r.box.Company.LogOn(i)
					back = append(back, i)
				}
			}
		})
	}})
	out, failure := r.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	if len(back) != 3 {
		t.Fatalf("%d people logged on meanwhile", len(back))
	}
	for _, i := range back {
		if !slices.Contains(r.box.Company.Person(i).ADGroups, sandbox.CitrixGroup) {
			t.Errorf("person %d logged on and lost Citrix", i)
		}
	}
	results := out["results"].(map[string]any)
	if results["pending"] != 3.0 || results["done"] == nil || results["kept"] != nil || results["failed"] != nil {
		t.Errorf("results %v", results)
	}
	p, err := runs.GetPlan(t.Context(), r.store, out["run"].(string))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Changes {
		kept := slices.ContainsFunc(back, func(i int) bool { return r.idOf(i) == c.User })
		if c.Via != plan.ADGroup || !kept {
			continue
		}
		book := ledger.In(r.store)
		e, err := book.Latest(t.Context(), c.User, c.License)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := book.RollbackMark(t.Context(), e); err != nil || back == nil || back.Outcome != ledger.RolledBack || !strings.Contains(back.Why, "logged on") {
			t.Errorf("the ledger has %+v, rolled back %+v, %v", e, back, err)
		}
	}
}

func (r *rig) idOf(i int) string {
	switch p := r.box.Company.Person(i); {
	case p.Entra != nil:
		return p.Entra.ID
	default:
		return p.AD.SID
	}
}

func (r *rig) opened(user string) bool {
	e, err := ledger.In(r.store).Latest(r.Context(), user, "citrix")
	if err != nil {
		r.Error(err)
	}
	return e != nil && e.Completion == nil
}
