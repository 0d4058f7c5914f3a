package doctor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plain"
)

// AWS is the account and region of a deployment, with the calls that doctor makes there.
type AWS struct {
	Partition, Region, Account string

	Schedules interface {
		GetSchedule(ctx context.Context, in *scheduler.GetScheduleInput, options ...func(*scheduler.Options)) (*scheduler.GetScheduleOutput, error)
	}
	Topics interface {
		ListSubscriptionsByTopic(ctx context.Context, in *sns.ListSubscriptionsByTopicInput, options ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error)
	}
	Queues interface {
		GetQueueUrl(ctx context.Context, in *sqs.GetQueueUrlInput, options ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
		GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, options ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	}
	Machines interface {
		ListExecutions(ctx context.Context, in *sfn.ListExecutionsInput, options ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error)
		DescribeExecution(ctx context.Context, in *sfn.DescribeExecutionInput, options ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	}
}

var deploymentChecks = []check{
	{name: awsSignIn, run: checkAWS},
	{name: "schedule", needs: []string{awsSignIn}, run: checkSchedule},
	{name: "notices", needs: []string{awsSignIn}, run: checkNotices},
	{name: "relay's queues", needs: []string{awsSignIn}, run: checkQueues},
	{name: "last night", needs: []string{awsSignIn}, run: checkLastNight},
}

func checkAWS(_ context.Context, e *exam) ([]Finding, func()) {
	if e.AWSErr != nil {
		return one(Finding{State: Failed, Means: sentence("%v", e.AWSErr), Mend: same("Sign in to the account and the region of the deployment.", "aws configure sso\naws sts get-caller-identity")})
	}
	return one(Finding{State: OK, Means: sentence("You are signed in to account %s, region %s", e.AWS.Account, e.AWS.Region)})
}

func (e *exam) arn(service, resource string) string {
	return "arn:" + e.AWS.Partition + ":" + service + ":" + e.AWS.Region + ":" + e.AWS.Account + ":" + resource
}

// The method "deploy" returns the Mend that deploys the stack again with one changed parameter.
func (e *exam) deploy(do, parameter string) *Mend {
	m := &Mend{Do: do + " With Terraform, set the variable of the same meaning."}
	const how = " --capabilities CAPABILITY_IAM --resolve-s3 --parameter-overrides "
	m.Bash = "sam deploy --stack-name " + word(e.Stack) + how + word(parameter)
	m.PowerShell = "sam deploy --stack-name " + literal(e.Stack) + how + literal(parameter)
	return m
}

// The method "unasked" returns the finding for a failed call of AWS. The parameter "right" is the permission for the
// call. The parameter "missing" is the error code for a resource that does not exist.
func (e *exam) unasked(err error, right, missing string) Finding {
	code := ""
	if api, answered := errors.AsType[smithy.APIError](err); answered {
		code = api.ErrorCode()
	}
	stack := &Mend{Do: "Look whether this is the name of the deployment, the right account and the right region.",
		Bash: "aws cloudformation describe-stacks --stack-name " + word(e.Stack), PowerShell: "aws cloudformation describe-stacks --stack-name " + literal(e.Stack)}
	switch {
	case missing != "" && (code == missing || strings.HasSuffix(code, "."+missing)):
		return Finding{State: Failed, Means: sentence("The deployment %s has none here: %v", e.Stack, err), Mend: stack}
	case strings.Contains(code, "AccessDenied") || strings.Contains(code, "AuthorizationError"):
		return Finding{State: Unknown, Means: sentence("You may not look: %v", err), Mend: same("Attach the policy of the output DoctorPolicy to yourself, or allow yourself "+right+", which reads only. With Terraform the output is policies.", "aws sts get-caller-identity")}
	}
	return Finding{State: Unknown, Means: sentence("%v", err), Mend: e.again()}
}

func checkSchedule(ctx context.Context, e *exam) ([]Finding, func()) {
	s, err := e.AWS.Schedules.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: aws.String(e.Stack + "-nightly")})
	if err != nil {
		return one(e.unasked(err, "scheduler:GetSchedule", "ResourceNotFoundException"))
	}
	when := sentence("%s, %s", aws.ToString(s.ScheduleExpression), aws.ToString(s.ScheduleExpressionTimezone))
	if s.State != schedulertypes.ScheduleStateEnabled {
		return one(Finding{State: Warning, Means: "The schedule is switched off, so no night runs by itself: " + when, Mend: e.deploy("Switch it on.", "ScheduleState=ENABLED")})
	}
	return one(Finding{State: OK, Means: "A night starts by itself: " + when})
}

func checkNotices(ctx context.Context, e *exam) ([]Finding, func()) {
	topic := e.arn("sns", e.Stack+"-notices")
	confirmed, waiting := 0, ""
	for next := (*string)(nil); ; {
		page, err := e.AWS.Topics.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic, NextToken: next})
		if err != nil {
			return one(e.unasked(err, "sns:ListSubscriptionsByTopic", "NotFound"))
		}
		for _, s := range page.Subscriptions {
			if strings.HasPrefix(aws.ToString(s.SubscriptionArn), "arn:") { // else "PendingConfirmation" (SNS, "ListSubscriptionsByTopic")
				confirmed++
			} else {
				waiting = aws.ToString(s.Endpoint)
			}
		}
		if next = page.NextToken; aws.ToString(next) == "" {
			break
		}
	}
	subscribe := func(do, endpoint string) *Mend {
		const how = " --protocol email --notification-endpoint "
		return &Mend{Do: do, Bash: "aws sns subscribe --topic-arn " + word(topic) + how + word(endpoint), PowerShell: "aws sns subscribe --topic-arn " + literal(topic) + how + literal(endpoint)}
	}
	switch {
	case waiting != "":
		return one(Finding{State: Warning, Means: sentence("%s gets no notice until the mail of AWS is confirmed; %s confirmed", waiting, plain.ManyAre(confirmed, "subscription")),
			Mend: subscribe("Open the link in the mail of AWS; the command sends it again.", waiting)})
	case confirmed == 0:
		return one(Finding{State: Warning, Means: "Nobody gets notices, so nobody learns that a plan is on hold or waits for approval.", Mend: subscribe("Subscribe, with your own address.", "licenses@contoso.example")})
	}
	return one(Finding{State: OK, Means: fmt.Sprintf("%s confirmed.", plain.ManyAre(confirmed, "subscription"))})
}

// checkQueues looks at the queues of the relay. SQS does not show which programs read a queue, so waiting messages are
// the only sign that the relay does not run.
func checkQueues(ctx context.Context, e *exam) (found []Finding, _ func()) {
	for _, name := range []string{e.Stack + "-ad-read", e.Stack + "-ad-write"} {
		waiting, working, err := e.queue(ctx, name)
		dead, _, errDead := e.queue(ctx, name+"-dead")
		f := Finding{About: name, State: OK, Means: fmt.Sprintf("%d messages wait and %d are worked on; no dead letters.", waiting, working)}
		switch {
		case err != nil || errDead != nil:
			f = e.unasked(errors.Join(err, errDead), "sqs:GetQueueUrl and sqs:GetQueueAttributes", "NonExistentQueue")
			f.About = name
		case waiting > 0 && working == 0:
			f.State, f.Means = Failed, fmt.Sprintf("%d messages wait and nobody works on them: no relay runs, or it cannot reach the queue.", waiting)
			f.Mend = same("Start the relay on its machine, and see what it lacks.", "systemctl restart idleseat-relay\njournalctl -u idleseat-relay --since -10min")
		case dead > 0:
			f.State, f.Means = Warning, fmt.Sprintf("%d dead letters: each was received ten times and never finished.", dead)
			f.Mend = same("Mend what the relay's log says, and then empty the queue of dead letters.", `aws sqs purge-queue --queue-url "$(aws sqs get-queue-url --queue-name `+strings.Map(plainLetter, name)+`-dead --query QueueUrl --output text)"`)
		}
		found = append(found, f)
	}
	return found, nil
}

func (e *exam) queue(ctx context.Context, name string) (waiting, working int, err error) {
	url, err := e.AWS.Queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return 0, 0, err
	}
	const visible, hidden = sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible
	out, err := e.AWS.Queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{visible, hidden}})
	if err != nil {
		return 0, 0, err
	}
	waiting, errWaiting := strconv.Atoi(out.Attributes[string(visible)])
	working, errWorking := strconv.Atoi(out.Attributes[string(hidden)])
	return waiting, working, errors.Join(errWaiting, errWorking)
}

// checkLastNight looks at the newest execution that the schedule started.
func checkLastNight(ctx context.Context, e *exam) ([]Finding, func()) {
	machine := e.arn("states", "stateMachine:"+entrance.Nightly.Machine(e.Stack))
	out, err := e.AWS.Machines.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &machine, MaxResults: 1})
	if err != nil {
		return one(e.unasked(err, "states:ListExecutions", "StateMachineDoesNotExist"))
	}
	if len(out.Executions) == 0 {
		return one(Finding{State: NotTried, Means: "Not tried, because the schedule has started no night yet.", Mend: e.firstPlan()})
	}
	last := out.Executions[0]
	began := e.now.Sub(aws.ToTime(last.StartDate))
	said := fmt.Sprintf("The last night began %s ago: %s.", age(began), last.Status)
	show := "aws stepfunctions describe-execution --execution-arn "
	look := &Mend{Do: "See why.", Bash: show + word(aws.ToString(last.ExecutionArn)), PowerShell: show + literal(aws.ToString(last.ExecutionArn))}
	switch {
	case last.Status != sfntypes.ExecutionStatusSucceeded && last.Status != sfntypes.ExecutionStatusRunning:
		return one(Finding{State: Failed, Means: said, Mend: look})
	case began > old:
		return one(Finding{State: Warning, Means: said + " A schedule of every night would have begun another one.", Mend: e.firstPlan()})
	}
	found := []Finding{{State: OK, Means: said}}
	if last.Status == sfntypes.ExecutionStatusSucceeded {
		if f, tell := e.checkTold(ctx, aws.ToString(last.ExecutionArn)); tell {
			found = append(found, f)
		}
	}
	return found, nil
}

func (e *exam) firstPlan() *Mend {
	return &Mend{Do: "Make a plan by hand; it changes nothing.", Bash: "idleseat plan --aws " + word(e.Stack), PowerShell: "idleseat plan --aws " + literal(e.Stack)}
}

// The constant "old" is the age above which the newest run or execution cannot be from last night.
const old = 48 * time.Hour
