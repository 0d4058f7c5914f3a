package endtoend

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// statement allows some actions on some resources.
type statement struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]any
}

// roles are the policies of a deployment by the role's name, without the right
// to write a function's own log.
type roles map[string][]statement

func samRoles(t *testing.T, m *template) roles {
	t.Helper()
	all := roles{}
	for _, name := range []string{"Collect", "Evaluate", "Gate", "Apply", "Reevaluate", "Machine", "Schedule", "Relay"} {
		policies := convert[[]struct {
			PolicyDocument struct{ Statement []statement }
		}](t, m.properties(name + "Role")["Policies"])
		for _, p := range policies {
			for _, s := range p.PolicyDocument.Statement {
				if !slices.Contains(s.Action, "logs:PutLogEvents") {
					all[strings.ToLower(name)] = append(all[strings.ToLower(name)], s)
				}
			}
		}
	}
	return all
}

func terraformRoles(t *testing.T, m *module) roles {
	t.Helper()
	all := local[roles](t, m, "rights")
	for name, more := range local[map[string][]string](t, m, "entra") {
		for _, text := range more {
			var s statement
			if err := json.Unmarshal([]byte(text), &s); err != nil {
				t.Fatal(err)
			}
			all[name] = append(all[name], s)
		}
	}
	return all
}

// call is a call that a role makes.
type call struct{ role, action, resource string }

// allowed tells whether a role may make a call.
func (all roles) allowed(c call) bool {
	return slices.ContainsFunc(all[c.role], func(s statement) bool {
		return s.Effect == "Allow" && slices.Contains(s.Action, c.action) &&
			slices.ContainsFunc(s.Resource, func(pattern string) bool { return fits(pattern, c.resource) })
	})
}

// fits matches a resource against a pattern in which * stands for anything.
func fits(pattern, resource string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(resource, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	for _, p := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, p)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// without gives the roles as they are without one action of one role.
func (all roles) without(role, action string) roles {
	out := roles{}
	for name, list := range all {
		for _, s := range list {
			if name == role {
				s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return a == action })
			}
			out[name] = append(out[name], s)
		}
	}
	return out
}

// unseen are actions that no call of a test shows, with the reason why they are
// needed all the same.
var unseen = map[string]string{
	"s3:ListBucket":                 "without it a missing object looks forbidden; only collect, gate and apply list, too",
	"kms:Decrypt":                   "asked by S3 on behalf of the role",
	"kms:GenerateDataKey":           "asked by S3 on behalf of the role",
	"sts:GetWebIdentityToken":       "Graph on loopback is asked without a token",
	"logs:CreateLogDelivery":        "delivery of the state machine's log",
	"logs:GetLogDelivery":           "delivery of the state machine's log",
	"logs:UpdateLogDelivery":        "delivery of the state machine's log",
	"logs:DeleteLogDelivery":        "delivery of the state machine's log",
	"logs:ListLogDeliveries":        "delivery of the state machine's log",
	"logs:PutResourcePolicy":        "delivery of the state machine's log",
	"logs:DescribeResourcePolicies": "delivery of the state machine's log",
	"logs:DescribeLogGroups":        "delivery of the state machine's log",
	"states:DescribeExecution":      "the service follows and stops the map's children",
	"states:StopExecution":          "the service follows and stops the map's children",
	"states:SendTaskFailure":        "only when work fails; the relay's own test shows it",
	"sqs:GetQueueAttributes":        "the relay reads its queues' timeouts when it starts",
}

// compare finds calls that are not allowed, and actions that nobody needs.
func (all roles) compare(calls []call) (faults []string) {
	used := map[string]bool{}
	for _, c := range calls {
		if !all.allowed(c) {
			faults = append(faults, "not allowed: "+c.role+" "+c.action+" "+c.resource)
		}
		used[c.role+" "+c.action] = true
	}
	for role, list := range all {
		for _, s := range list {
			for _, a := range s.Action {
				if !used[role+" "+a] && unseen[a] == "" {
					faults = append(faults, "not needed: "+role+" "+a)
				}
			}
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}
