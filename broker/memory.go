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

	operations *keyedLocks // one at a time changes an instance; a second one is told so at once
	bindings   *keyedLocks // an instance's bindings are made one after the other, as adapters are used to
	ledger     *ledger
	progress   *generations[taskProgress]
	passed     *generations[bool]      // errand tasks that are known to have exited well
	cleaned    *generations[bool]      // the last tasks of operations after which nothing is left to clean up
	unanswered *generations[time.Time] // when a submission got no answer, by the task after which it was due
	ended      *generations[ending]    // by the task after which the next step was due
	carrier    *carrier
	telemetry  telemetry

	// latest does what isn't anybody's request: see Run.
	latest   atomic.Pointer[Broker]
	lifetime context.Context
	stop     context.CancelCauseFunc
	work     work
}

func newMemory() *memory {
	m := &memory{
		process:    uuid.NewString(),
		operations: newKeyedLocks(),
		bindings:   newKeyedLocks(),
		ledger:     newLedger(),
		progress:   newGenerations[taskProgress](),
		passed:     newGenerations[bool](),
		cleaned:    newGenerations[bool](),
		unanswered: newGenerations[time.Time](),
		ended:      newGenerations[ending](),
		carrier:    newCarrier(),
	}
	m.lifetime, m.stop = context.WithCancelCause(context.Background())
	return m
}

// ContinueAs lets Run go on as another broker that shares b's memory, from its next pass on.
func (b *Broker) ContinueAs(next *Broker) { b.latest.Store(next) }
