package broker

import (
	"context"
	"encoding/json"
	"log/slog"
)

// Originator is who asked the platform for what it asks the broker (OSB 2.17, Originating Identity).
type Originator struct {
	Platform string          // as "cloudfoundry" or "kubernetes"; empty if nobody said who asks
	Value    json.RawMessage // an object, whose members the platform defines
}

// maxNameLength bounds what is written of a user into logs and events, in bytes.
const maxNameLength = 255

// Names are what tells the user from others: the platform, and the members of the profile that name somebody. Groups and
// whatever else a platform sends is the adapter's alone.
func (o Originator) Names() map[string]string {
	var members map[string]any
	_ = json.Unmarshal(o.Value, &members) // the edge lets nothing but objects through
	names := map[string]string{"platform": shortened(o.Platform)}
	for _, name := range []string{"user_id", "username"} {
		if text, ok := members[name].(string); ok && text != "" {
			names[name] = shortened(text)
		}
	}
	return names
}

func shortened(text string) string { return text[:min(len(text), maxNameLength)] }

// checkOriginator says in the log that a request comes from another platform than its context. That both are the same is the
// platform's duty; a broker may refuse the request, but those who pass requests on for others would be cut off.
func (b *Broker) checkOriginator(ctx context.Context, requestContext json.RawMessage) {
	asking, place := RequestFrom(ctx).Originator.Platform, placeIDs(requestContext)["platform"]
	if asking != "" && place != "" && asking != place {
		b.Logger.WarnContext(ctx, "originating-identity.other-platform", slog.String("context_platform", shortened(place)))
	}
}
