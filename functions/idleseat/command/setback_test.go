package command

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The function "refusing" makes Graph refuse writes that mention one of the users. A key of the argument "users" is an
// object id.
func refusing(users map[string]bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isWrite(r) {
				next.ServeHTTP(w, r)
				return
			}
			body, _ := io.ReadAll(r.Body)
			for user := range users {
				if strings.Contains(string(body)+r.URL.Path, user) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, `{"error":{"code":"Request_BadRequest","message":"The account is broken."}}`)
					return
				}
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			next.ServeHTTP(w, r)
		})
	}
}

// TestSetbacks makes some changes fail every night. A plan lists such a change after all other changes, and lists it
// again only in the nights 2, 4, 8 and 16, because the pause doubles after each failure.
func TestSetbacks(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 60*day, sandbox.Options{Users: 300, Seed: 5}, replace(t, "perRun: 200", "perRun: 3"), replace(t, "days(90)", "days(3650)"))
	broken := map[string]bool{}
	first := s.plan(exitDone)
	for _, c := range first.Changes {
		broken[c.User] = true
	}
	s.company.Intercept(refusing(broken))
	s.want(exitFailed, "apply", first.Run, "--yes")
	if r := s.results(first.Run); r.Count(runs.Failed) != 3 || len(broken) != 3 || first.Deferred < 4 {
		t.Fatalf("the first night: %d deferred, %+v", first.Deferred, r)
	}
	tried := []int{0} // the nights in which the failing changes were tried
	for night := 1; night <= 16; night++ {
		next := s.night()
		of := slices.DeleteFunc(slices.Clone(next.Changes), func(c plan.Change) bool { return !broken[c.User] })
		switch good := len(next.Changes) - len(of); {
		case night == 1 && (good != 3 || next.Deferred != first.Deferred):
			t.Errorf("the second night: %d others of %d, %d deferred", good, len(next.Changes), next.Deferred)
		case night == 1: // the new policy raises the limit of three changes for each run
			s.write("policy.yaml", replace(t, "days(90)", "days(3650)")(string(s.company.Policy())))
		case len(of) == 3:
			tried = append(tried, night)
		}
		for _, c := range of {
			if !strings.Contains(c.Reason, `; failed in the last run`) || !strings.Contains(c.Reason, `"The account is broken."`) {
				t.Errorf("night %d: %q", night, c.Reason)
			}
		}
		for user := range broken {
			if planned := slices.ContainsFunc(of, func(c plan.Change) bool { return c.User == user }); planned || next.Deferred > 0 {
				continue
			}
			if got := next.reason(user, "m365-e3"); !strings.HasPrefix(got, "failed in the last run, and ") || !strings.Contains(got, `"The account is broken."; tried again from `) {
				t.Errorf("night %d, left alone for %q", night, got)
			}
		}
	}
	if !slices.Equal(tried, []int{0, 2, 4, 8, 16}) { // in night 1, other changes use up the limit
		t.Errorf("tried in the nights %v", tried)
	}
	one := s.plan(exitDone, "--user", first.Changes[0].UserPrincipalName)
	if len(one.Changes) != 1 || !strings.Contains(one.Changes[0].Reason, "nights in a row could not make it") {
		t.Errorf("for one person: %+v", one.Changes)
	}
	s.company.Intercept(nil)
	s.want(exitDone, "apply", one.Run, "--yes")
	if got := s.became(one.Run, one.Changes[0]); got.Status == runs.Failed {
		t.Errorf("mended: %+v", got)
	}
}

// TestRulesInTheirOrder: several changes of a person have the order of the rules in the policy, and not the
// alphabetical order. Among the changes of one rule, those of the people who are idle longest come first.
func TestRulesInTheirOrder(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 600, Seed: 1}, replace(t, "citrix-idle-90", "a-citrix"), replace(t, "perRun: 200", "perRun: 500"))
	p := s.plan(exitDone)
	at := map[string]int{}
	for i, c := range p.Changes {
		at[c.User+c.License] = i + 1
	}
	both := 0
	for _, c := range p.Changes {
		e3, citrix := at[c.User+"m365-e3"], at[c.User+"citrix"]
		if c.License != "citrix" || e3 == 0 {
			continue
		}
		if both++; e3 > citrix {
			t.Errorf("%s: m365-e3 is change %d, citrix %d", c.UserPrincipalName, e3, citrix)
		}
	}
	if both < 2 {
		t.Fatalf("%d people lose both", both)
	}
	last := time.Time{}
	for _, c := range p.Changes {
		if c.License != "m365-e3" || c.IdleSince == nil {
			continue
		}
		if c.IdleSince.Before(last) {
			t.Errorf("%s is idle longer than somebody before", c.UserPrincipalName)
		}
		last = *c.IdleSince
	}
}
