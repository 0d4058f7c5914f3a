package endtoend

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func TestOperator(t *testing.T) {
	t.Parallel()
	small := company
	small.Users = 400
	r := newRig(t, options{company: small, mode: "review"})
	before := r.holdings()
	idleseat := r.operator()
	text, steps, status := idleseat("plan", "--format", "json")
	var plan struct {
		Run, PlanHash, Verdict string
		Changes                int
	}
	if err := json.Unmarshal([]byte(text), &plan); err != nil || status != 0 || plan.Verdict != "review" || plan.Changes == 0 {
		t.Fatalf("status %d, %v: %s%s", status, err, text, steps)
	}
	if !strings.Contains(steps, "Read Entra") || !strings.Contains(steps, "Gate") {
		t.Errorf("steps shown:\n%s", steps)
	}
	if _, told, status := idleseat("approve", plan.Run, "another"); status != 3 || !strings.Contains(told, plan.PlanHash) {
		t.Errorf("another hash: status %d: %s", status, told)
	}
	r.refusesApproval(idleseat, plan.Run, plan.PlanHash)
	text, told, status := idleseat("approve", plan.Run, plan.PlanHash)
	if status != 0 || !strings.Contains(text, "done ") {
		t.Errorf("status %d: %s%s", status, text, told)
	}
	r.longAgo()
	r.restoresOne(idleseat, plan.Run)
	r.putPolicy("review", func(string) string { return "[" }) // a restore does not need a valid policy
	text, told, status = idleseat("restore", "--run", plan.Run)
	if status != 0 || !strings.Contains(text, "done ") {
		t.Errorf("restore: status %d: %s%s", status, text, told)
	}
	for range 1500 { // licenses follow the groups with a delay
		if cmp.Equal(before, r.holdings()) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if diff := cmp.Diff(before, r.holdings()); diff != "" {
		t.Errorf("licenses and groups (-before +restored):\n%s", diff)
	}
	r.putPolicy("review", nil)
	if _, told, status := idleseat("restore", "--run", plan.Run); status != 3 || !strings.Contains(told, "nothing to restore") {
		t.Errorf("restored again: status %d: %s", status, told)
	}
	if _, told, status := idleseat("reevaluate", "nobody@contoso.example"); status != 3 || !strings.Contains(told, "Idleseat.Refused") {
		t.Errorf("nobody: status %d: %s", status, told)
	}
}

// restoresOne restores what one person lost. The command names the person, and not the run that took the license.
func (r *rig) restoresOne(idleseat func(...string) (string, string, int), run string) {
	p, err := runs.GetPlan(r.Context(), r.store, run)
	if err != nil {
		r.Fatal(err)
	}
	lost := p.Changes[0]
	text, told, status := idleseat("restore", strings.ToUpper(lost.UserPrincipalName))
	if status != 0 || !strings.Contains(text, "done 1; ") || !strings.Contains(text, " a month paid again") || strings.Contains(text, "people") {
		r.Errorf("restore of one: status %d: %s%s", status, text, told)
	}
	if e, err := ledger.In(r.store).Latest(r.Context(), lost.User, lost.License); err != nil || e.RestoreOf != run || e.Completion == nil {
		r.Errorf("ledger: %+v, %v", e, err)
	}
	if _, told, status := idleseat("restore", lost.UserPrincipalName); status != 3 || !strings.Contains(told, "nothing to restore") {
		r.Errorf("once more: status %d: %s", status, told)
	}
}

// The method "operator" returns a function that runs the command line with all rights in the deployment.
func (r *rig) operator() func(args ...string) (stdout, stderr string, status int) {
	return r.command("operator", "--aws", stack)
}

// The method "command" returns a function that runs the command line. The parameter "key" is the access key for AWS,
// which stands for a role. The arguments "last" follow those of each call.
func (r *rig) command(key string, last ...string) func(args ...string) (stdout, stderr string, status int) {
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::` + account +
			`:user/op</Arn><UserId>U</UserId><Account>` + account + `</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)) // an error means that the client disconnected
	}))
	r.Cleanup(sts.Close)
	return func(args ...string) (stdout, stderr string, status int) {
		cmd := exec.CommandContext(r.Context(), filepath.Join(built, "idleseat"), append(args, last...)...)
		cmd.Env = append(as(key, r.env), "AWS_ENDPOINT_URL_STS="+sts.URL)
		var out, told bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &told
		if err := cmd.Run(); err != nil {
			if _, ended := errors.AsType[*exec.ExitError](err); !ended {
				r.Fatal(err)
			}
		}
		return out.String(), told.String(), cmd.ProcessState.ExitCode()
	}
}

// refusesApproval approves a plan twice: after an edit of the policy, and while Graph answers for another tenant. Both
// approvals must be refused, and nobody's licenses may change.
func (r *rig) refusesApproval(idleseat func(...string) (string, string, int), run, hash string) {
	before := r.holdings()
	r.putPolicy("review", func(policy string) string { return policy + "# edited\n" })
	if _, told, status := idleseat("approve", run, hash); status != 3 || !strings.Contains(told, "policy has changed") || !cmp.Equal(before, r.holdings()) {
		r.Errorf("edited since: status %d: %s", status, told)
	}
	r.putPolicy("review", nil)
	const other = "00000000-0000-0000-0000-00000000000b"
	r.box.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if !strings.HasSuffix(req.URL.Path, "/organization") {
				next.ServeHTTP(w, req)
				return
			}
			kept := httptest.NewRecorder()
			next.ServeHTTP(kept, req)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bytes.ReplaceAll(kept.Body.Bytes(), []byte(sandbox.TenantID), []byte(other)))
		})
	})
	if _, told, status := idleseat("approve", run, hash); status != 3 || !strings.Contains(told, "Graph answered for "+other) || !cmp.Equal(before, r.holdings()) {
		r.Errorf("another tenant: status %d: %s", status, told)
	}
	r.box.Intercept(nil)
}
