package adapterclient

import (
	"context"
	"encoding/json"
)

// OriginatingIdentity is who asked the platform for what the adapter is to do (OSB 2.17, Originating Identity).
type OriginatingIdentity struct {
	Platform string          // as "cloudfoundry"
	Value    json.RawMessage // an object, whose members the platform defines
}

type originatingIdentityKey struct{}

// WithOriginatingIdentity makes the calls with this context tell the adapter who asks, in the section originating_identity of
// its stdin: {"platform": TEXT, "value": TEXT}, the value as JSON. In positional mode there is no place for it.
func WithOriginatingIdentity(ctx context.Context, identity OriginatingIdentity) context.Context {
	return context.WithValue(ctx, originatingIdentityKey{}, identity)
}

func originatingIdentityFrom(ctx context.Context) *originatingIdentityInput {
	identity, known := ctx.Value(originatingIdentityKey{}).(OriginatingIdentity)
	if !known {
		return nil
	}
	return &originatingIdentityInput{Platform: identity.Platform, Value: string(identity.Value)}
}
