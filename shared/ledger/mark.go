package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/store"
)

// Mark is what a call of apply decided about an open entry. Calls of one run may
// overlap: whoever is about to leave marks that and then looks for a mark of going
// back; whoever goes back marks that and then looks for the other. So at least one
// of two knows of the other.
type Mark struct {
	Outcome Outcome   `json:"outcome,omitempty"` // of going back
	Why     string    `json:"why,omitempty"`
	At      time.Time `json:"at"`
	// Intent is the SHA-256, in hex, of the intent that it is about.
	Intent string `json:"intent,omitempty"`
}

// Leave marks that the license is about to be taken. If there is a mark of going back,
// Leave returns it, and the license must not be taken. first is true when no call has
// marked the entry before, so that nothing can have been taken yet.
func (l *Ledger) Leave(ctx context.Context, e *Entry, at time.Time) (first bool, back *Mark, err error) {
	if first, err = l.mark(ctx, e, leavingSuffix, Mark{At: at}); err != nil {
		return false, nil, err
	}
	back, err = l.Back(ctx, e)
	return first, back, err
}

// GoBack marks that the change is undone, and tells whether it may have been made:
// then what the person had must be given again, whatever is read.
func (l *Ledger) GoBack(ctx context.Context, e *Entry, m Mark) (left bool, err error) {
	if _, err := l.mark(ctx, e, backSuffix, m); err != nil {
		return false, err
	}
	leaving, err := l.Left(ctx, e)
	return leaving != nil, err
}

// Back is the mark of going back; nil when there is none.
func (l *Ledger) Back(ctx context.Context, e *Entry) (*Mark, error) {
	return l.marked(ctx, e, backSuffix)
}

// Left is the mark of leaving; nil when there is none.
func (l *Ledger) Left(ctx context.Context, e *Entry) (*Mark, error) {
	return l.marked(ctx, e, leavingSuffix)
}

// marked is the mark of an entry by its suffix; nil when there is none.
func (l *Ledger) marked(ctx context.Context, e *Entry, suffix string) (*Mark, error) {
	var m Mark
	found, err := l.get(ctx, e.beside(suffix), &m)
	if err == nil && found {
		err = e.fits(suffix, m.Intent)
	}
	if err != nil || !found {
		return nil, err
	}
	return &m, nil
}

func (l *Ledger) mark(ctx context.Context, e *Entry, suffix string, m Mark) (first bool, err error) {
	m.Intent = e.Sum
	switch err := store.PutJSONIfAbsent(ctx, l.store, e.beside(suffix), m); {
	case errors.Is(err, store.ErrExists):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("write a mark into the ledger: %w", err)
	}
	return true, nil
}
