package directory

import "context"

type permitKey struct{}

// WithPermit returns a context that carries ask. A write calls ask immediately before it sends a request, and again
// before each retry, because it may have waited. If ask returns an error, the write sends nothing and returns that
// error.
func WithPermit(ctx context.Context, ask func() error) context.Context {
	return context.WithValue(ctx, permitKey{}, ask)
}

// Permit calls the function that WithPermit put into the context. It returns nil if there is none.
func Permit(ctx context.Context) error {
	if ask, ok := ctx.Value(permitKey{}).(func() error); ok {
		return ask()
	}
	return nil
}
