package endtoend

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/entrance"
)

const topicARN = "arn:aws:sns:" + region + ":" + account + ":" + stack + "-notices"

var lastNight = strings.Replace(entranceARN(entrance.Nightly), ":stateMachine:", ":execution:", 1) + ":x"

// The function "doctors" returns the calls that idleseat doctor makes to AWS for a deployment. The field "role" of each
// call is empty.
func doctors() []call {
	all := []call{
		{action: "scheduler:GetSchedule", resource: "arn:aws:scheduler:" + region + ":" + account + ":schedule/default/" + stack + "-nightly"},
		{action: "sns:ListSubscriptionsByTopic", resource: topicARN},
		{action: "states:ListExecutions", resource: entranceARN(entrance.Nightly)},
		{action: "states:DescribeExecution", resource: lastNight},
	}
	for _, q := range []string{"read", "write", "read-dead", "write-dead"} {
		all = append(all, call{action: "sqs:GetQueueUrl", resource: queueARN(q)}, call{action: "sqs:GetQueueAttributes", resource: queueARN(q)})
	}
	return all
}

// The type "examined" simulates an AWS account with a deployment. The access key of a request names a role, and the
// policy of this role decides whether the call is refused.
type examined struct {
	t      *testing.T
	people roles

	mu   sync.Mutex
	made []call
}

// ServeHTTP answers the calls of idleseat doctor in the form of the API reference of each service. A request to Graph
// gets status 404.
func (e *examined) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if strings.HasPrefix(req.URL.Path, "/graph/") {
		http.NotFound(w, req)
		return
	}
	var in struct{ QueueName, QueueUrl, StateMachineArn, ExecutionArn string }
	c, answer := call{role: caller(req)}, ""
	if target := req.Header.Get("X-Amz-Target"); target != "" {
		_ = json.NewDecoder(req.Body).Decode(&in) // a body that is not a JSON object contains no resource
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	}
	queue := strings.TrimPrefix(in.QueueName+in.QueueUrl[strings.LastIndex(in.QueueUrl, "/")+1:], stack+"-ad-")
	switch name, isSchedule := strings.CutPrefix(req.URL.Path, "/schedules/"); {
	case isSchedule:
		c.action, c.resource = "scheduler:GetSchedule", "arn:aws:scheduler:"+region+":"+account+":schedule/default/"+name
		answer = `{"State":"ENABLED","ScheduleExpression":"cron(0 4 * * ? *)","ScheduleExpressionTimezone":"UTC"}`
	case req.FormValue("Action") != "":
		c.action, c.resource = "sns:"+req.FormValue("Action"), req.FormValue("TopicArn")
		w.Header().Set("Content-Type", "text/xml")
		answer = `<ListSubscriptionsByTopicResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ListSubscriptionsByTopicResult><Subscriptions><member>` +
			`<SubscriptionArn>` + topicARN + `:s</SubscriptionArn><Endpoint>licenses@contoso.example</Endpoint></member></Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`
	case awsfake.Call(req) == "GetQueueUrl":
		c.action, c.resource, answer = "sqs:GetQueueUrl", queueARN(queue), `{"QueueUrl":"`+queueURL(queue)+`"}`
	case awsfake.Call(req) == "GetQueueAttributes":
		c.action, c.resource, answer = "sqs:GetQueueAttributes", queueARN(queue), `{"Attributes":{"ApproximateNumberOfMessages":"0","ApproximateNumberOfMessagesNotVisible":"0"}}`
	case awsfake.Call(req) == "ListExecutions":
		began, _ := json.Marshal(time.Now().Unix()) // Marshal can encode any number
		c.action, c.resource = "states:ListExecutions", in.StateMachineArn
		answer = `{"executions":[{"executionArn":"` + lastNight + `","stateMachineArn":"` + in.StateMachineArn + `","name":"x","status":"SUCCEEDED","startDate":` + string(began) + `}]}`
	case awsfake.Call(req) == "DescribeExecution":
		c.action, c.resource = "states:DescribeExecution", in.ExecutionArn
		answer = `{"executionArn":"` + in.ExecutionArn + `","status":"SUCCEEDED","output":"{}","startDate":1}`
	}
	e.mu.Lock()
	e.made = append(e.made, c)
	e.mu.Unlock()
	if !may(e.t, e.people[c.role], nil, c) {
		w.WriteHeader(http.StatusForbidden)
		answer = `{"__type":"AccessDeniedException","message":"not authorized to perform ` + c.action + `"}`
		if strings.HasPrefix(c.action, "sns:") {
			answer = `<ErrorResponse><Error><Code>AuthorizationError</Code><Message>not authorized</Message></Error></ErrorResponse>`
		}
	}
	_, _ = w.Write([]byte(answer)) // an error means that the client disconnected
}

// TestDoctorsRights: with the policy for the doctor, idleseat doctor makes all checks of the deployment, and uses each
// right in the policy. With the policy of a viewer, a planner or an approver, the results of these checks are unknown,
// and the command does not show who receives the notices.
func TestDoctorsRights(t *testing.T) {
	t.Parallel()
	for deployment, people := range map[string]roles{"SAM": samPeople(t, loadTemplate(t)), "Terraform": terraformPeople(t, loadModule(t))} {
		for _, who := range []string{"doctor", "viewer", "planner", "approver"} {
			t.Run(deployment+" "+who, func(t *testing.T) {
				t.Parallel()
				e := &examined{t: t, people: people}
				server := httptest.NewServer(e)
				t.Cleanup(server.Close)
				r := &rig{TB: t, env: []string{
					"AWS_ENDPOINT_URL=" + server.URL, "AWS_REGION=" + region, "AWS_SECRET_ACCESS_KEY=s", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true",
					"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"),
					"IDLESEAT_GRAPH_URL=" + server.URL + "/graph",
				}}
				out, told, _ := r.command(who, "--aws", stack)("doctor", "--format", "json", "--policy", "../policy.yaml", "--store", filepath.Join(t.TempDir(), "store"))
				var got struct {
					Findings []struct{ Check, About, State, Means string }
				}
				if err := json.Unmarshal([]byte(out), &got); err != nil {
					t.Fatalf("%v: %s%s", err, out, told)
				}
				states := map[string]string{}
				for _, f := range got.Findings {
					if slices.Contains([]string{"schedule", "notices", "relay's queues", "last night"}, f.Check) {
						states[strings.TrimSpace(f.Check+" "+f.About)] = f.State
					}
					if who != "doctor" && strings.Contains(f.Means, "licenses@contoso.example") {
						t.Errorf("the %s learns who gets the notices: %s", who, f.Means)
					}
				}
				state := map[bool]string{true: "ok", false: "unknown"}[who == "doctor"]
				want := map[string]string{"schedule": state, "notices": state, "last night": state, "relay's queues idleseat-ad-read": state, "relay's queues idleseat-ad-write": state}
				if diff := cmp.Diff(want, states); diff != "" {
					t.Errorf("findings (-want +got):\n%s\n%s", diff, out)
				}
				if who != "doctor" {
					return
				}
				called := map[call]bool{}
				for _, c := range e.made {
					c.role = ""
					called[c] = true
				}
				for _, c := range doctors() {
					if !called[c] {
						t.Errorf("%v is allowed, and was not called", c)
					}
				}
				if len(called) != len(doctors()) {
					t.Errorf("called %v, want %v", called, doctors())
				}
			})
		}
	}
}
