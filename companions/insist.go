package companions

import (
	"context"
	"errors"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
)

const (
	insistTries      = 4
	insistFirstPause = 500 * time.Millisecond // and twice as much each time
	// insistLimit is for all tries. A change of a broker waits some minutes for its turn, and for a job that reads the catalog.
	insistLimit = 15 * time.Minute
)

// insist does again what got no usable answer. It is for changes that may be made twice: the client itself sends a change once,
// unless it is sure that nothing has come of it.
func insist(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, insistLimit)
	defer cancel()
	pause := insistFirstPause
	for tries := 1; ; tries++ {
		err := do(ctx)
		if !errors.As(err, new(*cfclient.Unavailable)) || tries == insistTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
			pause *= 2
		}
	}
}
