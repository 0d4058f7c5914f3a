package policy

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// used is what a report tells of a field; false when the field is not the last use by one,
// or the report tells nothing.
func (s *screen) used(f *directory.Field) (Used, bool) {
	if signal, dated := f.Signal(); dated && signal.Reported() && f.Meaning == directory.Activity {
		return s.Used(signal)
	}
	return Used{}, false
}

// newestUse lets the last use by a report count among the dates of an attribute. never notes
// where the report has none: then a date before its span is not known to be the newest.
func (s *screen) newestUse(used Used, dates []int64, known, open, never []bool) {
	for row, state := range s.Accounts[directory.Entra] {
		switch {
		case state == Here && used.Last[row] != None:
			known[row] = true
			never[row] = never[row] || used.Last[row] == Never
			dates[row] = max(dates[row], used.Last[row])
		case state != Nowhere:
			open[row] = true
		}
	}
}

// late returns the date from which on a date is told by a report late enough for a test of
// an instant, as dateTest has it; None when no report tells the attribute's dates, or all of
// them in time.
func (s *screen) late(a *attribute, asked bool, at time.Time) int64 {
	if !asked && len(s.spans) > 0 {
		at = s.now.Add(-slices.Min(s.spans))
	}
	if through := s.through[a]; !through.IsZero() && at.After(through.Add(s.lead)) {
		return at.Add(time.Microsecond - 1).UnixMicro()
	}
	return None
}
