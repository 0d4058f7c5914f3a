package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/pages"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/source/entra"
)

func nightsChapter(t *testing.T) string {
	t.Helper()
	_, text, found := strings.Cut(pages.Read(t, "operations.md"), "\n## Every night without AWS\n")
	text, _, ends := strings.Cut(text, "\n## ")
	if !found || !ends {
		t.Fatal("docs/operations.md has no chapter about nights without AWS")
	}
	return text
}

// TestPageHasEveryStatus: the chapter about nights without AWS in docs/operations.md lists exactly the exit statuses of
// the command.
func TestPageHasEveryStatus(t *testing.T) {
	t.Parallel()
	var got []int
	for _, m := range regexp.MustCompile(`(?m)^\| (\d) \| `).FindAllStringSubmatch(nightsChapter(t), -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	if want := []int{exitDone, exitFailed, exitUsage, exitHeld, exitPending, exitUnread}; !slices.Equal(want, got) {
		t.Errorf("the chapter has the statuses %v, the command %v", got, want)
	}
}

// TestUnits checks the systemd unit files with systemd-analyze.
func TestUnits(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed: the units are not verified")
	}
	dir, units := t.TempDir(), []string{"idleseat.service", "idleseat.timer"}
	for i, name := range units {
		text, err := os.ReadFile("../../../infra/night/" + name)
		if err != nil {
			t.Fatal(err)
		}
		units[i] = filepath.Join(dir, name)
		if err := os.WriteFile(units[i], []byte(strings.Replace(string(text), "/usr/local/bin/idleseat", os.Args[0], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("systemd-analyze", append([]string{"verify"}, units...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	unit, err := os.ReadFile(filepath.Join(dir, "idleseat.service"))
	if err != nil || !strings.Contains(string(unit), "ExecStart="+os.Args[0]+" run\n") || !strings.Contains(string(unit), "SuccessExitStatus="+strconv.Itoa(exitPending)+"\n") {
		t.Errorf("%v\n%s", err, unit)
	}
}

// TestNightEnvironment: the systemd unit and the example of an environment file name only variables that the command
// reads. They contain no secret.
func TestNightEnvironment(t *testing.T) {
	t.Parallel()
	known := []string{"IDLESEAT_POLICY", "IDLESEAT_STORE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH"}
	for _, part := range []reflect.Type{reflect.TypeFor[entra.Config](), reflect.TypeFor[activedirectory.Config]()} {
		for field := range part.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
			known = append(known, name)
		}
	}
	named := 0
	for _, file := range []string{"idleseat.service", "idleseat.env.example"} {
		text, err := os.ReadFile("../../../infra/night/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^#?(?:Environment=)?([A-Z][A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
			if named++; !slices.Contains(known, m[1]) {
				t.Errorf("%s names %s, which the command does not know", file, m[1])
			}
			if strings.Contains(m[1], "SECRET") || strings.HasSuffix(m[1], "PASSWORD") {
				t.Errorf("%s holds a secret: %s", file, m[1])
			}
		}
	}
	if named < 8 {
		t.Errorf("only %d variables are named: the test looks at nothing", named)
	}
}

// TestCronLine checks the cron line. Its command must not contain a percent sign, because cron turns a percent sign
// into a newline (crontab(5)).
func TestCronLine(t *testing.T) {
	t.Parallel()
	_, block, found := strings.Cut(nightsChapter(t), "\n### cron\n")
	_, block, fenced := strings.Cut(block, "\n```\n")
	block, _, closed := strings.Cut(block, "\n```\n")
	lines := strings.Split(block, "\n")
	if !found || !fenced || !closed || len(lines) != 2 || !strings.HasPrefix(lines[0], "MAILTO=") {
		t.Fatalf("%q", lines)
	}
	m := regexp.MustCompile(`^((?:(?:\*|\d+)(?:[-/,]\d+)* ){5})([a-z]\w*) (.+)$`).FindStringSubmatch(lines[1])
	if m == nil || strings.Contains(m[3], "%") || !strings.Contains(m[3], "idleseat run ") {
		t.Fatalf("%q", lines[1])
	}
	if out, err := exec.Command("sh", "-n", "-c", m[3]).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
