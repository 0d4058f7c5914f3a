package policy

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Idle counts the holders of a license by the time since their last use. The dates are those of the condition "when".
type Idle struct {
	// Days[d] counts holders whose last activity is d whole days ago. The last element also counts longer times.
	Days     []int `json:"days"`
	Never    int   `json:"never,omitempty"`    // holders who were read and have no date
	NotKnown int   `json:"notKnown,omitempty"` // holders whose newest date of use is not known
}

// These values stand in place of a number of days in Idle.count.
const (
	neverActive = -1
	notKnownAt  = -2
)

// NewIdle returns empty counts, or nil for a rule whose condition "when" reads no date of use.
func (r *Rule) NewIdle() *Idle {
	if len(r.when.activity) == 0 {
		return nil
	}
	return &Idle{Days: make([]int, r.longestIdle()+1)}
}

// longestIdle returns the index of the last element of Idle.Days: a fifth more than the longest span of the condition
// "when", and at least 180, the span of the usage reports. So the last element counts the people without use in a
// report.
func (r *Rule) longestIdle() int {
	longest := 180
	for _, span := range r.when.spans {
		longest = max(longest, int(span/day)*6/5)
	}
	return longest
}

// Add adds the counts of other people. A nil argument adds nothing.
func (i *Idle) Add(o *Idle) {
	if o == nil {
		return
	}
	for d, n := range o.Days {
		i.Days[min(d, len(i.Days)-1)] += n
	}
	i.Never += o.Never
	i.NotKnown += o.NotKnown
}

func (i *Idle) count(days int) {
	switch {
	case days == neverActive:
		i.Never++
	case days == notKnownAt:
		i.NotKnown++
	default:
		i.Days[min(days, len(i.Days)-1)]++
	}
}

// CountIdle adds a holder of the rule's license to the counts, which may be nil.
func (j *Judge) CountIdle(counts *Idle, r *Rule, p *directory.Person) {
	if counts == nil {
		return
	}
	j.about(r, p)
	var newest, bound time.Time // bound is the latest horizon since which a report shows no activity
	for _, a := range r.when.activity {
		v := a.of(p)
		switch {
		case v.State == directory.Unknown:
			counts.count(notKnownAt)
			return
		case v.State == directory.None:
		case v.State == directory.NoneSince, !v.Through.IsZero() && !v.Time.Equal(lastSeen([]*attribute{a}, p)):
			bound = laterTime(bound, v.Time)
		default:
			newest = laterTime(newest, v.Time)
		}
	}
	switch days := int(j.now.Sub(bound) / day); {
	case bound.After(newest) && days >= len(counts.Days)-1:
		counts.count(days)
	case bound.After(newest):
		counts.count(notKnownAt)
	case newest.IsZero():
		counts.count(neverActive)
	default:
		counts.count(max(0, int(j.now.Sub(newest)/day)))
	}
}

func laterTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// openMixed sets open[row] for each holder with the mark mixedDate. For such a holder, the columns do not show since
// when the person has been idle, so CountIdle must count the person singly.
func (s *screen) openMixed(r *Rule, verdicts []Plain, open []bool) {
	for _, a := range r.when.activity {
		for row, date := range s.date(a) {
			open[row] = open[row] || verdicts[row] > PlainNotHolder && date == mixedDate
		}
	}
}

// The method "idle" counts like CountIdle, but from columns, and for all people at once. It leaves out people for whom
// the columns alone do not show the verdict.
func (s *screen) idle(r *Rule, verdicts []Plain) *Idle {
	counts := r.NewIdle()
	if counts == nil {
		return nil
	}
	dates, since := make([][]int64, len(r.when.activity)), make([]int64, len(r.when.activity))
	for i, a := range r.when.activity {
		dates[i], since[i] = s.date(a), s.since[a]
	}
	now, day := s.now.UnixMicro(), day.Microseconds()
	for row, v := range verdicts {
		if v <= PlainNotHolder {
			continue
		}
		newest, bound, known := int64(None), int64(None), true
		for i, list := range dates {
			switch date := list[row]; date {
			case unknownDate:
				known = false
			case unusedDate:
				bound = max(bound, since[i])
			default:
				newest = max(newest, date)
			}
		}
		last := int64(len(counts.Days) - 1)
		switch {
		case !known, bound > newest && (now-bound)/day < last:
			counts.NotKnown++
		case bound > newest:
			counts.Days[last]++
		case newest == None:
			counts.Never++
		default:
			counts.Days[min(max(0, now-newest)/day, last)]++
		}
	}
	return counts
}
