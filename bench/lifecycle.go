package main

import (
	"context"
	"fmt"
	"time"
)

// The verbs, as they are named in tables and targets.
const (
	catalogVerb       = "catalog"
	provisionVerb     = "provision"
	pollEndedVerb     = "last_operation, ended"
	pollRunningVerb   = "last_operation, running"
	bindVerb          = "bind"
	unbindVerb        = "unbind"
	updateVerb        = "update"
	deprovisionVerb   = "deprovision"
	runningInstance   = "running"
	runningTaskLasts  = time.Hour // longer than any run
	succeeded         = "succeeded"
	inProgress        = "in progress"
	cheapCallsPerCall = 5 // verbs that run no adapter are called so much more often, as their CPU is harder to measure
)

// group is a number of instances that go through life together.
type group struct {
	platform   *platform
	prefix     string
	operations []string // of the provisions, by instance
	running    string   // the operation of the stand's runningInstance
}

func (g *group) instance(n int) string { return fmt.Sprintf("%s-%d", g.prefix, n%len(g.operations)) }

// newGroup makes no instance yet, but sees to it that there is one that is being deployed. A stand has only one such, as
// it keeps one of the Director's workers.
func (s *stand) newGroup(ctx context.Context, prefix string, clients, size int) (*group, error) {
	p := newPlatform(s.broker.url, clients)
	if s.running == "" {
		if err := s.director.prolong(ctx, deploymentPrefix+runningInstance, runningTaskLasts); err != nil {
			return nil, err
		}
		var err error
		if s.running, err = p.provision(ctx, runningInstance); err != nil {
			return nil, err
		}
	}
	return &group{platform: p, prefix: prefix, operations: make([]string, size), running: s.running}, nil
}

func (g *group) provision(ctx context.Context, n int) (err error) {
	g.operations[n], err = g.platform.provision(ctx, g.instance(n))
	return err
}

// step is one verb in a life.
type step struct {
	verb  string
	cheap bool
	call  func(ctx context.Context, n int) error
}

// life is each verb once, in an order in which each works.
func (g *group) life() []step {
	p := g.platform
	onInstance := func(verb func(context.Context, string) error) func(context.Context, int) error {
		return func(ctx context.Context, n int) error { return verb(ctx, g.instance(n)) }
	}
	return []step{
		{verb: catalogVerb, cheap: true, call: func(ctx context.Context, _ int) error { return p.catalog(ctx) }},
		{verb: provisionVerb, call: g.provision},
		{verb: pollEndedVerb, cheap: true, call: func(ctx context.Context, n int) error {
			return p.poll(ctx, g.instance(n), g.operations[n%len(g.operations)], succeeded)
		}},
		{verb: pollRunningVerb, cheap: true, call: func(ctx context.Context, _ int) error {
			return p.poll(ctx, runningInstance, g.running, inProgress)
		}},
		{verb: bindVerb, call: onInstance(p.bind)},
		{verb: unbindVerb, call: onInstance(p.unbind)},
		{verb: updateVerb, call: onInstance(p.update)},
		{verb: deprovisionVerb, call: onInstance(p.deprovision)},
	}
}

// settle brings the broker to where it is after a while under this load: with as many connections to the Director as it
// ever has in use at once. It takes updates of instances that aren't there, each of which asks the Director for three
// things at once, and a Director that is slow enough for all of them to meet.
func (s *stand) settle(ctx context.Context, p *platform, clients int) error {
	const latency, rounds = 50 * time.Millisecond, 2
	if err := s.director.setLatency(ctx, latency); err != nil {
		return err
	}
	l := load{clients: clients, calls: rounds * clients, call: func(ctx context.Context, n int) error {
		return p.updateNothing(ctx, fmt.Sprintf("nobody-%d", n))
	}}
	if _, err := l.run(ctx); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	return s.director.setLatency(ctx, 0)
}

// live leads a new group through its life and measures each verb. The first call of each client is not measured: the
// numbers are those of a broker that has been running for a while.
func (s *stand) live(ctx context.Context, prefix string, clients, calls int) ([]measurement, error) {
	calls = max(calls, 2*clients)
	g, err := s.newGroup(ctx, prefix, clients, clients+calls)
	if err != nil {
		return nil, err
	}
	defer g.platform.http.CloseIdleConnections()
	if err := s.settle(ctx, g.platform, clients); err != nil {
		return nil, err
	}
	var measured []measurement
	for _, step := range g.life() {
		warmUp := load{clients: clients, calls: clients, call: step.call}
		if _, err := warmUp.run(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", step.verb, err)
		}
		l := load{clients: clients, first: clients, calls: calls, call: step.call}
		if step.cheap {
			l.calls *= cheapCallsPerCall
		}
		m, err := s.measure(ctx, step.verb, l)
		if err != nil {
			return nil, err
		}
		measured = append(measured, m)
	}
	return measured, nil
}
