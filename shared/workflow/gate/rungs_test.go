package gate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// TestLadder: a run changed E3 to Exchange Online, and a later run took Exchange Online. If the person returns, the
// plan restores only E3. It restores Exchange Online instead if E3 is refused or has no seat, and both licenses if a
// restore of E3 has failed before.
func TestLadder(t *testing.T) {
	t.Parallel()
	back := func(rule, license, to string) plan.Decision {
		return plan.Decision{User: "a", Rule: rule, License: license, To: to, Outcome: policy.NotHolder, RestoreOf: "r-" + license, Via: plan.EntraGroup, Reason: "active again", IdleSince: asOf}
	}
	e5, e3, exo := back("top", "e5", "e3"), back("m365", "e3", "exo"), back("low", "exo", "")
	of := func(d plan.Decision, edit func(*plan.Decision)) plan.Decision { edit(&d); return d }
	const not = "active again; not restored: it was given in place of e3, which is restored"
	for name, tc := range map[string]struct {
		decisions []plan.Decision
		want      string   // the licenses that the plan restores
		returned  []string // the reasons that say that a license is not restored
	}{
		"one":                        {[]plan.Decision{exo}, "exo", nil},
		"two":                        {[]plan.Decision{e3, exo}, "e3", []string{not}},
		"two, the lower rule first":  {[]plan.Decision{exo, e3}, "e3", []string{not}},
		"three":                      {[]plan.Decision{e3, exo, e5}, "e5", []string{strings.ReplaceAll(not, "e3", "e5"), not}},
		"of somebody else":           {[]plan.Decision{of(e3, func(d *plan.Decision) { d.User = "b" }), exo}, "exo e3", nil},
		"the upper is refused":       {[]plan.Decision{of(e3, func(d *plan.Decision) { d.Refused = "no" }), exo}, "exo", nil},
		"the upper has no seat":      {[]plan.Decision{of(e3, func(d *plan.Decision) { d.Seat = "e3" }), exo}, "exo", nil},
		"the upper failed last time": {[]plan.Decision{of(e3, func(d *plan.Decision) { d.Setbacks = 1 }), exo}, "exo e3", nil},
		"the upper is taken":         {[]plan.Decision{of(e3, func(d *plan.Decision) { d.RestoreOf, d.Outcome = "", policy.Reclaim }), exo}, "exo e3", nil},
		"the lower is taken":         {[]plan.Decision{e3, of(exo, func(d *plan.Decision) { d.RestoreOf, d.Outcome = "", policy.Reclaim })}, "e3 exo", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := quiet()
			e.partitions[0] = tc.decisions
			s := e.put(t)
			p, err := Run(t.Context(), s, "run", clock)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range p.Changes {
				got = append(got, c.License)
			}
			if strings.Join(got, " ") != tc.want || p.Deferred != 0 {
				t.Errorf("restores %q, %d deferred; want %q", got, p.Deferred, tc.want)
			}
			var why []string
			for _, r := range listedIn(t, s, "returned") {
				if strings.Contains(r, "in place of") {
					why = append(why, r)
				}
			}
			if d := cmp.Diff(tc.returned, why); d != "" {
				t.Errorf("not restored (-want +got):\n%s", d)
			}
		})
	}
}
