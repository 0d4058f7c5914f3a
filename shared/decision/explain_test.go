package decision

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// Turns is the first day on which Decide takes a license that is kept now. A license that was restored, or was given in
// exchange for another license, is taken only after it has cooled down. Earlier versions gave a day on which nothing
// would be taken, or no day.
func TestTurnsAfterCoolingDown(t *testing.T) {
	t.Parallel()
	givenBack := func(days int) *history.Item {
		return &history.Item{User: "id-p", License: "e3", State: history.Restored, Run: "r0", Rule: "m365", Began: daysAgo(days), At: daysAgo(days)}
	}
	exchanged := func(days int) *history.Item {
		return &history.Item{User: "id-p", License: "visio", To: "e3", State: history.Taken, Run: "r0", Rule: "other", Via: plan.Direct, Began: daysAgo(days), At: daysAgo(days)}
	}
	for name, tc := range map[string]struct {
		days  int // since the last sign-in
		past  *history.Item
		turns int // days until Turns
		cools int // days until Cools; 0 if the person's activity keeps the license at least as long
	}{
		"nothing before":                    {50, nil, 10, 0},
		"restored before the sign-in":       {10, givenBack(20), 50, 0},
		"restored after the sign-in":        {50, givenBack(5), 55, 55},
		"restored, and idle":                {70, givenBack(5), 55, 55},
		"restored long ago":                 {50, givenBack(200), 10, 0},
		"given in exchange":                 {50, exchanged(5), 55, 55},
		"given in exchange, and idle":       {70, exchanged(59), 1, 1},
		"given in exchange before, and use": {10, exchanged(30), 50, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{entra: []directory.EntraUser{accountOf("p", tc.days, e3Direct), accountOf("busy", 1)}, policy: text + "  - {name: other, license: visio, when: AzureAdSistaLogon.hasNoValue(), then: {changeTo: e3}}\n"}
			w.policy = replaceOnce(t, w.policy, "licenses:\n", "licenses:\n  visio: {sku: VISIO}\n")
			w.begin = withVisio
			if tc.past != nil {
				w.past = []any{tc.past}
			}
			r := w.seal(t)
			p := only(t, r, "id-p")
			e, err := r.Explain(p, asOf)
			if err != nil {
				t.Fatal(err)
			}
			day := func(n int) time.Time { return asOf.AddDate(0, 0, n).Add(time.Second) }
			want := Answer{Turns: day(tc.turns)}
			if tc.cools > 0 {
				want.Cools = day(tc.cools)
			}
			if got := e.Answers[0]; !got.Turns.Equal(want.Turns) || !got.Cools.Equal(want.Cools) {
				t.Errorf("turns %s, cools until %s; want %s and %s", got.Turns, got.Cools, want.Turns, want.Cools)
			}
			if got := firstTaken(t, r, p); !got.Equal(want.Turns) {
				t.Errorf("asked day by day, Decide takes the license on %s, want %s", got, want.Turns)
			}
		})
	}
}

// withVisio adds another product to the tenant.
func withVisio(b *snapshot.Begin) {
	b.SKUs = append(b.SKUs, directory.SKU{ID: "sku-visio", PartNumber: "VISIO"})
}

// replaceOnce replaces the first occurrence of a string in a text. The test fails if the text does not contain the
// string.
func replaceOnce(t *testing.T, text, old, edited string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("the policy has no %q", old)
	}
	return strings.Replace(text, old, edited, 1)
}

// firstTaken evaluates the first rule on each of 90 days, and returns the first time at which the rule takes the
// license.
func firstTaken(t *testing.T, r *Run, p *directory.Person) time.Time {
	t.Helper()
	rule := r.Policy.Rules[0]
	for n := range 90 {
		at := asOf.AddDate(0, 0, n).Add(time.Second)
		judge, err := r.Judge(at)
		if err != nil {
			t.Fatal(err)
		}
		d := r.Decide(judge, rule, p, judge.Ask(rule, p), r.Past(p.ID(), p.SID(), rule.License.Name), nil)
		if d.Outcome == policy.Reclaim && d.Refused == "" {
			return at
		}
	}
	return time.Time{}
}

// An explanation says from which time on an announced change may be made.
func TestDue(t *testing.T) {
	t.Parallel()
	idle := daysAgo(70)
	for _, tc := range []struct {
		days int // since the announcement
		due  time.Time
	}{{3, daysAgo(3).AddDate(0, 0, 14)}, {20, daysAgo(20).AddDate(0, 0, 14)}} {
		t.Run(fmt.Sprint(tc.days), func(t *testing.T) {
			t.Parallel()
			r := world{
				entra: []directory.EntraUser{accountOf("p", 70, e3Direct), accountOf("busy", 1)}, policy: replaceOnce(t, text, "{changeTo: exo}", "{changeTo: exo, notice: 14}"),
				past: []any{&history.Item{User: "id-p", License: "e3", To: "exo", State: history.Announced, Run: "r0", Rule: "m365", At: daysAgo(tc.days), IdleSince: &idle}},
			}.seal(t)
			e, err := r.Explain(only(t, r, "id-p"), asOf)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Answers[0]; !got.Due.Equal(tc.due) || (got.Refused != "") != asOf.Before(tc.due) {
				t.Errorf("due %s, refused %q; want %s", got.Due, got.Refused, tc.due)
			}
		})
	}
}
