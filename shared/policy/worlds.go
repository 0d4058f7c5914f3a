package policy

import (
	"slices"

	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// A usage report without activity of a person proves only that the person was not active since the report's horizon. So
// such a date has two possible cases: a date before the horizon, or no date at all. The result of a condition is known
// if it is the same in all combinations of cases. For example, "earlier than 45 days ago, or never" is known, but
// "never" is not.

// mostWorlds is the largest number of attributes in one condition whose cases are tried.
const mostWorlds = 6

// The type "worlds" has the cases of one evaluation. If bit i of "at" is set, the evaluation assumes that the attribute
// open[i] has no date. Otherwise it assumes a date before the horizon.
type worlds struct {
	open []*attribute
	at   uint
}

func (w *worlds) assume(a *attribute, v directory.Value) directory.Value {
	i := slices.Index(w.open, a)
	if i < 0 {
		i = len(w.open)
		w.open = append(w.open, a)
	}
	if w.at&(1<<i) != 0 {
		v.State = directory.None
	}
	return v
}

// inAll calls the function once for each combination of the two cases of the dates without activity. If all results
// agree, it returns this result. If they differ, or if more than mostWorlds attributes have two cases, it returns Unset
// and the unknown value of the first of these attributes.
func (w *worlds) inAll(ask func() (directory.Flag, ref.Val)) (directory.Flag, ref.Val) {
	w.open, w.at = w.open[:0], 0
	first, value := ask()
	for w.at = 1; first != directory.Unset && w.at < 1<<len(w.open); w.at++ {
		if other, _ := ask(); other != first || len(w.open) > mostWorlds {
			return directory.Unset, w.open[0].unknown
		}
	}
	return first, value
}
