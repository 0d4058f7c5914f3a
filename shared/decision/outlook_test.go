package decision

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/history"
)

// The cases list the days on which the verdict on a person who stays away turns to reclaim. It turns when the person
// has been idle for the 60 days of the rule. After a restore of the license, it turns only after the cooling-down time.
// After a leave, the 60 days start at the end of the leave.
func TestLook(t *testing.T) {
	t.Parallel()
	restored := func(days int) []any {
		return []any{&history.Item{User: "id-p", License: "e3", State: history.Restored, Run: "r0", Rule: "m365", Began: daysAgo(days), At: daysAgo(days)}}
	}
	const leave = "leave: [{user: p@x.example, until: 2026-12-03, reason: parental leave}]"
	for name, tc := range map[string]struct {
		exempt string
		days   int // since the last sign-in
		past   []any
		turns  []int // the days after the planning time in which the verdict turns
	}{
		"kept":                        {"", 50, nil, []int{10}},
		"kept until the last day":     {"", 31, nil, []int{29}},
		"kept longer":                 {"", 29, nil, nil},
		"restored lately":             {"", 50, restored(5), nil},
		"restored a while ago":        {"", 50, restored(45), []int{15}},
		"idle, restored a while ago":  {"", 100, restored(45), []int{15}},
		"restored before the sign-in": {"", 50, restored(200), []int{10}},
		"taken now":                   {"", 70, nil, nil},
		"on leave":                    {leave, 70, nil, nil},
		"back from leave":             {"leave: [{user: p@x.example, until: 2026-10-02}]", 100, nil, []int{8}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := holder(tc.past...)
			w.entra[0].LastSuccessful = daysAgo(tc.days)
			if tc.exempt != "" {
				w.policy = replaceOnce(t, text, "users: [exempt@x.example]", tc.exempt)
			}
			r := w.seal(t)
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			p, rule := only(t, r, "id-p"), r.Policy.Rules[0]
			v, past, sum := judge.Ask(rule, p), r.Past("id-p", "", "e3"), r.NewSummary(&Plain{})
			d := r.Decide(judge, rule, p, v, past, nil)
			r.Look(&sum, judge, 0, p, &v, &d, past)
			want := make([]int, OutlookDays)
			for _, day := range tc.turns {
				want[day]++
			}
			if diff := cmp.Diff(want, sum.Outlooks[0].Turns); diff != "" || len(sum.Turning) != len(tc.turns) {
				t.Errorf("%d verdicts turn (-want +got):\n%s", len(sum.Turning), diff)
			}
			if got := sum.Outlooks[0].Idle.Days[tc.days]; got != 1 {
				t.Errorf("%d holders are idle for %d days", got, tc.days)
			}
		})
	}
}

func TestNewSummary(t *testing.T) {
	t.Parallel()
	r := world{}.seal(t)
	counted := &Plain{People: 7, Tallies: tallies(5), Outlooks: r.outlooks(), Turning: []Turning{{Key: 1, On: 2}}}
	counted.Outlooks[2].Turns[4] = 3
	for name, tc := range map[string]struct {
		plain *Plain
		want  Summary
	}{
		"nobody is counted": {&Plain{}, Summary{Tallies: tallies(0)[:0], Outlooks: r.outlooks()}},
		"some are counted":  {counted, Summary{People: 7, Tallies: tallies(5), Outlooks: counted.Outlooks, Turning: counted.Turning}},
	} {
		got := r.NewSummary(tc.plain)
		var rules []string
		for _, one := range got.Tallies {
			rules = append(rules, one.Rule)
		}
		if want := []string{"m365", "m365-long", "citrix"}; !slices.Equal(rules, want) {
			t.Errorf("%s: rules %v", name, rules)
		}
		if len(tc.want.Tallies) == 0 {
			got.Tallies = got.Tallies[:0]
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
