package decision

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot/known"
)

// A directory sometimes shows only some dates of a person, or older ones, from the first reading on. No earlier reading
// has the newer dates then, so none counts as lost. When a date appears that the last reading should have shown, it
// comes late: it proves that the directory showed old data. It may not be the newest date either. So the dates of the
// account are in doubt until a reading of another night shows no further late date.

// The function "shownSince" returns the time before which no date may appear that is new to the account with the entry
// k: the last reading that may have seen the account, less the lag of the signal.
func shownSince(s directory.Source, last *plan.Baseline, k *known.Account) time.Time {
	read := last.Read
	if missed := k.Missed.Time(); !missed.IsZero() && missed.Before(read) {
		read = missed
	}
	return read.Add(-directory.Signal(s).Lag())
}

// The method "late" sets Past.Late if a date of the account comes late, or came late in an earlier reading of this
// night. The last logons of every controller may rightly be new, because earlier readings have only the replicated date.
func (c *recollection) late(a *account, k *known.Account) {
	if at := k.Late.Time(); !at.IsZero() && !directory.Apart(at, c.now) {
		a.past().Late = at
	}
	if a.inDoubt() || c.source == directory.AD && c.exact {
		return
	}
	before := shownSince(c.source, c.last, k)
	for i, t := range a.dates() {
		newest := k.Newest[i].Time()
		if seen := a.past().Newest[i]; seen.After(newest) {
			newest = seen
		}
		if t.Truncate(time.Second).After(newest) && t.Before(before) {
			a.past().Late = c.now
		}
	}
}
