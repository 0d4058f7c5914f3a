package command

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The function "each" calls the function "change" for every nth person on every page. If "change" returns false, the
// page is sent without the person.
func each(n int, change func(u map[string]any) bool) func(http.Handler) http.Handler {
	return spoil(func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
		kept := []any{}
		for i, u := range body["value"].([]any) {
			if i%n != 0 || change(u.(map[string]any)) {
				kept = append(kept, u)
			}
		}
		body["value"] = kept
		_ = json.NewEncoder(w).Encode(body)
	})
}

// The function "fewer" halves the number of people that Graph returns for $count. A test that drops every second person
// from the list with the function "each" also needs "fewer", because the count and the list must agree.
func fewer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("$count") == "" {
			next.ServeHTTP(w, r)
			return
		}
		body := answerOf(next, r)
		body["@odata.count"] = int(body["@odata.count"].(float64) / 2)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	})
}

// The function "lapsed" makes the simulated Graph refuse requests for sign-in dates, as the real Graph does for a tenant
// without a premium license.
func lapsed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Query().Get("$select"), "signInActivity") {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"Neither tenant is B2C or tenant doesn't have premium license"}}`)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// e3Changes returns the number of changes of E3 in plan p. The E3 rule needs sign-in dates. The Citrix rule does not.
func e3Changes(p printed) (n int) {
	for _, c := range p.Changes {
		if c.License == "m365-e3" {
			n++
		}
	}
	return n
}

// noE3 fails the test if the ledger or the directory shows a change of anybody's Microsoft 365 license.
func (s *shell) noE3() {
	s.t.Helper()
	for _, e := range s.company.Company.History() {
		if e.Group != "Citrix Users" {
			s.t.Errorf("a broken feed changed something: %+v", e)
		}
	}
	if files, err := filepath.Glob(s.path("store/ledger/*/m365-e3/*")); len(files) > 0 || err != nil {
		s.t.Errorf("the ledger has %q, %v", files, err)
	}
}

// TestBrokenNight makes Graph list fewer sign-in dates or fewer people. The E3 rule reads sign-in dates, so it takes
// nothing. The Citrix rule needs only Active Directory, so it still takes licenses.
func TestBrokenNight(t *testing.T) {
	t.Parallel()
	noDate := func(u map[string]any) bool { delete(u, "signInActivity"); return true }
	tests := map[string]struct {
		fault  func(http.Handler) http.Handler
		reason string
	}{
		"dates of a third lost": {each(3, noDate), "people have a sign-in date and "},
		"all dates lost":        {each(1, noDate), "none of "},
		"half the people vanished": {func(next http.Handler) http.Handler {
			return fewer(each(2, func(map[string]any) bool { return false })(next))
		}, "part of the list is missing"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 1500, Seed: 4})
			good := s.plan(exitDone)
			s.company.Intercept(tc.fault)
			bad := s.plan(exitDone)
			f := bad.Sources["entra"]
			if f.State != plan.Unhealthy || !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("source entra: %+v", f)
			}
			if bad.Verdict != plan.Review || len(bad.Changes) == 0 || e3Changes(bad) > 0 { // the remaining changes come from the rule that uses Active Directory
				t.Errorf("verdict %s, %d changes, %d of them from the broken feed", bad.Verdict, len(bad.Changes), e3Changes(bad))
			}
			if a := s.want(exitHeld, "apply", good.Run, "--yes"); !strings.Contains(a.err, "superseded it") {
				t.Errorf("the plan of the night before: %s", a.err)
			}
			s.company.Intercept(nil) // apply reads the directories again, without the fault
			if r := s.done(bad.Run); r.Count(runs.Done) != len(bad.Changes) {
				t.Errorf("%d of %d changes of Active Directory are done", r.Count(runs.Done), len(bad.Changes))
			}
			s.noE3()
			s.company.Intercept(tc.fault)
			s.write("policy.yaml", replace(t, "LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90))", "LastlogonTimestamp.hasValue() ? false")(
				replace(t, "created.value() <= now - days(90)", "false")(string(s.company.Policy()))))
			held := s.plan(exitHeld)
			if held.Verdict != plan.Hold || !strings.Contains(strings.Join(held.HoldReasons, ""), tc.reason) {
				t.Errorf("nothing else to do: verdict %s, %q", held.Verdict, held.HoldReasons)
			}
			s.want(exitHeld, "apply", held.Run, "--yes")
			// An override bypasses only limits, but this plan is on hold for another reason.
			s.want(exitHeld, "apply", held.Run, "--yes", "--override-limits", held.PlanHash)
			s.write("policy.yaml", string(s.company.Policy()))
			s.company.Intercept(nil)
			if again := s.plan(exitDone); e3Changes(again) != e3Changes(good) || e3Changes(good) == 0 || again.Sources["entra"].State != plan.Healthy {
				t.Errorf("healed: %d changes, were %d; %+v", e3Changes(again), e3Changes(good), again.Sources["entra"])
			}
			s.noE3()
		})
	}
}

// TestAcceptFeeds makes Graph list only half of the people. Entra ID then counts as unhealthy, until an operator
// accepts the shorter list with --accept-feeds.
func TestAcceptFeeds(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1000, Seed: 4})
	s.plan(exitDone)
	s.company.Intercept(func(next http.Handler) http.Handler {
		return fewer(each(2, func(map[string]any) bool { return false })(next))
	})
	if p := s.plan(exitDone); p.Sources["entra"].State != plan.Unhealthy || !strings.Contains(p.Sources["entra"].Reason, "--accept-feeds") {
		t.Errorf("source entra: %+v", p.Sources["entra"])
	}
	if p := s.plan(exitDone, "--accept-feeds"); p.Sources["entra"].State != plan.Healthy {
		t.Errorf("accepted: %+v", p.Sources["entra"])
	}
	if p := s.plan(exitDone); p.Sources["entra"].State != plan.Healthy {
		t.Errorf("the night after: %+v", p.Sources["entra"])
	}
}

// TestFrozenFeed checks that rules about sign-ins take nothing when Graph has reported no new sign-in for five days.
func TestFrozenFeed(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 10*day, sandbox.Options{Users: 500, Seed: 4})
	s.plan(exitDone)
	s.later(0)
	s.ahead.Add(int64(5 * day)) // the clocks of the company and of the commands advance, and nobody signs in
	s.setenv("IDLESEAT_TEST_AHEAD", (-5 * day).String())
	p := s.plan(exitDone)
	if f := p.Sources["entra"]; f.State != plan.Unhealthy || !strings.Contains(f.Reason, "5 days before the planning instant: the feed has stalled") && !strings.Contains(f.Reason, "4 days before") {
		t.Errorf("source entra: %+v", f)
	}
	if p.Verdict != plan.Review || e3Changes(p) > 0 {
		t.Errorf("verdict %s, %d changes from a frozen feed", p.Verdict, e3Changes(p))
	}
	if a := s.want(exitHeld, "apply", p.Run, "--yes"); !strings.Contains(a.err, "the feed has stalled") {
		t.Errorf("apply: %s", a.err)
	}
	s.unwritten()
}

// TestGraphFailsOnAPage: if Graph fails after some pages of people, the run fails, and the incomplete list becomes no
// snapshot.
func TestGraphFailsOnAPage(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 10_200, Seed: 4})
	var pages atomic.Int64
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/users") && r.URL.Query().Get("$count") == "" && pages.Add(1) >= 7 {
				w.Header().Set("Retry-After", "0")
				http.Error(w, `{"error":{"code":"serviceNotAvailable","message":"try later"}}`, http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if a := s.want(exitFailed, "plan"); !strings.Contains(a.err, "503") || strings.Count(a.err, "\n") != 1 {
		t.Errorf("stderr: %s", a.err)
	}
	s.unwritten()
	if a := s.want(exitUsage, "explain", "anna@contoso.example"); !strings.Contains(a.err, "make one with `idleseat plan") {
		t.Errorf("half a list became a snapshot: %s", a.err)
	}
}

// TestPremiumLapses ends the tenant's premium license overnight, so Graph refuses sign-in dates. Both plan and apply
// then fail and change nothing.
func TestPremiumLapses(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 4})
	good := s.plan(exitDone)
	s.company.Intercept(lapsed)
	for _, command := range [][]string{{"plan"}, {"apply", good.Run, "--yes"}} {
		if a := s.want(exitFailed, command...); !strings.Contains(a.err, "no Microsoft Entra ID P1 or P2 license") {
			t.Errorf("%q: %s", command, a.err)
		}
	}
	s.unwritten()
}
