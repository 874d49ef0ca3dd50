package broker

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
)

// Events is the Director's log of who did what, as `bosh events` shows it.
type Events interface {
	CreateEvent(ctx context.Context, event boshclient.NewEvent) error
}

const (
	// eventTimeout bounds how long an event may wait and be written: it is worth no more of the Director's time.
	eventTimeout = 10 * time.Second
	// eventsPending bounds how many wait, eventsAtOnce how many are written at the same time.
	eventsPending, eventsAtOnce = 200, 2
)

// trail is the way of events to the Director. Nothing waits for it, and nothing depends on it: the log has them all.
type trail struct {
	pending, writing chan struct{} // a token for each event
	notAllowed       atomic.Bool   // the Director lets this client write none
}

func newTrail() *trail {
	return &trail{pending: make(chan struct{}, eventsPending), writing: make(chan struct{}, eventsAtOnce)}
}

// audit notes who asked for what was just accepted. What nobody asked for by name is not noted: the Director's own events tell that.
func (b *Broker) audit(ctx context.Context, operation OperationType, instanceID string) {
	request := RequestFrom(ctx)
	if request.Originator.Platform == "" {
		return
	}
	action := auditAction(operation)
	b.Logger.InfoContext(ctx, "audit", slog.String("action", action))
	if b.Events == nil || b.trail.notAllowed.Load() {
		return
	}
	select {
	case b.trail.pending <- struct{}{}:
	default:
		b.Logger.WarnContext(ctx, "audit.event-lost", slog.String("error", "too many events wait for the Director"))
		return
	}
	name := deploymentName(instanceID)
	event := boshclient.NewEvent{Action: action, ObjectType: "deployment", ObjectName: name, Deployment: name, Context: map[string]any{
		"originating_identity": request.Originator.Names(), "broker_request_id": request.ID,
	}}
	ctx, done := b.detached(ctx)
	go func() {
		defer func() { <-b.trail.pending }()
		defer done()
		b.writeEvent(ctx, event)
	}()
}

func (b *Broker) writeEvent(ctx context.Context, event boshclient.NewEvent) {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	select {
	case b.trail.writing <- struct{}{}:
		defer func() { <-b.trail.writing }()
	case <-ctx.Done():
	}
	if b.trail.notAllowed.Load() {
		return
	}
	switch err := b.Events.CreateEvent(ctx, event); {
	case err == nil:
	case !errors.Is(err, boshclient.ErrNotAllowed):
		b.Logger.WarnContext(ctx, "audit.event-lost", slog.String("error", err.Error()))
	case b.trail.notAllowed.CompareAndSwap(false, true):
		b.Logger.WarnContext(ctx, "audit.no-director-events", slog.String("problem", "the broker's client on the Director may not write events, which needs bosh.admin: who asked for what is in this log only (odb.audit)"))
	}
}

// auditAction is the word for what was asked for.
func auditAction(operation OperationType) string {
	switch operation {
	case OperationCreate:
		return "provision"
	case OperationForceDelete:
		return string(OperationDelete)
	default:
		return string(operation)
	}
}
