package adapterclient

import "context"

type traceparentKey struct{}

// WithTraceparent makes the calls with this context hand the W3C trace context value down to the adapter, as
// TRACEPARENT in its environment.
func WithTraceparent(ctx context.Context, traceparent string) context.Context {
	return context.WithValue(ctx, traceparentKey{}, traceparent)
}

func traceparentFrom(ctx context.Context) string {
	traceparent, _ := ctx.Value(traceparentKey{}).(string)
	return traceparent
}
