package weather

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKilled: the process is killed at the operation that KillAt names. From then until Revive, no answer reaches the
// process, and no later request leaves it.
func TestKilled(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		after   bool
		reached int // number of requests that the simulation carried out
	}{"before it is carried out": {false, 2}, "after it is carried out": {true, 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1, 20)
			carried := r.carried()
			r.KillAt(3, tt.after)
			var lost []bool
			for range 5 {
				got, _ := r.get(t, "/organization")
				lost = append(lost, got.Reset)
			}
			if d := cmp.Diff([]bool{false, false, true, true, true}, lost); d != "" {
				t.Errorf("answers lost (-want +got):\n%s", d)
			}
			if n := *carried; n != tt.reached {
				t.Errorf("%d requests were carried out, want %d", n, tt.reached)
			}
			if !r.Dead() || r.Operations() != 5 {
				t.Errorf("dead %v, %d operations", r.Dead(), r.Operations())
			}
			r.Revive()
			if got, _ := r.get(t, "/organization"); got.Status != 200 || r.Dead() {
				t.Errorf("revived: %+v", got)
			}
		})
	}
}

func TestFrozen(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1, 20)
			r.FreezeAt(2, after, 7*time.Hour)
			var passed []time.Duration
			for range 3 {
				began := r.clock.Now()
				got, header := r.get(t, "/organization")
				if got.Status != 200 {
					t.Fatalf("%+v", got)
				}
				passed = append(passed, r.clock.Now().Sub(began))
				told := header.Get("Date") == began.Format("Mon, 02 Jan 2006 15:04:05 GMT")
				if frozenBefore := len(passed) == 2 && !after; told == frozenBefore {
					t.Errorf("operation %d was answered at %s", len(passed), header.Get("Date"))
				}
			}
			if d := cmp.Diff([]time.Duration{0, 7 * time.Hour, 0}, passed); d != "" {
				t.Errorf("time passed (-want +got):\n%s", d)
			}
		})
	}
}
