package decision

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// The hire dates of many accounts are gone since the last healthy reading. The person "p" never signed in, has an old
// account, and may begin work next week. A rule is undecided about such a person if a verdict may rest on the hire date.
func TestHireDatesGetLost(t *testing.T) {
	t.Parallel()
	graced := "grace: {neverSignedIn: 14}" + strings.ReplaceAll(text, "when: AzureAdSistaLogon.earlierThan(now - days(60))", "when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()")
	named := strings.Replace(strings.Replace(graced, "grace: {neverSignedIn: 14}", "", 1), "licenses:", "attributes: {hired: entra.hired}\nlicenses:", 1)
	named = strings.Replace(named, "for: accountEnabled", "for: accountEnabled && !hired.laterThan(now)", 1)
	next := asOf.AddDate(0, 0, 7)
	for name, tc := range map[string]struct {
		policy      string
		before, now int       // accounts with a hire date, in the last healthy reading and in this one
		hired       time.Time // of the person
		begin       func(*snapshot.Begin)
		want        policy.Outcome
		lost        int
	}{
		"as before":              {graced, 20, 20, next, nil, policy.Keep, 0},
		"none before":            {graced, 0, 0, time.Time{}, nil, policy.Reclaim, 0},
		"one is gone":            {graced, 20, 19, time.Time{}, nil, policy.Reclaim, 0},
		"five are gone":          {graced, 20, 15, time.Time{}, nil, policy.Reclaim, 0},
		"all five are gone":      {graced, 5, 0, time.Time{}, nil, policy.Undecided, 5},
		"the only one is gone":   {graced, 1, 0, time.Time{}, nil, policy.Reclaim, 0},
		"six are gone":           {graced, 20, 14, time.Time{}, nil, policy.Undecided, 20},
		"a tenth is gone":        {graced, 100, 90, time.Time{}, nil, policy.Reclaim, 0},
		"more than a tenth":      {graced, 100, 89, time.Time{}, nil, policy.Undecided, 100},
		"all are gone":           {graced, 20, 0, time.Time{}, nil, policy.Undecided, 20},
		"theirs is there":        {graced, 20, 10, next, nil, policy.Keep, 20},
		"accepted":               {graced, 20, 0, time.Time{}, func(b *snapshot.Begin) { b.AcceptFeeds = true }, policy.Reclaim, 0},
		"nothing rests on it":    {strings.Replace(graced, "grace: {neverSignedIn: 14}", "", 1), 20, 0, time.Time{}, nil, policy.Reclaim, 0},
		"a condition reads it":   {named, 20, 0, time.Time{}, nil, policy.Undecided, 20},
		"a condition, as before": {named, 20, 20, next, nil, policy.Keep, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := accountOf("p", 0, e3ByGroup)
			p.LastSuccessful, p.Hired = time.Time{}, tc.hired
			all, left := []directory.EntraUser{p}, tc.now
			if !tc.hired.IsZero() {
				left--
			}
			for i := range 120 {
				u := accountOf(fmt.Sprint("u", i), 1)
				if i < left {
					u.Hired = daysAgo(800)
				}
				all = append(all, u)
			}
			facts := directory.Freshness{Sampled: 121, WithActivity: 120, WithHired: tc.before}
			r := world{woven: true, policy: tc.policy, entra: all, begin: tc.begin, feeds: [2]*plan.Baseline{{Read: daysAgo(1), Freshness: facts}, nil}}.seal(t)
			if got := r.HiresLost(); got != tc.lost {
				t.Errorf("%d hire dates before, want %d", got, tc.lost)
			}
			if got, want := r.Hires(), max(tc.lost, tc.now); got != want && tc.policy == graced {
				t.Errorf("later runs compare with %d hire dates, want %d", got, want)
			}
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			who, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("m365")
			v := judge.Ask(rule, who)
			if v.Outcome != tc.want || tc.want == policy.Undecided && !strings.Contains(v.Reason, "far fewer accounts have a hire date") {
				t.Errorf("%s, %s; want %s", v.Outcome, v.Reason, tc.want)
			}
		})
	}
}
