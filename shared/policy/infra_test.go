package policy

import (
	"os"
	"testing"
)

func loadFile(t testing.TB, path string) *Policy {
	t.Helper()
	p, err := Load(path, readFile(t, path))
	if err != nil {
		t.Fatalf("Load(%s):\n%v", path, err)
	}
	return p
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestShippedPolicy(t *testing.T) {
	t.Parallel()
	for name, least := range map[string]int{"policy": 20, "policy_usage": 12, "policy_groups": 14} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := loadFile(t, "../../infra/"+name+".yaml")
			if p.Mode != Audit {
				t.Errorf("the shipped policy is in mode %s; it must not write", p.Mode)
			}
			report, err := Test(p, name+"_test.yaml", readFile(t, "../../infra/"+name+"_test.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Failed {
				t.Errorf("line %d: %s: %s: expected %s, got %s: %s", f.Line, f.Case, f.Rule, f.Expected, f.Got, f.Why)
			}
			if len(report.Passed) < least {
				t.Errorf("%d golden people passed; the file has at least %d", len(report.Passed), least)
			}
		})
	}
}
