package policy

import (
	"slices"

	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// A report proves that a person was not active since its horizon, and shows nothing about the time before. So each date
// without activity has two cases: a date before the horizon, or no date at all. The result of a condition is known if
// all combinations of cases agree. For example, "earlier than 45 days ago, or never" is known, but "never" is not.

// mostWorlds is the largest number of attributes in one condition whose cases are tried.
const mostWorlds = 6

// The type "worlds" has the cases of one evaluation. If bit i of "at" is set, the attribute open[i] has no date.
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

// inAll calls the function in each combination of cases. If the results differ, or if there are too many combinations,
// the flag is Unset. The value is then the unknown of the first attribute with cases.
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
