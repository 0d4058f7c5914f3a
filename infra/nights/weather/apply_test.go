package weather

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
)

// busyPolicy changes the demo policy, so that a plan takes many licenses.
var busyPolicy = strings.NewReplacer("percent: 10", "percent: 100", "days(60)", "days(3)", "days(90)", "days(20)")

func (x *tool) came() map[string]string {
	all := map[string]string{}
	for i := range x.Company.Size() {
		p := x.Company.Person(i)
		held := slices.Sorted(slices.Values(p.Groups))
		if p.Entra != nil {
			for _, a := range p.Entra.Assignments {
				held = append(held, a.SKU+" "+a.Group)
			}
		}
		slices.Sort(held)
		all[fmt.Sprint(i, " in Entra ID")] = fmt.Sprint(held)
		all[fmt.Sprint(i, " in Active Directory")] = fmt.Sprint(slices.Sorted(slices.Values(p.ADGroups)))
	}
	return all
}

// The method "apply" makes a plan in calm weather. It applies the plan for some time with the faults of p, and then in
// calm weather until no change is pending.
func (x *tool) apply(t *testing.T, p Plan) {
	t.Helper()
	out, status, errs := x.run("plan", "--format", "json")
	var made plan.Plan
	if err := json.Unmarshal(out, &made); err != nil || len(made.Changes) < 10 {
		t.Fatalf("plan: status %d, %d changes, %s", status, len(made.Changes), errs)
	}
	x.Begin(p)
	for n := range 12 {
		if n == 4 {
			x.Begin(Plan{})
		}
		out, status, errs = x.run("apply", made.Run, "--yes", "--format", "json")
		if n > 4 && (strings.Contains(errs, "final already") || status == 0 && !strings.Contains(string(out), `"pending"`)) {
			return
		}
		_ = x.clock.Sleep(t.Context(), 10*time.Minute)
	}
	t.Errorf("%v: not done: status %d, %s", p, status, errs)
}

// TestAppliedUnderWeather: after an apply with faults, each person holds the licenses that the plan wanted, or those
// from before the plan if something could not be read. At least half of the changes are made. Nobody is without a
// mailbox at any time.
func TestAppliedUnderWeather(t *testing.T) {
	t.Parallel()
	calm := newTool(t, 0, 40, busyPolicy)
	before := calm.came()
	calm.apply(t, Plan{})
	after := calm.came()
	for _, kind := range slices.Concat(graphWrites, ldapBefore, storeKinds) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			x := newTool(t, 1, 40, busyPolicy)
			x.apply(t, Plan{Night: 1, Often: 0.2, Kinds: []Kind{kind}})
			made, left := 0, 0
			for who, holds := range x.came() {
				switch {
				case before[who] == after[who] && holds == before[who]:
				case holds == after[who]:
					made++
				case holds == before[who]:
					left++
				default:
					t.Errorf("person %s: %s, before %s, after a calm night %s", who, holds, before[who], after[who])
				}
			}
			if made < left {
				t.Errorf("%d changes are made and %d are not", made, left)
			}
			for _, e := range x.Company.History() {
				if e.LostMailbox {
					t.Errorf("somebody was without a mailbox: %+v", e)
				}
			}
		})
	}
}
