// Package weather injects faults into the directories and the store of a simulated company. The weather is the set of
// faults of one night. Answers of Graph, Active Directory and the store come late, are stale, incomplete, repeated or
// in another order, or are replaced by errors. Time passes only on a simulated clock.
//
// Whether a fault happens depends only on the seed, the night, the kind of fault, the target, and the number of earlier
// operations on the target. A night can therefore be repeated, and if one fault is left out, no other fault changes. On
// a calm night, all answers pass unchanged.
package weather

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// Fault is one injected fault.
type Fault struct {
	Number uint64 // the same number in each repetition of the seed
	Night  int
	Kind   Kind
	Target string // an operation, a person or another object
	Nth    int    // number of the operation on the target in that night, from 1; 0: the whole night
}

// String returns the fault on one line.
func (f Fault) String() string {
	return fmt.Sprintf("night %d: fault %d: %s: %s (%d)", f.Night, f.Number, f.Kind, f.Target, f.Nth)
}

// Weather injects the faults of all nights of one company. It is safe for concurrent use, except that no operation may
// run while Begin is called.
type Weather struct {
	// Process counts the operations of a process, and can kill or freeze it.
	Process

	seed  uint64
	clock clock.Clock
	night atomic.Pointer[night] // nil: calm

	company atomic.Pointer[sandbox.Company] // nil: no company is set
	ahead   atomic.Int64                    // how far the weather has set the controller's clock ahead

	quota quota

	mu      sync.Mutex
	leftOut map[uint64]bool
	kept    map[string]int // by id of a user: which date a spell keeps; see the method enter
	faults  []Fault
	refused int // number of requests above the quota
}

// New returns calm weather for the company of a seed. The parameter "by" must be a simulated clock.
func New(seed uint64, by clock.Clock) *Weather {
	return &Weather{seed: seed, clock: by, Process: Process{clock: by}, leftOut: map[uint64]bool{}, kept: map[string]int{}}
}

// Without leaves out faults: those with the given numbers do not happen.
func (w *Weather) Without(numbers ...uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range numbers {
		w.leftOut[n] = true
	}
}

// Faults returns the faults so far, in order.
func (w *Weather) Faults() []Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.faults)
}

// Counts returns the number of faults of each kind.
func (w *Weather) Counts() map[string]int {
	counts := map[string]int{}
	for _, f := range w.Faults() {
		counts[string(f.Kind)]++
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refused > 0 {
		counts[string(GraphQuota)] = w.refused
	}
	return counts
}

// The type "night" has the kinds of faults that may happen in one night, and counts the operations of that night.
type night struct {
	number int
	often  float64
	kinds  map[Kind]bool

	mu   sync.Mutex
	seen map[string]int  // number of operations by target
	told map[uint64]bool // faults of the whole night that are listed already
}

// Begin ends the previous night and begins the night of plan p. If p has no kinds, the weather is calm.
func (w *Weather) Begin(p Plan) {
	if len(p.Kinds) == 0 {
		w.night.Store(nil)
		w.clocks(nil)
		return
	}
	n := &night{number: p.Night, often: p.Often, kinds: map[Kind]bool{}, seen: map[string]int{}, told: map[uint64]bool{}}
	for _, k := range p.Kinds {
		n.kinds[k] = true
	}
	w.night.Store(n)
	w.clocks(n)
}

// Tonight returns the kinds of faults of the current night, sorted.
func (w *Weather) Tonight() []Kind {
	if n := w.night.Load(); n != nil {
		return slices.Sorted(maps.Keys(n.kinds))
	}
	return nil
}

// The method "tonight" returns the current night, or nil if the night has none of the given kinds.
func (w *Weather) tonight(kinds []Kind) *night {
	n := w.night.Load()
	if n == nil || !slices.ContainsFunc(kinds, func(k Kind) bool { return n.kinds[k] }) {
		return nil
	}
	return n
}

type operation struct {
	target string
	nth    int
}

func (n *night) operation(target string) operation {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen[target]++
	return operation{target, n.seen[target]}
}

// The method "meets" decides whether one of the given kinds of faults happens to an operation, and adds the fault to
// the list of faults. It returns the first such kind, with random numbers for the details of the fault. It returns ""
// if there is none, or if the fault is left out.
func (w *Weather) meets(n *night, o operation, kinds []Kind) (Kind, dice) {
	for _, k := range kinds {
		if f, hit := w.draw(n, k, o, n.often); hit {
			if !w.make(f) {
				return "", 0
			}
			return k, dice(f.Number)
		}
	}
	return "", 0
}

// The method "draw" decides whether a kind of fault happens to an operation, with the probability "often", and returns
// the fault. The decision is the same in each repetition of the night.
func (w *Weather) draw(n *night, k Kind, o operation, often float64) (Fault, bool) {
	if !n.kinds[k] {
		return Fault{}, false
	}
	h := hash(w.seed, n.number, string(k), o.target, o.nth)
	return Fault{Number: uint64(dice(h).below(1 << 48)), Night: n.number, Kind: k, Target: o.target, Nth: o.nth}, dice(h^1).float() < often
}

// The method "make" adds a fault to the list of faults. If the fault is left out, it returns false and adds nothing.
func (w *Weather) make(f Fault) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leftOut[f.Number] {
		return false
	}
	w.faults = append(w.faults, f)
	return true
}

// The method "befalls" decides whether a fault affects a person or another object for the whole night. The probability
// is "often". Every call for the same object has the same result, and only the first call adds the fault to the list of
// faults.
func (w *Weather) befalls(n *night, k Kind, whom string, often float64) (dice, bool) {
	f, hit := w.draw(n, k, operation{target: whom}, often)
	if !hit {
		return 0, false
	}
	n.mu.Lock()
	told := n.told[f.Number]
	n.told[f.Number] = true
	n.mu.Unlock()
	if told {
		w.mu.Lock()
		defer w.mu.Unlock()
		return dice(f.Number), !w.leftOut[f.Number]
	}
	return dice(f.Number), w.make(f)
}

// The method "sleep" advances the simulated clock. It cannot be interrupted.
func (w *Weather) sleep(d time.Duration) { _ = w.clock.Sleep(context.Background(), d) }
