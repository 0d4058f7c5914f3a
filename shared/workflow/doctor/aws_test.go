package doctor

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/idleseat/idleseat/shared/source/entra"
)

// The type "cloud" is a deployment in memory. The map "refused" has the errors of failing calls, by the name of the
// call.
type cloud struct {
	disabled                 bool
	subscriptions            [][2]string // ARN and endpoint, one on each page
	waiting, working, dead   string
	nights                   []sfntypes.ExecutionListItem
	output                   string // output of the last night's execution
	refused                  map[string]error
	asked, schedule, machine string
}

func (c *cloud) GetSchedule(_ context.Context, in *scheduler.GetScheduleInput, _ ...func(*scheduler.Options)) (*scheduler.GetScheduleOutput, error) {
	c.schedule = aws.ToString(in.Name)
	out := &scheduler.GetScheduleOutput{State: schedulertypes.ScheduleStateEnabled, ScheduleExpression: aws.String("cron(30 1 * * ? *)"), ScheduleExpressionTimezone: aws.String("Europe/Oslo")}
	if c.disabled {
		out.State = schedulertypes.ScheduleStateDisabled
	}
	return out, c.refused["GetSchedule"]
}

func (c *cloud) ListSubscriptionsByTopic(_ context.Context, in *sns.ListSubscriptionsByTopicInput, _ ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error) {
	c.asked = aws.ToString(in.TopicArn)
	page := len(aws.ToString(in.NextToken))
	out := &sns.ListSubscriptionsByTopicOutput{}
	if page < len(c.subscriptions) {
		s := c.subscriptions[page]
		out.Subscriptions = []snstypes.Subscription{{SubscriptionArn: &s[0], Endpoint: &s[1]}}
	}
	if page+1 < len(c.subscriptions) {
		out.NextToken = aws.String(strings.Repeat("x", page+1))
	}
	return out, c.refused["ListSubscriptionsByTopic"]
}

func (c *cloud) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	return &sqs.GetQueueUrlOutput{QueueUrl: in.QueueName}, c.refused["GetQueueUrl"]
}

func (c *cloud) GetQueueAttributes(_ context.Context, in *sqs.GetQueueAttributesInput, _ ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	a := map[string]string{"ApproximateNumberOfMessages": c.waiting, "ApproximateNumberOfMessagesNotVisible": c.working}
	if strings.HasSuffix(aws.ToString(in.QueueUrl), "-dead") {
		a["ApproximateNumberOfMessages"] = c.dead
	}
	return &sqs.GetQueueAttributesOutput{Attributes: a}, c.refused["GetQueueAttributes"]
}

func (c *cloud) ListExecutions(_ context.Context, in *sfn.ListExecutionsInput, _ ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	c.machine = aws.ToString(in.StateMachineArn)
	return &sfn.ListExecutionsOutput{Executions: c.nights}, c.refused["ListExecutions"]
}

func (c *cloud) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	if arn := aws.ToString(c.nights[0].ExecutionArn); aws.ToString(in.ExecutionArn) != arn {
		return nil, errors.New("asked about another execution than " + arn)
	}
	return &sfn.DescribeExecutionOutput{Output: &c.output}, c.refused["DescribeExecution"]
}

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func night(status sfntypes.ExecutionStatus, ago time.Duration) []sfntypes.ExecutionListItem {
	return []sfntypes.ExecutionListItem{{Status: status, StartDate: aws.Time(noon.Add(-ago)), ExecutionArn: aws.String("arn:aws:states:eu-north-1:123456789012:execution:idleseat-nightly:x")}}
}

func healthyCloud() *cloud {
	return &cloud{subscriptions: [][2]string{{"arn:aws:sns:a", "a@contoso.example"}, {"arn:aws:sns:b", "b@contoso.example"}}, waiting: "0", working: "0", dead: "0", nights: night(sfntypes.ExecutionStatusSucceeded, 10*time.Hour)}
}

func deployed(c *cloud) *exam {
	return &exam{Patient: Patient{Variable: patient().Variable, Stack: "idleseat", AWS: &AWS{Partition: "aws", Region: "eu-north-1", Account: "123456789012", Schedules: c, Topics: c, Queues: c, Machines: c}}, now: noon}
}

func TestEachIllOfADeployment(t *testing.T) {
	t.Parallel()
	refuse := func(call, code string) func(*cloud) {
		return func(c *cloud) {
			c.refused = map[string]error{call: &smithy.GenericAPIError{Code: code, Message: "no"}}
		}
	}
	tests := []struct {
		name  string
		ill   func(*cloud)
		run   func(context.Context, *exam) ([]Finding, func())
		state State
		means string
		bash  string
	}{
		{"the schedule is off", func(c *cloud) { c.disabled = true }, checkSchedule, Warning, "switched off", "sam deploy --stack-name idleseat --capabilities CAPABILITY_IAM --resolve-s3 --parameter-overrides ScheduleState=ENABLED"},
		{"no schedule", refuse("GetSchedule", "ResourceNotFoundException"), checkSchedule, Failed, "has none here", "describe-stacks --stack-name idleseat"},
		{"the schedule is secret", refuse("GetSchedule", "AccessDeniedException"), checkSchedule, Unknown, "You may not look", "get-caller-identity"},
		{"AWS is slow", refuse("GetSchedule", "ThrottlingException"), checkSchedule, Unknown, "no", "idleseat doctor"},
		{"nobody subscribed", func(c *cloud) { c.subscriptions = nil }, checkNotices, Warning, "Nobody gets notices", "aws sns subscribe --topic-arn arn:aws:sns:eu-north-1:123456789012:idleseat-notices"},
		{"a subscription on the second page is not confirmed", func(c *cloud) { c.subscriptions[1][0] = "PendingConfirmation" }, checkNotices, Warning, "b@contoso.example gets no notice", "--notification-endpoint b@contoso.example"},
		{"no topic", refuse("ListSubscriptionsByTopic", "NotFound"), checkNotices, Failed, "has none here", "describe-stacks"},
		{"the topic is secret", refuse("ListSubscriptionsByTopic", "AuthorizationError"), checkNotices, Unknown, "You may not look", "get-caller-identity"},
		{"nobody works", func(c *cloud) { c.waiting = "2" }, checkQueues, Failed, "2 messages wait and nobody works on them", "systemctl restart idleseat-relay"},
		{"dead letters", func(c *cloud) { c.dead = "3" }, checkQueues, Warning, "3 dead letters", "purge-queue"},
		{"no queue", refuse("GetQueueUrl", "AWS.SimpleQueueService.NonExistentQueue"), checkQueues, Failed, "has none here", "describe-stacks"},
		{"a queue without figures", func(c *cloud) { c.waiting = "" }, checkQueues, Unknown, "Atoi", "idleseat doctor"},
		{"no night yet", func(c *cloud) { c.nights = nil }, checkLastNight, NotTried, "no night yet", "idleseat plan --aws idleseat"},
		{"the night failed", func(c *cloud) { c.nights = night(sfntypes.ExecutionStatusFailed, time.Hour) }, checkLastNight, Failed, "FAILED", "describe-execution"},
		{"the last night is old", func(c *cloud) { c.nights = night(sfntypes.ExecutionStatusSucceeded, 80*time.Hour) }, checkLastNight, Warning, "3 days ago", "idleseat plan --aws"},
		{"the channel was not told", func(c *cloud) {
			c.output = `{"run":"r","untold":"Slack did not take the message: it answers 404 (no_service)"}`
		}, checkLastNight, Warning, "not told how that night ended: Slack did not take", "put-secret-value --secret-string file://idleseat.webhook --secret-id idleseat-webhook"},
		{"the night is secret", refuse("DescribeExecution", "AccessDeniedException"), checkLastNight, Unknown, "You may not look", "get-caller-identity"},
		{"no machine", refuse("ListExecutions", "StateMachineDoesNotExist"), checkLastNight, Failed, "has none here", "describe-stacks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := healthyCloud()
			tt.ill(c)
			findings, _ := tt.run(t.Context(), deployed(c))
			f := findings[len(findings)-1]
			if f.State != tt.state || !strings.Contains(f.Means, tt.means) || f.Mend == nil || !strings.Contains(f.Mend.Bash, tt.bash) || f.Mend.PowerShell == "" {
				t.Errorf("%+v, advice %+v", f, f.Mend)
			}
			if f.Mend != nil {
				if out, err := exec.Command("bash", "-n", "-c", f.Mend.Bash).CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			}
			c = healthyCloud() // the same check of a deployment without a fault is ok
			if findings, _ = tt.run(t.Context(), deployed(c)); Worst(findings) != OK {
				t.Errorf("healthy: %+v", findings)
			}
		})
	}
}

// TestADeploymentIsAskedByItsNames: the names in the requests begin with the name of the stack, as in template.yaml.
func TestADeploymentIsAskedByItsNames(t *testing.T) {
	t.Parallel()
	c := healthyCloud()
	p := patient()
	p.Stack, p.AWS = "seats", deployed(c).AWS
	findings := examine(t.Context(), p, deploymentChecks, time.Minute, func(string) {})
	if c.schedule != "seats-nightly" || c.asked != "arn:aws:sns:eu-north-1:123456789012:seats-notices" || c.machine != "arn:aws:states:eu-north-1:123456789012:stateMachine:seats-nightly" {
		t.Errorf("asked %q, %q, %q", c.schedule, c.asked, c.machine)
	}
	if states(findings)["schedule"] != OK {
		t.Errorf("%+v", findings)
	}
}

func TestWithoutAWSNothingIsTried(t *testing.T) {
	t.Parallel()
	p := patient()
	p.Stack, p.AWSErr = "idleseat", errors.New("no credentials")
	got := states(examine(t.Context(), p, deploymentChecks, time.Minute, func(string) {}))
	for name, state := range got {
		if want := map[bool]State{true: Failed, false: NotTried}[name == awsSignIn]; state != want {
			t.Errorf("%s: %s", name, state)
		}
	}
}

// TestAMachineThatOnlyOperates: an operator of a deployment needs no policy, no sign-in to Entra ID and no store on
// this machine. No check fails because one of them is missing.
func TestAMachineThatOnlyOperates(t *testing.T) {
	t.Parallel()
	for _, stack := range []string{"", "idleseat"} {
		p := patient()
		p.PolicyFile, p.Policy, p.PolicyErr = "", nil, errors.New("no policy")
		p.Store, p.Stack, p.AWS = nil, stack, deployed(healthyCloud()).AWS
		p.Entra = &tenant{grantErr: &entra.SignInError{}}
		if stack == "" {
			p.StoreErr, p.Entra = errors.New("no store"), &tenant{grantErr: errors.New("no sign-in")}
		}
		got := states(Examine(t.Context(), p, func(string) {}))
		for _, name := range []string{aPolicy, aSignIn, theStore} {
			if want := map[bool]State{true: Failed, false: NotTried}[stack == ""]; got[name] != want {
				t.Errorf("stack %q: %s: %s, want %s", stack, name, got[name], want)
			}
		}
		if stack != "" && got["schedule"] != OK {
			t.Errorf("the deployment: %v", got)
		}
	}
}
