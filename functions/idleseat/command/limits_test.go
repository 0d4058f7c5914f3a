package command

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestBacklog applies a backlog of many licenses over several nights. A night must take the licenses of the people who
// are idle longest. One override, on the first night, must be enough.
func TestBacklog(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1170, Seed: 2}, replace(t, "days(60)", "days(1)"), replace(t, "perRun: 234", "perRun: 50"),
		replace(t, "then: {changeTo: exchange-online}", "then: {remove: true, mailbox: lost}"), replace(t, "LastlogonTimestamp.earlierThan(now - days(90))", "false"), replace(t, "created.value() <= now - days(90)", "false"))
	p := s.plan(exitHeld)
	backlog := len(p.Changes) + p.Deferred
	if backlog <= 700 || backlog > 750 || len(p.Changes) != 50 {
		t.Fatalf("a backlog of %d, %d of them first", backlog, len(p.Changes))
	}
	nights, removed, last, args := 0, 0, time.Time{}, []string{"--override-limits", p.PlanHash}
	for len(p.Changes) > 0 {
		for _, c := range p.Changes {
			if c.IdleSince == nil {
				continue // people who never signed in are ordered by the age of their account, which the plan does not show
			}
			if c.IdleSince.Before(last) {
				t.Fatalf("night %d: %s, idle since %s, comes after somebody idle since %s", nights+1, c.UserPrincipalName, c.IdleSince, last)
			}
			last = *c.IdleSince
		}
		r := s.done(p.Run, args...)
		removed += r.Count(runs.Done)
		nights, args = nights+1, nil
		if p = s.plan(exitDone); len(p.Changes) > 0 && p.Verdict != plan.Review {
			t.Fatalf("night %d: verdict %s: %q", nights+1, p.Verdict, p.HoldReasons)
		}
	}
	if nights != 15 || removed != backlog {
		t.Errorf("%d of %d were done in %d nights", removed, backlog, nights)
	}
}

// TestEverybodyMatches: a plan whose rules match thousands of people is on hold. With an override that has the hash of
// the plan, apply makes the changes, and only once. With another hash, it refuses.
func TestEverybodyMatches(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 7200, Seed: 3}, replace(t, "AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()", "true"),
		replace(t, `for: accountEnabled && systemRole == "Employee"`, `for: "true"`), replace(t, "perRun: 1440", "perRun: 30"))
	p := s.plan(exitHeld)
	if p.Counts.Reclaim < 5000 {
		t.Fatalf("only %d people match", p.Counts.Reclaim)
	}
	if p.Verdict != plan.Hold || len(p.Changes) != 30 || !strings.Contains(strings.Join(p.HoldReasons, "\n"), "m365-idle-60 matches") {
		t.Fatalf("verdict %s, %d changes, %q", p.Verdict, len(p.Changes), p.HoldReasons)
	}
	s.want(exitHeld, "apply", p.Run, "--yes")
	s.want(exitHeld, "apply", p.Run, "--yes", "--override-limits", strings.Repeat("ab", 32))
	s.unwritten()
	if r := s.done(p.Run, "--override-limits", p.PlanHash); r.Count(runs.Done) != 30 {
		t.Errorf("%d of 30 are done", r.Count(runs.Done))
	}
	writes := len(s.company.Company.History())
	if a := s.want(exitHeld, "apply", p.Run, "--yes", "--override-limits", p.PlanHash); !strings.Contains(a.err, "every change of the plan is final already") {
		t.Errorf("again: %s", a.err)
	}
	if n := len(s.company.Company.History()); n != writes {
		t.Errorf("applying again wrote %d times", n-writes)
	}
}

// TestWrongTenant: apply and plan fail when Graph answers for another tenant.
func TestWrongTenant(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 6})
	p := s.plan(exitDone)
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kept := &recorder{header: http.Header{}}
			next.ServeHTTP(kept, r)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, strings.ReplaceAll(kept.body.String(), sandbox.TenantID, "99999999-2222-3333-4444-555555555555"))
		})
	})
	if a := s.want(exitHeld, "apply", p.Run, "--yes"); !strings.Contains(a.err, "the plan is for tenant "+sandbox.TenantID+", but Graph answered for 99999999-") {
		t.Errorf("apply: %s", a.err)
	}
	if a := s.want(exitUsage, "plan"); !strings.Contains(a.err, "99999999-") {
		t.Errorf("plan: %s", a.err)
	}
	s.unwritten()
}
