package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is a number of calls made by clients that each wait for an answer before they call again.
type load struct {
	clients int
	first   int // the number of the first call
	calls   int
	call    func(ctx context.Context, n int) error
}

// served is how the calls of a load went.
type served struct {
	took      time.Duration
	latencies []time.Duration // in ascending order
}

// run makes the calls. The first error ends it.
func (l load) run(ctx context.Context) (served, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	latencies := make([]time.Duration, l.calls)
	var next atomic.Int64
	var clients sync.WaitGroup
	started := time.Now()
	for range l.clients {
		clients.Go(func() {
			for n := int(next.Add(1)) - 1; n < l.calls && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
				called := time.Now()
				if err := l.call(ctx, l.first+n); err != nil {
					cancel(err)
					return
				}
				latencies[n] = time.Since(called)
			}
		})
	}
	clients.Wait()
	took := time.Since(started)
	slices.Sort(latencies)
	return served{took: took, latencies: latencies}, context.Cause(ctx)
}

// percentile is the least latency that at least percent of the calls kept within; zero without calls.
func (s served) percentile(percent int) time.Duration {
	if len(s.latencies) == 0 {
		return 0
	}
	rank := (percent*len(s.latencies) + 99) / 100
	return s.latencies[max(rank, 1)-1]
}

// perSecond is the number of calls that were answered a second.
func (s served) perSecond() float64 {
	if s.took <= 0 {
		return 0
	}
	return float64(len(s.latencies)) / s.took.Seconds()
}
