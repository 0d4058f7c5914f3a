package directory

import "context"

type permitKey struct{}

// WithPermit gives a write a question. The write asks it right before it is sent, and
// again before each repetition, since waits lie between. When the question answers with
// an error, the write is not sent and returns that error.
func WithPermit(ctx context.Context, ask func() error) context.Context {
	return context.WithValue(ctx, permitKey{}, ask)
}

// Permit asks the question of the context; nil when it has none.
func Permit(ctx context.Context) error {
	if ask, ok := ctx.Value(permitKey{}).(func() error); ok {
		return ask()
	}
	return nil
}
