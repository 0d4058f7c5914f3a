package policy

import (
	"math"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The method "used" returns the last uses in the report for a field that comes from a usage report. It returns false
// for any other field, and if the dates of the report cannot be trusted.
func (s *screen) used(f *directory.Field) (Used, bool) {
	if signal, _ := f.Signal(); signal.Reported() && f.Meaning == directory.Activity {
		return s.Used(signal)
	}
	return Used{}, false
}

// newestUse adds the last uses from a report to the dates of an attribute. If the report shows no use of a person, it
// sets never[row]. The person may still have a use from before the report's span, and this use may be later than the
// dates of the attribute's other fields.
func (s *screen) newestUse(used Used, dates []int64, known, open, never []bool) {
	for row, state := range s.Accounts[directory.Entra] {
		switch {
		case state == Here && used.Last[row] != None:
			known[row] = true
			if used.Last[row] == Never {
				never[row] = true
			} else {
				dates[row] = max(dates[row], used.Last[row])
			}
		case state != Nowhere:
			open[row] = true
		}
	}
}

// A usage report says nothing about the time after its end. The method "late" returns the earliest date, in
// microseconds, for which a test has a result all the same (see dateTest). It returns None if every date has a result.
// When Screen evaluates pairs (screenturns.go), the end of the report moves with the time of the pair (Judge.lead).
func (s *screen) late(a *attribute, test string, at time.Time, moves bool) int64 {
	if (test == "hasValue" || test == "hasNoValue") && len(s.spans) > 0 {
		at = s.origin().Add(-slices.Min(s.spans))
	}
	through := s.through[a]
	switch {
	case through.IsZero():
		return None
	case s.moment != nil && !moves: // at the time of the pair, a later report covers more days, so no date settles the test now
		return math.MaxInt64
	case s.now.Add(at.Sub(s.origin())).After(through):
		if test == laterThan {
			return at.UnixMicro() + 1
		}
		return at.Add(time.Microsecond - 1).UnixMicro()
	}
	return None
}
