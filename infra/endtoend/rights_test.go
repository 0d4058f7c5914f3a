package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/infra/simulation/awsfake/states"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The function "as" adds an access key to a copy of the environment variables. The simulated AWS takes the access key
// as the role of the caller.
func as(role string, env []string) []string {
	return append(slices.Clone(env), "AWS_ACCESS_KEY_ID="+role)
}

// The function "caller" returns the role whose access key signed a request.
func caller(req *http.Request) string {
	_, after, _ := strings.Cut(req.Header.Get("Authorization"), "Credential=")
	role, _, _ := strings.Cut(after, "/")
	return role
}

// The method "denies" reports whether IAM denies a call of a person. For other callers, it returns false, because
// TestRights checks their rights.
func (r *rig) denies(c call) bool {
	p, known := r.people[c.role]
	return known && !may(r, p, nil, c)
}

func (r *rig) note(c call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, c)
}

// recordS3 records the calls to S3, and the calls to KMS that S3 makes on behalf of the caller. It refuses a call that
// the rights of a person do not allow. All rigs share one bucket, and each rig has a folder in it. The record shows
// this folder as a bucket of its own.
func (r *rig) recordS3(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, key, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"+bucket+"/"), "/")
		who, object := caller(req), "arn:aws:s3:::"+bucketName+"/"+key
		list := call{who, "s3:ListBucket", "arn:aws:s3:::" + bucketName}
		asked := call{who, "s3:GetObject", object}
		switch {
		case req.URL.Query().Has("list-type"):
			asked = list
		case req.Method == http.MethodPut:
			asked.action = "s3:PutObject"
		}
		if r.denies(asked) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")) // an error means that the client disconnected
			return
		}
		seen := &answer{ResponseWriter: w}
		next.ServeHTTP(seen, req)
		switch {
		case req.URL.Query().Has("list-type"):
			r.note(list)
		case req.Method == http.MethodPut:
			r.note(call{who, "s3:PutObject", object})
			r.note(call{who, "kms:GenerateDataKey", keyARN})
		default:
			r.note(call{who, "s3:GetObject", object})
			r.note(call{who, "kms:Decrypt", keyARN})
			if seen.status == http.StatusNotFound { // for a missing object, S3 answers 404 only to a caller with the right s3:ListBucket, and otherwise 403
				r.note(list)
			}
		}
	})
}

type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// recordAWS records calls to SQS and Step Functions. It refuses a call that the rights of a person do not allow.
func (r *rig) recordAWS() {
	r.aws.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			req.Body = io.NopCloser(bytes.NewReader(body))
			var of struct{ QueueUrl, StateMachineArn, ExecutionArn string }
			_ = json.Unmarshal(body, &of) // the server rejects a malformed body
			c := call{caller(req), "states:" + awsfake.Call(req), of.StateMachineArn + of.ExecutionArn}
			if of.QueueUrl != "" {
				c.action, c.resource = "sqs:"+awsfake.Call(req), queueARN(strings.TrimPrefix(path.Base(of.QueueUrl), "ad-"))
			}
			r.note(c)
			if r.denies(c) {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte(`{"__type":"AccessDeniedException","message":"not authorized to perform ` + c.action + `"}`)) // an error means that the client disconnected
				return
			}
			next.ServeHTTP(w, req)
		})
	})
}

// recordMachine records the calls to AWS that the state machine made in an execution.
func (r *rig) recordMachine(e *states.Execution) {
	for _, made := range e.Calls() {
		c := call{"machine", made.Action, made.Resource}
		switch made.Action {
		case "lambda:InvokeFunction":
			c.resource = versionARN(strings.TrimPrefix(made.Resource, "arn:"))
		case "sqs:SendMessage":
			c.resource = queueARN(strings.TrimPrefix(path.Base(made.Resource), "ad-"))
		case "sns:Publish":
			c.resource = "arn:aws:sns:" + region + ":" + account + ":" + stack + "-notices"
			r.note(call{"machine", "kms:GenerateDataKey", keyARN}) // SNS encrypts with the rights of the caller
			r.note(call{"machine", "kms:Decrypt", keyARN})
		case "states:StartExecution": // the distributed map starts its child executions
			c.resource = strings.Replace(strings.TrimSuffix(e.ARN, ":"+e.Name), ":execution:", ":stateMachine:", 1)
		}
		r.note(c)
	}
}

// TestRights compares the calls to AWS of a night, an override, a restore and runs for one person with the roles in the
// SAM template and in the Terraform module. Each call must be allowed by the caller's role. Each action that a role
// allows must occur in a call, on each resource for which it is allowed. The map "unseen" has the exceptions.
func TestRights(t *testing.T) {
	t.Parallel()
	small := company
	small.Users = 400
	// With this policy, one change needs the mailbox report, and the plan is on hold until an override.
	careful := strings.NewReplacer("LIC-EXO-P1}, ", "LIC-EXO-P1}, mailboxQuota: 50, ", "percent: 10", "percent: 1",
		"systemRole: entra.employeeType", "systemRole: entra.employeeType\n  lastMail: m365.exchange",
		"\nrules:\n", "\nrules:\n  - {name: mail, license: exchange-online, when: lastMail.earlierThan(now - days(3650)), then: {remove: true, mailbox: lost}}\n")
	r := newRig(t, options{company: small, mode: "enforce", edit: careful.Replace})
	who := r.idle(sandbox.CitrixGroup)
	out, failure := r.run(nightly)
	if failure == nil {
		_, failure = r.run(fmt.Sprintf(`{"apply":%q,"planHash":%q,"override":true}`, out["run"], out["planHash"]))
	}
	r.longAgo()
	if failure == nil {
		_, failure = r.run(`{"restore":"` + out["run"].(string) + `"}`)
	}
	if failure != nil {
		t.Fatal(failure)
	}
	if _, failure := r.run(`{"restore":"nothing"}`); failure == nil || !strings.Contains(failure.Cause, "no plan") {
		t.Errorf("a run that never was is restored: %+v", failure)
	}
	if _, err := r.functions["arn:reevaluate"].Invoke(t.Context(), []byte(`{"user":"`+who+`"}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.functions["arn:reevaluate-apply"].Invoke(t.Context(), []byte(`{"user":"`+who+`","apply":true}`)); err != nil {
		t.Fatal(err)
	}
	if _, failure := r.run(`{"user":"` + who + `"}`); failure != nil {
		t.Fatal(failure)
	}
	if _, failure := r.run(`{"user":"` + who + `","apply":true}`); failure != nil {
		t.Fatal(failure)
	}
	r.mu.Lock()
	calls := append(slices.Clone(r.made), call{"schedule", "states:StartExecution", entranceARN(entrance.Nightly)}) // EventBridge makes this call and is not simulated
	r.mu.Unlock()
	calls = slices.DeleteFunc(calls, func(c call) bool { return c.role == "simulated" }) // calls of the test itself
	if len(calls) < 100 {
		t.Fatalf("%d calls were seen", len(calls))
	}
	for name, all := range map[string]roles{"SAM": samRoles(t, loadTemplate(t)), "Terraform": terraformRoles(t, loadModule(t))} {
		for _, fault := range all.compare(calls) {
			t.Errorf("%s: %s", name, fault)
		}
		for role, list := range all {
			for _, s := range list {
				for _, action := range s.Action {
					if unseen[role+" "+action] == "" && len(all.without(role, action).compare(calls)) == 0 {
						t.Errorf("%s: without %s of %s nothing is missed", name, action, role)
					}
				}
			}
		}
	}
}
