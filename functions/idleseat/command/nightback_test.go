package command

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/runs"
)

// TestNightWithoutPlan: a restore is half-way, and a night fails before it has a plan. If the list of Entra ID cannot
// be read, the night finishes the restore. If the policy is wrong or has mode audit, nothing may be written. The night
// then names the command that finishes the restore.
func TestNightWithoutPlan(t *testing.T) {
	t.Parallel()
	noList := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/users") {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	for name, tc := range map[string]struct {
		mode   string // replaces "mode: review" in the policy; empty: the policy stays
		status int
		ends   bool // whether the night itself finishes the change
	}{
		"Entra ID cannot be listed": {"", exitUnread, true},
		"in mode audit":             {"mode: audit", exitUnread, false},
		"the policy is wrong":       {"mode: review\nwrong: key", exitUsage, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, first, c, i := waiting(t, withoutGrace(t))
			s.company.Intercept(stuck)
			s.want(exitFailed, "restore", c.UserPrincipalName, "--yes")
			s.company.Intercept(noList)
			if tc.mode != "" {
				s.rewrite(s.path("policy.yaml"), func(b []byte) []byte { return bytes.Replace(b, []byte("mode: review"), []byte(tc.mode), 1) })
			}
			s.later(day)
			a := s.want(tc.status, "run")
			_, command, found := strings.Cut(a.err, c.User+", "+c.License+": half-way back since run "+first.Run+"; to restore all that this run took from the person, call:  idleseat ")
			if found == tc.ends {
				t.Fatalf("%s", a.err)
			}
			if !tc.ends {
				command, _, _ = strings.Cut(command, "\n")
				s.want(exitDone, append(strings.Fields(command), "--yes")...)
			}
			s.endsInSource(first, c, i, runs.Kept, "somebody asked to restore it")
		})
	}
}
