package command

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestNightBehindAnother makes Active Directory unreachable while changes of an earlier run are pending. The night
// applies its own changes of Entra ID, and says that the earlier run could not go on.
func TestNightBehindAnother(t *testing.T) {
	t.Parallel()
	few := replace(t, "perRun: 200", "perRun: 8")
	s, _ := newNights(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 9 * time.Hour}, inMode(t, policy.Enforce), few)
	first, _ := s.runs(exitPending)
	s.later(day)
	s.setenv("IDLESEAT_AD_URLS", "ldaps://127.0.0.1:1")
	n, stderr := s.runs(exitFailed)
	if n.Results == nil || n.Results.Count(runs.Done)+n.Results.Count(runs.Pending) == 0 {
		t.Errorf("the night applied nothing of its own: %+v", n.Results)
	}
	if n.Pending == 0 || !strings.Contains(stderr, "go on with run "+first.Plan.Run+": ") {
		t.Errorf("%d pending\n%s", n.Pending, stderr)
	}
}

// TestRestoreBehindOne restores a run while Graph refuses to change one person. The command fails, but the licenses of
// the other people are restored.
func TestRestoreBehindOne(t *testing.T) {
	t.Parallel()
	s, first, c, i := waiting(t)
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && strings.Contains(r.URL.Path, c.User) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(`{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}`))
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	s.passes(7 * time.Hour) // now every domain controller shows the removals, so a restore does not wait
	a := s.want(exitFailed, "restore", "--run", first.Run, "--yes")
	if !strings.Contains(a.err, "of earlier runs failed or cannot be finished") || !s.inGroup(i, "LIC-M365-E3") {
		t.Errorf("%s\nthe person of the refused change is in the groups %v", a.err, s.company.Company.Person(i).Groups)
	}
	restored := 0
	for _, x := range first.Changes {
		if s.became(first.Run, x).Status != runs.Done || x.Via != plan.ADGroup {
			continue
		}
		if entries := s.entries(x.User, x.License); entries[len(entries)-1] != "restore done" {
			t.Errorf("%s of %s is not restored: %v", x.License, x.User, entries)
		}
		restored++
	}
	if restored == 0 {
		t.Error("no license was to be restored")
	}
}
