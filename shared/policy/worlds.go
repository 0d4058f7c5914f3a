package policy

import (
	"slices"

	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// A report proves that a person did nothing since its horizon. It says nothing about the time before. For each date
// without activity there are therefore two cases: a date before the horizon, and no date at all. A condition is
// evaluated in every case. Its result is known when all cases agree: "earlier than 45 days ago, or never" is known, and
// "never" is not.

// mostWorlds bounds the number of attributes in one condition whose cases are evaluated separately.
const mostWorlds = 6

// worlds are the cases of one evaluation. Bit i of at says that open[i] has no date.
type worlds struct {
	open []*attribute
	at   uint
}

// assume returns the value of an attribute in the current case.
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

// inAll evaluates in all cases. When the results differ, the value is the unknown of the first open attribute.
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
