package states

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The function "machine" returns a definition with the given states. The first state to run is "A".
func machine(states string) string {
	return `{"QueryLanguage":"JSONPath","TimeoutSeconds":600,"StartAt":"A","States":{` + states + `}}`
}

const invokeF = `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload":{"in.$":"$"}}`

// The function "world" returns a World with one function, which gives the answers in sequence. The last answer is
// repeated. The answer nil means that the function does not answer.
func world(t *testing.T, answers ...any) World {
	t.Helper()
	var calls atomic.Int64
	return World{
		Faster: 1000,
		Invoke: func(ctx context.Context, _ string, payload []byte) ([]byte, *Failure) {
			n := int(calls.Add(1)) - 1
			switch a := answers[min(n, len(answers)-1)].(type) {
			case string:
				return []byte(strings.ReplaceAll(a, "IN", string(payload))), nil
			case Failure:
				return nil, &a
			default:
				<-ctx.Done() // the function gives no answer
				return nil, nil
			}
		},
		Ask: func(heartbeat, _ time.Duration) (string, func(context.Context) ([]byte, *Failure)) {
			return "token", func(ctx context.Context) ([]byte, *Failure) {
				select {
				case <-time.After(heartbeat):
					return nil, &Failure{"States.HeartbeatTimeout", ""}
				case <-ctx.Done():
					return nil, &Failure{timeout, ""}
				}
			}
		},
		Send: func(string, string) {}, Publish: func(string, string, string) {},
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	big := `"` + strings.Repeat("x", maxData) + `"`
	broken := Failure{"Broken", "by hand"}
	tests := map[string]struct {
		states  string
		input   string
		answers []any
		want    string // the output, or "error: cause"
	}{
		"task":                     {`"A":{` + invokeF + `,"TimeoutSeconds":9,"End":true}`, `1`, []any{`IN`}, `{"ExecutedVersion":"$LATEST","Payload":{"in":1},"StatusCode":200}`},
		"selector and result path": {`"A":{` + invokeF + `,"ResultSelector":{"got.$":"$.Payload"},"ResultPath":"$.r","OutputPath":"$.r.got","End":true}`, `{"x":1}`, []any{`7`}, `7`},
		"result dropped":           {`"A":{` + invokeF + `,"ResultPath":null,"End":true}`, `{"x":1}`, []any{`7`}, `{"x":1}`},
		"retried":                  {`"A":{` + invokeF + `,"ResultSelector":{"r.$":"$.Payload"},"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":2}],"End":true}`, `1`, []any{broken, broken, `7`}, `{"r":7}`},
		"retried too often":        {`"A":{` + invokeF + `,"Retry":[{"ErrorEquals":["Broken"],"MaxAttempts":1}],"End":true}`, `1`, []any{broken}, `Broken: by hand`},
		"first retrier counts":     {`"A":{` + invokeF + `,"Retry":[{"ErrorEquals":["Broken"],"MaxAttempts":0},{"ErrorEquals":["States.ALL"]}],"End":true}`, `1`, []any{broken, `7`}, `Broken: by hand`},
		"caught":                   {`"A":{` + invokeF + `,"Catch":[{"ErrorEquals":["Other"],"Next":"B"},{"ErrorEquals":["States.ALL"],"ResultPath":"$.f","Next":"B"}],"End":true},"B":{"Type":"Succeed"}`, `{"x":1}`, []any{broken}, `{"f":{"Cause":"by hand","Error":"Broken"},"x":1}`},
		"too much data is fatal":   {`"A":{` + invokeF + `,"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Succeed"}`, `1`, []any{big}, `States.DataLimitExceeded: f answered with`},
		"timeout":                  {`"A":{` + invokeF + `,"TimeoutSeconds":2,"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"B"}],"End":true},"B":{"Type":"Pass","Result":"late","End":true}`, `1`, []any{nil}, `"late"`},
		"TaskFailed is no timeout": {`"A":{` + invokeF + `,"TimeoutSeconds":2,"Catch":[{"ErrorEquals":["States.TaskFailed"],"Next":"B"}],"End":true},"B":{"Type":"Succeed"}`, `1`, []any{nil}, `States.Timeout: `},
		"heartbeat": {`"A":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody":{"t.$":"$$.Task.Token"}},` +
			`"TimeoutSeconds":900,"HeartbeatSeconds":5,"End":true}`, `1`, nil, `States.HeartbeatTimeout: `},
		"choice":                    {`"A":{"Type":"Choice","Choices":[{"And":[{"Variable":"$.x","IsPresent":true},{"Variable":"$.x","IsString":true}],"Next":"B"}],"Default":"C"},"B":{"Type":"Pass","Result":"b","End":true},"C":{"Type":"Pass","Result":"c","End":true}`, `{"x":true}`, nil, `"c"`},
		"choice of what is not":     {`"A":{"Type":"Choice","Choices":[{"Variable":"$.x","BooleanEquals":true,"Next":"B"}]},"B":{"Type":"Succeed"}`, `{}`, nil, `States.Runtime: the variable leads nowhere: $.x`},
		"wait":                      {`"A":{"Type":"Wait","SecondsPath":"$.s","Next":"B"},"B":{"Type":"Succeed","OutputPath":"$.s"}`, `{"s":3}`, nil, `3`},
		"fail":                      {`"A":{"Type":"Fail","ErrorPath":"$.e","CausePath":"$.c"}`, `{"e":"E","c":"why"}`, nil, `E: why`},
		"parallel":                  {`"A":{"Type":"Parallel","Branches":[{"StartAt":"X","States":{"X":{"Type":"Pass","Result":1,"End":true}}},{"StartAt":"Y","States":{"Y":{"Type":"Succeed"}}}],"ResultSelector":{"y.$":"$[1]"},"ResultPath":"$.p","End":true}`, `{"i":2}`, nil, `{"i":2,"p":{"y":{"i":2}}}`},
		"map":                       {`"A":{"Type":"Map","ItemsPath":"$.l","ItemSelector":{"v.$":"$$.Map.Item.Value","n.$":"$.n","i.$":"$$.Map.Item.Index"},"MaxConcurrency":1,"ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"X","States":{"X":{"Type":"Succeed"}}},"End":true}`, `{"l":["a","b"],"n":9}`, nil, `[{"i":0,"n":9,"v":"a"},{"i":1,"n":9,"v":"b"}]`},
		"one item of a map fails":   {`"A":{"Type":"Map","ItemsPath":"$","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"X","States":{"X":{` + invokeF + `,"End":true}}},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Succeed"}`, `[1,2,3]`, []any{`1`, broken}, `{"Cause":"The specified tolerated failure threshold was exceeded","Error":"States.ExceedToleratedFailureThreshold"}`},
		"one item of an inline map": {`"A":{"Type":"Map","ItemsPath":"$","ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"X","States":{"X":{` + invokeF + `,"End":true}}},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Succeed"}`, `[1,2,3]`, []any{`1`, broken}, `{"Cause":"by hand","Error":"Broken"}`},
		"a path leads nowhere":      {`"A":{"Type":"Succeed","OutputPath":"$.no"}`, `{}`, nil, `States.ParameterPathFailure: `},
		"text of a value":           {`"A":{"Type":"Task","Resource":"arn:aws:states:::sns:publish","Parameters":{"TopicArn":"t","Subject":"s","Message.$":"States.JsonToString($.x)"},"ResultPath":null,"End":true}`, `{"x":{"y":1}}`, nil, `{"x":{"y":1}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := Load([]byte(machine(tt.states)), nil)
			if err != nil {
				t.Fatal(err)
			}
			m := New("arn:aws:states:r:1:stateMachine:m", d, world(t, tt.answers...))
			e, err := m.Start("", tt.input)
			if err != nil {
				t.Fatal(err)
			}
			output, failure, err := e.Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if failure != nil {
				if got := failure.Error + ": " + failure.Cause; !strings.HasPrefix(got, tt.want) {
					t.Errorf("failed with %.200s, want %s", got, tt.want)
				}
				return
			}
			got, err := json.Marshal(output)
			if diff := cmp.Diff(tt.want, string(got)); diff != "" || err != nil {
				t.Errorf("%v, output (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ states, want string }{
		"a field":              {`"A":{"Type":"Pass","Parameters":{},"End":true}`, "field Parameters of a Pass is not implemented"},
		"an unknown field":     {`"A":{"Type":"Pass","Foo":1,"End":true}`, `unknown field "Foo"`},
		"a type":               {`"A":{"Type":"Activity"}`, `type "Activity"`},
		"a resource":           {`"A":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:putItem","End":true}`, "is not implemented"},
		"an intrinsic":         {`"A":{"Type":"Task","Resource":"arn:aws:states:::sns:publish","Parameters":{"x.$":"States.UUID()"},"End":true}`, "States.UUID() is not implemented"},
		"a filter in a path":   {`"A":{"Type":"Succeed","OutputPath":"$.x[?(@.y)]"}`, "is not implemented"},
		"a way to nowhere":     {`"A":{"Type":"Pass","Next":"B"}`, `goes to "B", which is not there`},
		"no way on":            {`"A":{"Type":"Pass"}`, "either Next or End"},
		"a comparison":         {`"A":{"Type":"Choice","Choices":[{"Variable":"$","StringMatches":"a*","Next":"A"}]}`, `unknown field "StringMatches"`},
		"no comparison":        {`"A":{"Type":"Choice","Choices":[{"Variable":"$","Next":"A"}]}`, "0 comparisons"},
		"tolerance":            {`"A":{"Type":"Map","ItemsPath":"$","ToleratedFailurePercentage":5,"ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"X","States":{"X":{"Type":"Succeed"}}},"End":true}`, "tolerance"},
		"a token in Express":   {`"A":{"Type":"Map","ItemsPath":"$","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"X","States":{"X":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","End":true}}},"End":true}`, "Express"},
		"an unknown retry":     {`"A":{` + invokeF + `,"Retry":[{"ErrorEquals":["x"],"Foo":1}],"End":true}`, `unknown field "Foo"`},
		"a missing substitute": {`"A":{"Type":"Pass","Result":"${Missing}","End":true}`, "nothing is given for ${Missing}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Load([]byte(machine(tt.states)), nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Load([]byte(machine(`"A":{"Type":"Succeed"}`)), map[string]string{"Unused": "x"}); err == nil || !strings.Contains(err.Error(), "no ${Unused}") {
		t.Errorf("an unused substitution: %v", err)
	}
}

func TestStartTwice(t *testing.T) {
	t.Parallel()
	d, err := Load([]byte(machine(`"A":{"Type":"Succeed"}`)), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := New("arn:m", d, world(t))
	first, err1 := m.Start("n", `{"a":1}`)
	again, err2 := m.Start("n", ` {"a": 1}`)
	_, err3 := m.Start("n", `{"a":2}`)
	if err1 != nil || err2 != nil || first != again || err3 == nil || m.Find(first.ARN) != first {
		t.Errorf("%v, %v, %v", err1, err2, err3)
	}
	m.Wait()
	if got := fmt.Sprint(first.History()[0].State); got != "A" {
		t.Errorf("history begins with %s", got)
	}
}

func TestShippedDefinition(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../statemachine.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{}
	for _, name := range []string{"CollectFunction", "EvaluateFunction", "GateFunction", "ApplyFunction", "ReadQueue", "WriteQueue", "NoticeTopic", "Partition", "Entrance"} {
		given[name] = name
	}
	given["Partition"] = "aws"
	if _, err := Load(text, given); err != nil {
		t.Error(err)
	}
}
