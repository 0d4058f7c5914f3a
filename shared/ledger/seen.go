package ledger

import (
	"context"
	"time"
)

// Seen is what a call of apply read or did that later calls must know of.
type Seen string

// What is noted, once for each entry.
const (
	// SeenFree: after the source was left, the person was read as not having it.
	SeenFree Seen = "free"
	// Answered: the directory answered that the source was left.
	Answered Seen = "answered"
	// SeenInTarget: the person was read as a member of the target group.
	SeenInTarget Seen = "in-target"
	// SecondTry and ThirdTry: the target was joined again, since it did not list the
	// person long after it had been joined.
	SecondTry Seen = "second-try"
	ThirdTry  Seen = "third-try"
)

// Note notes something about an open entry. The first time stands.
func (l *Ledger) Note(ctx context.Context, e *Entry, what Seen, at time.Time) error {
	_, err := l.mark(ctx, e, "."+string(what)+".json", Mark{At: at})
	return err
}

// Noted is when something was noted about an entry; nil: never.
func (l *Ledger) Noted(ctx context.Context, e *Entry, what Seen) (*Mark, error) {
	return l.marked(ctx, e, "."+string(what)+".json")
}
