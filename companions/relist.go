package companions

import (
	"context"
	"sync"
	"time"

	"github.com/on-demand-broker/odb/mgmtclient"
)

const (
	// A list is read anew when it is older than this, and at most for this part of the time.
	listAge      = 2 * time.Second
	listingParts = 20
)

// relist is the broker's list of instances, read anew from time to time: the broker has no cheap way to ask for the plan of
// one. Everybody who needs a new one waits for the same.
type relist struct {
	broker Broker

	mu        sync.Mutex // held while the list is read
	instances map[string]mgmtclient.Instance
	readAt    time.Time
	took      time.Duration
}

// read reads the list.
func (l *relist) read(ctx context.Context) ([]mgmtclient.Instance, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readLocked(ctx)
}

func (l *relist) readLocked(ctx context.Context) ([]mgmtclient.Instance, error) {
	began := time.Now()
	found, err := l.broker.Instances(ctx, nil)
	if err != nil {
		return nil, err
	}
	instances := make(map[string]mgmtclient.Instance, len(found))
	for _, instance := range found {
		instances[instance.ID] = instance
	}
	l.instances, l.readAt, l.took = instances, began, time.Since(began)
	return found, nil
}

// find looks for an instance in a list that is new enough. That the broker fails to list says nothing of the instance.
func (l *relist) find(ctx context.Context, id string) (mgmtclient.Instance, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.readAt) > max(listAge, listingParts*l.took) {
		if _, err := l.readLocked(ctx); err != nil {
			return mgmtclient.Instance{}, false, unlessRefused(err)
		}
	}
	instance, found := l.instances[id]
	return instance, found, nil
}
