package command

import (
	"fmt"
	"sync"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plain/terminal"
)

// The type "progress" is a line on a terminal that shows how far a command has come. A nil progress prints nothing.
// newProgress returns nil if stderr is not a terminal.
type progress struct {
	mu      sync.Mutex
	line    *terminal.Line
	now     func() time.Time
	started time.Time // when the phase began
	shown   time.Time
	phase   string // the name of the phase; the line shows it until there is a count
	counted string // how far the phase has come; empty before the first count
	read    [2]int // the number of people who were read, by directory.Source
	total   int    // the number of people in Entra ID; 0 until it is known
}

func newProgress(a *Process) *progress {
	if a.live == nil {
		return nil
	}
	p := &progress{line: a.live, now: a.Clock.Now}
	p.begins("starting")
	return p
}

func (p *progress) begins(phase string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.started, p.phase, p.counted, p.read, p.total = p.now(), phase, "", [2]int{}, 0
	p.mu.Unlock()
	p.line.Begin(func() string {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.text(p.now())
	})
}

func (p *progress) people(s directory.Source, people, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.read[s] = people
	p.total = max(p.total, total)
	p.mu.Unlock()
	p.often()
}

// The method "often" shows the line, unless it was shown less than a fifth of a second ago.
func (p *progress) often() {
	p.mu.Lock()
	now := p.now()
	due := now.Sub(p.shown) >= 200*time.Millisecond
	if due {
		p.shown = now
	}
	p.mu.Unlock()
	if due {
		p.line.Show()
	}
}

func (p *progress) text(now time.Time) string {
	entra, ad := p.read[directory.Entra], p.read[directory.AD]
	spent := now.Sub(p.started).Seconds()
	switch {
	case p.counted != "":
		return p.counted
	case entra+ad == 0:
		return fmt.Sprintf("%s, %.0fs", p.phase, spent)
	}
	text := fmt.Sprintf("read %d people in Entra ID, %d in Active Directory, %.0f/s", entra, ad, float64(entra+ad)/max(spent, 0.001))
	if left := p.total - entra; left > 0 && entra > 0 {
		text += fmt.Sprintf(", about %s left", time.Duration(float64(left)/float64(entra)*spent*float64(time.Second)).Round(time.Second))
	}
	return text
}

func (p *progress) changes(done, total int) { p.count(done, total, "change") }

func (p *progress) nights(done, total int) { p.count(done, total, "night") }

func (p *progress) checks(done, total int) { p.count(done, total, "check") }

func (p *progress) count(done, total int, what string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.counted = fmt.Sprintf("%d of %s", done, plain.Many(total, what))
	p.mu.Unlock()
	p.often()
}

func (p *progress) clear() {
	if p != nil {
		p.line.End()
	}
}
