package endtoend

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// The type "statement" has the parts of a statement in an IAM policy that decide whether a call is allowed.
type statement struct {
	Effect    string
	Action    texts
	Resource  texts
	Condition map[string]map[string]texts
}

// The type "texts" is a list of strings. In JSON, a list of one string may be a single string.
type texts []string

// UnmarshalJSON accepts a list or a single string.
func (t *texts) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// The type "roles" maps each role of a deployment to its policies, without the rights to write logs.
type roles map[string][]statement

func samRoles(t *testing.T, m *template) roles {
	t.Helper()
	all := roles{}
	for _, name := range []string{"Collect", "Evaluate", "Gate", "Apply", "Reevaluate", "ReevaluateApply", "Machine", "Schedule", "Relay"} {
		policies := convert[[]struct {
			PolicyDocument struct{ Statement []statement }
		}](t, m.properties(name + "Role")["Policies"])
		for _, p := range policies {
			for _, s := range p.PolicyDocument.Statement {
				if !slices.Contains(s.Action, "logs:PutLogEvents") {
					all[kebab(name)] = append(all[kebab(name)], s)
				}
			}
		}
	}
	return all
}

func terraformRoles(t *testing.T, m *module) roles {
	t.Helper()
	all := local[roles](t, m, "rights")
	for _, more := range []string{"entra", "webhook"} {
		for name, list := range local[map[string][]string](t, m, more) {
			for _, text := range list {
				var s statement
				if err := json.Unmarshal([]byte(text), &s); err != nil {
					t.Fatal(err)
				}
				all[name] = append(all[name], s)
			}
		}
	}
	return all
}

type call struct{ role, action, resource string }

func (all roles) allowed(c call) bool {
	return slices.ContainsFunc(all[c.role], func(s statement) bool {
		return s.Effect == "Allow" && slices.Contains(s.Action, c.action) &&
			slices.ContainsFunc(s.Resource, func(pattern string) bool { return fits(pattern, c.resource) })
	})
}

// The function "fits" reports whether "resource" matches "pattern", in which * matches any text.
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

// The map "unseen" has the rights that no recorded call uses, by role and action, with the reason for the right.
var unseen = map[string]string{
	"evaluate s3:ListBucket":                "only when an object is missing, which would look forbidden without it",
	"reevaluate-apply s3:ListBucket":        "only when an object is missing, which would look forbidden without it",
	"reevaluate s3:ListBucket":              "only when an object is missing, which would look forbidden without it",
	"collect sts:GetWebIdentityToken":       "Graph on loopback is asked without a token",
	"apply sts:GetWebIdentityToken":         "Graph on loopback is asked without a token",
	"machine logs:CreateLogDelivery":        "delivery of the state machine's log",
	"machine logs:GetLogDelivery":           "delivery of the state machine's log",
	"machine logs:UpdateLogDelivery":        "delivery of the state machine's log",
	"machine logs:DeleteLogDelivery":        "delivery of the state machine's log",
	"machine logs:ListLogDeliveries":        "delivery of the state machine's log",
	"machine logs:PutResourcePolicy":        "delivery of the state machine's log",
	"machine logs:DescribeResourcePolicies": "delivery of the state machine's log",
	"machine logs:DescribeLogGroups":        "delivery of the state machine's log",
	"machine states:DescribeExecution":      "the service follows and stops the map's children",
	"machine states:StopExecution":          "the service follows and stops the map's children",
	"relay states:SendTaskFailure":          "only when work fails; the relay's own test shows it",
	"relay sqs:GetQueueAttributes":          "the relay reads its queues' timeouts when it starts",
}

// The method "compare" returns the calls that the caller's role does not allow, and the rights that no call uses,
// apart from those in "unseen".
func (all roles) compare(calls []call) (faults []string) {
	for _, c := range calls {
		if !all.allowed(c) {
			faults = append(faults, "not allowed: "+c.role+" "+c.action+" "+c.resource)
		}
	}
	for role, list := range all {
		for _, s := range list {
			for _, a := range s.Action {
				for _, pattern := range s.Resource {
					used := slices.ContainsFunc(calls, func(c call) bool { return c.role == role && c.action == a && fits(pattern, c.resource) })
					if !used && unseen[role+" "+a] == "" {
						faults = append(faults, "not needed: "+role+" "+a+" "+pattern)
					}
				}
			}
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}
