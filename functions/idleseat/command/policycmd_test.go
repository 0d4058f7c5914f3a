package command

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/store"
)

func call(t *testing.T, args ...string) answer {
	t.Helper()
	var out, errs bytes.Buffer
	a := Process{Context: t.Context(), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: clock.Real, Variable: os.LookupEnv, OpenStore: store.Open, ViewStore: store.OpenReadOnly, Version: "under test"}
	return answer{a.Run(args), out.Bytes(), errs.String()}
}

// The constant "infra" is the path of the example policy of this repository.
const infra = "../../../infra/policy.yaml"

func TestPolicyOfTheProject(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"check": infra + ": good; 2 rules, 3 licenses, mode audit, tenant 11111111-2222-3333-4444-555555555555\n",
		"test":  " cases passed, 0 expectations failed\n",
	}
	for command, want := range tests {
		a := call(t, "policy", command, infra)
		if a.status != exitDone || !strings.HasSuffix(string(a.out), want) || a.err != "" {
			t.Errorf("policy %s: exit status %d\nstdout: %s\nstderr: %s", command, a.status, a.out, a.err)
		}
	}
}

// TestPolicyTestFails: the command "policy test" fails if a rule gives a golden user, who is a made-up person, another
// verdict than the test file expects.
func TestPolicyTestFails(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(infra)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules.yaml")
	golden := strings.TrimSuffix(file, ".yaml") + "_test.yaml"
	cases := `- name: good
  now: 2026-11-23
  person:
    entra: {employeeType: Employee, created: 2020-01-01, lastActivity: 2026-11-20}
    licenses: [m365-e3]
  expect: {m365-idle-60: keep}
- name: idle "Ida"
  now: 2026-11-23
  person:
    entra: {employeeType: Employee, created: 2020-01-01, lastActivity: 2026-06-01}
    licenses: [m365-e3]
  expect:
    citrix-idle-90: notHolder
    m365-idle-60: keep
`
	for name, text := range map[string]string{file: string(text), golden: cases} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := call(t, "policy", "test", file)
	want := golden + `:14: idle "Ida": rule m365-idle-60: expected keep, got reclaim: no sign-in since 2026-06-01 (175 days)` + "\n" +
		golden + ": 1 case passed, 1 expectation failed\n"
	if d := cmp.Diff(want, string(a.out)); d != "" {
		t.Errorf("stdout (-want +got):\n%s", d)
	}
	if a.status != exitFailed || a.err != "idleseat: 1 expectation of "+golden+" failed\n" {
		t.Errorf("exit status %d, stderr %q", a.status, a.err)
	}
}

func TestPolicyCommandsRefuse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	good, err := os.ReadFile(infra)
	if err != nil {
		t.Fatal(err)
	}
	alone := write("alone.yaml", string(good))
	beside := write("beside.yaml", string(good))
	write("beside_test.yaml", "- {name: x, now: 2026-11-23, person: {}, expect: {no-such-rule: keep}}\n")
	faulty := write("faulty.yaml", "tenant: 1\nmodes: audit\n")
	tests := map[string]struct {
		args []string
		want []string
	}{
		"no golden people": {[]string{"test", alone}, []string{"alone_test.yaml"}},
		"an unknown rule":  {[]string{"test", beside}, []string{"beside_test.yaml:1:", "no-such-rule"}},
		"a faulty policy":  {[]string{"check", faulty}, []string{"faulty.yaml:1:", "faulty.yaml:2:", "licenses", "rules"}},
		"tested faulty":    {[]string{"test", faulty}, []string{"faulty.yaml:2:"}},
		"no file":          {[]string{"check", filepath.Join(dir, "none.yaml")}, []string{"none.yaml"}},
		"no argument":      {[]string{"check"}, []string{"<file>"}},
		"no command":       {nil, []string{"check", "test"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := call(t, append([]string{"policy"}, tc.args...)...)
			if a.status != exitUsage || len(a.out) > 0 {
				t.Errorf("exit status %d, stdout %q", a.status, a.out)
			}
			for _, want := range tc.want {
				if !strings.Contains(a.err, want) {
					t.Errorf("stderr does not say %q:\n%s", want, a.err)
				}
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{ // words that the help must contain, by command
		"":             {"plan", "apply", "reevaluate", "explain", "policy check", "policy test", "demo", "version"},
		"plan":         {"--policy", "--store", "--as-of", "--user", "--run", "--format", "Changes nothing"},
		"apply":        {"<run>", "--yes", "--override-limits", "--store"},
		"reevaluate":   {"<user>", "--apply", "--policy", "--store"},
		"explain":      {"<user>", "--run", "--store", "--verbose", "--format"},
		"history":      {"<user>", "--run", "--store", "--verbose", "--format"},
		"policy":       {"check", "test", "explain"},
		"policy check": {"<file>"},
		"policy test":  {"<file>", "golden"},
		"demo":         {"--users", "--seed", "--nights"},
		"init":         {"--policy", "--force", "--price", "--currency", "--exempt", "--citrix", "IDLESEAT_POLICY"},
		"doctor":       {"--aws", "--shell", "--policy", "--store", "--format", "Changes nothing"},
		"run":          {"--policy", "--store", "--format"},
		"approve":      {"<run>"},
		"restore":      {"--run", "--store"},
		"backtest":     {"--policy", "--rule", "--days", "--constant", "--regret", "--keep", "--within", "--store", "--format"},
		"savings":      {"--by", "--from", "--to", "--format", "--store", "csv"},
		"show":         {"<run>", "latest", "--store", "--format"},
		"serve":        {"--store", "--listen", "--open", "browser"},
		"runs":         {"--store", "--last", "--format", "newest first"},
		"completion":   {"<shell>", "bash", "powershell"},
		"man":          {"manual page"},
		"version":      {"version"},
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[commands]()) {
		if _, isCommand := field.Tag.Lookup("cmd"); !isCommand {
			continue
		}
		if name := strings.ToLower(field.Name); tests[name] == nil {
			t.Errorf("the test knows no words for the help of %s", name)
		}
	}
	for command, wants := range tests {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			a := call(t, append(strings.Fields(command), "--help")...)
			if a.status != exitDone || a.err != "" {
				t.Fatalf("exit status %d, stderr %q", a.status, a.err)
			}
			for _, want := range wants {
				if !strings.Contains(string(a.out), want) {
					t.Errorf("the help does not name %q:\n%s", want, a.out)
				}
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"--version"}, {"plan", "--version"}} {
		a := call(t, args...)
		if a.status != exitDone || string(a.out) != "under test\n" || a.err != "" {
			t.Errorf("%q: exit status %d, stdout %q, stderr %q", args, a.status, a.out, a.err)
		}
	}
}
