package command

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/idleseat/idleseat/shared/directory"
)

// progress is a line on a terminal that shows how many people were read, how fast, and how long the rest takes. A nil
// progress prints nothing, which is the case when stderr is not a terminal.
type progress struct {
	mu      sync.Mutex
	w       io.Writer
	now     func() time.Time
	started time.Time
	printed time.Time
	read    [2]int // people read, indexed by directory.Source
	total   int    // people in Entra ID; 0 until known
}

func newProgress(a *Process) *progress {
	f, ok := a.screen.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{w: f, now: a.Clock.Now, started: a.Clock.Now()}
}

// people updates the line with the number of people read from s so far.
func (p *progress) people(s directory.Source, people, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read[s] = people
	p.total = max(p.total, total)
	now := p.now()
	if now.Sub(p.printed) < 200*time.Millisecond {
		return
	}
	p.printed = now
	fmt.Fprintf(p.w, "\r\x1b[K%s", p.text(now))
}

func (p *progress) text(now time.Time) string {
	spent := now.Sub(p.started).Seconds()
	entra, ad := p.read[directory.Entra], p.read[directory.AD]
	text := fmt.Sprintf("read %d people in Entra ID, %d in Active Directory, %.0f/s", entra, ad, float64(entra+ad)/max(spent, 0.001))
	if left := p.total - entra; left > 0 && entra > 0 {
		text += fmt.Sprintf(", about %s left", time.Duration(float64(left)/float64(entra)*spent*float64(time.Second)).Round(time.Second))
	}
	return text
}

// changes updates the line with the number of changes processed so far.
func (p *progress) changes(done, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "\r\x1b[K%d of %d changes", done, total)
}

// nights updates the line with the number of nights that were asked about so far.
func (p *progress) nights(done, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "\r\x1b[K%d of %d nights", done, total)
}

// clear erases the line.
func (p *progress) clear() {
	if p != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
