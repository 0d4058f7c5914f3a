package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// awsFlag is the flag --aws. With it, a command does its work in a deployment in AWS, and not on this machine.
type awsFlag struct {
	AWS string `name:"aws" help:"Have the deployment of this name (stack or module) do it: starts an execution of its state machine for this, and follows it." placeholder:"STACK"`
}

// inVain returns an error if the command line has --aws and a flag that the deployment would ignore. The command
// "doctor" is an exception, because with --aws it checks this machine, too. Environment variables for these flags are
// no error, because they are for commands without --aws.
func inVain(ctx *kong.Context) error {
	given := map[string]bool{}
	for _, p := range ctx.Path {
		if p.Flag != nil {
			given[p.Flag.Name] = true
		}
	}
	switch {
	case !given["aws"] || ctx.Selected().Name == "doctor":
		return nil
	case given["policy"]:
		return usageError{errors.New("--policy is for commands on this machine: a deployment uses the policy in its bucket; upload the file to change that one, and leave --policy out")}
	case given["store"]:
		return usageError{errors.New("--store is for commands on this machine: a deployment uses its own bucket; leave --store out")}
	}
	return nil
}

// The constant "look" is the interval between two checks of an execution.
const look = 2 * time.Second

// The method "start" starts an execution in a deployment, follows it and returns its output. The argument "wish"
// decides which state machine of the deployment does the work. The argument "request" is the input of the execution.
func (f awsFlag) start(a *Process, wish entrance.Wish, request any) (*gate.StepOutput, error) {
	cloud, self, err := signedIn(a)
	if err != nil {
		return nil, err
	}
	input, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	machine := arn.ARN{
		Partition: self.Partition, Service: "states", Region: cloud.Region, AccountID: self.AccountID,
		Resource: "stateMachine:" + entrance.For(wish).Machine(f.AWS),
	}.String()
	executions := sfn.NewFromConfig(cloud)
	started, err := executions.StartExecution(a.Context, &sfn.StartExecutionInput{StateMachineArn: &machine, Input: aws.String(string(input))})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", machine, err)
	}
	fmt.Fprintf(a.Stderr, "execution %s\n", aws.ToString(started.ExecutionArn))
	return follow(a, executions, started.ExecutionArn)
}

// signedIn returns the AWS settings and the identity of the operator.
func signedIn(a *Process) (cloud aws.Config, self arn.ARN, err error) {
	if cloud, err = config.LoadDefaultConfig(a.Context); err != nil {
		return cloud, self, fmt.Errorf("read the AWS settings: %w", err)
	}
	who, err := sts.NewFromConfig(cloud).GetCallerIdentity(a.Context, &sts.GetCallerIdentityInput{})
	if err != nil {
		return cloud, self, fmt.Errorf("ask AWS who is signed in (are there credentials and a region?): %w", err)
	}
	if self, err = arn.Parse(aws.ToString(who.Arn)); err != nil { // the ARN has the partition, which is different in China and in GovCloud
		return cloud, self, fmt.Errorf("read who is signed in at AWS: %w", err)
	}
	self.AccountID = aws.ToString(who.Account)
	return cloud, self, nil
}

// The function "follow" prints the steps of an execution until the execution ends. An interrupt ends the function, but
// not the execution.
func follow(a *Process, executions *sfn.Client, arn *string) (*gate.StepOutput, error) {
	for seen := int64(0); ; {
		now, err := executions.DescribeExecution(a.Context, &sfn.DescribeExecutionInput{ExecutionArn: arn})
		if err != nil {
			return nil, fmt.Errorf("follow %s, which goes on: %w", *arn, err)
		}
		if seen, err = showSteps(a, executions, arn, seen); err != nil {
			return nil, err
		}
		if now.Status != types.ExecutionStatusRunning {
			return outcome(now)
		}
		if a.Clock.Sleep(a.Context, look) != nil {
			return nil, fmt.Errorf("%s goes on without being followed: %w", *arn, context.Cause(a.Context))
		}
	}
}

// showSteps prints the steps that began after the event whose id is the argument "seen", and returns the id of the
// latest event. It reads only the 200 latest events of the execution.
func showSteps(a *Process, executions *sfn.Client, arn *string, seen int64) (int64, error) {
	h, err := executions.GetExecutionHistory(a.Context, &sfn.GetExecutionHistoryInput{
		ExecutionArn: arn, ReverseOrder: true, MaxResults: 200, IncludeExecutionData: aws.Bool(false),
	})
	if err != nil {
		return seen, fmt.Errorf("follow %s, which goes on: %w", *arn, err)
	}
	for _, e := range slices.Backward(h.Events) {
		if e.Id > seen && e.StateEnteredEventDetails != nil {
			fmt.Fprintf(a.Stderr, "%s  %s\n", aws.ToTime(e.Timestamp).Local().Format(time.TimeOnly), aws.ToString(e.StateEnteredEventDetails.Name))
		}
	}
	if len(h.Events) > 0 {
		seen = max(seen, h.Events[0].Id)
	}
	return seen, nil
}

// The function "outcome" returns the output or the error of a finished execution. An execution that refused the request
// has the status SUCCEEDED, so the function looks for a refusal in the output.
func outcome(e *sfn.DescribeExecutionOutput) (*gate.StepOutput, error) {
	if e.Status != types.ExecutionStatusSucceeded {
		return nil, fmt.Errorf("execution %s ended as %s: %s: %s", aws.ToString(e.Name), e.Status, aws.ToString(e.Error), aws.ToString(e.Cause))
	}
	out := new(gate.StepOutput)
	if err := json.Unmarshal([]byte(aws.ToString(e.Output)), out); err != nil {
		return nil, fmt.Errorf("read the outcome of execution %s: %w", aws.ToString(e.Name), err)
	}
	if f := out.Failure; f != nil {
		return nil, fmt.Errorf("%w: execution %s: %s: %s", runs.ErrRefused, aws.ToString(e.Name), f.Error, f.Cause)
	}
	return out, nil
}

// printOutcome prints the output of an execution. It returns an error if the execution did not do all that the operator
// asked for.
func (f awsFlag) printOutcome(a *Process, out *gate.StepOutput, format formatFlag) error {
	if format.json() {
		if err := writeJSON(a.json, out); err != nil {
			return err
		}
	} else {
		p := &printer{w: a.Stdout}
		p.printf("Run %s, mode %s: verdict %s, %s", out.Run, out.Mode, out.Verdict, plain.Many(out.Changes, "change"))
		if out.Results == nil {
			p.printf(", %s a month", amount(out.MonthlySaving, out.Currency))
		}
		p.printf("\n")
		if c := out.Counts; c != nil && c.Users > 0 { // no people are counted in a restore, which evaluates no rules
			p.printf("%s\n", countsOf(c))
		}
		if out.Results != nil {
			p.printf("%s; %s\n", counts(func(s runs.Status) int { return out.Results[s] }), freed(out.MonthlySaving, out.Currency, out.Restores != ""))
		}
		if len(out.Resumed) > 0 {
			p.printf("begun by earlier runs: %s\n", counts(func(s runs.Status) int { return out.Resumed[s] }))
		}
		if out.Begun > 0 && len(out.Resumed) == 0 {
			p.printf("begun by earlier runs and not finished: %s\n", plain.Many(out.Begun, "change"))
		}
		if out.Results == nil && out.Mode != policy.Audit && (out.Verdict == plan.Review || out.Verdict == plan.Apply || out.Verdict == plan.Nothing && out.Begun > out.Stuck) {
			p.printf("approve it:  idleseat approve %s %s --aws %s\n", out.Run, out.PlanHash, plain.Word(f.AWS))
		}
		if p.err != nil {
			return p.err
		}
	}
	switch {
	case out.Verdict == plan.Hold && out.Results == nil:
		return onHoldError{out.HoldReasons}
	case out.Refused != "":
		return onHoldError{[]string{out.Refused}}
	}
	if err := errors.Join(failure(out.Run, out.Results[runs.Failed], out.Troubled), resumeFailed(out.Resumed[runs.Failed])); err != nil {
		return err
	}
	return unrestored(out.Run, out.Unrestored)
}

type approveCmd struct {
	formatFlag
	ID       string `arg:"" name:"run" help:"The run whose plan is approved."`
	Hash     string `arg:"" help:"The hash of that very plan."`
	AWS      string `name:"aws" required:"" help:"The deployment (stack or module) that applies it." placeholder:"STACK"`
	Override bool   `name:"override-limits" help:"Also when its limits hold it."`
}

func (c *approveCmd) Run(a *Process) error {
	if err := itself(c.ID); err != nil {
		return err
	}
	f := awsFlag{c.AWS}
	wish := entrance.ApplyPlan
	if c.Override {
		wish = entrance.ApplyHeldPlan
	}
	out, err := f.start(a, wish, gate.Request{Run: c.ID, PlanHash: c.Hash, Override: c.Override})
	if err != nil {
		return err
	}
	return f.printOutcome(a, out, c.formatFlag)
}
