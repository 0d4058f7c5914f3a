package endtoend

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKeptStore: the bucket and its KMS key remain when a deployment is removed. They do not remain when the creation
// of a deployment fails. A new deployment uses the old bucket and key if it gets the ARN of the key as a parameter.
func TestKeptStore(t *testing.T) {
	t.Parallel()
	const earlier = "arn:aws:kms:" + region + ":" + account + ":key/earlier"
	sam, tf := loadTemplateWith(t, map[string]string{"ExistingKey": earlier}), loadModuleWith(t, map[string]string{"existing_key": earlier})
	if diff := cmp.Diff(terraformPeople(t, tf), samPeople(t, sam)); diff != "" {
		t.Errorf("people (-Terraform +SAM):\n%s", diff)
	}
	for _, name := range []string{"Key", "Bucket"} {
		r := sam.resources[name].(map[string]any)
		if r["DeletionPolicy"] != "RetainExceptOnCreate" || r["UpdateReplacePolicy"] != "Retain" || r["Condition"] != "NewStore" || sam.conditions["NewStore"] != false {
			t.Errorf("%s: %v, %v, %v, made %v", name, r["DeletionPolicy"], r["UpdateReplacePolicy"], r["Condition"], sam.conditions["NewStore"])
		}
	}
	rights := map[string]roles{"SAM": samRoles(t, sam), "Terraform": terraformRoles(t, tf), "people": samPeople(t, sam)}
	keys, objects := 0, 0
	for deployment, all := range rights {
		for role, list := range all {
			for _, s := range list {
				for _, r := range s.Resource {
					switch {
					case strings.HasPrefix(r, "arn:aws:kms:"):
						if keys++; r != earlier {
							t.Errorf("%s: %s has a right on %s", deployment, role, r)
						}
					case strings.HasPrefix(r, "arn:aws:s3:"):
						if objects++; !strings.HasPrefix(r, "arn:aws:s3:::"+bucketName) {
							t.Errorf("%s: %s has a right on %s", deployment, role, r)
						}
					}
				}
			}
		}
	}
	if keys < 10 || objects < 20 {
		t.Errorf("%d rights on keys and %d on objects were looked at", keys, objects)
	}
	if got := sam.properties("BucketPolicy")["Bucket"]; got != bucketName {
		t.Errorf("the policy is that of %v", got)
	}
}

// TestNames: the SAM template and the Terraform module reject a name that cannot be part of a bucket name. With the
// longest permitted name, all resource names have a permitted length.
func TestNames(t *testing.T) {
	t.Parallel()
	root := templateRoot(t)
	name := section(section(root, "Parameters"), "Name")
	allowed := section(name, "AllowedPattern").Value
	variables, err := os.ReadFile("../terraform/variables.tf")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(variables), `regex("^`+allowed+`$", var.name)`) {
		t.Errorf("Terraform does not allow %s alone", allowed)
	}
	pattern := regexp.MustCompile("^(?:" + allowed + ")$")
	longest := "i" + strings.Repeat("d", 29)
	for name, want := range map[string]bool{
		"idleseat": true, "idleseat-2": true, longest: true, longest + "x": false, "IdleSeat": false, "idleSeat": false, "-idleseat": false, "idleseat-": false, "idle_seat": false, "2idle": false, "": false,
	} {
		if pattern.MatchString(name) != want {
			t.Errorf("%q is allowed: %v", name, !want)
		}
	}
	const far = "ap-southeast-1" // a region name of the maximum length
	for what, n := range map[string]int{"a bucket": len(longest + "-" + account + "-" + far), "a role of Terraform": len(longest + "-" + far + "-reevaluate-apply"), "a function": len(longest + "-reevaluate-apply")} {
		if most := map[string]int{"a bucket": 63, "a role of Terraform": 64, "a function": 64}[what]; n > most {
			t.Errorf("%s has a name of %d characters, and %d are allowed", what, n, most)
		}
	}
}

// TestCertificatesAreThere: with EntraAuth "certificate", the SAM template requires both certificates. CloudFormation
// checks this rule before it creates a resource. Terraform's own tests check the module.
func TestCertificatesAreThere(t *testing.T) {
	t.Parallel()
	root := templateRoot(t)
	rule := section(section(root, "Rules"), "CertificatesAreThere")
	for _, tt := range []struct {
		auth, read, write string
		refused           bool
	}{
		{"aws", "", "", false}, {"certificate", "", "", true}, {"certificate", "r", "", true}, {"certificate", "", "w", true}, {"certificate", "r", "w", false},
	} {
		m := loadTemplateWith(t, map[string]string{"EntraAuth": tt.auth, "ReadCertificate": tt.read, "WriteCertificate": tt.write})
		applies := m.value(t, section(rule, "RuleCondition")) == true
		holds := m.value(t, section(section(rule, "Assertions").Content[0], "Assert")) == true
		if refused := applies && !holds; refused != tt.refused {
			t.Errorf("%+v: refused %v", tt, refused)
		}
	}
}

// TestNamesOfAllRegions: Terraform includes the region in each name that must be unique within an account, so that a
// second deployment can exist in another region. The SAM template has no IAM names, so CloudFormation chooses unique
// ones.
func TestNamesOfAllRegions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../terraform/*.tf")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?s)resource "(aws_iam_role|aws_iam_policy|aws_cloudwatch_dashboard)" "(\w+)" \{.*?\n  (?:dashboard_)?name +=([^\n]*)`).FindAllStringSubmatch(string(text), -1) {
			if found++; !strings.Contains(m[3], "local.global") {
				t.Errorf("the name of %s.%s is the same in each region:%s", m[1], m[2], m[3])
			}
		}
	}
	if found != 7 {
		t.Errorf("%d names were looked at", found)
	}
	for name, r := range loadTemplate(t).resources {
		of := r.(map[string]any)
		p, _ := of["Properties"].(map[string]any)
		if strings.HasPrefix(of["Type"].(string), "AWS::IAM::") && (p["RoleName"] != nil || p["ManagedPolicyName"] != nil) {
			t.Errorf("%s has a name in IAM, and needs the capability CAPABILITY_NAMED_IAM", name)
		}
	}
}

func TestScheduleOfEachDay(t *testing.T) {
	t.Parallel()
	tf, sam := loadModule(t).variables["schedule_expression"].AsString(), loadTemplate(t).parameters["ScheduleExpression"].(string)
	for _, expression := range []string{tf, sam} {
		var minute, hour int
		// Clocks go forward between midnight and 3 o'clock (IANA, tzdata), so a time from 4 o'clock on exists on each
		// day.
		if _, err := fmt.Sscanf(expression, "cron(%d %d ", &minute, &hour); err != nil || hour < 4 {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

// TestRetention: the SAM template keeps objects of history/ and ledger/ for the same number of days. It also keeps
// their deleted versions for the same number of days. It deletes objects of runs/ earlier. docs/store.md has the same
// numbers. Terraform's own tests check the module.
func TestRetention(t *testing.T) {
	t.Parallel()
	type rule struct {
		Prefix                      string
		ExpirationInDays            json.Number
		NoncurrentVersionExpiration struct{ NoncurrentDays json.Number }
	}
	days := map[string][2]string{}
	text, err := json.Marshal(loadTemplate(t).properties("Bucket")["LifecycleConfiguration"])
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Rules []rule }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all.Rules {
		if r.Prefix != "" {
			days[r.Prefix] = [2]string{r.ExpirationInDays.String(), r.NoncurrentVersionExpiration.NoncurrentDays.String()}
		}
	}
	want := map[string][2]string{"runs/": {"90", "1"}, "history/": {"1825", "30"}, "ledger/": {"1825", "30"}, "policy.yaml": {"", "90"}}
	if diff := cmp.Diff(want, days); diff != "" {
		t.Errorf("days until objects and earlier versions go (-want +got):\n%s", diff)
	}
	page, err := os.ReadFile("../../docs/store.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"runs/", "history/", "ledger/"} {
		said := regexp.MustCompile("\\| `" + prefix + "` \\| (\\d+) days [^|]*\\| (\\d+) days? \\|").FindStringSubmatch(string(page))
		if len(said) != 3 || [2]string{said[1], said[2]} != want[prefix] {
			t.Errorf("docs/store.md says of %s: %q", prefix, said)
		}
	}
}
