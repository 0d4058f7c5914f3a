package endtoend

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestVersions checks that the definition calls only published versions of functions, and that both deployments
// publish a new version at every change of code or settings. A waiting execution therefore continues with the
// functions with which it began, whatever is deployed meanwhile.
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
