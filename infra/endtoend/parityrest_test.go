package endtoend

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// The method "attribute" evaluates an attribute of a resource or of an inner block, such as "target.retry_policy.x".
// The parameter "key" is the key of for_each, if the resource has one.
func (m *module) attribute(t *testing.T, resource, attribute, key string) any {
	t.Helper()
	body, path := m.resources[resource], strings.Split(attribute, ".")
	if body == nil {
		t.Fatalf("the module has no resource %s", resource)
	}
	for _, name := range path[:len(path)-1] {
		i := slices.IndexFunc(body.Blocks, func(b *hclsyntax.Block) bool { return b.Type == name })
		if i < 0 {
			t.Fatalf("%s has no block %s", resource, name)
		}
		body = body.Blocks[i].Body
	}
	a := body.Attributes[path[len(path)-1]]
	if a == nil {
		return nil
	}
	known := made()
	known["var"], known["local"] = cty.ObjectVal(m.variables), cty.ObjectVal(m.locals)
	known["each"] = object(map[string]string{"key": key})
	known["aws_rolesanywhere_trust_anchor"] = cty.ObjectVal(map[string]cty.Value{"relay": cty.TupleVal([]cty.Value{object(map[string]string{"arn": "TrustAnchor.TrustAnchorArn"})})})
	v, faults := a.Expr.Value(&hcl.EvalContext{Variables: known, Functions: tfFunctions})
	if faults.HasErrors() {
		t.Fatalf("%s: %s: %v", resource, attribute, faults)
	}
	if v.Type() == cty.String && strings.HasPrefix(v.AsString(), "{") {
		return plainJSON(t, jsonText(v.AsString()))
	}
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		t.Fatal(err)
	}
	return plainJSON(t, jsonText(text))
}

// plainJSON converts v so that two forms of the same value are equal, because IAM and CloudFormation accept several
// forms. A list of one element becomes the element. Numbers and booleans become text.
func plainJSON(t *testing.T, v any) any {
	t.Helper()
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case []any:
			if len(v) == 1 {
				return walk(v[0])
			}
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for name := range v {
				v[name] = walk(v[name])
			}
		case float64, bool:
			return fmt.Sprint(v)
		}
		return v
	}
	return walk(convert[any](t, v))
}

// TestOtherResourcesAgree compares parts of the SAM template and of the Terraform module that TestDeploymentsAgree and
// TestPeopleAgree do not compare, such as trust policies, the KMS key, the queues and the bucket.
func TestOtherResourcesAgree(t *testing.T) {
	t.Parallel()
	sam, tf := loadTemplate(t), loadModule(t)
	same := func(name, property string, resource, attribute, key string) {
		t.Helper()
		var v any = sam.properties(name)
		for part := range strings.SplitSeq(property, ".") {
			of, _ := v.(map[string]any)
			v = of[part]
		}
		want := tf.attribute(t, resource, attribute, key)
		if diff := cmp.Diff(want, plainJSON(t, v)); diff != "" || want == nil {
			t.Errorf("%s.%s and %s[%q].%s (-Terraform +SAM):\n%s", name, property, resource, key, attribute, diff)
		}
	}
	for name := range functionLimits {
		same(pascal(name)+"Role", "AssumeRolePolicyDocument", "aws_iam_role.function", "assume_role_policy", name)
		same(pascal(name)+"Log", "RetentionInDays", "aws_cloudwatch_log_group.function", "retention_in_days", name)
		same(pascal(name)+"Log", "LogGroupName", "aws_cloudwatch_log_group.function", "name", name)
		same(pascal(name)+"Function", "FunctionName", "aws_lambda_function.function", "function_name", name)
	}
	for _, name := range []string{"machine", "schedule", "relay", "policy"} {
		same(pascal(name)+"Role", "AssumeRolePolicyDocument", "aws_iam_role."+name, "assume_role_policy", "")
	}
	same("Key", "KeyPolicy", "aws_kms_key.objects", "policy", "")
	same("Key", "EnableKeyRotation", "aws_kms_key.objects", "enable_key_rotation", "")
	same("Notices", "KmsMasterKeyId", "aws_sns_topic.notices", "kms_master_key_id", "")
	same("Notices", "TopicName", "aws_sns_topic.notices", "name", "")
	same("MachineLog", "LogGroupName", "aws_cloudwatch_log_group.machine", "name", "")
	same("RelayProfile", "DurationSeconds", "aws_rolesanywhere_profile.relay", "duration_seconds", "")
	for _, key := range []string{"read", "write"} {
		for property, attribute := range map[string]string{"QueueName": "name", "VisibilityTimeout": "visibility_timeout_seconds", "MessageRetentionPeriod": "message_retention_seconds", "SqsManagedSseEnabled": "sqs_managed_sse_enabled", "RedrivePolicy": "redrive_policy"} {
			same(pascal(key)+"Queue", property, "aws_sqs_queue.relay", attribute, key)
			if property != "VisibilityTimeout" && property != "RedrivePolicy" {
				same(pascal(key)+"Dead", property, "aws_sqs_queue.dead", attribute, key)
			}
		}
	}
	for property, attribute := range map[string]string{"Name": "name", "FlexibleTimeWindow.Mode": "flexible_time_window.mode", "Target.RetryPolicy.MaximumRetryAttempts": "target.retry_policy.maximum_retry_attempts", "Target.RetryPolicy.MaximumEventAgeInSeconds": "target.retry_policy.maximum_event_age_in_seconds"} {
		same("Schedule", property, "aws_scheduler_schedule.nightly", attribute, "")
	}
	for _, n := range entrances {
		same(samMachine(n), "Logging.Level", "aws_sfn_state_machine.run", "logging_configuration.level", string(n))
		same(samMachine(n), "Logging.IncludeExecutionData", "aws_sfn_state_machine.run", "logging_configuration.include_execution_data", string(n))
		same(samMachine(n), "Type", "aws_sfn_state_machine.run", "type", string(n))
	}
	bucket := plainJSON(t, sam.properties("Bucket")).(map[string]any)
	delete(bucket, "LifecycleConfiguration") // TestRetention checks this configuration
	want := map[string]any{
		"BucketName":                     bucketName,
		"PublicAccessBlockConfiguration": map[string]any{},
		"OwnershipControls":              map[string]any{"Rules": map[string]any{"ObjectOwnership": tf.attribute(t, "aws_s3_bucket_ownership_controls.store", "rule.object_ownership", "")}},
		"VersioningConfiguration":        map[string]any{"Status": tf.attribute(t, "aws_s3_bucket_versioning.store", "versioning_configuration.status", "")},
		"BucketEncryption": map[string]any{"ServerSideEncryptionConfiguration": map[string]any{
			"BucketKeyEnabled": tf.attribute(t, "aws_s3_bucket_server_side_encryption_configuration.store", "rule.bucket_key_enabled", ""),
			"ServerSideEncryptionByDefault": map[string]any{
				"SSEAlgorithm":   tf.attribute(t, "aws_s3_bucket_server_side_encryption_configuration.store", "rule.apply_server_side_encryption_by_default.sse_algorithm", ""),
				"KMSMasterKeyID": tf.attribute(t, "aws_s3_bucket_server_side_encryption_configuration.store", "rule.apply_server_side_encryption_by_default.kms_master_key_id", ""),
			},
		}},
	}
	for property, attribute := range map[string]string{"BlockPublicAcls": "block_public_acls", "BlockPublicPolicy": "block_public_policy", "IgnorePublicAcls": "ignore_public_acls", "RestrictPublicBuckets": "restrict_public_buckets"} {
		want["PublicAccessBlockConfiguration"].(map[string]any)[property] = tf.attribute(t, "aws_s3_bucket_public_access_block.store", attribute, "")
	}
	if diff := cmp.Diff(want, bucket); diff != "" {
		t.Errorf("the bucket (-Terraform +SAM):\n%s", diff)
	}
}

// TestSettingsAgree: each parameter of SAM is a variable of Terraform with the same default, apart from the settings in
// the list "alone". The runtime, handler and architecture of the functions, and the outputs, are also the same.
func TestSettingsAgree(t *testing.T) {
	t.Parallel()
	root := templateRoot(t)
	snake := func(name string) string { return strings.ReplaceAll(kebab(name), "-", "_") }
	tf := loadModule(t)
	// Each of these settings exists in one deployment. Only SAM has relay_ca_secret, because a variable of Terraform
	// can hold a certificate bundle of any size. Only Terraform has zips, because SAM builds the zips. Only Terraform
	// has policy_file and policy_writers, because with SAM, the AWS CLI uploads the policy.
	alone := []string{"relay_ca_secret", "zips", "policy_file", "policy_writers"}
	given := map[string]any{}
	parameters := section(root, "Parameters")
	for i := 0; i < len(parameters.Content); i += 2 {
		name := snake(parameters.Content[i].Value)
		given[name] = nil
		if d := section(parameters.Content[i+1], "Default"); d != nil {
			given[name] = d.Value
		}
	}
	variables := map[string]any{}
	for name, v := range tf.defaults {
		variables[name] = nil
		if v != cty.NilVal {
			raw, err := ctyjson.Marshal(v, v.Type())
			if err != nil {
				t.Fatal(err)
			}
			variables[name] = plainJSON(t, jsonText(raw))
		}
	}
	for _, name := range alone {
		delete(given, name)
		delete(variables, name)
	}
	if diff := cmp.Diff(variables, given); diff != "" {
		t.Errorf("variables and parameters, with their defaults (-Terraform +SAM):\n%s", diff)
	}
	globals := section(section(root, "Globals"), "Function")
	for property, attribute := range map[string]string{"Runtime": "runtime", "Handler": "handler"} {
		if got := section(globals, property).Value; got != tf.attribute(t, "aws_lambda_function.function", attribute, "gate") {
			t.Errorf("%s is %s in SAM", property, got)
		}
	}
	if got := section(globals, "Architectures").Content[0].Value; got != tf.attribute(t, "aws_lambda_function.function", "architectures", "gate") {
		t.Errorf("functions run on %s in SAM", got)
	}
	inSAM := map[string]bool{}
	outputs := section(root, "Outputs")
	for i := 0; i < len(outputs.Content); i += 2 {
		name := outputs.Content[i].Value
		switch together := strings.TrimSuffix(name, "Policy"); {
		case together != name:
			name = "policies"
		case strings.HasSuffix(name, "Queue"):
			name = "queues"
		case strings.HasPrefix(name, "Relay"):
			name = "relay"
		}
		inSAM[snake(name)] = true
	}
	if diff := cmp.Diff(tf.outputs, inSAM); diff != "" {
		t.Errorf("outputs (-Terraform +SAM):\n%s", diff)
	}
}

// TestPoliciesFit: IAM limits a managed policy to 6,144 characters without white space (IAM quotas). Each policy for
// people keeps this limit, even if the deployment and the region have the longest possible names.
func TestPoliciesFit(t *testing.T) {
	t.Parallel()
	for who, list := range samPeople(t, loadTemplate(t)) {
		raw, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": list})
		if err != nil {
			t.Fatal(err)
		}
		longer := len("ap-southeast-1") - len(region) + 30 - len(stack) // how much longer each ARN can be
		if n := len(raw) + longer*strings.Count(string(raw), `"arn:`); n > 6144 || n < 300 {
			t.Errorf("the policy of %s may have %d characters", who, n)
		}
	}
}
