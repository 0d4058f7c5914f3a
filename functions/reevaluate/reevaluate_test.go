package main

import "testing"

// TestDeployment: the name of the deployment comes from the ARN of the state machine, without the suffix "-approve".
func TestDeployment(t *testing.T) {
	t.Parallel()
	for machine, want := range map[string]string{
		"arn:aws:states:eu-north-1:111111111111:stateMachine:idleseat":                 "idleseat",
		"arn:aws:states:eu-north-1:111111111111:stateMachine:seats-approve":            "seats",
		"arn:aws-cn:states:cn-north-1:111111111111:stateMachine:approve-these-approve": "approve-these",
	} {
		if got := (&reevaluation{machine: machine}).deployment(); got != want {
			t.Errorf("%s: %s, want %s", machine, got, want)
		}
	}
}
