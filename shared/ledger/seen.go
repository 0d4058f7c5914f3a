package ledger

import (
	"context"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
)

// Seen is the name of a fact that one call of apply saw and that later calls must know.
type Seen string

// The facts. Each fact is recorded at most once per entry.
const (
	// SeenFree means that a read showed the person without the license, after the removal from the group
	// Intent.Source.
	SeenFree Seen = layout.Free
	// Answered means that the directory confirmed the removal of the person from the group Intent.Source.
	Answered Seen = layout.Answered
	// SeenInTarget means that a read showed the person as a member of the target group.
	SeenInTarget Seen = layout.InTarget
	// SecondTry and ThirdTry mean that apply added the person to the target group again. A long time after the previous
	// try, the group still did not list the person.
	SecondTry Seen = layout.Second
	ThirdTry  Seen = layout.Third
	// Rejoined means that a restore added the person to the group Intent.Source, and that the person was not in this
	// group before. If the group cannot give its license, the restore may remove the person from the group again.
	Rejoined Seen = layout.Rejoined
)

// Note records a fact about an open entry. If the fact is already recorded, the first record stays.
func (l *Ledger) Note(ctx context.Context, e *Entry, what Seen, at time.Time) error {
	_, err := l.mark(ctx, e, string(what), Mark{At: at})
	return err
}

// Noted returns the mark of a fact about an entry, or nil if the fact is not recorded.
func (l *Ledger) Noted(ctx context.Context, e *Entry, what Seen) (*Mark, error) {
	return l.marked(ctx, e, string(what))
}
