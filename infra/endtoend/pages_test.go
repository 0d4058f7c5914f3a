package endtoend

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"go.yaml.in/yaml/v3"
)

func readPages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/decisions/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[path] = string(text)
		}
	}
	return all
}

// The variable "fence" matches a fenced block. In the docs, outputs and files are fenced, and commands are indented.
var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// commandBlocks returns the indented blocks of a page, which have commands.
func commandBlocks(page string) (blocks []string) {
	block, before := "", ""
	for line := range strings.Lines(fence.ReplaceAllString(page, "")) {
		indented := strings.HasPrefix(line, "    ") && (block != "" || strings.TrimSpace(before) == "")
		if indented {
			block += line
		} else if block != "" {
			blocks, block = append(blocks, block), ""
		}
		before = line
	}
	return blocks
}

func TestCommandBlocks(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("SKIPPED: %s is not installed, so it reads no block of the pages", shell)
			continue
		}
		for page, text := range readPages(t) {
			for _, block := range commandBlocks(text) {
				cmd := exec.CommandContext(t.Context(), path, "-n")
				cmd.Stdin = strings.NewReader(block)
				if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("%s: %s -n: %v: %s\n%s", page, shell, err, out, block)
				}
			}
		}
	}
}

func TestFencedBlocks(t *testing.T) {
	t.Parallel()
	read := 0
	for page, text := range readPages(t) {
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			var err error
			switch block := []byte(m[2]); m[1] {
			case "json":
				err = json.Unmarshal(block, new(any))
			case "yaml":
				err = yaml.Unmarshal(block, new(any))
			case "hcl":
				if _, diags := hclsyntax.ParseConfig(block, page, hcl.InitialPos); diags.HasErrors() {
					err = diags
				}
			default:
				continue
			}
			if read++; err != nil {
				t.Errorf("%s: %v in\n%s", page, err, m[2])
			}
		}
	}
	if read < 5 {
		t.Errorf("the pages have %d such blocks", read)
	}
}

// TestPageCommands checks the arguments of the commands in the docs. bash runs them without starting a program, and
// records them. The calls of the AWS CLI are compared with botocore's models, those of Terraform with the module, and
// those of idleseat with the built command.
func TestPageCommands(t *testing.T) {
	t.Parallel()
	calls := map[string][][]string{}
	for page, text := range readPages(t) {
		for _, call := range called(t, page, strings.Join(commandBlocks(text), "")) {
			calls[call[0]] = append(calls[call[0]], call[1:])
		}
	}
	for tool, least := range map[string]int{"aws": 40, "idleseat": 15, "terraform": 4, "az": 10, "sam": 5} {
		if len(calls[tool]) < least {
			t.Errorf("the pages call %s %d times, expected at least %d", tool, len(calls[tool]), least)
		}
	}
	variables := loadModule(t).variables
	for _, args := range calls["terraform"] {
		for i, a := range args {
			if name, _, _ := strings.Cut(a, "="); i > 0 && args[i-1] == "-var" && variables[name].IsNull() {
				t.Errorf("terraform %q: the module has no variable %q", args, name)
			}
		}
	}
	idleseatTakes(t, calls["idleseat"])
	if _, err := exec.LookPath("az"); err != nil {
		t.Log("SKIPPED: the Azure CLI is not installed, so only the shells read its commands")
	}
	awsTakes(t, calls["aws"])
}

// TestNoticeCommands checks that the commands in the notices and alarms are correct, because an operator pastes them
// unchanged.
func TestNoticeCommands(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/notices.txt")
	if err != nil {
		t.Fatal(err)
	}
	commands := ""
	for _, m := range regexp.MustCompile(`(?m)^To [^\n]+:\n  (.+)$|((?:idleseat [a-z]+ --aws|systemctl [a-z]+ idleseat|journalctl -u)[^.)]*?)(?:[.)]| When:|$)`).FindAllStringSubmatch(string(text), -1) {
		commands += m[1] + m[2] + "\n"
	}
	calls := map[string][][]string{}
	for _, call := range called(t, "notices.txt", commands) {
		calls[call[0]] = append(calls[call[0]], call[1:])
	}
	for tool, least := range map[string]int{"aws": 9, "idleseat": 15, "journalctl": 2} {
		if len(calls[tool]) < least {
			t.Errorf("the notices call %s %d times, expected at least %d:\n%s", tool, len(calls[tool]), least, commands)
		}
	}
	idleseatTakes(t, calls["idleseat"])
	awsTakes(t, calls["aws"])
}

// idleseatTakes checks that the built command accepts the given commands with their options.
func idleseatTakes(t *testing.T, commands [][]string) {
	t.Helper()
	for _, args := range commands {
		out, err := exec.CommandContext(t.Context(), filepath.Join(built, "idleseat"), append(args, "--help")...).CombinedOutput()
		if err != nil {
			t.Errorf("idleseat %q: %v: %s", args, err, out)
		}
	}
}

// The function "called" runs commands in bash, in which no program can start. It returns the name and the arguments of
// each program that bash tried to start.
func called(t *testing.T, page, commands string) (calls [][]string) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skipf("SKIPPED: bash is not installed, so nothing calls the tools of %s", page)
	}
	const handler = `command_not_found_handle() {
  printf '%s\0' "$#" "$@" >> calls
  [ "${2-}" != head-object ] || return 1 # the object is not there yet
  echo 11111111-2222-3333-4444-555555555555
}
`
	cmd := exec.CommandContext(t.Context(), bash, "-u")
	cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=/nonexistent", "HOME=/nonexistent", "READ=1", "WRITE=2"} // READ and WRITE stand for values that the commands of another page set
	cmd.Stdin = strings.NewReader(handler + strings.ReplaceAll(commands, "bin/idleseat ", "idleseat "))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: bash: %v: %s", page, err, out)
	}
	record, err := os.ReadFile(filepath.Join(cmd.Dir, "calls"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for words := strings.Split(string(record), "\x00"); len(words) > 1; {
		n, err := strconv.Atoi(words[0])
		if err != nil {
			t.Fatal(err)
		}
		calls, words = append(calls, words[1:1+n]), words[1+n:]
	}
	return calls
}

// awsTakes checks that botocore's models have the given commands of the AWS CLI with their options.
func awsTakes(t *testing.T, commands [][]string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil || exec.CommandContext(t.Context(), python, "-c", "import botocore, jmespath").Run() != nil {
		t.Log("SKIPPED: python3 with botocore is not installed, so only the shells read the commands of the AWS CLI")
		return
	}
	input, err := json.Marshal(commands)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/awscommands.py")
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
