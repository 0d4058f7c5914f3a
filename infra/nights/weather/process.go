package weather

import (
	"context"
	"sync"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
)

// Process counts the operations of a process on Graph, Active Directory and the store,
// and cuts it off from them at one: from then on nothing of it gets out and nothing
// comes in, as after SIGKILL. Or it freezes the process there, as SIGSTOP does until
// SIGCONT. The zero value lets everything pass.
type Process struct {
	clock clock.Clock

	mu     sync.Mutex
	count  int
	at     int           // 0: nothing is planned
	after  bool          // the operation at is carried out first
	freeze time.Duration // 0: the process is killed
	dead   bool
}

// KillAt kills the process at its n-th operation from now, counted from 1: before it is
// carried out, or after, when its answer is lost.
func (p *Process) KillAt(n int, after bool) { p.set(n, after, 0) }

// FreezeAt stops the process at its n-th operation from now for a time of the clock:
// before the operation is carried out, or after it and before its answer comes.
func (p *Process) FreezeAt(n int, after bool, d time.Duration) { p.set(n, after, d) }

func (p *Process) set(n int, after bool, freeze time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count, p.at, p.after, p.freeze = 0, n, after, freeze
}

// Revive starts the process again, with nothing planned.
func (p *Process) Revive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count, p.at, p.dead = 0, 0, false
}

// Dead tells whether the process was killed.
func (p *Process) Dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// Operations is how many there were since the last KillAt, FreezeAt or Revive.
func (p *Process) Operations() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// fate is what becomes of an operation.
type fate struct {
	fails bool          // nothing is done, and no answer comes
	lost  bool          // it is carried out, and no answer comes
	late  time.Duration // it is carried out, and the answer comes so much later
}

// plain tells that the operation is as any other.
func (f fate) plain() bool { return f == fate{} }

// next counts an operation. A process that freezes before it does so here. A write of a
// directory that it has sent is carried out all the same, so that it freezes after it.
func (p *Process) next(write bool) fate {
	p.mu.Lock()
	p.count++
	hit := p.count == p.at
	freeze := p.freeze
	var f fate
	switch {
	case p.dead, hit && freeze == 0 && !p.after:
		p.dead, f.fails = true, true
	case hit && freeze == 0:
		p.dead, f.lost = true, true
	case hit && (p.after || write):
		f.late = freeze
	}
	p.mu.Unlock()
	if hit && freeze > 0 && !f.fails && f.late == 0 {
		_ = p.clock.Sleep(context.Background(), freeze)
	}
	return f
}
