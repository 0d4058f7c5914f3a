package ledger

import (
	"context"
	"time"
)

// Seen is a fact that one call of apply saw and that later calls must know.
type Seen string

// Each of these facts is noted once for an entry.
const (
	// SeenFree means that a read showed the person without the license, after the source was left.
	SeenFree Seen = "free"
	// Answered means that the directory answered that the source was left.
	Answered Seen = "answered"
	// SeenInTarget means that a read showed the person as a member of the target group.
	SeenInTarget Seen = "in-target"
	// SecondTry and ThirdTry mean that the target was joined again. It did not list the person long after the first
	// join.
	SecondTry Seen = "second-try"
	ThirdTry  Seen = "third-try"
)

// Note writes down a fact about an open entry. The first note of a fact stays.
func (l *Ledger) Note(ctx context.Context, e *Entry, what Seen, at time.Time) error {
	_, err := l.mark(ctx, e, "."+string(what)+".json", Mark{At: at})
	return err
}

// Noted returns the note of a fact about an entry, or nil when there is none.
func (l *Ledger) Noted(ctx context.Context, e *Entry, what Seen) (*Mark, error) {
	return l.marked(ctx, e, "."+string(what)+".json")
}
