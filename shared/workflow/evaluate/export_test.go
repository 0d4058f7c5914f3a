package evaluate

import (
	"context"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
)

// AskEverybody has the worker ask about each person alone, as if columns told nothing.
func (w *Worker) AskEverybody() {
	w.read = func(ctx context.Context, n int, h *directory.Accounts) (*decision.Plain, error) {
		return &decision.Plain{}, w.run.Read(ctx, n, h)
	}
}

// Plain is how many people of the partitions so far were not asked alone.
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
