package shared_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func powerShellBlocks(page string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?ms)^```powershell\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// The function "parts" returns the commands of a page. The keys of the map are the anchors of the headings above the
// commands. The pages indent commands by four blanks. Outputs and files are in fenced blocks, which the function skips.
func parts(page string) map[string]string {
	all, anchor, before := map[string]string{}, "", ""
	fenced := false
	for line := range strings.Lines(page) {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced:
		case strings.HasPrefix(line, "#"):
			anchor = anchors(line)[0]
		case strings.HasPrefix(line, "    ") && (strings.TrimSpace(before) == "" || strings.HasPrefix(before, "    ")):
			all[anchor] += line
		}
		before = line
	}
	return all
}

// onlyInUnix has patterns for syntax of bash or zsh that PowerShell rejects or reads differently, each with an
// example.
var onlyInUnix = []struct{ pattern, example string }{
	{`(?m)^\s*export `, "export A=b"},
	{`(?m)^\s*[A-Za-z_]+=\S`, "READ=$(az account show)"},
	{`(?m)\\$`, "sam deploy \\"},
	{`&&|\|\|`, "make build && make test"},
	{`<\(`, "source <(idleseat completion bash)"},
	{`(?m)(^|\s)~/`, "ls ~/x"},
	{`(?m)^\s*(source|install|cp|mv|rm) `, "cp a b ."},
	{`(?m)^\s*make `, "make idleseat"},
	{`\$\(cat `, "x $(cat f)"},
	{`\\"`, `--body "{\"a\":1}"`},
	{`(?m)^\s*\w+\(\) *\{`, "trust() {"},
	{`; do$|^\s*done\b`, "for p in a b; do"},
	{` '\{"`, `--payload '{"user":"a"}'`},
	{`(?m)[a-z] > [^$]`, "idleseat policy schema > f"},
	{`servicePrincipals\(`, `az rest --url "https://x/servicePrincipals(appId='1')"`}, // in az.cmd, the parentheses would end a block
	{` \S*\{\w+=`, "--source type={a=b}"},
}

func bashOnly(text string) (found []string) {
	for _, f := range onlyInUnix {
		if m := regexp.MustCompile(f.pattern).FindString(text); m != "" {
			found = append(found, strings.TrimSpace(m))
		}
	}
	return found
}

// inUnixAlone lists the parts of pages whose commands docs/powershell.md need not repeat for PowerShell. They are for
// machines with systemd, or for developers of idleseat.
var inUnixAlone = []string{"operations.md#systemd", "operations.md#4-install", "operations.md#5-prove-it", "CONTRIBUTING.md#working-on-it", "CONTRIBUTING.md#working-on-idleseat", "README.md#idleseat"}

func toolCalls(text string) (calls []string) {
	for _, m := range regexp.MustCompile(`(?m)(?:^|[ (|])(az|aws|sam|terraform) ((?:'?-chdir=\S+ )?)((?:[a-z][a-z0-9-]*\b ?)+)`).FindAllStringSubmatch(text, -1) {
		call := m[1] + " " + strings.Join(strings.Fields(m[3]), " ")
		if m[1] == "aws" { // the service and the operation stay; the third word may be the name of a file
			words := strings.Fields(call)
			call = strings.Join(words[:min(len(words), 3)], " ")
		}
		calls = append(calls, call)
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}

// TestPowerShellHasEveryPart: if a part of a page has commands that work only in bash and zsh, docs/powershell.md has
// this part for PowerShell. It calls the same commands of the same tools.
func TestPowerShellHasEveryPart(t *testing.T) {
	t.Parallel()
	pages := readPages(t)
	const name = "../docs/powershell.md"
	forms := map[string]string{} // the commands for PowerShell, by file name and anchor of the part
	for _, part := range regexp.MustCompile(`(?m)^## `).Split(pages[name], -1)[1:] {
		for _, m := range regexp.MustCompile(`\]\(([^):#]+#[^):#]+)\)`).FindAllStringSubmatch(part, -1) {
			key := filepath.Base(m[1])
			forms[key] += strings.Join(powerShellBlocks(part), "")
		}
	}
	seen := 0
	for page, text := range pages {
		if page == name || strings.Contains(page, "/install.md") {
			continue
		}
		for anchor, commands := range parts(text) {
			key := filepath.Base(page) + "#" + anchor
			differs := bashOnly(commands)
			if len(differs) == 0 || slices.Contains(inUnixAlone, key) {
				continue
			}
			seen++
			var lines string
			for line := range strings.Lines(commands) {
				if len(bashOnly(line)) > 0 {
					lines += line
				}
			}
			form, has := forms[key]
			if !has {
				t.Errorf("%s has %q, and docs/powershell.md no part that links to it", key, differs)
				continue
			}
			calls := toolCalls(form)
			for _, call := range toolCalls(lines) {
				if !slices.Contains(calls, call) {
					t.Errorf("%s calls %s, and its form for PowerShell calls %q", key, call, calls)
				}
			}
		}
	}
	if seen < 12 {
		t.Errorf("%d parts differ: the test looks at nothing", seen)
	}
}

// TestPowerShellFaults: no block for PowerShell has syntax that only bash and zsh understand.
func TestPowerShellFaults(t *testing.T) {
	t.Parallel()
	for _, f := range onlyInUnix {
		if !regexp.MustCompile(f.pattern).MatchString(f.example) {
			t.Errorf("%s does not find %q", f.pattern, f.example)
		}
	}
	seen := 0
	for page, text := range readPages(t) {
		for _, block := range powerShellBlocks(text) {
			seen++
			if found := bashOnly(regexp.MustCompile(`"cmd /c.*"|cmd /c ".*"`).ReplaceAllString(block, "")); len(found) > 0 {
				t.Errorf("%s: %q in\n%s", page, found, block)
			}
			// The pattern matches three faults: a splatted variable, an argument that PowerShell splits, and
			// typographic quotes.
			if m := regexp.MustCompile(`(?m) -chdir|(--\w+) @|\x{2018}|\x{2019}|\x{201C}|\x{201D}`).FindString(block); m != "" {
				t.Errorf("%s: %q in\n%s", page, m, block)
			}
		}
	}
	if seen < 15 {
		t.Errorf("the pages have %d blocks for PowerShell", seen)
	}
}

const parsing = `$bad = 0
foreach ($f in $args) {
  $errors = $null
  [void][System.Management.Automation.Language.Parser]::ParseFile($f, [ref]$null, [ref]$errors)
  foreach ($e in $errors) { $f + ': ' + $e; $bad = 1 }
}
exit $bad
`

// TestPowerShellParses: the parser of PowerShell finds no syntax error in the blocks for PowerShell. It finds the error
// in a block that is wrong.
func TestPowerShellParses(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pwsh"); err != nil {
		t.Skip("SKIPPED: PowerShell (pwsh) is not installed, so it reads no block of the pages")
	}
	folder := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	script, wrong := write("parse.ps1", parsing), write("wrong.ps1", "if ($x { 'a }\n")
	read := func(files ...string) ([]byte, error) {
		return exec.CommandContext(t.Context(), "pwsh", append([]string{"-NoProfile", "-NonInteractive", "-File", script}, files...)...).CombinedOutput()
	}
	var files []string
	for page, text := range readPages(t) {
		for _, block := range powerShellBlocks(text) {
			files = append(files, write(fmt.Sprintf("%s-%d.ps1", filepath.Base(page), len(files)), block))
		}
	}
	if out, err := read(files...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := read(wrong); err == nil {
		t.Errorf("PowerShell reads what is wrong: %s", out)
	}
}
