package main

import (
	"context"
	"fmt"
	"time"
)

// The verbs, as they are named in tables and targets.
const (
	catalogVerb     = "catalog"
	provisionVerb   = "provision"
	pollEndedVerb   = "last_operation, ended"
	pollRunningVerb = "last_operation, running"
	bindVerb        = "bind"
	unbindVerb      = "unbind"
	updateVerb      = "update"
	deprovisionVerb = "deprovision"
	// pollDeletedVerb is what a platform asks after a deletion, and by which the broker forgets the instance. It is part of
	// the life, so that the broker has nothing left to clean up when the next one is measured.
	pollDeletedVerb = "last_operation, deleted"
)

// The states of an operation (OSB 2.17, Polling Last Operation).
const (
	succeeded  = "succeeded"
	inProgress = "in progress"
)

const (
	runningInstance  = "running" // the one that is being deployed all the time
	runningTaskLasts = time.Hour // longer than any run

	// repetitions is how often more than others the verbs are called that can be repeated: they are cheap, and a short
	// load's CPU is measured badly.
	repetitions = 5
)

// cohort is a number of instances that go through life together.
type cohort struct {
	platform   *platform
	prefix     string
	operations []string // of the provisions, by instance
	deletions  []string
	running    string // the operation of the stand's runningInstance
}

func (c *cohort) instance(n int) string { return fmt.Sprintf("%s-%d", c.prefix, n%len(c.operations)) }

// newCohort makes no instance yet, but sees to it that there is one that is being deployed. A stand has only one such, as
// it keeps one of the Director's workers.
func (s *stand) newCohort(ctx context.Context, prefix string, clients, size int) (*cohort, error) {
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
	return &cohort{platform: p, prefix: prefix, operations: make([]string, size), deletions: make([]string, size), running: s.running}, nil
}

func (c *cohort) provision(ctx context.Context, n int) (err error) {
	c.operations[n], err = c.platform.provision(ctx, c.instance(n))
	return err
}

func (c *cohort) deprovision(ctx context.Context, n int) (err error) {
	c.deletions[n], err = c.platform.deprovision(ctx, c.instance(n))
	return err
}

// step is one verb in a life.
type step struct {
	verb       string
	repeatable bool
	call       func(ctx context.Context, n int) error
}

// life is each verb once, in an order in which each works.
func (c *cohort) life() []step {
	p := c.platform
	onInstance := func(verb func(context.Context, string) error) func(context.Context, int) error {
		return func(ctx context.Context, n int) error { return verb(ctx, c.instance(n)) }
	}
	return []step{
		{verb: catalogVerb, repeatable: true, call: func(ctx context.Context, _ int) error { return p.catalog(ctx) }},
		{verb: provisionVerb, call: c.provision},
		{verb: pollEndedVerb, repeatable: true, call: func(ctx context.Context, n int) error {
			return p.poll(ctx, c.instance(n), c.operations[n%len(c.operations)], succeeded)
		}},
		{verb: pollRunningVerb, repeatable: true, call: func(ctx context.Context, _ int) error {
			return p.poll(ctx, runningInstance, c.running, inProgress)
		}},
		{verb: bindVerb, call: onInstance(p.bind)},
		{verb: unbindVerb, call: onInstance(p.unbind)},
		{verb: updateVerb, call: onInstance(p.update)},
		{verb: deprovisionVerb, call: c.deprovision},
		{verb: pollDeletedVerb, call: func(ctx context.Context, n int) error {
			return p.pollToEnd(ctx, c.instance(n), c.deletions[n])
		}},
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

// rememberedTasks is how many ended tasks of a kind the Director keeps. Those of a cohort's provisions are polled when all
// have ended.
const rememberedTasks = 2000

// instancesFor is how many instances a life needs: one for each call, of which each client makes two at least, and one
// for each client's first call.
func instancesFor(clients, calls int) int { return clients + max(calls, 2*clients) }

// live leads a new cohort through its life and measures each verb. The first call of each client is not measured: the
// numbers are those of a broker that has been running for a while.
func (s *stand) live(ctx context.Context, prefix string, clients, calls int) ([]measurement, error) {
	c, err := s.newCohort(ctx, prefix, clients, instancesFor(clients, calls))
	if err != nil {
		return nil, err
	}
	defer c.platform.http.CloseIdleConnections()
	if err := s.settle(ctx, c.platform, clients); err != nil {
		return nil, err
	}
	var measured []measurement
	calls = len(c.operations) - clients
	for _, step := range c.life() {
		warmUp := load{clients: clients, calls: clients, call: step.call}
		if _, err := warmUp.run(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", step.verb, err)
		}
		l := load{clients: clients, first: clients, calls: calls, call: step.call}
		if step.repeatable {
			l.calls *= repetitions
		}
		m, err := s.measure(ctx, step.verb, l)
		if err != nil {
			return nil, err
		}
		measured = append(measured, m)
	}
	return measured, nil
}
