package command

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain/terminal"
)

func TestProgressText(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		entra, ad, total int
		spent            time.Duration
		want             string
	}{
		"both sources":       {3000, 1000, 9000, 10 * time.Second, "read 3000 people in Entra ID, 1000 in Active Directory, 400/s, about 20s left"},
		"minutes":            {1000, 0, 100_000, 4 * time.Second, "read 1000 people in Entra ID, 0 in Active Directory, 250/s, about 6m36s left"},
		"total not known":    {500, 0, 0, 2 * time.Second, "read 500 people in Entra ID, 0 in Active Directory, 250/s"},
		"Entra has not come": {0, 1000, 9000, 2 * time.Second, "read 0 people in Entra ID, 1000 in Active Directory, 500/s"},
		"Entra is read":      {9000, 1000, 9000, 10 * time.Second, "read 9000 people in Entra ID, 1000 in Active Directory, 1000/s"},
		"more than counted":  {9100, 0, 9000, 10 * time.Second, "read 9100 people in Entra ID, 0 in Active Directory, 910/s"},
		"nothing read yet":   {0, 0, 9000, 3 * time.Second, "reading, 3s"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &progress{phase: "reading", started: started, read: [2]int{tc.entra, tc.ad}, total: tc.total}
			if d := cmp.Diff(tc.want, p.text(started.Add(tc.spent))); d != "" {
				t.Errorf("text (-want +got):\n%s", d)
			}
		})
	}
}

// TestProgressLine: progress overwrites one line, at a limited rate, and erases it at the end.
func TestProgressLine(t *testing.T) {
	t.Parallel()
	var w bytes.Buffer
	p := &progress{line: terminal.NewLine(&w, terminal.Screen{Width: 200}), now: time.Now}
	p.begins("reading")
	p.started = time.Now().Add(-time.Second)
	for n := range 1000 {
		p.people(directory.Entra, n+1, 5000)
	}
	p.clear()
	lines := strings.Split(w.String(), "\r\x1b[K")
	if len(lines) < 4 || lines[0] != "" || lines[1] != "reading, 0s" || !strings.HasPrefix(lines[2], "read 1 people in Entra ID") || lines[len(lines)-1] != "" {
		t.Errorf("printed %q", w.String())
	}
	if p.read[directory.Entra] != 1000 || p.total != 5000 || len(lines) > 100 {
		t.Errorf("read %v of %d, %d times printed", p.read, p.total, len(lines))
	}
	var none *progress // newProgress returns nil if stderr is not a terminal
	none.people(directory.AD, 1, 1)
	none.clear()
	if newProgress(&Process{Stderr: &w}) != nil {
		t.Error("progress on something that is no terminal")
	}
}

func TestPrinterCleansAndKeepsTheFirstError(t *testing.T) {
	t.Parallel()
	var w bytes.Buffer
	p := &printer{w: &w}
	p.printf("%s\n", "\x1b[2Jname")
	p.table([][]string{{"USER", "NOTE"}, {"long\nname", "x\x1b[2J"}})
	if d := cmp.Diff("�[2Jname\n  USER       NOTE\n  long name  x�[2J\n", w.String()); d != "" || p.err != nil {
		t.Errorf("error %v, printed (-want +got):\n%s", p.err, d)
	}
	p = &printer{w: brokenPipe{}}
	p.printf("a")
	p.table([][]string{{"b"}})
	p.printf("c")
	if !errors.Is(p.err, errPipe) {
		t.Errorf("error %v", p.err)
	}
}

var errPipe = errors.New("broken pipe")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }
