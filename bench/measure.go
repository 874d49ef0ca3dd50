package main

import (
	"context"
	"fmt"
	"time"
)

// measurement is one verb under one load: what the clients saw, what the broker used for it and asked of others.
type measurement struct {
	verb string
	served
	cpu         time.Duration // the broker's own
	adapterCPU  time.Duration
	adapterRuns int
	director    traffic
	after       usage
}

func (m measurement) calls() int { return len(m.latencies) }

func (m measurement) each(total int) float64 { return float64(total) / float64(max(m.calls(), 1)) }

// cpuEach is the broker's own CPU time a call.
func (m measurement) cpuEach() time.Duration { return m.cpu / time.Duration(max(m.calls(), 1)) }

// books are all counts at one moment.
type books struct {
	used    usage
	traffic traffic
	runs    int
}

func (s *stand) books(ctx context.Context) (b books, err error) {
	if b.used, err = usageOf(s.broker.pid()); err != nil {
		return b, err
	}
	if b.traffic, err = s.director.traffic(ctx); err != nil {
		return b, err
	}
	b.runs, err = s.broker.output.lines()
	return b, err
}

// measure runs a load and books what it cost.
func (s *stand) measure(ctx context.Context, verb string, l load) (measurement, error) {
	before, err := s.books(ctx)
	if err != nil {
		return measurement{}, err
	}
	went, err := l.run(ctx)
	if err != nil {
		return measurement{}, fmt.Errorf("%s by %d clients: %w", verb, l.clients, err)
	}
	after, err := s.books(ctx)
	if err != nil {
		return measurement{}, err
	}
	m := measurement{
		verb: verb, served: went, after: after.used,
		cpu:         after.used.CPU - before.used.CPU,
		adapterCPU:  after.used.ChildrenCPU - before.used.ChildrenCPU,
		adapterRuns: after.runs - before.runs,
		director: traffic{
			Requests:    after.traffic.Requests - before.traffic.Requests,
			Tasks:       after.traffic.Tasks - before.traffic.Tasks,
			Connections: after.traffic.Connections - before.traffic.Connections,
		},
	}
	if m.adapterCPU > 0 && m.adapterRuns == 0 {
		return m, fmt.Errorf("%s: children of the broker ran, but no line of its log has %s", verb, adapterRanLine)
	}
	return m, nil
}
