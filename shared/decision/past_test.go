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
)

func TestPast(t *testing.T) {
	t.Parallel()
	item := func(s history.State, days int) *history.Item {
		return &history.Item{State: s, Run: "r0", Rule: "m365", To: "exo", Via: plan.EntraGroup, Began: daysAgo(days), At: daysAgo(days)}
	}
	announced := func(days int, idle time.Time) *history.Item {
		i := item(history.Announced, days)
		i.IdleSince = &idle
		return i
	}
	perhaps := func(days int) *history.Item {
		i := announced(days, daysAgo(70))
		i.State = history.Unsure
		return i
	}
	givenBefore := func(i *history.Item, days int) *history.Item {
		i.HeldSince = daysAgo(days)
		return i
	}
	held := []directory.Assignment{e3ByGroup}
	tests := map[string]struct {
		policy string // edits to the policy, as old|new
		days   int    // days since the last sign-in
		holds  []directory.Assignment
		past   *history.Item
		want   policy.Outcome
		back   bool
		notice bool
		reason string // why nothing is changed; empty if something is changed
	}{
		"nothing before":                 {"", 70, held, nil, policy.Reclaim, false, false, ""},
		"pending":                        {"", 70, held, item(history.Open, 3), policy.Reclaim, false, false, "pending: run r0 began to change this license on 2026-11-20; `idleseat apply r0` finishes it"},
		"announced, idle since is lost":  {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, item(history.Announced, 20), policy.Reclaim, false, true, ""},
		"pending, source left":           {"", 70, nil, item(history.Open, 3), policy.NotHolder, false, false, "pending: run r0 began to change this license on 2026-11-20; `idleseat apply r0` finishes it"},
		"restored yesterday":             {"", 70, held, item(history.Restored, 1), policy.Keep, false, false, "cooling down: restored on 2026-11-22, and not taken again before the person was idle for the rule's whole span from then on"},
		"restored 60 days ago":           {"", 70, held, item(history.Restored, 60), policy.Keep, false, false, "cooling down: restored on 2026-09-24"},
		"restored 61 days ago":           {"", 70, held, item(history.Restored, 61), policy.Reclaim, false, false, ""},
		"restored, active since":         {"", 5, held, item(history.Restored, 61), policy.Keep, false, false, ""},
		"restored by somebody":           {"", 70, held, item(history.Taken, 30), policy.Keep, false, false, "cooling down: restored by somebody else after run r0 took it"},
		"taken, still away":              {"", 70, nil, item(history.Taken, 30), policy.NotHolder, false, false, ""},
		"taken, came back, not asked":    {"", 5, nil, item(history.Taken, 30), policy.NotHolder, true, false, "not restored: the rule has no onReturn: restore; `idleseat restore p@x.example` does it"},
		"taken, came back":               {"{changeTo: exo}|{changeTo: exo, onReturn: restore}", 5, nil, item(history.Taken, 30), policy.NotHolder, true, false, ""},
		"came back, another target":      {"{changeTo: exo}|{remove: true, onReturn: restore}", 5, nil, item(history.Taken, 30), policy.NotHolder, true, false, "not restored: the rule now changes to another license than the run that took it"},
		"came back, out of scope":        {"for: accountEnabled|for: accountEnabled && department == \"Sales\"", 5, nil, item(history.Taken, 30), policy.NotHolder, true, false, "not restored: the rule's condition \"for\" does not hold for the person, or is not known to"},
		"taken, signed in just before":   {"", 30, nil, item(history.Taken, 30), policy.NotHolder, true, false, "not restored: the rule has no onReturn: restore"},
		"taken, these data are older":    {"", 70, held, item(history.Taken, 0), policy.Undecided, false, false, ""},
		"by another rule":                {"", 5, nil, &history.Item{State: history.Taken, Run: "r0", Rule: "m365-long", Began: daysAgo(30), At: daysAgo(30)}, policy.NotHolder, false, false, ""},
		"by a rule that is gone":         {"", 5, nil, &history.Item{State: history.Taken, Run: "r0", Rule: "old", To: "exo", Via: plan.EntraGroup, Began: daysAgo(30), At: daysAgo(30)}, policy.NotHolder, true, false, "not restored: the policy no longer has the rule old that took it; `idleseat restore p@x.example` does it"},
		"first announced":                {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, nil, policy.Reclaim, false, true, ""},
		"announced 13 days ago":          {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, announced(13, daysAgo(70)), policy.Reclaim, false, false, "announced on 2026-11-10; done from 2026-11-25T12:00:00Z on if the person is still idle"},
		"announced 16 days ago":          {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, announced(16, daysAgo(70)), policy.Reclaim, false, false, ""},
		"announced, active since":        {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, announced(90, daysAgo(200)), policy.Reclaim, false, true, ""},
		"announced by another rule":      {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, &history.Item{State: history.Announced, Rule: "old", To: "exo", At: daysAgo(50), IdleSince: new(daysAgo(70))}, policy.Reclaim, false, true, ""},
		"announced for another license":  {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, &history.Item{State: history.Announced, Rule: "m365", At: daysAgo(50), IdleSince: new(daysAgo(70))}, policy.Reclaim, false, true, ""},
		"perhaps announced 13 days ago":  {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, perhaps(13), policy.Reclaim, false, false, "perhaps announced: nobody knows whether the mail of 2026-11-10 was sent; announced again from 2026-11-25T12:00:00Z on if the person is still idle"},
		"perhaps announced 16 days ago":  {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, perhaps(16), policy.Reclaim, false, true, ""},
		"restored, then announced":       {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, givenBefore(announced(14, daysAgo(70)), 59), policy.Keep, false, false, "cooling down: restored on 2026-09-25"},
		"restored, perhaps announced":    {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, givenBefore(perhaps(14), 59), policy.Keep, false, false, "cooling down: restored on 2026-09-25"},
		"restored long ago, announced":   {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, givenBefore(announced(16, daysAgo(70)), 61), policy.Reclaim, false, false, ""},
		"not announced, restored":        {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, &history.Item{State: history.Restored, Rule: "m365", To: "exo", At: daysAgo(200), IdleSince: new(daysAgo(70))}, policy.Reclaim, false, true, ""},
		"restored, these data are older": {"", 70, held, item(history.Restored, 0), policy.Keep, false, false, "cooling down: restored on 2026-11-23"},
		"taken just now, and active":     {"", 5, held, item(history.Taken, 0), policy.Keep, false, false, ""},
		"restored, away, and active":     {"", 5, nil, item(history.Restored, 30), policy.NotHolder, false, false, ""},
		"restored after an earlier":      {"{changeTo: exo}|{changeTo: exo, notice: 14}", 70, held, item(history.Restored, 10), policy.Keep, false, false, "cooling down: restored on 2026-11-13"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := world{entra: []directory.EntraUser{accountOf("p", tc.days, tc.holds...), accountOf("busy", 1)}}.seal(t)
			if old, edited, ok := strings.Cut(tc.policy, "|"); ok {
				if !strings.Contains(text, old) {
					t.Fatalf("the policy has no %q", old)
				}
				var err error
				if r.Policy, err = policy.Load("p", []byte(strings.Replace(text, old, edited, 1))); err != nil {
					t.Fatal(err)
				}
			}
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("m365")
			d := r.Decide(judge, rule, p, judge.Ask(rule, p), tc.past, nil)
			if d.Outcome != tc.want || (d.RestoreOf != "") != tc.back || d.Notice != tc.notice {
				t.Errorf("outcome %s, back %q, notice %t", d.Outcome, d.RestoreOf, d.Notice)
			}
			if (tc.reason == "") != (d.Refused == "") || !strings.HasPrefix(d.Refused, tc.reason) {
				t.Errorf("refused %q, want %q", d.Refused, tc.reason)
			}
			if pending := tc.past != nil && tc.past.State == history.Open; (d.Pending == "r0") != pending {
				t.Errorf("pending by %q", d.Pending)
			}
			if tc.back && (!strings.HasPrefix(d.Reason, "active again on "+dayOf(daysAgo(tc.days))+", after run r0 took the license on 2026-10-24") || d.Seat != "e3" || d.Via != plan.EntraGroup) {
				t.Errorf("the way back: %+v", d)
			}
			if again := tc.past != nil && tc.past.State == history.Taken && len(tc.holds) > 0 && tc.want != policy.Undecided && name != "taken just now, and active"; (d.HeldAgain == "r0") != again {
				t.Errorf("held again: %q", d.HeldAgain)
			}
		})
	}
}

// A license is restored only if the condition "for" is known to be true.
func TestReturnedInUnknownScope(t *testing.T) {
	t.Parallel()
	for enabled, want := range map[directory.Flag]string{
		directory.Yes: "", directory.No: `the rule's condition "for" does not hold for the person`, directory.Unset: "or is not known to",
	} {
		u := accountOf("p", 5)
		u.Enabled = enabled
		r := world{entra: []directory.EntraUser{u, accountOf("busy", 1)}}.seal(t)
		var err error
		if r.Policy, err = policy.Load("p", []byte(strings.Replace(text, "{changeTo: exo}", "{changeTo: exo, onReturn: restore}", 1))); err != nil {
			t.Fatal(err)
		}
		judge, err := r.Judge(asOf)
		if err != nil {
			t.Fatal(err)
		}
		p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("m365")
		past := &history.Item{State: history.Taken, Run: "r0", Rule: "m365", To: "exo", Via: plan.EntraGroup, Began: daysAgo(30), At: daysAgo(30)}
		d := r.Decide(judge, rule, p, judge.Ask(rule, p), past, nil)
		if d.RestoreOf != "r0" || (want == "") != (d.Refused == "") || !strings.Contains(d.Refused, want) {
			t.Errorf("enabled %v: back %q, refused %q, want %q", enabled, d.RestoreOf, d.Refused, want)
		}
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	direct, byGroup := []directory.Assignment{e3Direct}, []directory.Assignment{e3ByGroup}
	exo := directory.Assignment{SKU: "sku-exo", State: "Active"}
	tests := map[string]struct {
		holds   []directory.Assignment
		change  func(*directory.EntraUser)
		quota   float64
		seat    string
		mailbox bool
		refused string
	}{
		"takes a seat":                 {direct, func(*directory.EntraUser) {}, 0, "exo", false, ""},
		"holds the target already":     {[]directory.Assignment{e3ByGroup, exo}, func(*directory.EntraUser) {}, 0, "", false, ""},
		"no usage location":            {direct, func(u *directory.EntraUser) { u.UsageLocation = "" }, 0, "", false, "the person has no usage location, without which Graph assigns no license; set usageLocation first"},
		"by group, no usage location":  {byGroup, func(u *directory.EntraUser) { u.UsageLocation = "" }, 0, "exo", false, ""},
		"guarded":                      {byGroup, func(*directory.EntraUser) {}, 50, "exo", true, ""},
		"not guarded, sign-in blocked": {byGroup, func(u *directory.EntraUser) { u.Enabled = directory.No }, 0, "exo", false, ""},
		"guarded, sign-in blocked":     {byGroup, func(u *directory.EntraUser) { u.Enabled = directory.No }, 50, "exo", true, ""}, // the gate decides by the mailbox report
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := accountOf("p", 70, tc.holds...)
			tc.change(&u)
			r := world{entra: []directory.EntraUser{u, accountOf("busy", 1)}}.seal(t)
			var err error
			guarded := ""
			if tc.quota > 0 {
				guarded = fmt.Sprintf(", mailboxQuota: %g", tc.quota)
			}
			edited := strings.NewReplacer("for: accountEnabled, ", "", "{entra: LIC-EXO}", "{entra: LIC-EXO}"+guarded).Replace(text)
			if r.Policy, err = policy.Load("p", []byte(edited)); err != nil {
				t.Fatal(err)
			}
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("m365")
			d := r.Decide(judge, rule, p, judge.Ask(rule, p), nil, nil)
			if blocked := tc.quota > 0 && u.Enabled != directory.Yes; d.Blocked != blocked {
				t.Errorf("sign-in blocked: %t", d.Blocked)
			}
			if d.Outcome != policy.Reclaim || d.Seat != tc.seat || d.Mailbox != tc.mailbox || d.Refused != tc.refused {
				t.Errorf("%s, seat %q, mailbox %t, refused %q", d.Outcome, d.Seat, d.Mailbox, d.Refused)
			}
		})
	}
}
