package broker

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
)

// Figures are what there is now, for whoever watches the broker.
type Figures struct {
	// Running are the operations that this process began and nobody has seen the end of; each type is there.
	Running map[OperationType]int
	// Instances are by the plan's name, those of plans that are not in the catalog as UnknownPlan. It is nil, and CountedAt zero,
	// until they were counted.
	Instances map[string]int
	CountedAt time.Time
	// Usage has no right Used before CountedAt.
	Usage []Usage
	// Ready tells of each dependency whether it answers; missing are those that weren't asked yet.
	Ready map[string]bool
}

// Dependency is somebody besides the Director whom the broker needs for some of its work.
type Dependency struct {
	Name string
	// Reachable returns nil if it answers, whatever it says.
	Reachable func(ctx context.Context) error
}

// theDirector is the dependency that is always there.
const theDirector = "director"

const (
	// defaultLookEvery is how often the broker looks around for figures at the most, defaultCountEvery how often the instances are
	// counted. Nobody looks for figures that nobody asks for.
	defaultLookEvery  = 15 * time.Second
	defaultCountEvery = time.Minute
	// lookPatience is how long who asks for figures waits for newer ones.
	lookPatience = time.Second
	// unseenAfter is how long nobody needs to have looked after an operation to have the broker do so; some at a time.
	unseenAfter, unseenAtOnce = 2 * time.Minute, 8
)

// watching is what was seen at the last look around.
type watching struct {
	mu      sync.Mutex
	next    time.Time     // when to look again
	looking chan struct{} // closed when the look under way is over; nil if none is
	ready   map[string]bool
	counted tallied
	recount time.Time // when to count again
}

// tallied are the instances of each plan, by its id, at a time.
type tallied struct {
	at    time.Time // zero for never
	sizes map[string]int
}

func newWatching() *watching { return &watching{ready: map[string]bool{}} }

// Figures gives what is known. If that is old it looks around, aside, and waits for a moment: nobody is held up by a Director
// that is slow or away.
func (b *Broker) Figures() Figures {
	b = b.latest.Load() // the configuration may have changed
	select {
	case <-b.lookAside():
	case <-time.After(lookPatience):
	}
	counted := b.lastCount()
	b.watching.mu.Lock()
	defer b.watching.mu.Unlock()
	f := Figures{Running: b.ongoing.running(), Ready: maps.Clone(b.watching.ready), CountedAt: counted.at, Usage: usageOf(b.offering.ServiceCatalog, counted.sizes)}
	if counted.at.IsZero() {
		return f
	}
	f.Instances = map[string]int{}
	for _, p := range b.offering.Plans {
		f.Instances[p.Name] = 0
	}
	for planID, count := range counted.sizes {
		f.Instances[b.planName(planID)] += count
	}
	return f
}

// lookAside begins a look around if it is time to. What it returns is closed when there is none under way.
func (b *Broker) lookAside() (over <-chan struct{}) {
	w := b.watching
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.looking == nil && !b.Now().Before(w.next) {
		w.looking = make(chan struct{})
		ctx, done := b.detached(context.Background())
		go func() {
			defer done()
			b.lookAround(ctx)
			w.mu.Lock()
			defer w.mu.Unlock()
			close(w.looking)
			w.looking, w.next = nil, b.Now().Add(b.LookEvery)
		}()
	}
	if w.looking == nil {
		none := make(chan struct{})
		close(none)
		return none
	}
	return w.looking
}

// lookAround asks everybody at once. What fails is no more than not known.
func (b *Broker) lookAround(ctx context.Context) {
	looks := []func(context.Context) error{b.countAgain, b.lookAfterUnseen}
	for _, d := range b.Dependencies {
		looks = append(looks, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, probeTimeout)
			defer cancel()
			b.watching.sawReady(d.Name, d.Reachable(ctx) == nil)
			return nil
		})
	}
	looks = append(looks, func(ctx context.Context) error {
		b.watching.sawReady(theDirector, b.probe.director(ctx) == directorOK)
		return nil
	})
	if err := sideBySide(ctx, looks...); err != nil {
		b.Logger.WarnContext(ctx, "figures.incomplete", slog.String("error", err.Error()))
	}
}

func (w *watching) sawReady(dependency string, ready bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready[dependency] = ready
}

// countAgain counts the instances unless somebody has, not long ago. A count that takes long is made seldom.
func (b *Broker) countAgain(ctx context.Context) error {
	begun := b.Now()
	b.watching.mu.Lock()
	due := !begun.Before(b.watching.recount)
	b.watching.mu.Unlock()
	if !due || begun.Sub(b.lastCount().at) < b.CountEvery {
		return nil
	}
	_, err := b.sizes(ctx)
	ended := b.Now()
	b.watching.mu.Lock()
	b.watching.recount = ended.Add(max(b.CountEvery, 100*ended.Sub(begun)))
	b.watching.mu.Unlock()
	if errors.Is(err, errNotRemembered) { // which was told at the start
		return nil
	}
	return err
}

// lastCount is the latest count that anybody made.
func (b *Broker) lastCount() tallied {
	b.ledger.mu.Lock()
	forQuotas := tallied{at: b.ledger.latest.at, sizes: b.ledger.latest.sizes}
	b.ledger.mu.Unlock()
	b.watching.mu.Lock()
	defer b.watching.mu.Unlock()
	if b.watching.counted.at.Before(forQuotas.at) {
		return forQuotas
	}
	return b.watching.counted
}

func (w *watching) keep(t tallied) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counted = t
}

// lookAfterUnseen looks how operations stand that nobody has asked about for a while: the platform asks another broker, or has
// given up. Nothing is begun here.
func (b *Broker) lookAfterUnseen(ctx context.Context) error {
	for instanceID, o := range b.ongoing.unseen(b.Now().Add(-unseenAfter), unseenAtOnce) {
		attempts, err := b.attempts(ctx, instanceID, o)
		d := next(o, deploymentName(instanceID), attempts)
		switch {
		case errors.Is(err, boshclient.ErrNotFound), err == nil && d.action == cannotTell:
			b.lookedLast(instanceID, o, ResultUnknown)
		case err != nil:
			return err
		case d.action == fail:
			b.looked(instanceID, o, domain.Failed)
		case d.action == succeed:
			b.looked(instanceID, o, domain.Succeeded)
		default:
			b.looked(instanceID, o, domain.InProgress)
		}
	}
	return nil
}
