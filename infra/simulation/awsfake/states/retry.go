package states

import (
	"context"
	"slices"
	"time"
)

// The method "persistently" calls "try" until a call succeeds, or until the retriers of state s allow no more calls
// (section 5.1.2 of the language's specification). Each failure uses up an attempt of one retrier: the first one that
// lists the error.
func (e *Execution) persistently(ctx context.Context, name string, s *state, try func(tries int) (any, *Failure)) (any, *Failure) {
	used := make([]int, len(s.Retry))
	for tries := 0; ; tries++ {
		result, failure := try(tries)
		if failure == nil {
			return result, nil
		}
		i := slices.IndexFunc(s.Retry, func(r retrier) bool { return matches(r.ErrorEquals, failure.Error) })
		if i < 0 || used[i] >= s.Retry[i].most() {
			return nil, failure
		}
		wait := s.Retry[i].delay(used[i])
		used[i]++
		e.note(name, "retried", failure.Error+": "+failure.Cause)
		select {
		case <-time.After(e.scaled(wait)):
		case <-ctx.Done():
			return nil, failure
		}
	}
}

func (r *retrier) most() int {
	if r.MaxAttempts == nil {
		return 3
	}
	return *r.MaxAttempts
}

// The method "delay" returns the wait before the next attempt, in seconds. The parameter "used" is the number of
// attempts that the retrier has used. With jitter, AWS waits for a random part of this time, but this method always
// returns the whole.
func (r *retrier) delay(used int) float64 {
	wait, rate := float64(max(1, r.IntervalSeconds)), r.BackoffRate
	if rate == 0 {
		rate = 2
	}
	for range used {
		wait *= rate
	}
	if most := float64(r.MaxDelaySeconds); most > 0 {
		wait = min(wait, most)
	}
	return wait
}
