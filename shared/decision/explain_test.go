package decision

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// Turns is the first time at which Decide lets the rule take the license. If the license was restored or given lately,
// the cooling down must have ended by then.
func TestTurnsAfterCoolingDown(t *testing.T) {
	t.Parallel()
	givenBack := func(days int) *history.Item {
		return &history.Item{User: "id-p", License: "e3", State: history.Restored, Run: "r0", Rule: "m365", Began: daysAgo(days), At: daysAgo(days)}
	}
	exchanged := func(license string, days int) *history.Item {
		return &history.Item{User: "id-p", License: license, To: "e3", State: history.Taken, Run: "r0", Rule: "other", Via: plan.Direct, Began: daysAgo(days), At: daysAgo(days)}
	}
	renamed := givenBack(5)
	renamed.License = "old"
	for name, tc := range map[string]struct {
		days  int // since the last sign-in
		past  []any
		turns int // days until Turns; 0 if the rule takes the license now, so that Turns is zero
		cools int // days until Cools; 0 if the person's activity keeps the license at least as long
	}{
		"nothing before":                    {50, nil, 10, 0},
		"restored before the sign-in":       {10, []any{givenBack(20)}, 50, 0},
		"restored after the sign-in":        {50, []any{givenBack(5)}, 55, 55},
		"restored, and idle":                {70, []any{givenBack(5)}, 55, 55},
		"restored long ago":                 {50, []any{givenBack(200)}, 10, 0},
		"given in exchange":                 {50, []any{exchanged("visio", 5)}, 55, 55},
		"given in exchange, and idle":       {70, []any{exchanged("visio", 59)}, 1, 1},
		"given in exchange before, and use": {10, []any{exchanged("visio", 30)}, 50, 0},
		"given twice, first long ago":       {50, []any{exchanged("visio", 200), exchanged("citrix", 5)}, 55, 55},
		"given twice, first lately":         {50, []any{exchanged("visio", 5), exchanged("citrix", 200)}, 55, 55},
		"restored under another name":       {50, []any{renamed}, 55, 55},
		"taken now, restored long ago":      {70, []any{givenBack(200)}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{entra: []directory.EntraUser{accountOf("p", tc.days, e3Direct), accountOf("busy", 1)}, policy: text + "  - {name: other, license: visio, when: AzureAdSistaLogon.hasNoValue(), then: {changeTo: e3}}\n"}
			w.policy = replaceOnce(t, w.policy, "licenses:\n", "licenses:\n  visio: {sku: VISIO}\n")
			w.begin = withVisio
			w.past = tc.past
			r := w.seal(t)
			p := only(t, r, "id-p")
			e, err := r.Explain(p, asOf)
			if err != nil {
				t.Fatal(err)
			}
			day := func(n int) time.Time { return asOf.AddDate(0, 0, n).Add(time.Second) }
			want := Answer{}
			if tc.turns > 0 {
				want.Turns = day(tc.turns)
			}
			if tc.cools > 0 {
				want.Cools = day(tc.cools)
			}
			if got := e.Answers[0]; !got.Turns.Equal(want.Turns) || !got.Cools.Equal(want.Cools) {
				t.Errorf("turns %s, cools until %s; want %s and %s", got.Turns, got.Cools, want.Turns, want.Cools)
			}
			if got := firstTaken(t, r, p); !got.Equal(day(tc.turns)) {
				t.Errorf("asked day by day, Decide takes the license on %s, want %s", got, day(tc.turns))
			}
		})
	}
}

func withVisio(b *snapshot.Begin) {
	b.SKUs = append(b.SKUs, directory.SKU{ID: "sku-visio", PartNumber: "VISIO"})
}

func replaceOnce(t *testing.T, text, old, edited string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("the policy has no %q", old)
	}
	return strings.Replace(text, old, edited, 1)
}

// firstTaken returns the first of 90 days on which the first rule takes the license, or zero.
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

// If the rule takes the license in this run, the explanation names no later time: Turns and Cools are zero.
func TestTakenNowDoesNotTurn(t *testing.T) {
	t.Parallel()
	w := holder()
	w.policy = replaceOnce(t, text, "when: AzureAdSistaLogon.earlierThan(now - days(60))", `when: AzureAdSistaLogon.earlierThan(now - days(60)) && created.earlierThan(timestamp("2026-12-01T00:00:00Z"))`)
	r := w.seal(t)
	e, err := r.Explain(only(t, r, "id-p"), asOf)
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Answers[0]; got.Outcome != policy.Reclaim || !got.Turns.IsZero() || !got.Cools.IsZero() {
		t.Errorf("%s, turns %s, cools %s", got.Outcome, got.Turns, got.Cools)
	}
}

// TestTurnsAfterLeave: a person is on leave. Turns is the first time at which the person has been idle for the whole
// span of the rule, counted from the end of the leave.
func TestTurnsAfterLeave(t *testing.T) {
	t.Parallel()
	w := holder()
	w.policy = replaceOnce(t, text, "users: [exempt@x.example]", "leave: [{user: p@x.example, until: 2026-12-03, reason: parental leave}]")
	r := w.seal(t)
	p, rule := only(t, r, "id-p"), r.Policy.Rules[0]
	e, err := r.Explain(p, asOf)
	if err != nil {
		t.Fatal(err)
	}
	got := e.Answers[0]
	if got.Outcome != policy.Exempt || got.Turns.IsZero() {
		t.Fatalf("%s, turns %s", got.Outcome, got.Turns)
	}
	for at, want := range map[time.Time]policy.Outcome{got.Turns.Add(-time.Second): policy.Keep, got.Turns: policy.Reclaim} {
		judge, err := r.Judge(at)
		if err != nil {
			t.Fatal(err)
		}
		if v := judge.Ask(rule, p); v.Outcome != want {
			t.Errorf("at %s: %s, want %s", at, v.Outcome, want)
		}
	}
}

func TestNounAndTree(t *testing.T) {
	t.Parallel()
	w := holder()
	w.policy = replaceOnce(t, text, "when: AzureAdSistaLogon.earlierThan(now - days(90))", `when: department == "Sales"`)
	w.entra[0].Department = "HR"
	r := w.seal(t)
	e, err := r.Explain(only(t, r, "id-p"), asOf)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"sign-in", "", "logon"} {
		if got := e.Answers[i].Noun; got != want {
			t.Errorf("%s: noun %q, want %q", e.Answers[i].Rule, got, want)
		}
	}
	for i, want := range []policy.Says{policy.True, policy.False, policy.False} {
		if got := e.Answers[i].Tree; got == nil || got.Says != want || len(got.Parts) == 0 {
			t.Errorf("%s: tree %+v, want %s", e.Answers[i].Rule, got, want)
		}
	}
}

// Due is the time from which an announced change may be made. It is zero for a change that was not announced, must be
// announced again, or is refused for another reason.
func TestDue(t *testing.T) {
	t.Parallel()
	item := func(state history.State, rule string, days int) *history.Item {
		idle := daysAgo(70)
		return &history.Item{User: "id-p", License: "e3", To: "exo", State: state, Run: "r0", Rule: rule, At: daysAgo(days), IdleSince: &idle}
	}
	const notice = "{changeTo: exo, notice: 14}"
	for name, tc := range map[string]struct {
		then  string
		idle  int    // days since the last sign-in
		group string // the group through which the person holds the license
		past  *history.Item
		due   time.Time
	}{
		"announced":                     {notice, 70, "", item(history.Announced, "m365", 3), daysAgo(3).AddDate(0, 0, 15).Add(3 * time.Hour)},
		"announced long ago":            {notice, 70, "", item(history.Announced, "m365", 20), daysAgo(20).AddDate(0, 0, 15).Add(3 * time.Hour)},
		"perhaps announced":             {notice, 70, "", item(history.Unsure, "m365", 3), time.Time{}},
		"active since":                  {notice, 5, "", item(history.Announced, "m365", 3), time.Time{}},
		"announced by another rule":     {notice, 70, "", item(history.Announced, "m365-long", 3), time.Time{}},
		"the rule announces nothing":    {"{changeTo: exo}", 70, "", item(history.Announced, "m365", 3), time.Time{}},
		"refused for another reason":    {notice, 70, "g-other", item(history.Announced, "m365", 3), time.Time{}},
		"refused, and never announced":  {notice, 70, "g-other", nil, time.Time{}},
		"to be announced for the first": {notice, 70, "", nil, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{
				entra:  []directory.EntraUser{accountOf("p", tc.idle, directory.Assignment{SKU: "sku-e3", State: "Active", Group: tc.group}), accountOf("busy", 1)},
				policy: replaceOnce(t, text, "{changeTo: exo}", tc.then),
			}
			if tc.past != nil {
				w.past = []any{tc.past}
			}
			r := w.seal(t)
			e, err := r.Explain(only(t, r, "id-p"), asOf)
			if err != nil {
				t.Fatal(err)
			}
			got := e.Answers[0]
			if !got.Due.Equal(tc.due) || !tc.due.IsZero() && (got.Refused != "") != asOf.Before(tc.due) {
				t.Errorf("due %s, refused %q; want %s", got.Due, got.Refused, tc.due)
			}
		})
	}
}
