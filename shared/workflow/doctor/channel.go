package doctor

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// checkChannel checks whether this machine can reach the vendor of the webhook. It posts no message, because people
// would read it.
func checkChannel(ctx context.Context, e *exam) ([]Finding, func()) {
	switch {
	case e.ChannelErr != nil:
		return one(Finding{State: Warning, Means: sentence("No channel learns how a night ends: %v", e.ChannelErr), Mend: setWebhook()})
	case e.Channel == nil:
		return one(Finding{State: NotTried, Means: "Not tried, because IDLESEAT_WEBHOOK_FILE is not set: no channel of Teams or Slack learns how a night ends."})
	}
	vendor := e.Channel.To.Vendor()
	if err := e.Channel.Reach(ctx); err != nil {
		return one(Finding{State: Unknown, Means: sentence("%s: %v", vendor, err), Mend: e.again()})
	}
	return one(Finding{State: OK, Means: vendor + " can be reached. Only a message shows whether the webhook takes it, and this check sends none; a night says so when it was not taken."})
}

// setWebhook returns the Mend that stores the address of a webhook without showing it.
func setWebhook() *Mend {
	return &Mend{
		Do:         "Write the address into a file of your own; type it when the command waits for it.",
		Bash:       "(umask 077; read -rs address && printf '%s' \"$address\" > idleseat.webhook)\nexport IDLESEAT_WEBHOOK_FILE=idleseat.webhook",
		PowerShell: "Set-Content -NoNewline -Path idleseat.webhook -Value (Read-Host 'Address')\n$env:IDLESEAT_WEBHOOK_FILE = 'idleseat.webhook'",
	}
}

// checkTold reads how an execution ended. It returns a finding and true if the execution could not post its message to
// the channel, or if AWS did not describe the execution. Otherwise it returns false.
func (e *exam) checkTold(ctx context.Context, execution string) (Finding, bool) {
	const about = "channel"
	x, err := e.AWS.Machines.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	if err != nil {
		f := e.unasked(err, "states:DescribeExecution", "ExecutionDoesNotExist")
		f.About = about
		return f, true
	}
	var of struct{ Untold string }
	if json.Unmarshal([]byte(aws.ToString(x.Output)), &of) != nil || of.Untold == "" {
		return Finding{}, false
	}
	secret := e.Stack + "-webhook"
	const put = "aws secretsmanager put-secret-value --secret-string file://idleseat.webhook --secret-id "
	m := setWebhook()
	m.Do = "Put the right address into the secret that WebhookSecret names; type it when the command waits for it."
	m.Bash = "(umask 077; read -rs address && printf '%s' \"$address\" > idleseat.webhook)\n" + put + word(secret) + "\nrm idleseat.webhook"
	m.PowerShell = "Set-Content -NoNewline -Path idleseat.webhook -Value (Read-Host 'Address')\n" + put + literal(secret) + "\nRemove-Item idleseat.webhook"
	return Finding{About: about, State: Warning, Means: sentence("The channel was not told how that night ended: %s", of.Untold), Mend: m}, true
}
