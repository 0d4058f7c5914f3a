package gate

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// A timedStore records how much time was left until the deadline of a read. It keeps the shortest of these times.
type timedStore struct {
	store.Store
	mu   sync.Mutex
	left time.Duration
}

func (s *timedStore) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	end, ends := ctx.Deadline()
	s.mu.Lock()
	if left := time.Until(end); ends && left < s.left {
		s.left = left
	}
	s.mu.Unlock()
	return s.Store.Get(ctx, key)
}

// TestReportTime: a report takes at most reportTime, and at most half of the time that its caller has.
func TestReportTime(t *testing.T) {
	t.Parallel()
	s := quiet().put(t)
	if _, err := Run(t.Context(), s, "run", clock); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[time.Duration]time.Duration{0: reportTime, time.Hour: reportTime, 2 * time.Minute: time.Minute} {
		ctx, cancel := t.Context(), context.CancelFunc(func() {})
		if limit > 0 {
			ctx, cancel = context.WithTimeout(ctx, limit)
		}
		timed := &timedStore{Store: s, left: 24 * time.Hour}
		err := Report(ctx, timed, "run")
		cancel()
		if err != nil || timed.left > want || timed.left < want-30*time.Second {
			t.Errorf("of %s, a report has %s, want %s: %v", limit, timed.left, want, err)
		}
	}
}

// TestEndsHaveAReport: each step that ends a run writes the report of the run.
func TestEndsHaveAReport(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in   StepInput
		want bool
	}{
		"gate":                     {StepInput{Op: "gate", Run: "run"}, true},
		"hold":                     {StepInput{Op: "hold", Run: "run"}, true},
		"a round, and another one": {StepInput{Op: "settle", Run: "run"}, false},
		"the last round":           {StepInput{Op: "settle", Run: "run", Round: mostRounds}, true},
	} {
		for _, failure := range []error{nil, errors.New(`the page of "Anna Berg" is too large`)} {
			s := steps(t, busy())
			s.gated(t, false)
			var reported []string
			s.Report = func(_ context.Context, _ store.Store, run string) error {
				reported = append(reported, run)
				return failure
			}
			out, err := s.Do(t.Context(), tc.in)
			if err != nil || slices.Equal(reported, []string{"run"}) != tc.want || len(reported) > 1 {
				t.Fatalf("%s: reports of %q, %v", name, reported, err)
			}
			key, why := "", ""
			switch {
			case tc.want && failure == nil:
				key = layout.Report("run")
			case tc.want:
				why = "the page of (name left out) is too large"
			}
			if out.Report != key || out.NoReport != why {
				t.Errorf("%s, after %v: report %q, none because %q", name, failure, out.Report, out.NoReport)
			}
		}
	}
}
