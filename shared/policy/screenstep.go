package policy

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The type "step" is a test of dates whose result depends only on whether the date is before, at or after an instant.
type step struct {
	at                   int64 // the last microsecond that is not after the instant
	before, equal, after directory.Flag
}

func stepAt(at time.Time, test func(time.Time) directory.Flag) step {
	s := step{at: at.UnixMicro(), before: test(at.Add(-time.Microsecond)), equal: test(at), after: test(at.Add(time.Microsecond))}
	if !at.Equal(time.UnixMicro(s.at)) { // the instant lies between two microseconds
		s.equal = s.before
	}
	return s
}

func (s step) of(date int64) directory.Flag {
	switch {
	case date < s.at:
		return s.before
	case date == s.at:
		return s.equal
	}
	return s.after
}
