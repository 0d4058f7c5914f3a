package policy

import (
	"slices"

	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// A report proves that a person was not active since its horizon. It shows nothing about the time before the horizon.
// So for each date without activity there are two cases: a date before the horizon, or no date at all. A condition is
// evaluated in every combination of cases. Its result is known if all combinations give the same result. For example,
// "earlier than 45 days ago, or never" is known, but "never" is not.

// mostWorlds is the largest number of attributes in one condition whose cases are evaluated separately.
const mostWorlds = 6

// The type "worlds" holds the cases of one evaluation. If bit i of the field "at" is set, the attribute open[i] has no
// date in the current case.
type worlds struct {
	open []*attribute
	at   uint
}

// The method "assume" returns the value of an attribute in the current case.
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

// inAll calls the given function in every case. If the results differ, the flag is Unset. The value is then the unknown
// of the first open attribute.
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
