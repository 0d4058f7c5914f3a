package ledger

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
)

// A reading may lack the account of an open change for a night. Two marks say how long the account is missed: the first
// reading that lacks the account writes the mark "gone", and the first reading that has the account again writes the
// mark "seen again". Each directory has its own marks. Nothing in the ledger is overwritten, so the marks of a second
// absence have the number 2.

// Missed records that a reading of a directory lacks the account of an open entry. It returns the time of the first
// such reading since the account was seen last.
func (l *Ledger) Missed(ctx context.Context, e *Entry, in directory.Source, at time.Time) (since time.Time, err error) {
	n, first, err := l.absence(ctx, e, in)
	switch {
	case err != nil:
		return time.Time{}, err
	case first != nil:
		return first.At, nil
	}
	_, err = l.mark(ctx, e, layout.Nth(gone[in], n), Mark{At: at})
	return at, err
}

// SeenAgain records that a reading of a directory has the account of an open entry. It writes nothing if the account is
// not missed.
func (p *Page) SeenAgain(ctx context.Context, e *Entry, in directory.Source, at time.Time) error {
	if !slices.Contains(p.others[e.License], path.Base(e.beside(gone[in]))) {
		return nil
	}
	n, first, err := p.ledger.absence(ctx, e, in)
	if err != nil || first == nil {
		return err
	}
	_, err = p.ledger.mark(ctx, e, layout.Nth(again[in], n), Mark{At: at})
	return err
}

// The method "absence" returns the number of the newest absence and its first mark. If the account is not missed, the
// mark is nil, and the number is the one of the next absence.
func (l *Ledger) absence(ctx context.Context, e *Entry, in directory.Source) (n int, first *Mark, err error) {
	for n = 1; ; n++ {
		if first, err = l.marked(ctx, e, layout.Nth(gone[in], n)); err != nil || first == nil {
			return n, nil, err
		}
		second, err := l.marked(ctx, e, layout.Nth(again[in], n))
		if err != nil || second == nil {
			return n, first, err
		}
	}
}

// The variables "gone" and "again" have the names of the two marks of an absence, by directory.
var (
	gone  = [directory.Sources]string{directory.Entra: layout.EntraGone, directory.AD: layout.ADGone}
	again = [directory.Sources]string{directory.Entra: layout.EntraSeenAgain, directory.AD: layout.ADSeenAgain}
)
