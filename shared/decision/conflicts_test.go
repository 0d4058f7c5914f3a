package decision

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// The method "asked" returns the decision of one rule about p@x.example.
func (r *Run) asked(t *testing.T, rule string, taken ...*plan.Decision) plan.Decision {
	t.Helper()
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	p, which := only(t, r, "p@x.example"), r.Policy.RuleNamed(rule)
	return r.Decide(judge, which, p, judge.Ask(which, p), r.Past(p.ID(), p.SID(), which.License.Name), taken)
}

// The function "holder" returns a world in which "p" holds E3 directly and is idle for 100 days.
func holder(past ...any) world {
	return world{entra: []directory.EntraUser{accountOf("p", 100, e3Direct), accountOf("busy", 1)}, past: past}
}

func TestEntangled(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ license, to, otherLicense, otherTo, want string }{
		{"e3", "exo", "e3", "", "e3"},
		{"e3", "exo", "e3", "f3", "e3"},
		{"e3", "", "e5", "e3", "e3"},
		{"e3", "exo", "exo", "", "exo"},
		{"e3", "exo", "e5", "exo", "exo"},
		{"e3", "", "exo", "", ""},
		{"e3", "exo", "e5", "f3", ""},
		{"e3", "exo", "e5", "", ""},
		{"e3", "", "e5", "", ""},
	} {
		if got := Conflict(tc.license, tc.to, tc.otherLicense, tc.otherTo); got != tc.want {
			t.Errorf("%+v: %q", tc, got)
		}
	}
}

// A rule does not take a license that an earlier rule changes or is undecided about.
func TestClaims(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		first plan.Decision
		want  string // why the later rule is refused; empty if it is not
	}{
		"taken":             {plan.Decision{Outcome: policy.Reclaim}, "superseded: the rule m365 comes first in the policy and changes e3"},
		"taken if it could": {plan.Decision{Outcome: policy.Reclaim, Refused: "two groups"}, "superseded: the rule m365 comes first in the policy and changes e3"},
		"undecided":         {plan.Decision{Outcome: policy.Undecided}, "superseded: the rule m365 comes first in the policy and is undecided about e3"},
		"restored":          {plan.Decision{Outcome: policy.NotHolder, RestoreOf: "r0"}, "superseded: the rule m365 comes first in the policy and changes e3"},
		"under way":         {plan.Decision{Outcome: policy.Keep, Pending: "r0"}, "superseded: the rule m365 comes first in the policy and changes e3"},
		"kept":              {plan.Decision{Outcome: policy.Keep}, ""},
		"exempt":            {plan.Decision{Outcome: policy.Exempt}, ""},
		"not held":          {plan.Decision{Outcome: policy.NotHolder}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.first.Rule, tc.first.License, tc.first.To = "m365", "e3", "exo"
			var claims Conflicts
			claims.Add(&tc.first)
			if got := holder().seal(t).asked(t, "m365-long", claims...); got.Refused != tc.want || got.Outcome != policy.Reclaim {
				t.Errorf("%s, refused %q, want %q", got.Outcome, got.Refused, tc.want)
			}
		})
	}
}

// A person has a change by an earlier rule. The change of the same person by a later rule gets the date of the first
// one as After, so the plan orders it behind the first. If the first change is refused, After stays zero.
func TestLaterRuleFollows(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		refused string
		want    time.Time
	}{"carried out": {"", daysAgo(70)}, "refused": {"two groups", time.Time{}}} {
		first := &plan.Decision{Rule: "citrix", License: "citrix", Outcome: policy.Reclaim, IdleSince: daysAgo(70), Refused: tc.refused}
		if got := holder().seal(t).asked(t, "m365", first); !got.After.Equal(tc.want) || got.Refused != "" {
			t.Errorf("%s: after %s, refused %q", name, got.After, got.Refused)
		}
	}
}

// A pending change of a license makes a new change of this license wait.
func TestOtherLicenseUnderWay(t *testing.T) {
	t.Parallel()
	const sid = "S-1-5-21-7"
	item := func(user, license, to string, state history.State) *history.Item {
		return &history.Item{User: user, License: license, To: to, State: state, Run: "r0", Rule: "x", Began: daysAgo(3), At: daysAgo(3)}
	}
	for name, tc := range map[string]struct {
		past *history.Item
		want string
	}{
		"nothing":                    {nil, ""},
		"the target":                 {item("id-p", "exo", "", history.Open), "pending: run r0 is changing exo of the person, which has to end first"},
		"another becomes the target": {item("id-p", "citrix", "exo", history.Open), "pending: run r0 is changing exo of the person, which has to end first"},
		"another becomes the source": {item("id-p", "citrix", "e3", history.Open), "pending: run r0 is changing e3 of the person, which has to end first"},
		"known by the SID":           {item(sid, "exo", "", history.Open), "pending: run r0 is changing exo of the person, which has to end first"},
		"of somebody else":           {item("id-q", "exo", "", history.Open), ""},
		"nothing in common":          {item("id-p", "citrix", "", history.Open), ""},
		"the target was taken":       {item("id-p", "exo", "", history.Taken), ""},
		"the target was announced":   {item("id-p", "exo", "", history.Announced), ""},
		"the license itself":         {item("id-p", "e3", "exo", history.Open), "pending: run r0 began to change this license on 2026-11-20"},
		"the license itself, by SID": {item(sid, "e3", "exo", history.Open), "pending: run r0 began to change this license on 2026-11-20"},
		"given in place of another":  {item("id-p", "citrix", "e3", history.Taken), "cooling down: given in place of citrix on 2026-11-20"},
		"to be given in place of it": {item("id-p", "citrix", "e3", history.Announced), ""},
		"given, but something else":  {item("id-p", "citrix", "exo", history.Taken), ""},
		"the ledger cannot be read":  {item("id-p", "e3", "", history.Unreadable), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := holder()
			w.entra[0].SID = sid
			if tc.past != nil {
				w.past = []any{tc.past}
			}
			got := w.seal(t).asked(t, "m365")
			if (tc.want == "") != (got.Refused == "") || !strings.HasPrefix(got.Refused, tc.want) {
				t.Errorf("%s, refused %q, want %q", got.Outcome, got.Refused, tc.want)
			}
		})
	}
}

// A person whose ledger is damaged keeps all licenses. No other person is affected.
func TestDamagedLedgerIsUndecided(t *testing.T) {
	t.Parallel()
	const sid = "S-1-5-21-7"
	for name, tc := range map[string]struct {
		user string
		days int
		want policy.Outcome
	}{
		"by the id":         {"id-p", 100, policy.Undecided},
		"by the SID":        {sid, 100, policy.Undecided},
		"somebody else's":   {"id-q", 100, policy.Reclaim},
		"kept all the same": {"id-p", 5, policy.Keep},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := holder(&history.Item{User: tc.user, License: "citrix", State: history.Unreadable, Why: "damaged ledger: x"})
			for _, license := range []string{"a", "exo", "z"} { // what else is known of the person does not mend the ledger
				w.past = append(w.past, &history.Item{User: tc.user, License: license, State: history.Taken, Run: "r0", Rule: "x", Began: daysAgo(300), At: daysAgo(300)})
			}
			w.entra[0].SID, w.entra[0].LastSuccessful = sid, daysAgo(tc.days)
			r := w.seal(t)
			got := r.asked(t, "m365")
			if got.Outcome != tc.want || (got.Reason == "undecided: damaged ledger: x") != (tc.want == policy.Undecided) || got.Refused != "" {
				t.Errorf("%s: %s; refused %q", got.Outcome, got.Reason, got.Refused)
			}
			e, err := r.Explain(only(t, r, "p@x.example"), asOf)
			if err != nil {
				t.Fatal(err)
			}
			if a := e.Answers[0]; a.Outcome != tc.want || (a.Reason == "undecided: damaged ledger: x") != (tc.want == policy.Undecided) {
				t.Errorf("explained: %s: %s", a.Outcome, a.Reason)
			}
		})
	}
}

// A person has an earlier change of the license "old", which the policy no longer names. The policy may have this
// license under any other name now. So every license of the person waits while that change is pending, and cools down
// after "old" was restored.
func TestRenamedLicense(t *testing.T) {
	t.Parallel()
	item := func(license, to string, state history.State, days int) *history.Item {
		return &history.Item{User: "id-p", License: license, To: to, State: state, Run: "r0", Rule: "x", Began: daysAgo(days), At: daysAgo(days)}
	}
	bySID := item("old", "", history.Open, 3)
	bySID.User = "S-1-5-21-7"
	another := func(via plan.Via) *history.Item {
		i := item("old", "", history.Open, 3)
		i.User, i.SID, i.Via = "id-gone", "S-1-5-21-7", via
		return i
	}
	for name, tc := range map[string]struct {
		past *history.Item
		want policy.Outcome
		why  string
	}{
		"under way":                     {item("old", "", history.Open, 3), policy.Reclaim, "pending: run r0 is changing old, a license that the policy no longer names; `idleseat apply r0` finishes it"},
		"under way, by the SID":         {bySID, policy.Reclaim, "pending: run r0 is changing old"},
		"under way, by another id":      {another(plan.ADGroup), policy.Reclaim, "pending: run r0 is changing old"},
		"of another id, in Entra ID":    {another(plan.EntraGroup), policy.Reclaim, ""},
		"under way, to one of no name":  {item("citrix", "old", history.Open, 3), policy.Reclaim, ""},
		"restored":                      {item("old", "", history.Restored, 3), policy.Keep, "cooling down: restored on 2026-11-20 as old, which the policy no longer names"},
		"restored long ago":             {item("old", "", history.Restored, 200), policy.Reclaim, ""},
		"restored, to one of no name":   {item("citrix", "old", history.Restored, 3), policy.Reclaim, ""},
		"given in place of another":     {item("citrix", "old", history.Taken, 3), policy.Keep, "cooling down: perhaps given on 2026-11-20 as old, which the policy no longer names"},
		"given long ago":                {item("citrix", "old", history.Taken, 200), policy.Reclaim, ""},
		"taken":                         {item("old", "", history.Taken, 3), policy.Reclaim, ""},
		"taken, to one of a known name": {item("old", "exo", history.Taken, 3), policy.Reclaim, ""},
		"taken, and this one given":     {item("old", "e3", history.Taken, 3), policy.Keep, "cooling down: given on 2026-11-20 in place of old, which the policy no longer names"},
		"taken, and this one given ago": {item("old", "e3", history.Taken, 200), policy.Reclaim, ""},
		"announced":                     {item("old", "", history.Announced, 3), policy.Reclaim, ""},
		"both, under way":               {item("old", "older", history.Open, 3), policy.Reclaim, "pending: run r0 is changing old"},
		"both names are known":          {item("citrix", "exo", history.Restored, 3), policy.Reclaim, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := holder(tc.past)
			w.entra[0].SID = "S-1-5-21-7"
			got := w.seal(t).asked(t, "m365-long")
			if got.Outcome != tc.want || (tc.why == "") != (got.Refused == "") || !strings.HasPrefix(got.Refused, tc.why) {
				t.Errorf("%s, refused %q; want %s, %q", got.Outcome, got.Refused, tc.want, tc.why)
			}
		})
	}
}

// From the second failure on, a change waits for more nights after each failure. A run for one person does not wait.
func TestSetbacksWait(t *testing.T) {
	t.Parallel()
	setback := func(user string, times int, asOf time.Time) *history.Setback {
		return &history.Setback{User: user, License: "e3", Run: "r0", AsOf: asOf, Times: times, Status: "failed", Why: "no seat"}
	}
	const sid = "S-1-5-21-7"
	due := setback("", 3, time.Time{}).Due().Sub(time.Time{})
	for name, tc := range map[string]struct {
		back  *history.Setback
		user  string // Begin.User, in a run for one person; empty in a run for everybody
		times int
		why   string
	}{
		"none":              {setback("id-q", 3, daysAgo(1)), "", 0, ""},
		"one":               {setback("id-p", 1, daysAgo(1)), "", 1, ""},
		"three":             {setback("id-p", 3, daysAgo(1)), "", 0, "failed in the last run, and 3 nights in a row could not make it: no seat; tried again from 2026-11-25 on"},
		"three, by the SID": {setback(sid, 3, daysAgo(1)), "", 0, "failed in the last run, and 3 nights in a row could not make it: no seat; tried again from 2026-11-25 on"},
		"three, for one":    {setback("id-p", 3, daysAgo(1)), "p@x.example", 3, ""},
		"three, and due":    {setback("id-p", 3, asOf.Add(-due)), "", 3, ""},
		"three, not due":    {setback("id-p", 3, asOf.Add(-due+time.Second)), "", 0, "failed in the last run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := holder(tc.back)
			w.entra[0].SID = sid
			r := w.seal(t)
			r.Begin.User = tc.user
			got := r.asked(t, "m365")
			if got.Outcome != policy.Reclaim || got.Setbacks != tc.times || strings.Contains(got.Reason, "; failed in the last run") != (tc.times > 0) {
				t.Errorf("%s after %d: %s", got.Outcome, got.Setbacks, got.Reason)
			}
			if (tc.why == "") != (got.Refused == "") || !strings.HasPrefix(got.Refused, tc.why) {
				t.Errorf("refused %q, want %q", got.Refused, tc.why)
			}
		})
	}
}

func TestReturnedWithSetback(t *testing.T) {
	t.Parallel()
	for _, times := range []int{0, 5} {
		w := world{
			entra:  []directory.EntraUser{accountOf("p", 5), accountOf("busy", 1)},
			policy: strings.Replace(text, "{changeTo: exo}", "{changeTo: exo, onReturn: restore}", 1),
			past:   []any{&history.Item{User: "id-p", License: "e3", State: history.Taken, Run: "r0", Rule: "m365", To: "exo", Via: plan.EntraGroup, Began: daysAgo(30), At: daysAgo(30)}},
		}
		if times > 0 {
			w.past = append(w.past, &history.Setback{User: "id-p", License: "e3", Run: "r1", AsOf: daysAgo(1), Times: times, Status: "failed", Why: "no seat"})
		}
		r := w.seal(t)
		got := r.asked(t, "m365")
		if got.RestoreOf != "r0" || got.Setbacks != times || got.Refused != "" || strings.HasSuffix(got.Reason, "5 nights in a row could not make it: no seat") != (times > 0) {
			t.Errorf("after %d: back %q, %d setbacks, %q; %s", times, got.RestoreOf, got.Setbacks, got.Refused, got.Reason)
		}
		e, err := r.Explain(only(t, r, "p@x.example"), asOf)
		if err != nil || !strings.HasPrefix(e.Answers[0].Reason, "active again on 2026-11-18, after run r0 took") {
			t.Errorf("explained: %+v, %v", e, err)
		}
	}
}

// Somebody else, whom the ledger has under a SID, has a pending change of a license that the policy does not name. It
// does not block the change of a person without a known SID.
func TestRenamedLicenseOfSomebodyElse(t *testing.T) {
	t.Parallel()
	other := &history.Item{User: "S-1-5-21-9", License: "old", State: history.Open, Run: "r0", Rule: "x", Via: plan.ADGroup, Began: daysAgo(3), At: daysAgo(3)}
	if got := holder(other).seal(t).asked(t, "m365"); got.Outcome != policy.Reclaim || got.Refused != "" {
		t.Errorf("%s, refused %q", got.Outcome, got.Refused)
	}
}
