package weather

import (
	"context"
	"sync"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
)

// Process counts the operations of a process on Graph, Active Directory and the store. At a given operation, it can
// kill the process, as SIGKILL does: from then on, no request leaves the process and no answer arrives. It can also
// freeze the process for some time, as SIGSTOP and SIGCONT do. The zero value does neither.
type Process struct {
	clock clock.Clock

	mu     sync.Mutex
	count  int
	at     int           // number of the affected operation; 0: none
	after  bool          // whether the affected operation is carried out first
	freeze time.Duration // how long to freeze the process; 0: kill the process
	dead   bool
}

// KillAt kills the process at its nth operation from now, counted from 1. If "after" is set, the operation is carried
// out and its answer is lost. Otherwise it is not carried out.
func (p *Process) KillAt(n int, after bool) { p.set(n, after, 0) }

// FreezeAt freezes the process for the duration d at its nth operation from now, counted from 1. If "after" is set, the
// operation is carried out first, and its answer is late. Otherwise the process freezes before the operation. A write
// to a directory is carried out first in both cases, because a frozen process cannot stop a request that it has sent.
func (p *Process) FreezeAt(n int, after bool, d time.Duration) { p.set(n, after, d) }

func (p *Process) set(n int, after bool, freeze time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count, p.at, p.after, p.freeze = 0, n, after, freeze
}

// Revive makes a killed process run again, and cancels KillAt and FreezeAt.
func (p *Process) Revive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count, p.at, p.dead = 0, 0, false
}

// Dead reports whether the process was killed.
func (p *Process) Dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// Operations returns the number of operations since the last KillAt, FreezeAt or Revive.
func (p *Process) Operations() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

type fate struct {
	fails bool          // the operation is not carried out, and no answer arrives
	lost  bool          // the operation is carried out, but no answer arrives
	late  time.Duration // the operation is carried out, and the answer is late by this duration
}

func (f fate) plain() bool { return f == fate{} }

// The method "next" counts an operation and returns what happens to it. If the process must freeze before the
// operation, the method sleeps for the time of the freeze. The parameter "write" says that the operation is a write to
// a directory, for which FreezeAt has an exception.
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
