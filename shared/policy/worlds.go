package policy

import (
	"slices"

	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// A report proves that somebody did nothing since its horizon. It does not tell whether
// they ever did before. So there are two cases: a date before the horizon, and none. A
// condition is asked in each case of each such attribute, and is known where all answers
// agree: "earlier than 45 days ago, or never" is, "never" is not.

// mostWorlds bounds the attributes whose cases are told apart in one condition.
const mostWorlds = 6

// worlds are the cases of one evaluation: bit i of case says that open[i] has no date.
type worlds struct {
	open []*attribute
	at   uint
}

// assume returns the value of an attribute in the case that is being asked.
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

// inAll asks in all cases. Where the answers differ the value is the unknown of the first
// attribute that is open.
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
