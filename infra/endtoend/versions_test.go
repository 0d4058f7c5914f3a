package endtoend

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestVersions: the definition of the state machine calls only published versions of functions. An execution that waits
// during a new deployment must continue with the versions of its start. So SAM publishes a new version for each change
// of code or settings, and keeps the old ones.
func TestVersions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../statemachine.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	called := map[string]bool{}
	for _, m := range regexp.MustCompile(`"FunctionName": "([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
		name, ok := strings.CutPrefix(m[1], "${")
		if !ok {
			t.Errorf("the definition calls %s itself", m[1])
		}
		called[strings.TrimSuffix(name, "}")] = true
	}
	if len(called) != 4 {
		t.Errorf("the definition calls %v", called)
	}
	sam, tf := loadTemplate(t), loadModule(t)
	for name := range called {
		want := versionARN(kebab(strings.TrimSuffix(name, "Function")))
		if got := local[map[string]string](t, tf, "substitutions")[name]; got != want {
			t.Errorf("Terraform calls %s", got)
		}
		for _, n := range entrances {
			if got := sam.properties(samMachine(n))["DefinitionSubstitutions"].(map[string]any)[name]; got != want {
				t.Errorf("SAM calls %v for %s", got, n)
			}
		}
	}
	var root struct {
		Globals struct {
			Function struct {
				AutoPublishAlias              string `yaml:"AutoPublishAlias"`
				AutoPublishAliasAllProperties bool   `yaml:"AutoPublishAliasAllProperties"`
				VersionDeletionPolicy         string `yaml:"VersionDeletionPolicy"`
			} `yaml:"Function"`
		} `yaml:"Globals"`
	}
	if text, err = os.ReadFile("../../template.yaml"); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	f := root.Globals.Function
	if f.AutoPublishAlias == "" || !f.AutoPublishAliasAllProperties || f.VersionDeletionPolicy != "" && f.VersionDeletionPolicy != "Retain" {
		t.Errorf("SAM does not publish each change, or does not keep versions: %+v", f)
	}
}

// TestParametersPublish: a new value of a parameter must publish a new version of the functions that have the parameter
// in their environment. SAM alone does not do that, because the template has only the name of the parameter.
// CloudFormation replaces a version when its description changes, so the description must have the value of each
// parameter. It has at most 256 characters (AWS::Lambda::Version).
func TestParametersPublish(t *testing.T) {
	t.Parallel()
	root := templateRoot(t)
	parameters := section(root, "Parameters")
	found := 0
	for _, function := range []string{"Collect", "Evaluate", "Gate", "Apply"} {
		resource := section(section(root, "Resources"), function+"Function")
		properties := section(resource, "Properties")
		said, length := "", 0
		if d := section(properties, "VersionDescription"); d != nil {
			said = d.Value
			if keep := section(resource, "UpdateReplacePolicy"); keep == nil || keep.Value != "Retain" {
				t.Errorf("%s: a version that is replaced is deleted, although an execution may wait with it", function)
			}
		}
		if section(resource, "DeletionPolicy") != nil {
			t.Errorf("%s: SAM gives its versions the deletion policy of the function, and does not keep them", function)
		}
		for name := range parametersOf(properties, parameters) {
			if name == "Name" {
				continue // a new value of Name creates new functions, and no new versions
			}
			found++
			if !strings.Contains(said, "${"+name+"}") {
				t.Errorf("%s: a change of %s publishes no version, so the state machines continue with the old setting", function, name)
			}
			length += 1 + longestOf(t, section(parameters, name))
		}
		if length > 256 {
			t.Errorf("%s: the description of a version may have %d characters", function, length)
		}
	}
	if found != 13 {
		t.Errorf("%d settings of functions come from parameters", found)
	}
}

func parametersOf(n, parameters *yaml.Node) map[string]bool {
	all := map[string]bool{}
	names := []string{}
	switch n.Tag {
	case "!Ref":
		names = append(names, n.Value)
	case "!Sub":
		for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(n.Value, -1) {
			names = append(names, m[1])
		}
	}
	for _, name := range names {
		if section(parameters, name) != nil {
			all[name] = true
		}
	}
	for _, c := range n.Content {
		for name := range parametersOf(c, parameters) {
			all[name] = true
		}
	}
	return all
}

func longestOf(t *testing.T, parameter *yaml.Node) int {
	t.Helper()
	if most := section(parameter, "MaxLength"); most != nil {
		n, err := strconv.Atoi(most.Value)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if pattern := section(parameter, "AllowedPattern"); pattern != nil {
		if m := regexp.MustCompile(`^\[[^]]*\]\{(\d+)\}$`).FindStringSubmatch(pattern.Value); m != nil {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	longest := 0
	if values := section(parameter, "AllowedValues"); values != nil {
		for _, v := range values.Content {
			longest = max(longest, len(v.Value))
		}
	}
	if longest == 0 {
		t.Fatalf("the value of a parameter may have any length: line %d", parameter.Line)
	}
	return longest
}

// TestVersionsOfSAM translates the template with SAM's own translator. In the result, CloudFormation must keep old
// versions of a function, because an execution may still wait with one. It must keep a version whose resource is gone
// after a change of the code, and a version that is replaced after a change of a parameter.
func TestVersionsOfSAM(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil || exec.CommandContext(t.Context(), python, "-c", "import samtranslator").Run() != nil {
		t.Skip("SKIPPED: python3 has no samtranslator (pip install cfn-lint), so SAM's own translator did not read the template")
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/samversions.py", "../../template.yaml")
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION="+region)
	out, err := cmd.Output()
	var versions map[string]struct {
		DeletionPolicy, UpdateReplacePolicy string
		Properties                          struct{ Description any }
	}
	if err == nil {
		err = json.Unmarshal(out, &versions)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	replaced := 0
	for name, v := range versions {
		if v.Properties.Description != nil {
			replaced++
		}
		if v.DeletionPolicy != "Retain" || v.Properties.Description != nil && v.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s is not kept: %+v", name, v)
		}
	}
	if len(versions) != len(functionLimits) || replaced != 3 {
		t.Errorf("%d versions, of which %d are replaced when a parameter changes: %s", len(versions), replaced, out)
	}
}
