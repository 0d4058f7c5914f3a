package policy

import (
	"math"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The method "used" returns the last uses that a report has for a field. It returns false if the field is not a last
// use from a report, or if the report has no trustworthy dates.
func (s *screen) used(f *directory.Field) (Used, bool) {
	if signal, _ := f.Signal(); signal.Reported() && f.Meaning == directory.Activity {
		return s.Used(signal)
	}
	return Used{}, false
}

// newestUse adds the last uses from a report to the dates of an attribute. It sets never[row] for each person without a
// use in the report's span. Such a person may have used the workload before that span. If another field of the
// attribute has a date from before that span, this unknown use may be later.
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

// The method "late" returns the earliest date for which a test has a result, in microseconds. For an earlier date, the
// result depends on what happened after the end of the report (see dateTest). The method returns None if no report has
// the attribute's dates, or if all reports end late enough. The parameter "test" is the name of the test. hasValue and
// hasNoValue do not compare dates with the time "at". The parameter "moves" says whether the time "at" depends on now.
// For pairs, the end of the report moves with the time of the pair (Judge.lead), so a comparison as of now fits.
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
