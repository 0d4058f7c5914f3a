package evaluate

import (
	"context"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
)

// AskEverybody makes the worker evaluate every person singly. By default, it evaluates many people by columns of the
// snapshot.
func (w *Worker) AskEverybody() {
	w.read = func(ctx context.Context, n int, h *directory.Accounts) (*decision.Plain, error) {
		return &decision.Plain{}, w.run.Read(ctx, n, h)
	}
}

// CountPlain makes the worker add the number of people whom it does not evaluate singly to *people.
func (w *Worker) CountPlain(people *int) {
	read := w.read
	w.read = func(ctx context.Context, n int, h *directory.Accounts) (*decision.Plain, error) {
		p, err := read(ctx, n, h)
		if err == nil {
			*people += p.People
		}
		return p, err
	}
}
