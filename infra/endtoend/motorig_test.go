package endtoend

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/idleseat/idleseat/infra/simulation/awsfake/lambdas"
	"github.com/idleseat/idleseat/infra/simulation/awsfake/states"
	"github.com/idleseat/idleseat/infra/simulation/engines"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The variable "grammar" has the parts of the definition that moto 5 rejects although the documentation allows them.
// Each part has a replacement that moto accepts. moto gets the rest of the definition unchanged.
var grammar = []struct{ why, documented, accepted string }{
	{"moto's grammar takes a percentage only with a decimal point. The Amazon States Language takes any number from zero to " +
		"100 (Map State). The value is the same",
		`"ToleratedFailurePercentage": 0,`, `"ToleratedFailurePercentage": 0.0,`},
}

// The variable "townsfolk" is a small company, because moto is slow.
var townsfolk = sandbox.Options{Users: 250, Seed: 5, LicenseDelay: 300 * time.Millisecond}

// motoRig is a deployment for which moto simulates S3, SQS, SNS and Step Functions.
type motoRig struct {
	*rig
	engine *sfn.Client
	queues *sqs.Client
	arns   map[entrance.Name]string // ARNs of the state machines
	inbox  string                   // URL of the queue that is subscribed to the notices

	address *url.URL // address of moto
}

func newMotoRig(t *testing.T, mode string) *motoRig {
	t.Helper()
	m := newMotoRigWithoutRelay(t, mode)
	m.relay()
	return m
}

func newMotoRigWithoutRelay(t *testing.T, mode string) *motoRig {
	t.Helper()
	r := &rig{TB: t, functions: map[string]*lambdas.Function{}, calls: map[string]int{}, citrix: sandbox.CitrixGroup}
	moto := engines.StartMoto(t, r.answerMoto, bucket)
	var err error
	if r.box, err = sandbox.Start(townsfolk); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.box.Close() })
	r.domain = r.box.Env()
	keys := credentials.NewStaticCredentialsProvider("operator", "operator", "")
	address, err := url.Parse(moto.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := &motoRig{rig: r, arns: map[entrance.Name]string{}, address: address,
		engine: sfn.New(sfn.Options{BaseEndpoint: &moto.URL, Region: engines.Region, Credentials: keys}),
		queues: sqs.New(sqs.Options{BaseEndpoint: &moto.URL, Region: engines.Region, Credentials: keys}),
	}
	r.read, r.write, m.inbox = m.queue("ad-read"), m.queue("ad-write"), m.queue("inbox")
	topic, err := moto.Subscribe(t.Context(), "notices", "arn:aws:sqs:"+engines.Region+":"+engines.Account+":inbox")
	if err != nil {
		t.Fatal(err)
	}
	place := "s3://" + bucket
	r.store = openStore(t, place, moto.Env())
	r.env = append(moto.Env(), "IDLESEAT_STORE="+place, "IDLESEAT_RELAY=on", "IDLESEAT_GRAPH_URL="+r.box.GraphURL,
		"IDLESEAT_POLICY=policy.yaml", "IDLESEAT_STATE_MACHINE="+entranceARN(entrance.Plan), "TMPDIR="+t.TempDir())
	r.putPolicy(mode, nil)
	r.startFunctions(true)
	for _, n := range entrances {
		m.make(n, topic)
	}
	return m
}

// The method "queue" creates a queue that delays messages by a second. moto 5 sends a message before it knows the
// heartbeat of the task, so without the delay a worker would find that the task has ended.
func (m *motoRig) queue(name string) string {
	made, err := m.queues.CreateQueue(m.Context(), &sqs.CreateQueueInput{
		QueueName: &name, Attributes: map[string]string{"VisibilityTimeout": "6", "DelaySeconds": "1"},
	})
	if err != nil {
		m.Fatal(err)
	}
	return *made.QueueUrl
}

func (m *motoRig) make(n entrance.Name, topic string) {
	text, err := os.ReadFile("../statemachine.asl.json")
	if err != nil {
		m.Fatal(err)
	}
	definition := string(text)
	for _, g := range grammar {
		if !strings.Contains(definition, g.documented) {
			m.Errorf("the definition has no %s any more: %s", g.documented, g.why)
		}
		definition = strings.ReplaceAll(definition, g.documented, g.accepted)
	}
	with := map[string]string{
		"CollectFunction": functionARN("collect"), "EvaluateFunction": functionARN("evaluate"), "GateFunction": functionARN("gate"),
		"ApplyFunction": functionARN("apply"), "ReadQueue": m.read, "WriteQueue": m.write, "NoticeTopic": topic,
		"Partition": "aws", "Entrance": string(n),
	}
	definition = regexp.MustCompile(`\$\{(\w+)\}`).ReplaceAllStringFunc(definition, func(name string) string {
		value, known := with[name[2:len(name)-1]]
		if !known {
			m.Fatalf("the definition has %s, which the test does not know", name)
		}
		return value
	})
	made, err := m.engine.CreateStateMachine(m.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String(n.Machine(stack)), Definition: &definition, Type: types.StateMachineTypeStandard,
		RoleArn: aws.String("arn:aws:iam::" + engines.Account + ":role/machine"),
	})
	if err != nil {
		m.Fatal(err)
	}
	m.arns[n] = *made.StateMachineArn
}

// answerMoto calls a function for moto. If the answer of the function contains a wait for the state machine, answerMoto
// shortens it to one second.
func (r *rig) answerMoto(ctx context.Context, arn string, payload []byte) (answer []byte, failed bool) {
	name := path.Base(strings.ReplaceAll(arn, ":", "/"))
	answer, failure := r.invoke(ctx, "arn:"+strings.TrimPrefix(name, stack+"-"), payload, nil)
	if failure != nil {
		return []byte(failure.Cause), true
	}
	return regexp.MustCompile(`"waitSeconds":[1-9]\d*`).ReplaceAll(answer, []byte(`"waitSeconds":1`)), false
}

func (m *motoRig) start(input string) (arn string) {
	m.Helper()
	machine := m.arns[entranceFor(m, input)]
	started, err := m.engine.StartExecution(m.Context(), &sfn.StartExecutionInput{
		StateMachineArn: &machine, Input: &input, Name: aws.String(rand.Text()), // without names, moto gives all executions the name "None"
	})
	if err != nil {
		m.Fatal(err)
	}
	return *started.ExecutionArn
}

func (m *motoRig) end(arn string) (out map[string]any, failure *states.Failure) {
	m.Helper()
	for until := time.Now().Add(3 * time.Minute); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		now, err := m.engine.DescribeExecution(m.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err != nil {
			m.Fatal(err)
		}
		switch now.Status {
		case types.ExecutionStatusRunning:
		case types.ExecutionStatusSucceeded:
			if err := json.Unmarshal([]byte(*now.Output), &out); err != nil {
				m.Fatal(err)
			}
			return out, refusal(out)
		default:
			return nil, &states.Failure{Error: aws.ToString(now.Error), Cause: aws.ToString(now.Cause)}
		}
	}
	m.Fatalf("%s runs for too long:\n%s", arn, m.story(arn))
	return nil, nil
}

func (m *motoRig) run(input string) (out map[string]any, failure *states.Failure) {
	m.Helper()
	return m.end(m.start(input))
}

// The method "story" returns the history of an execution and the ends of the functions' logs, for the message of a
// failed test.
func (m *motoRig) story(arn string) string {
	var b strings.Builder
	h, err := m.engine.GetExecutionHistory(context.Background(), &sfn.GetExecutionHistoryInput{ExecutionArn: &arn})
	if err != nil {
		return err.Error()
	}
	for _, e := range h.Events {
		if d := e.StateEnteredEventDetails; d != nil {
			fmt.Fprintf(&b, "%s\n", *d.Name)
		}
		if d := e.TaskFailedEventDetails; d != nil {
			fmt.Fprintf(&b, "failed: %s %s\n", aws.ToString(d.Error), aws.ToString(d.Cause))
		}
	}
	for name, f := range m.functions {
		if logs := f.Logs(); logs != "" {
			fmt.Fprintf(&b, "--- %s\n%s\n", name, logs[max(0, len(logs)-2000):])
		}
	}
	return b.String()
}

func (m *motoRig) subjects(n int) (all []string) {
	m.Helper()
	for until := time.Now().Add(10 * time.Second); len(all) < n && time.Now().Before(until); {
		got, err := m.queues.ReceiveMessage(m.Context(), &sqs.ReceiveMessageInput{QueueUrl: &m.inbox, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			m.Fatal(err)
		}
		for _, message := range got.Messages {
			var notice struct{ Subject, Message string }
			if err := json.Unmarshal([]byte(*message.Body), &notice); err != nil {
				m.Fatal(err)
			}
			all = append(all, notice.Subject)
			if _, err := m.queues.DeleteMessage(m.Context(), &sqs.DeleteMessageInput{QueueUrl: &m.inbox, ReceiptHandle: message.ReceiptHandle}); err != nil {
				m.Fatal(err)
			}
		}
	}
	slices.Sort(all)
	return all
}
