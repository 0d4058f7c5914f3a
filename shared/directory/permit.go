package directory

import "context"

type permitKey struct{}

// WithPermit returns a context with a function that decides whether a write may still be made. A write calls it
// immediately before each request, also before a retry, because it may have waited. If the function returns an error,
// the write sends nothing and returns this error.
func WithPermit(ctx context.Context, ask func() error) context.Context {
	return context.WithValue(ctx, permitKey{}, ask)
}

// Permit calls the function of WithPermit. It returns nil without one.
func Permit(ctx context.Context) error {
	if ask, ok := ctx.Value(permitKey{}).(func() error); ok {
		return ask()
	}
	return nil
}
