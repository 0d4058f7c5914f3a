package page

import (
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/report"
)

// The functions of this file return the commands that an operator calls after a night. If a deployment in AWS made the
// run, the command names the deployment (--aws), and an approval also names the hash of the plan.

func planning(n *report.Night) string { return inDeployment("idleseat plan", n) }

func applying(n *report.Night) string {
	if n.Deployment != "" {
		return inDeployment("idleseat approve "+n.Run+" "+n.PlanHash, n)
	}
	return "idleseat apply " + n.Run
}

func overriding(n *report.Night) string {
	if n.Deployment != "" {
		return applying(n) + " --override-limits"
	}
	return applying(n) + " --override-limits " + n.PlanHash
}

// The function "finishing" returns the command that goes on with a plan that was applied. If an operator has set the
// limits of the plan aside, the operator must do it again.
func finishing(n *report.Night) string {
	if n.Settled.Override != "" {
		return overriding(n)
	}
	return applying(n)
}

func restoring(n *report.Night) string { return inDeployment("idleseat restore --run "+n.Run, n) }

func inDeployment(command string, n *report.Night) string {
	if n.Deployment == "" {
		return command
	}
	return command + " --aws " + plain.Word(n.Deployment)
}
