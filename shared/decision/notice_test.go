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
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// noticeOf returns an announcement by the rule m365-long, made the given number of days ago. The rule may take E3 14
// days after it.
func noticeOf(days int) *history.Item {
	idle := daysAgo(100)
	return &history.Item{
		User: "id-p", License: "e3", State: history.Announced, Run: "r0", Rule: "m365-long", Via: plan.Notice,
		Began: daysAgo(days), At: daysAgo(days), IdleSince: &idle, Due: daysAgo(days - 14),
	}
}

// noticing returns the test policy. In it, the rule m365-long gives notice of the given number of days. "0" means no
// notice.
func noticing(t *testing.T, days string) string {
	t.Helper()
	return replaceOnce(t, text, "days(90)), then: remove}\n  - {name: citrix", "days(90)), then: {remove: true, notice: "+days+"}}\n  - {name: citrix")
}

// No rule takes a license before the day that an announcement named, whatever the policy says by then.
func TestNoticeIsKept(t *testing.T) {
	t.Parallel()
	by := func(rule, to string, i *history.Item) *history.Item {
		i.Rule, i.To = rule, to
		return i
	}
	idle := func(i *history.Item, days int) *history.Item {
		*i.IdleSince = daysAgo(days)
		return i
	}
	until := func(i *history.Item, days int) *history.Item {
		i.Due = daysAgo(-days)
		return i
	}
	undated := noticeOf(0)
	undated.Due = time.Time{}
	unsure := func(i *history.Item) *history.Item {
		i.State = history.Unsure
		return i
	}
	for name, tc := range map[string]struct {
		policy string
		past   *history.Item
		notice bool
		why    string // why nothing is done now; empty if something is done
	}{
		"as it was":                       {noticing(t, "14"), noticeOf(8), false, "announced on 2026-11-15; done from 2026-11-30T12:00:00Z on if the person is still idle"},
		"a shorter notice":                {noticing(t, "7"), noticeOf(8), false, "announced on 2026-11-15; done from 2026-11-30T12:00:00Z on"},
		"a longer notice":                 {noticing(t, "30"), noticeOf(8), false, "announced on 2026-11-15; done from 2026-12-16T12:00:00Z on"},
		"no notice any more":              {text, noticeOf(8), false, "announced on 2026-11-15; done from 2026-11-30T12:00:00Z on"},
		"the day is over":                 {noticing(t, "14"), noticeOf(14), false, "announced on 2026-11-09; done from 2026-11-24T12:00:00Z on"},
		"the day after, too early":        {noticing(t, "14"), noticeOf(15), false, "announced on 2026-11-08; done from 2026-11-23T12:00:00Z on"},
		"the dates of that day are here":  {noticing(t, "14"), noticeOf(16), false, ""},
		"no notice any more, and over":    {text, noticeOf(16), false, ""},
		"a shorter notice, over":          {noticing(t, "7"), noticeOf(16), false, ""},
		"by another rule":                 {noticing(t, "7"), by("m365", "", noticeOf(8)), false, "announced on 2026-11-15; announced again from 2026-11-30T12:00:00Z on if the person is still idle"},
		"by another rule, over":           {noticing(t, "7"), by("m365", "", noticeOf(16)), true, ""},
		"by another rule, without notice": {text, by("m365", "", noticeOf(8)), false, "announced on 2026-11-15; done from 2026-11-30T12:00:00Z on"},
		"by a rule with other dates":      {text, idle(noticeOf(8), 300), false, "announced on 2026-11-15; done from 2026-11-30T12:00:00Z on"},
		"an earlier use, seen late":       {noticing(t, "7"), idle(noticeOf(8), 300), false, "announced on 2026-11-15; announced again from 2026-11-30T12:00:00Z on"},
		"an earlier use, over":            {noticing(t, "7"), idle(noticeOf(16), 300), true, ""},
		"a later use":                     {noticing(t, "7"), until(noticeOf(101), 10), true, ""},
		"a later use, without notice":     {text, until(noticeOf(101), 10), false, ""},
		"an earlier use, a long notice":   {text, until(noticeOf(99), 10), false, "announced on 2026-08-16; done from 2026-12-04T12:00:00Z on"},
		"of an older version":             {text, undated, false, ""},
		"for another target":              {noticing(t, "7"), by("m365-long", "exo", noticeOf(8)), false, "announced on 2026-11-15; announced again from"},
		"perhaps":                         {noticing(t, "7"), unsure(noticeOf(8)), false, "perhaps announced: nobody knows whether the mail of 2026-11-15 was sent; announced again from 2026-11-30T12:00:00Z on"},
	} {
		w := holder(tc.past)
		w.policy = tc.policy
		got := w.seal(t).asked(t, "m365-long")
		if got.Outcome != policy.Reclaim || got.Notice != tc.notice || (tc.why == "") != (got.Refused == "") || !strings.HasPrefix(got.Refused, tc.why) {
			t.Errorf("%s: %s, notice %t, refused %q; want %q", name, got.Outcome, got.Notice, got.Refused, tc.why)
		}
	}
}

// A change that depends on a usage report waits until a report covers the day that the announcement named. The report
// of this test ends two days before the run, as it usually does.
func TestNoticeWaitsForTheReports(t *testing.T) {
	t.Parallel()
	const key = "runs/run/usage/copilot"
	reading, object := reported(t, key)
	for told, want := range map[int]string{
		14: "announced on 2026-11-09; done from 2026-11-24T12:00:00Z on if the person is still idle",
		15: "announced on 2026-11-08; done from 2026-11-23T12:00:00Z on if the person is still idle",
		16: "",
		40: "",
	} {
		w := holder(noticeOf(told))
		w.policy = withCopilot(t, noticing(t, "14"))
		w.manifest = func(m *snapshot.Manifest) { m.Reports = []usage.Reading{reading} }
		r := w.seal(t)
		if err := store.PutBytes(t.Context(), r.store, key, object); err != nil {
			t.Fatal(err)
		}
		if got := r.asked(t, "m365-long"); got.Outcome != policy.Reclaim || got.Notice || got.Refused != want {
			t.Errorf("%d days after the announcement: %s (%s), notice %t, refused %q", told, got.Outcome, got.Reason, got.Notice, got.Refused)
		}
	}
}

// TestEndOfNotice: a notice asks the person to use the license before a day. The change is due 24 hours after noon of
// this day in UTC, when the day has begun in every time zone, or 24 hours after the end of the notice if that is later.
// A change by a rule without dates of use is due at the end of the notice.
func TestEndOfNotice(t *testing.T) {
	t.Parallel()
	p, err := policy.Load("p", []byte(noticing(t, "14")))
	if err != nil {
		t.Fatal(err)
	}
	undated, err := policy.Load("p", []byte(replaceOnce(t, noticing(t, "14"), "AzureAdSistaLogon.earlierThan(now - days(90))", `userType == "x"`)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ told, due, undated string }{
		{"2026-11-09T04:00:00Z", "2026-11-24T12:00:00Z", "2026-11-23T04:00:00Z"},
		{"2026-11-09T12:00:00Z", "2026-11-24T12:00:00Z", "2026-11-23T12:00:00Z"},
		{"2026-11-09T22:30:00Z", "2026-11-24T22:30:00Z", "2026-11-23T22:30:00Z"},
		{"2026-11-09T01:00:00+02:00", "2026-11-23T23:00:00Z", "2026-11-22T23:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, tc.told)
		if err != nil {
			t.Fatal(err)
		}
		past := &history.Item{At: at}
		if got := dueOf(p.RuleNamed("m365-long"), past).UTC().Format(time.RFC3339); got != tc.due {
			t.Errorf("told at %s: due at %s, want %s", tc.told, got, tc.due)
		}
		if got := dueOf(undated.RuleNamed("m365-long"), past).UTC().Format(time.RFC3339); got != tc.undated {
			t.Errorf("told at %s by a rule without dates of use: due at %s, want %s", tc.told, got, tc.undated)
		}
	}
}

// An announcement counts for 32 days after the change is due (noticeCounts). It no longer counts if a leave of the
// person ended after it.
func TestNoticeLapses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		told   int // days since the announcement
		leave  int // days since the end of a leave; 0: no leave
		notice bool
	}{
		"two days after its day":           {16, 0, false},
		"32 days after it was due":         {47, 0, false}, // a day after its day
		"33 days after it was due":         {48, 0, true},
		"a leave that ended since":         {96, 95, true},
		"a leave that ended since, lately": {44, 43, true},
		"a leave that ended before":        {20, 95, false},
	} {
		w := holder(noticeOf(tc.told))
		w.policy = noticing(t, "14")
		if tc.leave > 0 {
			until := daysAgo(tc.leave).Format(time.DateOnly)
			w.policy = replaceOnce(t, w.policy, "exempt: {users: [exempt@x.example]}", "exempt: {leave: [{user: p@x.example, until: "+until+"}]}")
		}
		r := w.seal(t)
		judge, err := r.Judge(asOf)
		if err != nil {
			t.Fatal(err)
		}
		p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("m365-long")
		v := policy.Verdict{Outcome: policy.Reclaim, IdleSince: daysAgo(100), Holder: directory.Yes} // the leave of 43 days ago alone keeps the license
		if got := r.Decide(judge, rule, p, v, r.Past(p.ID(), p.SID(), "e3"), nil); got.Notice != tc.notice || got.Refused != "" {
			t.Errorf("%s: notice %t, refused %q", name, got.Notice, got.Refused)
		}
	}
}
