package directory

import "context"

type permitKey struct{}

// WithPermit returns a context with a function that decides whether a write may still be made. A write calls this
// function immediately before each request, also before a retry, because much time may have passed. If the function
// returns an error, the write sends nothing more and returns this error.
func WithPermit(ctx context.Context, ask func() error) context.Context {
	return context.WithValue(ctx, permitKey{}, ask)
}

// Permit calls the function that WithPermit put into the context, and returns its error. Without such a function, it
// returns nil.
func Permit(ctx context.Context) error {
	if ask, ok := ctx.Value(permitKey{}).(func() error); ok {
		return ask()
	}
	return nil
}
