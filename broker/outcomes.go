package broker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// Outcome is how an operation on an instance or a binding ended, for whoever counts them.
type Outcome struct {
	Type   OperationType
	Plan   string // its name, or UnknownPlan
	Result Result
	Took   time.Duration // since it began, or since it was asked for if it didn't
}

// UnknownPlan stands for plans that are not in the catalog.
const UnknownPlan = "unknown"

// Result is the end of an operation in a word.
type Result string

// The results. An operation that the Director was never asked for has failed, too, unless it was refused for what was asked or when.
const (
	ResultSucceeded Result = "succeeded"
	ResultFailed    Result = "failed"
	ResultRefused   Result = "refused"
	ResultUnknown   Result = "unknown" // nobody saw how it ended
)

// ongoingOperations are those that this process began or took on, as long as nobody has seen their end. Who begins an operation
// counts it, so that several brokers side by side together count it once, whichever of them is asked about it.
type ongoingOperations struct {
	mu          sync.Mutex
	onInstances map[string]ongoingOperation // by instance id
	onBindings  map[OperationType]int       // how many are at work
}

type ongoingOperation struct {
	Operation
	plan  string
	since time.Time
	seen  time.Time // when somebody last looked after it
}

func newOngoingOperations() *ongoingOperations {
	return &ongoingOperations{onInstances: map[string]ongoingOperation{}, onBindings: map[OperationType]int{}}
}

// is tells whether the operation is the one that a cursor of the platform's, or of the carrier's, stands for.
func (o ongoingOperation) is(other Operation) bool {
	return o.OperationType == other.OperationType &&
		((o.BoshTaskID != 0 && o.BoshTaskID == other.BoshTaskID) || (o.BoshContextID != "" && o.BoshContextID == other.BoshContextID))
}

// begin takes an operation on. It returns an earlier one of the instance that nobody saw the end of, if there is one.
func (s *ongoingOperations) begin(instanceID string, o ongoingOperation) (earlier ongoingOperation, unseen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	earlier, unseen = s.onInstances[instanceID]
	s.onInstances[instanceID] = o
	return earlier, unseen && !earlier.is(o.Operation)
}

// see notes that somebody looked after the operation.
func (s *ongoingOperations) see(instanceID string, o Operation, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, found := s.onInstances[instanceID]; found && known.is(o) {
		known.seen = now
		s.onInstances[instanceID] = known
	}
}

// end lets the operation go; found is false if it isn't one of ours, or was let go before.
func (s *ongoingOperations) end(instanceID string, o Operation) (known ongoingOperation, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, found = s.onInstances[instanceID]; !found || !known.is(o) {
		return ongoingOperation{}, false
	}
	delete(s.onInstances, instanceID)
	return known, true
}

// unseen are some of those that nobody has looked after since a moment.
func (s *ongoingOperations) unseen(since time.Time, most int) map[string]Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	some := map[string]Operation{}
	for instanceID, o := range s.onInstances {
		if len(some) < most && o.seen.Before(since) {
			some[instanceID] = o.Operation
		}
	}
	return some
}

// running is how many there are of each type, those included of which there are none.
func (s *ongoingOperations) running() map[OperationType]int {
	counts := map[OperationType]int{OperationBind: 0, OperationUnbind: 0}
	for operation := range operationNouns {
		counts[operation] = 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for operation, atWork := range s.onBindings {
		counts[operation] += atWork
	}
	for _, o := range s.onInstances {
		counts[o.OperationType]++
	}
	return counts
}

// atBinding counts an operation on a binding as running until leave is called.
func (s *ongoingOperations) atBinding(operation OperationType) (leave func()) {
	change := func(by int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.onBindings[operation] += by
	}
	change(1)
	return func() { change(-1) }
}

// announce tells that an operation on an instance has begun: to who reads telemetry, to the trail of who asked for what, and
// to who counts.
func (b *Broker) announce(ctx context.Context, instanceID, planID string, o Operation) {
	b.tell(ctx, "instance", string(o.OperationType))
	b.audit(ctx, o.OperationType, instanceID)
	b.reckon(instanceID, planID, o, b.Now())
}

// reckon counts an operation as running from now on.
func (b *Broker) reckon(instanceID, planID string, o Operation, since time.Time) {
	taken := ongoingOperation{Operation: o, plan: b.planName(planID), since: since, seen: b.Now()}
	if earlier, unseen := b.ongoing.begin(instanceID, taken); unseen {
		b.countEnd(earlier, ResultUnknown)
	}
}

// looked notes what somebody saw of an operation. Its end counts once.
func (b *Broker) looked(instanceID string, o Operation, state domain.LastOperationState) {
	result := ResultSucceeded
	switch state {
	case domain.InProgress:
		b.ongoing.see(instanceID, o, b.Now())
		return
	case domain.Failed:
		result = ResultFailed
	}
	b.lookedLast(instanceID, o, result)
}

func (b *Broker) lookedLast(instanceID string, o Operation, result Result) {
	if ended, found := b.ongoing.end(instanceID, o); found {
		b.countEnd(ended, result)
	}
}

func (b *Broker) countEnd(o ongoingOperation, result Result) {
	b.observed(Outcome{Type: o.OperationType, Plan: o.plan, Result: result, Took: b.Now().Sub(o.since)})
}

// unlessBegun counts, deferred by a verb, an operation that didn't come about. To delete what isn't there is none.
func (b *Broker) unlessBegun(operation OperationType, planID string, since time.Time, err *error) {
	var known *Error
	if *err == nil || (errors.As(*err, &known) && known.Kind == Gone) {
		return
	}
	b.observed(Outcome{Type: operation, Plan: b.planName(planID), Result: resultOf(*err), Took: b.Now().Sub(since)})
}

// atOnce counts, deferred by a verb, an operation that ended with its request; async tells that it goes on, and counts itself.
func (b *Broker) atOnce(operation OperationType, planID string, since time.Time, async *bool, err *error) {
	if *err == nil && !*async {
		b.observed(Outcome{Type: operation, Plan: b.planName(planID), Result: ResultSucceeded, Took: b.Now().Sub(since)})
	}
	b.unlessBegun(operation, planID, since, err)
}

// resultOf tells what was refused from what failed.
func resultOf(err error) Result {
	var known *Error
	if !errors.As(err, &known) || known.Kind == Internal || known.Kind == Unavailable {
		return ResultFailed
	}
	return ResultRefused
}

func (b *Broker) observed(o Outcome) {
	if b.Observe != nil {
		b.Observe(o)
	}
}

// planName is what a plan is counted by.
func (b *Broker) planName(planID string) string {
	return b.offering.plans[planID].label()
}

// label is the plan's name; it may have left the catalog.
func (p *plan) label() string {
	if p == nil {
		return UnknownPlan
	}
	return p.Name
}
