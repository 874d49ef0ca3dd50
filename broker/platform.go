package broker

import (
	"context"
	"log/slog"
)

// Knowledge is whether the platform knows an instance, as far as it is known.
type Knowledge string

// What may be known of the platform.
const (
	PlatformUnasked Knowledge = "" // nobody has asked it
	PlatformKnows   Knowledge = "known"
	PlatformDoesNot Knowledge = "unknown"
)

// ParseKnowledge reads what a request says of the platform; empty for nothing.
func ParseKnowledge(text string) (Knowledge, error) {
	switch said := Knowledge(text); said {
	case PlatformUnasked, PlatformKnows, PlatformDoesNot:
		return said, nil
	}
	return "", refuse(BadRequest, "platform must be %s or %s, as the platform says", PlatformKnows, PlatformDoesNot)
}

// platformOf is whether the platform knows the instance: as its own list has it, where there is one, and as the caller says.
// That it is known, from whichever side, stands. A Cloud Foundry that can't be asked leaves it at what the caller says: whoever
// puts a foundation together again must be able to look at instances.
func (b *Broker) platformOf(ctx context.Context, instanceID string, said Knowledge) (Knowledge, error) {
	if said == PlatformKnows || b.listed() == nil {
		return said, nil
	}
	instances, err := b.listedInstances(ctx)
	if err != nil && b.Options.Instances == nil {
		b.Logger.WarnContext(ctx, "platform.not-asked", slog.String("error", err.Error()))
		return said, nil
	}
	if err != nil {
		return PlatformUnasked, err
	}
	for _, instance := range instances {
		if instance.ID == instanceID {
			return PlatformKnows, nil
		}
	}
	return PlatformDoesNot, nil
}
