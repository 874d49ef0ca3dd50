package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
)

// results are what a run found.
type results struct {
	starts  []time.Duration // CPU until the first answer, of each start
	idle    usage
	tables  []table
	distant *measurement // provisions on a Director that takes its time
	beside  *besideSlow  // nil with an adapter that can't be told to be slow
	growth  growth
}

// table is every verb with one number of clients and one of deployments.
type table struct {
	clients, deployments int
	measured             []measurement
}

const (
	starts           = 5
	fewDeployments   = 10
	directorLatency  = 20 * time.Millisecond
	scenarioClients  = 16
	distantCallsEach = 3 // times the calls of a table
)

// measureBroker runs one scenario after the other and prints each when it is done.
func (w *workshop) measureBroker(ctx context.Context, out io.Writer) ([]target, error) {
	r := &results{}
	for _, scenario := range []func(context.Context, io.Writer, *results) error{
		w.measureStarts, w.measureTables, w.measureDistant, w.measureBesideSlow, w.measureGrowth,
	} {
		if err := scenario(ctx, out, r); err != nil {
			return nil, err
		}
	}
	return r.targets(), nil
}

// measureStarts starts brokers and leaves the last one alone for a while.
func (w *workshop) measureStarts(ctx context.Context, out io.Writer, r *results) error {
	for n := range starts {
		err := w.on(ctx, fewDeployments, func(s *stand) (err error) {
			r.starts = append(r.starts, s.broker.firstIn)
			if n == starts-1 {
				r.idle, err = s.idle(ctx)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	printStarts(out, r.starts, r.idle)
	return nil
}

// idle is what a broker holds that has served a few requests of each kind and then nothing for a while.
func (s *stand) idle(ctx context.Context) (usage, error) {
	const requests, rest = 3, 3 * time.Second
	if _, err := s.live(ctx, "few", 1, requests); err != nil {
		return usage{}, err
	}
	if err := sleep(ctx, rest); err != nil {
		return usage{}, err
	}
	return usageOf(s.broker.pid())
}

func (w *workshop) measureTables(ctx context.Context, out io.Writer, r *results) error {
	for _, deployments := range w.deployments {
		err := w.on(ctx, deployments, func(s *stand) error {
			for _, clients := range w.clients {
				measured, err := s.live(ctx, fmt.Sprintf("by-%d", clients), clients, w.calls)
				if err != nil {
					return fmt.Errorf("%d deployments: %w", deployments, err)
				}
				t := table{clients: clients, deployments: deployments, measured: measured}
				printTable(out, t)
				r.tables = append(r.tables, t)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// measureDistant provisions on a Director that takes 20 ms for each answer.
func (w *workshop) measureDistant(ctx context.Context, out io.Writer, r *results) error {
	return w.on(ctx, fewDeployments, func(s *stand) error {
		if err := s.director.setLatency(ctx, directorLatency); err != nil {
			return err
		}
		m, err := s.provisions(ctx, "distant", distantCallsEach*w.calls)
		if err != nil {
			return err
		}
		r.distant = &m
		printAlone(out, fmt.Sprintf("Provisions by %d clients, each answer of the Director delayed by %s", scenarioClients, directorLatency), m)
		return nil
	})
}

// provisions measures a number of provisions by 16 clients that have called before.
func (s *stand) provisions(ctx context.Context, prefix string, calls int) (measurement, error) {
	c, err := s.newCohort(ctx, prefix, scenarioClients, scenarioClients+calls)
	if err != nil {
		return measurement{}, err
	}
	defer c.platform.http.CloseIdleConnections()
	l := load{clients: scenarioClients, calls: scenarioClients, call: c.provision}
	if _, err := l.run(ctx); err != nil {
		return measurement{}, err
	}
	l.first, l.calls = scenarioClients, calls
	return s.measure(ctx, provisionVerb, l)
}

// besideSlow is how others fare while the adapter takes its time for one instance.
type besideSlow struct {
	slow          time.Duration // how long that instance's provision took
	alone, beside measurement
}

func (w *workshop) measureBesideSlow(ctx context.Context, out io.Writer, r *results) error {
	if w.double == nil {
		return nil
	}
	const slowInstance = "slow"
	if err := w.double.SteerInstance(adapterclient.VerbGenerateManifest, slowInstance, adaptertest.Steering{Sleep: w.slow}); err != nil {
		return err
	}
	return w.on(ctx, fewDeployments, func(s *stand) (err error) {
		b := &besideSlow{}
		if b.alone, err = s.provisions(ctx, "alone", w.calls); err != nil {
			return err
		}
		ended := make(chan error, 1)
		started := time.Now()
		go func() {
			_, err := newPlatform(s.broker.url, 1).provision(ctx, slowInstance)
			b.slow = time.Since(started)
			ended <- err
		}()
		if b.beside, err = s.provisions(ctx, "beside", w.calls); err != nil {
			return err
		}
		select {
		case err := <-ended:
			return fmt.Errorf("the slow adapter ended before the others' calls: make fewer -calls (%w)", err)
		default:
		}
		if err := <-ended; err != nil {
			return err
		}
		r.beside = b
		printBeside(out, *b)
		return w.double.Unsteer()
	})
}

// growth is what many polls leave behind.
type growth struct {
	polls         int
	before, after usage
	measured      measurement
}

// measureGrowth compares a broker that has served a tenth of the polls with the same one after all of them: what it
// needs to serve at all it has by then.
func (w *workshop) measureGrowth(ctx context.Context, out io.Writer, r *results) error {
	return w.on(ctx, fewDeployments, func(s *stand) error {
		c, err := s.newCohort(ctx, "polled", scenarioClients, scenarioClients)
		if err != nil {
			return err
		}
		defer c.platform.http.CloseIdleConnections()
		l := load{clients: scenarioClients, calls: len(c.operations), call: c.provision}
		if _, err := l.run(ctx); err != nil {
			return err
		}
		l.calls, l.call = w.polls/10, c.pollAny
		before, err := s.measure(ctx, "last_operation, both", l)
		if err != nil {
			return err
		}
		l.calls = w.polls
		after, err := s.measure(ctx, "last_operation, both", l)
		if err != nil {
			return err
		}
		r.growth = growth{polls: w.polls, before: before.after, after: after.after, measured: after}
		printGrowth(out, r.growth)
		return nil
	})
}

// pollAny polls ended and running operations by turns.
func (c *cohort) pollAny(ctx context.Context, n int) error {
	if n%2 == 0 {
		return c.platform.poll(ctx, runningInstance, c.running, inProgress)
	}
	return c.platform.poll(ctx, c.instance(n), c.operations[n%len(c.operations)], succeeded)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
