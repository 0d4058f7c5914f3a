package directory

import "context"

type permitKey struct{}

// WithPermit returns a context that carries the function "ask". This function decides whether a write may still be made.
// A write calls it immediately before each request, also before a retry, because the write may have waited. If the
// function returns an error, the write sends nothing and returns the error.
func WithPermit(ctx context.Context, ask func() error) context.Context {
	return context.WithValue(ctx, permitKey{}, ask)
}

// Permit calls the function that WithPermit put into the context. It returns nil if the context has no function.
func Permit(ctx context.Context) error {
	if ask, ok := ctx.Value(permitKey{}).(func() error); ok {
		return ask()
	}
	return nil
}
