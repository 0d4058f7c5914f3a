package command

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestAnswersToWrites checks the result of a change when Graph answers a write with an error.
func TestAnswersToWrites(t *testing.T) {
	t.Parallel()
	refuse := func(w http.ResponseWriter, status int, code, message string) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"error":{"code":%q,"message":%q}}`, code, message)
	}
	const busy = "Your operation conflicted with a concurrent operation on one or more of the objects. Please wait briefly and retry."
	for name, tc := range map[string]struct {
		// The function "answer" answers the nth DELETE. The function "made" makes the write in the simulated company.
		// If "answer" returns false, the simulated Graph makes the write and answers.
		answer func(n int, w http.ResponseWriter, made func()) bool
		want   runs.Status
		note   string
	}{
		"made, and the answer lost": {func(n int, w http.ResponseWriter, made func()) bool {
			if n == 1 {
				made()
				refuse(w, http.StatusGatewayTimeout, "UnknownError", "")
			} else {
				refuse(w, http.StatusBadRequest, "Request_BadRequest", "One or more removed object references do not exist for the following modified properties: 'members'.")
			}
			return true
		}, runs.Done, ""},
		"two at the same moment": {func(n int, w http.ResponseWriter, _ func()) bool {
			if n < 3 {
				refuse(w, map[int]int{1: 409, 2: 503}[n], "Directory_ConcurrencyViolation", busy)
			}
			return n < 3
		}, runs.Done, ""},
		"a restricted unit": {func(n int, w http.ResponseWriter, _ func()) bool {
			if n == 1 {
				refuse(w, http.StatusForbidden, "Authorization_RequestDenied", "The object is in a restricted management administrative unit.")
			}
			return n == 1 // the second DELETE removes the person from the group of Exchange Online, which is in no restricted unit
		}, runs.Failed, "only administrators of that unit may change it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := clockedShell(t, sandbox.Options{Users: 200, Seed: 1})
			p := s.chosen(plan.EntraGroup)
			i, _ := number(s, p.Changes[0].User)
			before := holding(s.company.Company)[i]
			deletes := 0
			s.company.Intercept(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodDelete {
						deletes++
						if tc.answer(deletes, w, func() { next.ServeHTTP(&recorder{header: http.Header{}}, r) }) {
							return
						}
					}
					next.ServeHTTP(w, r)
				})
			})
			x := runs.Result{Status: runs.Pending}
			for calls := 0; x.Status == runs.Pending && calls < mostCalls; calls++ {
				s.run("apply", p.Run, "--yes")
				s.passes(time.Minute)
				x = s.results(p.Run).Results[0]
			}
			if x.Status != tc.want || !strings.Contains(x.Note, tc.note) || strings.Contains(x.Note, "permission") {
				t.Errorf("%s: %s", x.Status, x.Note)
			}
			if same := cmp.Equal(before, holding(s.company.Company)[i]); same != (tc.want == runs.Failed) {
				t.Errorf("%s, and holds %q instead of %q", x.Status, holding(s.company.Company)[i], before)
			}
		})
	}
}
