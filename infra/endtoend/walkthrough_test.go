package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/runs"
)

// TestWalkThrough: each command in docs/deploy-aws.md, from the first check of the policy to a restore, prints the
// output that the page shows.
func TestWalkThrough(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/deploy-aws.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	shown := func(what, output string) {
		if output = anonymous(output); output == "" || !strings.Contains(page, "```\n"+strings.TrimSpace(output)+"\n```") {
			t.Errorf("%s: the page does not show this output:\n%s", what, output)
		}
	}
	shown("policy check", printed(t, nil, "idleseat", "policy", "check", "policy.yaml"))
	shown("policy test", printed(t, nil, "idleseat", "policy", "test", "policy.yaml"))
	alarms := regexp.MustCompile(`(?m)^([a-z-]+): .*$`).ReplaceAllString(described(t), stack+"-$1\tOK")
	shown("the alarms", strings.TrimPrefix(alarms, "=== the alarms\n"))
	small := company
	small.Users = 400
	r := newRig(t, options{company: small, mode: "audit"})
	check := printed(t, r.relayEnv(), "relay", "--check")
	shown("the relay's check", strings.ReplaceAll(check, "timeout 3s", "timeout 1m0s")) // the queues of the rig have a shorter timeout
	idleseat := r.operator()
	stdout, steps, status := idleseat("plan")
	if status != 0 {
		t.Fatalf("the first night: status %d: %s", status, steps)
	}
	shown("the first night", stdout)
	if diff := cmp.Diff(stepsOf(page), stepsOf(steps)); diff != "" {
		t.Errorf("steps of the first night (-page +command):\n%s", diff)
	}
	r.mu.Lock()
	notice := r.notices[len(r.notices)-1]
	r.mu.Unlock()
	shown("its notice", "Subject: "+notice)
	p, err := runs.GetPlan(t.Context(), r.store, strings.Fields(strings.ReplaceAll(stdout, ",", ""))[1])
	if err != nil || len(p.Changes) == 0 {
		t.Fatalf("%v: %s", err, stdout)
	}
	one := p.Changes[0].UserPrincipalName
	stdout, _, _ = idleseat("reevaluate", one)
	shown("reevaluate", stdout)

	r.putPolicy("review", nil)
	stdout, steps, status = idleseat("plan")
	m := regexp.MustCompile(`idleseat approve (\S+) (\S+) --aws`).FindStringSubmatch(stdout)
	if status != 0 || m == nil {
		t.Fatalf("plan: status %d: %s%s", status, stdout, steps)
	}
	shown("plan", stdout)
	stdout, _, _ = idleseat("approve", m[1], m[2])
	shown("approve", stdout)
	r.longAgo()
	stdout, _, _ = idleseat("restore", one)
	shown("restore one", stdout)
	stdout, _, _ = idleseat("restore", "--run", m[1])
	shown("restore", stdout)
}

// The function "printed" runs a built program in the folder of the example policies and returns the output.
func printed(t *testing.T, env []string, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(built, program), args...)
	cmd.Dir, cmd.Env = "..", env // the folder infra
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v", program, args, err)
	}
	return string(out)
}

// stepsOf returns the names of the steps of an execution, sorted, because the order of concurrent steps varies.
func stepsOf(text string) []string {
	all := []string{}
	for _, m := range regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d  (.+)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}
