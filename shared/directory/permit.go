package directory

import "context"

type permitKey struct{}

// WithPermit gives a write a question that is asked right before it is sent, and
// each time that it is sent again: waits lie between. An error keeps it from being
// sent, and is what the write answers.
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
