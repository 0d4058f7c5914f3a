package page

import (
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/report"
)

// The functions of this file return what an operator runs after a night. A deployment in AWS plans, approves and restores
// by itself, and an approval names the hash of the plan. On a machine, the commands work in the store.

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

func restoring(n *report.Night) string { return inDeployment("idleseat restore --run "+n.Run, n) }

func inDeployment(command string, n *report.Night) string {
	if n.Deployment == "" {
		return command
	}
	return command + " --aws " + plain.Word(n.Deployment)
}
