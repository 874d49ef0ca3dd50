package broker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// memory is what the broker keeps in mind while its process runs. It outlives changes of the configuration: the brokers of
// before and after share it, so that none of them does twice what must be done once, and nothing is lost between them. All of
// it may be lost with the process.
type memory struct {
	process string // tells this process from other brokers

	operations *keyedLocks     // one at a time changes an instance; a second one is told so at once
	bindings   *keyedLocks     // an instance's bindings are made one after the other, as adapters are used to
	sealed     *sealedBindings // what is known of bindings, where that is kept here
	runs       *bindingRuns    // asynchronous operations on bindings
	ledger     *ledger
	progress   *generations[int, taskProgress]
	passed     *generations[int, bool]        // errand tasks that are known to have exited well
	cleaned    *generations[int, bool]        // the last tasks of operations after which nothing is left to clean up
	unanswered *generations[int, time.Time]   // when a submission got no answer, by the task after which it was due
	ended      *generations[int, ending]      // by the task after which the next step was due
	planHints  *generations[string, planHint] // by deployment
	carrier    *carrier
	telemetry  telemetry
	// ongoing and watching are for who watches the broker.
	ongoing  *ongoingOperations
	watching *watching

	// latest does what isn't anybody's request: see Run.
	latest   atomic.Pointer[Broker]
	lifetime context.Context
	stop     context.CancelCauseFunc
	work     work
}

func newMemory() (*memory, error) {
	sealed, err := newSealedBindings()
	if err != nil {
		return nil, err
	}
	m := &memory{
		sealed:     sealed,
		process:    uuid.NewString(),
		operations: newKeyedLocks(),
		bindings:   newKeyedLocks(),
		runs:       newBindingRuns(),
		ledger:     newLedger(),
		progress:   newGenerations[int, taskProgress](),
		passed:     newGenerations[int, bool](),
		cleaned:    newGenerations[int, bool](),
		unanswered: newGenerations[int, time.Time](),
		ended:      newGenerations[int, ending](),
		planHints:  newGenerations[string, planHint](),
		carrier:    newCarrier(),

		ongoing:  newOngoingOperations(),
		watching: newWatching(),
	}
	m.lifetime, m.stop = context.WithCancelCause(context.Background())
	return m, nil
}

// ContinueAs lets Run go on as another broker that shares b's memory, from its next pass on.
func (b *Broker) ContinueAs(next *Broker) { b.latest.Store(next) }
