package command

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/store"
)

// demonstration is a demo that runs in a goroutine of the test. It ends by itself, or when the test calls the function
// "stop". The channel "said" delivers the output of the demo line by line.
type demonstration struct {
	said  chan string
	ended chan answer
	stop  context.CancelFunc
}

func demonstrate(t *testing.T, args ...string) *demonstration {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	d := &demonstration{said: make(chan string, 1000), ended: make(chan answer, 1), stop: stop}
	var errs bytes.Buffer
	from, to := io.Pipe()
	a := Process{
		Context: ctx, Stdin: strings.NewReader(""), Stdout: to, Stderr: &errs, Clock: clock.Real,
		Variable: func(string) (string, bool) { return "", false }, OpenStore: store.Open, ViewStore: store.OpenReadOnly, Version: "under test",
	}
	go func() {
		defer close(d.said)
		b := make([]byte, 1<<16)
		rest := ""
		for {
			n, err := from.Read(b)
			rest += string(b[:n])
			for {
				line, after, whole := strings.Cut(rest, "\n")
				if !whole {
					break
				}
				d.said <- line
				rest = after
			}
			if err != nil {
				return
			}
		}
	}()
	go func() {
		status := a.Run(append([]string{"demo"}, args...))
		_ = to.Close()
		d.ended <- answer{status: status, err: errs.String()}
	}()
	return d
}

// The method "until" returns the lines of the output up to the first line that begins with the text "start".
func (d *demonstration) until(t *testing.T, start string) (lines []string) {
	t.Helper()
	for line := range d.said {
		lines = append(lines, line)
		if strings.HasPrefix(line, start) {
			return lines
		}
	}
	t.Fatalf("the demo does not say %q:\n%s\n%+v", start, strings.Join(lines, "\n"), <-d.ended)
	return nil
}

func TestDemo(t *testing.T) {
	t.Parallel()
	d := demonstrate(t, "--users", "150", "--nights", "2")
	var lines []string
	for line := range d.said {
		lines = append(lines, line)
	}
	text := strings.Join(lines, "\n")
	if a := <-d.ended; a.status != exitDone || a.err != "" {
		t.Fatalf("exit status %d, %s\n%s", a.status, a.err, text)
	}
	folder := matched(t, text, `(?m)cd (.*)$`)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if len(lines) > 25 {
		t.Errorf("%d lines:\n%s", len(lines), text)
	}
	for _, want := range []string{"m365-e3 → exchange-online, because", "Applied: done", "Planned again: verdict ", "idleseat demo --serve"} {
		if !strings.Contains(text, want) {
			t.Errorf("the demo does not say %q:\n%s", want, text)
		}
	}
	if first, again := matched(t, text, `(\d+) changes? save`), matched(t, text, `Planned again: verdict \w+: (\d+) changes?`); len(again) >= len(first) {
		t.Errorf("%s changes, and %s when planned again", first, again)
	}
	report, err := os.ReadFile(matched(t, text, `(?m)browser:  (.*)$`))
	if err != nil || !bytes.Contains(report, []byte("<html")) {
		t.Errorf("the report: %v, %.80s", err, report)
	}
	s := &shell{t: t, dir: folder, env: []string{"IDLESEAT_TEST_MAIN=1"}, apart: true}
	for _, m := range regexp.MustCompile(`(?m)^  idleseat (.*)$`).FindAllStringSubmatch(text, -1) {
		if args := strings.Fields(m[1]); args[0] != "serve" { // serve does not end
			s.want(exitDone, args...)
		}
	}
}

func matched(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in:\n%s", pattern, text)
	}
	return found[1]
}

// TestDemoServe follows the instructions in the output of the demo, and then ends the demo.
func TestDemoServe(t *testing.T) {
	t.Parallel()
	d := demonstrate(t, "--serve", "--users", "150", "--nights", "1", "--shell", "sh")
	lines := d.until(t, "The policy to edit is")
	s := &shell{t: t, env: []string{"IDLESEAT_TEST_MAIN=1"}}
	exports := 0
	for _, line := range lines {
		if variables, found := strings.CutPrefix(line, "export "); found {
			exports++
			for _, v := range strings.Fields(variables) { // no value has a blank here
				name, value, _ := strings.Cut(v, "=")
				s.setenv(name, strings.Trim(value, "'"))
			}
		}
	}
	file := matched(t, lines[len(lines)-1], `is (.*)$`)
	s.dir = filepath.Dir(file)
	t.Cleanup(func() { _ = os.RemoveAll(s.dir) })
	if exports != 3 {
		t.Errorf("%d lines of variables:\n%s", exports, strings.Join(lines, "\n"))
	}
	first := s.plan(exitDone)
	s.want(exitDone, "explain", "ingrid.halvorsen.2@contoso.example")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.write("policy.yaml", replace(t, "days(60)", "days(90)")(string(text)))
	edited := s.plan(exitDone)
	if len(edited.Changes) >= len(first.Changes) {
		t.Errorf("%d changes at 60 days, %d at 90", len(first.Changes), len(edited.Changes))
	}
	for range 100 { // licenses follow membership after a short real time
		if a := s.want(exitDone, "apply", edited.Run, "--yes", "--format", "json"); !bytes.Contains(a.out, []byte(`"pending"`)) {
			break
		}
		_ = clock.Real.Sleep(t.Context(), licenseDelay)
	}
	s.want(exitDone, "restore", "ingrid.halvorsen.2@contoso.example", "--yes")
	d.stop()
	said := strings.Join(d.until(t, "The company is gone"), "\n")
	if !strings.Contains(said, s.dir) {
		t.Errorf("the end does not say what remains: %s", said)
	}
	address, err := url.Parse(matched(t, strings.Join(s.env, "\n"), `IDLESEAT_GRAPH_URL=(.*)`))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := net.DialTimeout("tcp", address.Host, time.Second); err == nil {
		_ = c.Close()
		t.Error("the company still answers")
	}
	if a := <-d.ended; a.status != exitDone || a.err != "" {
		t.Errorf("exit status %d, %s", a.status, a.err)
	}
	s.want(exitDone, "runs") // the runs remain after the demo
}

func TestExported(t *testing.T) {
	t.Parallel()
	variables := []string{"A=plain", "B=it's a $HOME; `x`"}
	for shell, want := range map[string]string{
		"sh":         "export A=plain B='it'\\''s a $HOME; `x`'",
		"powershell": "$env:A = 'plain'; $env:B = 'it''s a $HOME; `x`'",
	} {
		if diff := cmp.Diff(want, exported(shell, variables)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", shell, diff)
		}
	}
	for system, want := range map[string]string{"windows": powershell, "linux": "sh", "darwin": "sh"} {
		if got := shellOf(system); got != want {
			t.Errorf("%s: %s", system, got)
		}
	}
}
