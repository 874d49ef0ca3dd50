package companions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/on-demand-broker/odb/mgmtclient"
)

// Treatment says what to mend about an instance.
type Treatment struct {
	Codes []string // of findings; all that can be mended if there are none
	Grace *time.Duration
	Force bool
	// Purge makes Cloud Foundry forget the instance first, if it is one that nobody can use: its creation failed, or its
	// deployment is missing. Its broker is told nothing, and what is left of it is then an orphan, to be mended.
	Purge bool
	// Every is how often an operation is asked about.
	Every time.Duration
}

// ErrUsable is why an instance isn't purged.
var ErrUsable = errors.New("only an instance whose creation failed, or whose deployment is missing, is purged")

// Treated is what a treatment did.
type Treated struct {
	mgmtclient.Repaired
	Purged bool `json:"purged,omitempty"` // from Cloud Foundry
}

// Treat mends what it is told to, and waits for the operation that it may have begun. What fails leaves what was mended before it
// mended.
func (p Patient) Treat(ctx context.Context, t Treatment) (Treated, error) {
	found, knows, err := p.askPlatform(ctx)
	if err != nil {
		return Treated{}, err
	}
	done := Treated{}
	if t.Purge && found != nil {
		if err := p.purge(ctx, knows); err != nil {
			return done, err
		}
		done.Purged, knows = true, mgmtclient.PlatformDoesNot
	}
	done.Repaired, err = p.Broker.Repair(ctx, mgmtclient.Repair{
		InstanceID: p.ID, Codes: t.Codes, Removal: mgmtclient.Removal{Platform: knows, Grace: t.Grace, Force: t.Force},
	})
	if err != nil {
		return done, fmt.Errorf("asking the broker for the repair: %w", err)
	}
	if len(done.Operation) == 0 {
		return done, nil
	}
	return done, p.follow(ctx, string(done.Operation), t.Every)
}

func (p Patient) purge(ctx context.Context, knows string) error {
	findings, err := p.Broker.Findings(ctx, p.ID, knows)
	if err != nil {
		return fmt.Errorf("asking the broker: %w", err)
	}
	if !has(findings, "create_failed", "deployment_missing") {
		return ErrUsable
	}
	if err := p.Platform.PurgeInstance(ctx, p.ID); err != nil {
		return fmt.Errorf("purging the instance from Cloud Foundry: %w", err)
	}
	return nil
}

// follow waits for the end of a deletion.
func (p Patient) follow(ctx context.Context, operation string, every time.Duration) error {
	for {
		last, err := p.Broker.LastOperation(ctx, p.ID, operation)
		switch {
		case errors.Is(err, mgmtclient.ErrGone), err == nil && last.State == mgmtclient.Succeeded:
			return nil
		case err == nil && last.State == mgmtclient.Failed:
			return fmt.Errorf("the deletion failed: %s", last.Description)
		case err != nil && !errors.As(err, new(*mgmtclient.Unavailable)):
			return fmt.Errorf("asking for the end of the deletion: %w", err)
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return fmt.Errorf("the deletion goes on without being waited for: %w", context.Cause(ctx))
		}
	}
}
