package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Mark records what one call of apply decided or saw about an open entry. Two calls of one run may work on the same
// entry at the same time. A call that takes the license writes a leaving mark and then looks for a rollback mark. A
// call that rolls back writes a rollback mark and then looks for a leaving mark. At least one of two such calls
// therefore sees the mark of the other.
type Mark struct {
	Outcome Outcome   `json:"outcome,omitempty"` // outcome of the rollback; empty in every other mark
	Why     string    `json:"why,omitempty"`
	At      time.Time `json:"at"`
	// Intent is the SHA-256, in hex, of the intent that the mark is about.
	Intent string `json:"intent,omitempty"`
}

// Leave marks that the license is about to be taken. The result "first" is true if this is the first leaving mark, so
// no earlier call has taken the license. The result "back" is the rollback mark, or nil. With a rollback mark, the
// caller must not take the license.
func (l *Ledger) Leave(ctx context.Context, e *Entry, at time.Time) (first bool, back *Mark, err error) {
	if first, err = l.mark(ctx, e, layout.Leaving, Mark{At: at}); err != nil {
		return false, nil, err
	}
	back, err = l.RollbackMark(ctx, e)
	return first, back, err
}

// Send marks that the mail that announces the change is about to be sent. Only the call that gets true may send the
// mail. Graph cannot say whether a mail was sent, so a mail that may have been sent is never sent again.
func (l *Ledger) Send(ctx context.Context, e *Entry, at time.Time) (first bool, err error) {
	return l.mark(ctx, e, layout.Sending, Mark{At: at})
}

// SendingMark returns the sending mark of an entry, or nil. With this mark, the mail that announces the change is about
// to be sent, or was sent.
func (l *Ledger) SendingMark(ctx context.Context, e *Entry) (*Mark, error) {
	return l.marked(ctx, e, layout.Sending)
}

// RollBack marks that the change is rolled back. It returns true if an earlier call may have taken the license. The
// caller must then give the license to the person again, even if a read shows that the person has it: the removal may
// come after that read, or the directory may not show the removal yet.
func (l *Ledger) RollBack(ctx context.Context, e *Entry, m Mark) (left bool, err error) {
	if _, err := l.mark(ctx, e, layout.Back, m); err != nil {
		return false, err
	}
	leaving, err := l.LeavingMark(ctx, e)
	return leaving != nil, err
}

// RollbackMark returns the rollback mark of an entry, or nil if no call has begun to roll back the change.
func (l *Ledger) RollbackMark(ctx context.Context, e *Entry) (*Mark, error) {
	return l.marked(ctx, e, layout.Back)
}

// Returning reports whether an open entry returns a license to the person, by a restore or by a rollback.
func (l *Ledger) Returning(ctx context.Context, e *Entry) (bool, error) {
	if e.RestoreOf != "" {
		return true, nil
	}
	back, err := l.RollbackMark(ctx, e)
	return back != nil, err
}

// LeavingMark returns the leaving mark of an entry, or nil. With this mark, the license is about to be taken, or was
// taken.
func (l *Ledger) LeavingMark(ctx context.Context, e *Entry) (*Mark, error) {
	return l.marked(ctx, e, layout.Leaving)
}

// The method "marked" returns the mark of an entry with the given name, or nil.
func (l *Ledger) marked(ctx context.Context, e *Entry, about string) (*Mark, error) {
	var m Mark
	found, err := l.get(ctx, e.beside(about), &m)
	if err == nil && found {
		err = e.fits(about, m.Intent)
	}
	if err != nil || !found {
		return nil, err
	}
	return &m, nil
}

func (l *Ledger) mark(ctx context.Context, e *Entry, about string, m Mark) (first bool, err error) {
	m.Intent = e.Sum
	switch err := store.PutJSONIfAbsent(ctx, l.store, e.beside(about), m); {
	case errors.Is(err, store.ErrExists):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("write a mark into the ledger: %w", err)
	}
	return true, nil
}
