package endtoend

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake/states"
	"github.com/idleseat/idleseat/infra/simulation/engines"
)

// localRig is a deployment whose state machine is interpreted by the npm package aws-local-stepfunctions. One thing in
// the definition is changed: each ResultPath "$" is left out, because "$" is the default. S3, SQS and SNS are simulated
// as in a rig.
//
// The package has no heartbeats, no distributed Map, no tolerated failures and no optimized integrations. So the rig
// itself carries out lambda:invoke, sqs:sendMessage.waitForTaskToken and sns:publish. It also makes the task tokens,
// because the package gives all tasks the same context object.
type localRig struct {
	*rig
	tasks string // URL of the server that carries out tasks
}

func newLocalRig(t *testing.T, o options) *localRig {
	t.Helper()
	if os.Getenv("IDLESEAT_TEST_LOCAL_STATES") == "" {
		t.Skip("SKIPPED: IDLESEAT_TEST_LOCAL_STATES names no folder node_modules with aws-local-stepfunctions")
	}
	l := &localRig{rig: newRig(t, o)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var task engines.LocalTask
		var answer engines.LocalAnswer
		failure := &states.Failure{Error: "States.Runtime", Cause: "the task cannot be read"}
		if json.NewDecoder(req.Body).Decode(&task) == nil {
			answer.Result, failure = l.carryOut(req.Context(), &task)
		}
		if failure != nil {
			answer = engines.LocalAnswer{Error: failure.Error, Cause: failure.Cause}
		}
		_ = json.NewEncoder(w).Encode(answer) // an error means that the client disconnected
	}))
	t.Cleanup(server.Close)
	l.tasks = server.URL
	return l
}

func (l *localRig) carryOut(ctx context.Context, task *engines.LocalTask) (result json.RawMessage, failure *states.Failure) {
	var in struct {
		FunctionName, QueueURL, Subject, Message string
		Payload                                  json.RawMessage
		MessageBody                              map[string]any
	}
	if err := json.Unmarshal(task.Parameters, &in); err != nil {
		return nil, &states.Failure{Error: "States.Runtime", Cause: err.Error()}
	}
	switch {
	case strings.HasSuffix(task.Resource, ":lambda:invoke"):
		if result, failure = l.invoke(ctx, in.FunctionName, in.Payload, nil); failure != nil {
			return nil, failure
		}
		return fmt.Appendf(nil, `{"Payload":%s}`, result), nil
	case strings.HasSuffix(task.Resource, ":sqs:sendMessage.waitForTaskToken"):
		token, wait := l.ask(time.Duration(task.Heartbeat)*time.Second/faster, time.Duration(task.Timeout)*time.Second/faster)
		in.MessageBody["token"] = token
		body, err := json.Marshal(in.MessageBody)
		if err != nil {
			return nil, &states.Failure{Error: "States.Runtime", Cause: err.Error()}
		}
		l.aws.Send(in.QueueURL, string(body))
		return wait(ctx)
	case strings.HasSuffix(task.Resource, ":sns:publish"):
		l.mu.Lock()
		defer l.mu.Unlock()
		l.notices = append(l.notices, in.Subject+"\n"+in.Message)
		return json.RawMessage(`{}`), nil
	}
	return nil, &states.Failure{Error: "States.Runtime", Cause: "no integration is known for " + task.Resource}
}

func (l *localRig) run(input string) (out map[string]any, failure *states.Failure) {
	l.Helper()
	n := entranceFor(l, input)
	text, err := os.ReadFile("../statemachine.asl.json")
	if err != nil {
		l.Fatal(err)
	}
	definition := strings.NewReplacer(
		"${CollectFunction}", "arn:collect", "${EvaluateFunction}", "arn:evaluate", "${GateFunction}", "arn:gate", "${ApplyFunction}", "arn:apply",
		"${ReadQueue}", l.read, "${WriteQueue}", l.write, "${NoticeTopic}", "arn:notices", "${Partition}", "aws", "${Entrance}", string(n),
	).Replace(string(text))
	name := rand.Text()
	end := engines.RunLocally(l, engines.LocalExecution{
		Definition: json.RawMessage(definition), Input: json.RawMessage(input), Tasks: l.tasks,
		Execution: map[string]string{"Id": strings.Replace(entranceARN(n), ":stateMachine:", ":execution:", 1) + ":" + name, "Name": name},
	})
	if end.Error != "" {
		return nil, &states.Failure{Error: end.Error, Cause: end.Cause}
	}
	if err := json.Unmarshal(end.Output, &out); err != nil {
		l.Fatalf("%v: %s", err, end.Output)
	}
	if refused := refusal(out); refused != nil {
		return nil, refused
	}
	return out, nil
}

// TestLocalStates: with the npm package aws-local-stepfunctions, a night, an approval and a restore give the same
// directories and ledger as the command line and as the project's simulation of Step Functions. The restore returns
// all licenses.
func TestLocalStates(t *testing.T) {
	t.Parallel()
	l := newLocalRig(t, options{company: townsfolk, mode: "review", patient: true})
	before := l.holdings()
	out, failure := l.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	if out["verdict"] != "review" || out["changes"].(float64) < 5 || !cmp.Equal(before, l.holdings()) {
		t.Fatalf("the night ended with %v", out)
	}
	own, planned := ownNight(t, out)
	approved := approve(t, l.run, out)
	if diff := cmp.Diff(approve(t, own.run, planned)["results"], approved["results"]); diff != "" {
		t.Errorf("results (-own engine +foreign engine):\n%s", diff)
	}
	if l.calls["gate settle"] < 2 {
		t.Errorf("settled %d times: nothing was pending", l.calls["gate settle"])
	}
	l.sameAs(own)
	l.sameAsCommand(townsfolk)
	l.longAgo()
	if _, failure = l.run(fmt.Sprintf(`{"restore":%q}`, out["run"])); failure != nil {
		t.Fatal(failure)
	}
	l.settled(before)
	if len(l.notices) != 4 {
		t.Errorf("%d notices, want one of each execution: %q", len(l.notices), l.notices)
	}
}

func (r *rig) sameAs(own *rig) {
	r.Helper()
	if diff := cmp.Diff(entries(r, own.store), entries(r, r.store)); diff != "" {
		r.Errorf("ledger (-own engine +foreign engine):\n%s", diff)
	}
	r.settled(own.holdings())
}

// The method "settled" checks that people hold the wanted licenses and groups. It waits for that at most five seconds,
// because licenses follow group membership with a delay.
func (r *rig) settled(want map[int][]string) {
	r.Helper()
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until) && !cmp.Equal(want, r.holdings()); {
		time.Sleep(20 * time.Millisecond)
	}
	if diff := cmp.Diff(want, r.holdings()); diff != "" {
		r.Errorf("licenses and groups (-want +foreign engine):\n%s", diff)
	}
}
