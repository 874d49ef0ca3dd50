package broker

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/logs"
	"github.com/on-demand-broker/odb/tracecontext"
)

// defaultCarryEvery is often enough for errands, which take seconds to minutes, and seldom enough for the Director.
const defaultCarryEvery = 10 * time.Second

// carriedAtOnce bounds how many operations one pass asks the Director about at the same time.
const carriedAtOnce = 8

// carrier holds the operations that the broker carries to their end itself, so that no errand and no cleaning up depends on a
// platform that goes on polling. What it holds can be lost: what matters is remembered in the Director.
type carrier struct {
	mu         sync.Mutex
	operations map[string]carriedOperation // by instance id
}

// carriedOperation is an operation, since when it is carried, and to which trace what is done for it belongs.
type carriedOperation struct {
	Operation
	since time.Time
	trace tracecontext.Trace
}

// carriedFrom is an operation that is taken on now. Its trace is that of the request, or else one with the id of the request that began it.
func (b *Broker) carriedFrom(ctx context.Context, o Operation) carriedOperation {
	c := carriedOperation{Operation: o, since: b.Now(), trace: tracecontext.From(ctx)}
	if c.trace.ID() == "" {
		id, err := uuid.Parse(o.BoshContextID)
		if err != nil { // not a request of ours
			id = uuid.New()
		}
		c.trace = tracecontext.New(id)
	}
	return c
}

func newCarrier() *carrier { return &carrier{operations: map[string]carriedOperation{}} }

func (c *carrier) all() map[string]carriedOperation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.operations)
}

// drop lets an operation go, unless a later one has taken its place.
func (c *carrier) drop(instanceID, contextID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.operations[instanceID].BoshContextID == contextID {
		delete(c.operations, instanceID)
	}
}

// of gives the operation that is carried for an instance.
func (c *carrier) of(instanceID string) (o Operation, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.operations[instanceID]
	return found.Operation, ok
}

// carry takes an operation on, in place of an earlier one.
func (b *Broker) carry(ctx context.Context, instanceID string, o Operation) {
	b.carrier.mu.Lock()
	defer b.carrier.mu.Unlock()
	b.carrier.operations[instanceID] = b.carriedFrom(ctx, o)
}

// carryUnlessBusy takes on what was remembered, unless a request has begun something since it was read, or it is carried already.
func (b *Broker) carryUnlessBusy(ctx context.Context, instanceID string, o Operation) (taken bool) {
	b.carrier.mu.Lock()
	defer b.carrier.mu.Unlock()
	_, busy := b.carrier.operations[instanceID]
	if !busy {
		b.carrier.operations[instanceID] = b.carriedFrom(ctx, o)
	}
	return !busy
}

// Run carries operations until the broker is stopped. First it takes on those that an earlier process left; beside other brokers
// also later, those that one of them left. A platform that is slow or away holds nothing of that up. Where the configuration
// has changed it goes on as the latest broker, and looks at all of that anew.
func (b *Broker) Run() {
	ctx := b.lifetime
	var aside sync.WaitGroup
	aside.Go(b.watch)
	defer aside.Wait()
	if b.Switches.SideBySide {
		b.Logger.InfoContext(ctx, "claims.holder", slog.String("holder", b.process))
	}
	checked := false
	var resume resumption
	ticker := time.NewTicker(b.CarryEvery)
	defer ticker.Stop()
	for pass, sweep := 0, 0; ; pass++ {
		if latest := b.latest.Load(); latest != b {
			b, checked, resume = latest, false, resumption{}
		}
		if !checked {
			checked = b.startChecks(ctx)
		}
		if checked && resume.due(b.Now()) {
			b.resume(ctx, &resume)
		}
		b.CarryOn(ctx)
		if checked && pass >= sweep && b.sweep(ctx) == nil {
			sweep = pass + passesPerSweep
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// watch looks at the platform until it was seen, and counts the instances for telemetry, until the broker is stopped.
func (b *Broker) watch() {
	ctx := b.lifetime
	checked := false
	ticker := time.NewTicker(b.CarryEvery)
	defer ticker.Stop()
	for {
		if latest := b.latest.Load(); latest != b {
			b, checked = latest, false
		}
		checked = checked || b.platform == nil || b.checkPlatform(ctx)
		b.count(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// takeOverEvery is how often a broker looks for operations that another one left. The list is long where there are many instances:
// the pause is at least a hundred times as long as it took to read it.
const takeOverEvery = time.Minute

// resumption is when to look for operations that are to be resumed; at once if it is zero.
type resumption struct {
	next time.Time
	over bool
}

func (r resumption) due(now time.Time) bool { return !r.over && !now.Before(r.next) }

func (b *Broker) resume(ctx context.Context, r *resumption) {
	take := b.Resume
	if !r.next.IsZero() {
		take = b.takeOver
	}
	begun := b.Now()
	if err := take(ctx); err != nil {
		return
	}
	ended := b.Now()
	r.over, r.next = !b.Switches.SideBySide, ended.Add(max(takeOverEvery, 100*ended.Sub(begun)))
}

// Resume takes on the operations that are remembered as unfinished, and says what is odd about what is remembered.
func (b *Broker) Resume(ctx context.Context) error {
	remembered, err := b.takeOn(ctx)
	b.checkPlans(ctx, remembered)
	return err
}

// takeOver takes on what another broker left: its unfinished operations, and claims that have ended.
func (b *Broker) takeOver(ctx context.Context) error {
	b.sweepClaims(ctx)
	_, err := b.takeOn(ctx)
	return err
}

// takeOn takes on the operations that are remembered as unfinished. It returns all that is remembered of the offering.
func (b *Broker) takeOn(ctx context.Context) (remembered []record, err error) {
	if b.Switches.DisableBOSHConfigs {
		return nil, nil
	}
	found, err := b.records(ctx)
	if err != nil {
		b.Logger.WarnContext(ctx, "carrier.not-resumed", slog.String("error", err.Error()))
		if forbidden(err) { // asking again won't help
			return nil, nil
		}
		return nil, err
	}
	for _, r := range found {
		if r.ServiceID != b.offering.ID {
			continue
		}
		remembered = append(remembered, r.record)
		b.hintPlans(deploymentName(r.instanceID), planHint{plans: []string{r.PlanID}})
		if !r.Operation.unfinished() {
			continue
		}
		if b.carryUnlessBusy(ctx, r.instanceID, r.Operation.asOperation()) {
			if !b.Switches.SideBySide { // else another broker may be at it, and counts it
				b.reckon(r.instanceID, r.PlanID, r.Operation.asOperation(), r.Operation.StartedAt)
			}
			b.Logger.InfoContext(ctx, "carrier.resumed", slog.String("instance_id", r.instanceID), slog.String("operation", string(r.Operation.Type)))
		}
	}
	return remembered, nil
}

// CarryOn looks once after each operation that is carried.
func (b *Broker) CarryOn(ctx context.Context) {
	places := make(chan struct{}, carriedAtOnce)
	var all sync.WaitGroup
	for instanceID, o := range b.carrier.all() {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			b.carryOne(ctx, instanceID, o)
		})
	}
	all.Wait()
}

// carryOne takes an operation a step further. What fails for a reason that may pass is tried again in the next pass.
func (b *Broker) carryOne(ctx context.Context, instanceID string, o carriedOperation) {
	ctx = logs.With(tracecontext.With(ctx, o.trace), slog.String("instance_id", instanceID), slog.String("operation", string(o.OperationType)),
		slog.String("request_id", o.BoshContextID), slog.String("trace_id", o.trace.ID()))
	d, err := b.advance(ctx, instanceID, o.Operation)
	switch {
	case err != nil && !errors.Is(err, boshclient.ErrNotFound):
		b.Logger.WarnContext(ctx, "carrier.delayed", slog.String("error", err.Error()))
		return
	case err == nil && d.action.goesOn():
		b.looked(instanceID, o.Operation, domain.InProgress)
		return
	case err == nil && d.action == cannotTell && o.BoshTaskID == 0 && b.Now().Sub(o.since) < lateArrival:
		return // its first task may be on its way
	case err != nil || d.action == cannotTell:
		b.Logger.WarnContext(ctx, "carrier.gave-up", slog.String("problem", "the Director no longer has the operation's tasks"))
		b.carrier.drop(instanceID, o.BoshContextID)
		b.lookedLast(instanceID, o.Operation, ResultUnknown)
		return
	}
	answer, err := b.report(ctx, instanceID, o.Operation, d)
	if err != nil || answer.State == domain.InProgress {
		return // the clean-up is to be tried again
	}
	b.looked(instanceID, o.Operation, answer.State)
	b.markFinished(ctx, instanceID, o.Operation, string(answer.State))
	b.carrier.drop(instanceID, o.BoshContextID)
}

// markFinished notes in the record that nothing is left to do, so that no later process takes the operation on again. A deletion
// that succeeded has left no record.
func (b *Broker) markFinished(ctx context.Context, instanceID string, o Operation, state string) {
	if b.Switches.DisableBOSHConfigs || (o.deletes() && state == string(domain.Succeeded)) {
		return
	}
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	if refusal != nil {
		return // a later operation has been begun, and rewrites the record itself
	}
	defer unlock()
	_ = b.rememberState(ctx, deploymentName(instanceID), o, state) // is in the log, and the tasks still tell
}

// rememberState notes how the operation ended, if it is still the last one. The caller holds the instance's lock.
func (b *Broker) rememberState(ctx context.Context, name string, o Operation, state string) error {
	if b.Switches.DisableBOSHConfigs {
		return nil
	}
	configs, err := b.readConfigs(ctx, name)
	if err != nil || configs.record == nil || configs.record.Operation.ContextID != o.BoshContextID || configs.record.Operation.State == state {
		return err
	}
	changed := *configs.record
	changed.UpdatedAt, changed.Operation.State = b.Now().UTC(), state
	return b.rewriteRecord(ctx, name, changed)
}
