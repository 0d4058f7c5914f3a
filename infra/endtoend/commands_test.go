package endtoend

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The constant "bundle" is a certificate bundle. Its line breaks and spaces require quotes on a command line.
const bundle = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nMIIC+/=\n-----END CERTIFICATE-----"

// TestDeployCommands: the sam deploy commands in the docs set existing parameters to the intended values. SAM splits
// an argument at each white space that is not in quotes (samcli/cli/types.py), so a value with white space needs
// quotes.
func TestDeployCommands(t *testing.T) {
	t.Parallel()
	parameters := deployParameters(t)
	python := samPython(t)
	seen := map[string]string{}
	for page, commands := range deployCommands(t) {
		for _, command := range commands {
			maps.Copy(seen, parameterValues(t, page, parameters, python, overrides(t, command)))
		}
	}
	if seen["TenantId"] == "" || seen["RelayCaBundle"] != bundle || !strings.HasPrefix(seen["ScheduleExpression"], "cron(") || seen["ExistingKey"] == "" {
		t.Errorf("the pages deploy with %v: a parameter is missing, or another value", seen)
	}
}

// TestSettingsOfPages: the files that the docs show, samconfig.toml and *.tfvars, set only parameters of the SAM
// template and variables of the Terraform module.
func TestSettingsOfPages(t *testing.T) {
	t.Parallel()
	parameters, variables, python := deployParameters(t), loadModule(t).variables, samPython(t)
	sam, terraform := 0, 0
	for page, text := range readPages(t) {
		for _, m := range regexp.MustCompile(`(?m)^parameter_overrides = "(.*)"$`).FindAllStringSubmatch(text, -1) {
			sam += len(parameterValues(t, page, parameters, python, strings.Fields(m[1])))
		}
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			if block[1] != "hcl" || strings.Contains(block[2], "{") {
				continue
			}
			for _, m := range regexp.MustCompile(`(?m)^(\w+) +=`).FindAllStringSubmatch(block[2], -1) {
				if _, known := variables[m[1]]; !known {
					t.Errorf("%s: the module has no variable %s", page, m[1])
				}
				terraform++
			}
		}
	}
	if sam < 5 || terraform < 5 {
		t.Errorf("the pages set %d parameters and %d variables in files", sam, terraform)
	}
}

// parameterValues returns the parameters in the arguments of a sam command. The template must allow their values. If
// SAM is installed, its own parser must read the same values.
func parameterValues(t *testing.T, page string, parameters map[string]parameter, python string, args []string) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if quoted := len(value) > 1 && value[0] == '\'' && strings.HasSuffix(value, "'"); quoted {
			value = value[1 : len(value)-1]
		} else if strings.ContainsAny(value, " \n\"'\\") {
			t.Errorf("%s: SAM cuts %q: it needs quotes inside", page, a)
		}
		p, known := parameters[name]
		if !ok || !known || !p.allows(value) {
			t.Errorf("%s: %q is no parameter, or no value of it", page, a)
		}
		values[name] = value
	}
	if len(values) == 0 {
		t.Errorf("%s: no parameter in %q", page, args)
	}
	if python == "" {
		return values
	}
	const convert = "import json,sys\nfrom samcli.cli.types import CfnParameterOverridesType as T\nprint(json.dumps(T().convert(tuple(sys.argv[1:]), None, None)))"
	out, err := exec.CommandContext(t.Context(), python, append([]string{"-c", convert}, args...)...).Output()
	var got map[string]string
	if err != nil || json.Unmarshal(out, &got) != nil {
		t.Fatalf("%s: SAM's parser: %v: %s", page, err, out)
	}
	if diff := cmp.Diff(values, got); diff != "" {
		t.Errorf("%s: %q\n(-meant +as SAM reads it):\n%s", page, args, diff)
	}
	return values
}

// samPython returns the Python interpreter of the installed SAM, or "" if SAM is not installed or its program is no
// script.
func samPython(t *testing.T) string {
	t.Helper()
	sam, err := exec.LookPath("sam")
	if err != nil {
		t.Log("SKIPPED: sam is not installed, so its own parser reads nothing; the rule of its parser is still checked")
		return ""
	}
	text, err := os.ReadFile(sam)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	python, ok := strings.CutPrefix(first, "#!")
	if !ok {
		t.Logf("SKIPPED: %s is no script of Python, so its parser cannot be called", sam)
		return ""
	}
	return strings.TrimSpace(python)
}

type parameter struct {
	AllowedPattern string   `yaml:"AllowedPattern"`
	AllowedValues  []string `yaml:"AllowedValues"`
}

func (p parameter) allows(value string) bool {
	return regexp.MustCompile("^(?:"+p.AllowedPattern+")$").MatchString(value) || p.AllowedPattern == "" && (len(p.AllowedValues) == 0 || slices.Contains(p.AllowedValues, value))
}

func deployParameters(t *testing.T) map[string]parameter {
	t.Helper()
	all := map[string]parameter{}
	if err := section(templateRoot(t), "Parameters").Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func deployCommands(t *testing.T) map[string][]string {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		joined := strings.ReplaceAll(string(text), "\\\n", "")
		for _, m := range regexp.MustCompile(`(?m)^ {4}.*\bsam deploy .*--parameter-overrides.*$`).FindAllString(joined, -1) {
			all[page] = append(all[page], strings.TrimSpace(m))
		}
	}
	return all
}

// The function "overrides" runs a sam deploy command in bash and returns the arguments of --parameter-overrides.
// Functions of bash stand in for sam, az and aws, so nothing is deployed.
func overrides(t *testing.T, command string) []string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "corp-ca.pem"), []byte(bundle+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const id = "11111111-2222-3333-4444-555555555555"
	stubs := "sam() { [ \"$1\" != deploy ] || printf '%s\\0' \"$@\"; }\naz() { echo " + id + "; }\naws() { echo " + keyARN + "; }\n"
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", stubs+command)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "READ="+id, "WRITE="+id)
	var told bytes.Buffer
	cmd.Stderr = &told
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, told.String())
	}
	args := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	args = args[slices.Index(args, "--parameter-overrides")+1:]
	if end := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "--") }); end >= 0 {
		args = args[:end]
	}
	return args
}
