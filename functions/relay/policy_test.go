package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/relay/protocol"
)

// The variable "implied" lists required actions that the relay never calls directly.
var implied = []string{
	"s3:ListBucket",       // without it, S3 answers 403 instead of 404 for a missing object
	"kms:Decrypt",         // S3 uses this action on behalf of the relay, if the bucket has its own key
	"kms:GenerateDataKey", // S3 uses this action on behalf of the relay, for writes to a bucket with its own key
}

// TestPolicyHasWhatIsCalled: the documented IAM policy allows exactly the actions that the relay calls, and those of
// the variable "implied".
func TestPolicyHasWhatIsCalled(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	var mu sync.Mutex
	called := map[string]bool{}
	note := func(action string) {
		mu.Lock()
		defer mu.Unlock()
		called[action] = true
	}
	r.aws.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			service := map[string]string{"AmazonSQS": "sqs:", "AWSStepFunctions": "states:"}[strings.Split(req.Header.Get("X-Amz-Target"), ".")[0]]
			note(service + awsfake.Call(req))
			next.ServeHTTP(w, req)
		})
	})
	r.asked = func(req *http.Request) {
		note(map[string]string{"GET": "s3:GetObject", "PUT": "s3:PutObject"}[req.Method])
	}
	p := r.start()
	r.answer(r.ask(everyone))
	r.answer(r.ask(protocol.Message{Kind: protocol.WriteMembers, Batch: "b1", Input: r.put("b1", r.changes(r))}))
	bad := r.ask(protocol.Message{Kind: protocol.ReadCandidates, Batch: "b2", Input: "runs/run-1/ad/input/none.json"})
	if end, err := bad.Wait(r.soon()); err != nil || end.Error != protocol.ErrorBad {
		t.Fatalf("%+v, %v", end, err)
	}
	r.drained(r.readQueue)
	p.kill()

	text, err := os.ReadFile("../../infra/relay/policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal(text, &policy); err != nil {
		t.Fatal(err)
	}
	var given []string
	for _, s := range policy.Statement {
		given = append(given, s.Action...)
	}
	want := append(slices.Collect(maps.Keys(called)), implied...)
	slices.Sort(want)
	slices.Sort(given)
	if diff := cmp.Diff(want, given); diff != "" {
		t.Errorf("rights (-called or implied +given):\n%s", diff)
	}
}
