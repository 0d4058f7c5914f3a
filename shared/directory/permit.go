package directory

import "context"

type permitKey struct{}

// WithPermit adds a question to a context. A write asks it right before it sends a request, and again before each
// repetition, because it may have waited. When the question returns an error, the write sends nothing and returns that
// error.
func WithPermit(ctx context.Context, ask func() error) context.Context {
	return context.WithValue(ctx, permitKey{}, ask)
}

// Permit asks the question of the context. It returns nil when the context has none.
func Permit(ctx context.Context) error {
	if ask, ok := ctx.Value(permitKey{}).(func() error); ok {
		return ask()
	}
	return nil
}
