package endtoend

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/entrance"
)

// policyRole stands for the ARN of the role that may write policy.yaml. The role has no ARN before it is created.
const policyRole = "PolicyRole.Arn"

// samPeople returns the IAM policies for people in the SAM template, by role name. The key "bucket" has the bucket
// policy, which applies to all people.
func samPeople(t *testing.T, m *template) roles {
	t.Helper()
	type document struct{ Statement []statement }
	all := roles{"bucket": convert[document](t, m.properties("BucketPolicy")["PolicyDocument"]).Statement}
	for _, name := range []string{"viewer", "planner", "approver", "doctor"} {
		all[name] = convert[document](t, m.properties(pascal(name) + "Policy")["PolicyDocument"]).Statement
	}
	all["policy"] = convert[[]struct{ PolicyDocument document }](t, m.properties("PolicyRole")["Policies"])[0].PolicyDocument.Statement
	return all
}

func terraformPeople(t *testing.T, m *module) roles {
	t.Helper()
	all := local[roles](t, m, "people")
	all["bucket"] = local[[]statement](t, m, "bucket_policy")
	return all
}

func TestPeopleAgree(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(terraformPeople(t, loadModule(t)), samPeople(t, loadTemplate(t))); diff != "" {
		t.Errorf("people (-Terraform +SAM):\n%s", diff)
	}
}

// The function "may" reports whether IAM allows a call within one account (IAM User Guide, "Policy evaluation logic").
// The parameters "caller" and "resource" are the policies of the caller and of the resource. A Deny in one of them
// forbids the call. Otherwise one Allow must match.
func may(t testing.TB, caller, resource []statement, c call) bool {
	t.Helper()
	allowed := false
	for _, s := range slices.Concat(caller, resource) {
		about := func(patterns texts, of string) bool {
			return slices.ContainsFunc(patterns, func(p string) bool { return fits(p, of) })
		}
		if !about(s.Action, c.action) || !about(s.Resource, c.resource) || !holds(t, s.Condition, c) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

// The function "holds" reports whether the call c satisfies the conditions. It assumes TLS and a request without
// If-None-Match.
func holds(t testing.TB, conditions map[string]map[string]texts, c call) bool {
	t.Helper()
	context := map[string]string{"aws:SecureTransport": "true", "s3:ObjectCreationOperation": "true", "aws:PrincipalArn": c.role}
	if c.role == "policy" {
		context["aws:PrincipalArn"] = policyRole
	}
	for operator, keys := range conditions {
		for key, values := range keys {
			has, known := context[key]
			var ok bool
			switch operator {
			case "ArnNotEquals":
				ok = !slices.Contains(values, has)
			case "Bool":
				ok = slices.Contains(values, has)
			case "Null":
				ok = (values[0] == "true") != known
			default:
				t.Fatalf("the operator %s is not implemented", operator)
			}
			if !ok {
				return false
			}
		}
	}
	return true
}

func keyOf(key string) string { return "arn:aws:s3:::" + bucketName + "/" + key }

// TestPeople checks what people may do with each state machine, each function and each kind of object. IAM must allow
// the calls in "want", and deny all others.
func TestPeople(t *testing.T) {
	t.Parallel()
	start := func(n entrance.Name) call { return call{action: "states:StartExecution", resource: entranceARN(n)} }
	invoke := func(name string) call { return call{action: "lambda:InvokeFunction", resource: functionARN(name)} }
	looks := []call{
		{action: "s3:GetObject", resource: keyOf("runs/r/plan.json")}, {action: "s3:GetObject", resource: keyOf("ledger/p/l/1.json")},
		{action: "s3:GetObject", resource: keyOf("policy.yaml")}, {action: "s3:ListBucket", resource: strings.TrimSuffix(keyOf(""), "/")}, {action: "kms:Decrypt", resource: keyARN},
	}
	for _, n := range entrances {
		arn := strings.Replace(entranceARN(n), ":stateMachine:", ":execution:", 1) + ":x"
		looks = append(looks, call{action: "states:DescribeExecution", resource: arn}, call{action: "states:GetExecutionHistory", resource: arn})
	}
	plans := append(slices.Clone(looks), start(entrance.Plan), invoke("reevaluate"))
	writes := call{action: "s3:PutObject", resource: keyOf("policy.yaml")}
	want := map[string][]call{
		"doctor":   doctors(),
		"viewer":   looks,
		"planner":  plans,
		"approver": append(slices.Clone(plans), start(entrance.Approve), start(entrance.Override), start(entrance.Restore), invoke("reevaluate-apply")),
		"policy":   {looks[2], looks[4], writes, {action: "kms:GenerateDataKey", resource: keyARN}},
		// Even an administrator may not write policy.yaml or overwrite the ledger. All other calls are allowed.
		"administrator": nil,
	}
	everything := append(slices.Clone(plans), want["policy"]...)
	everything = append(everything, want["doctor"]...)
	everything = append(everything, want["approver"]...)
	everything = append(everything, start(entrance.Nightly),
		call{action: "s3:PutObject", resource: keyOf("runs/r/plan.json")}, call{action: "s3:PutObject", resource: keyOf("ledger/p/l/1.json")},
		call{action: "s3:PutObject", resource: keyOf("history/overrides/r.json")},
		call{action: "sqs:SendMessage", resource: queueARN("write")}, call{action: "states:SendTaskSuccess", resource: "*"})
	for name := range functionLimits {
		everything = append(everything, invoke(name), call{action: "lambda:InvokeFunction", resource: versionARN(name)})
	}
	never := []call{writes, {action: "s3:PutObject", resource: keyOf("ledger/p/l/1.json")}}
	for _, action := range []string{"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ReplicateObject", "s3:ReplicateDelete"} {
		never = append(never, call{action: action, resource: keyOf("policy.yaml")})
	}
	everything = append(everything, never...)
	for deployment, all := range map[string]roles{"SAM": samPeople(t, loadTemplate(t)), "Terraform": terraformPeople(t, loadModule(t))} {
		all["administrator"] = []statement{{Effect: "Allow", Action: texts{"*"}, Resource: texts{"*"}}}
		for who, listed := range want {
			for _, c := range everything {
				expected := slices.Contains(listed, c) || who == "administrator" && !slices.Contains(never, c)
				asked := call{who, c.action, c.resource}
				if got := may(t, all[who], all["bucket"], asked); got != expected {
					t.Errorf("%s: %v is allowed: %v", deployment, asked, got)
				}
			}
		}
	}
}

// TestPeopleAtTheEntrances runs each command as a viewer, as a planner and as an approver. A denied command must start
// no execution and change nothing.
func TestPeopleAtTheEntrances(t *testing.T) {
	t.Parallel()
	small := company
	small.Users = 300
	r := newRig(t, options{company: small, mode: "review", people: samPeople(t, loadTemplate(t))})
	who := r.box.Company.Person(0).Entra.UserPrincipalName
	type command struct {
		args    []string
		allowed []string
		applies bool
	}
	commands := func(run, hash string) []command { // the command "plan" is last, because a newer plan would prevent the approval of the first plan
		return []command{
			{[]string{"restore", "--run", "none"}, []string{"approver"}, false},
			{[]string{"approve", run, hash}, []string{"approver"}, true},
			{[]string{"approve", run, hash, "--override-limits"}, []string{"approver"}, false},
			{[]string{"reevaluate", who, "--apply"}, []string{"approver"}, false},
			{[]string{"reevaluate", who}, []string{"planner", "approver"}, false},
			{[]string{"plan", "--accept-feeds"}, []string{"approver"}, false},
			{[]string{"plan"}, []string{"planner", "approver"}, false},
		}
	}
	before := r.holdings()
	for _, person := range []string{"viewer", "planner", "approver"} {
		out, failure := r.run(nightly)
		if failure != nil {
			t.Fatal(failure)
		}
		for _, c := range commands(out["run"].(string), out["planHash"].(string)) {
			began := r.executions()
			text, told, status := r.command(person, "--aws", stack)(c.args...)
			denied := strings.Contains(told, "AccessDenied")
			if want := !slices.Contains(c.allowed, person); denied != want || denied && (status != 1 || r.executions() != began) {
				t.Errorf("%s %v: status %d, denied %v: %s%s", person, c.args, status, denied, text, told)
			}
			if !denied && c.applies != (status == 0 && strings.Contains(text, "done ")) {
				t.Errorf("%s %v: status %d: %s%s", person, c.args, status, text, told)
			}
		}
		if _, told, status := r.command(person)("explain", who, "--store", r.place); status != 0 {
			t.Errorf("%s cannot look: status %d: %s", person, status, told)
		}
		if changed := !cmp.Equal(before, r.holdings()); changed != (person == "approver") {
			t.Errorf("after the commands of the %s something has changed: %v", person, changed)
		}
	}
}

func (r *rig) executions() int { return r.aws.Count("StartExecution") }

func TestWrongEntrance(t *testing.T) {
	t.Parallel()
	small := company
	small.Users = 300
	r := newRig(t, options{company: small, mode: "enforce"})
	out, failure := r.runAt(entrance.Approve, `{"acceptFeeds":true}`)
	if failure != nil {
		t.Fatal(failure)
	}
	if out["verdict"] != "apply" || out["go"] != false {
		t.Fatalf("a plan that an operator makes in enforce: %v", out)
	}
	approval := map[string]any{"apply": out["run"], "planHash": out["planHash"]}
	held := map[string]any{"apply": out["run"], "planHash": out["planHash"], "override": true}
	one := map[string]any{"user": r.box.Company.Person(0).Entra.UserPrincipalName, "apply": true}
	before := r.holdings()
	for _, tc := range []struct {
		input any
		at    []entrance.Name // entrances that must refuse the input
	}{
		{map[string]any{"scheduled": true}, entrances},
		{map[string]any{"acceptFeeds": true}, without(entrance.Approve)},
		{one, without(entrance.Approve)},
		{approval, without(entrance.Approve)},
		{held, without(entrance.Override)},
		{map[string]any{"restore": out["run"]}, without(entrance.Restore)},
	} {
		text, err := json.Marshal(tc.input)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range tc.at {
			if _, failure := r.runAt(n, string(text)); failure == nil || failure.Error != "Idleseat.Refused" {
				t.Errorf("%s at %s: %+v", text, n, failure)
			}
		}
	}
	if diff := cmp.Diff(before, r.holdings()); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
}

func without(n entrance.Name) []entrance.Name {
	return slices.DeleteFunc(slices.Clone(entrances), func(e entrance.Name) bool { return e == n })
}
