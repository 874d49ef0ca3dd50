package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// fleetRun is a command that goes through a fleet.
type fleetRun struct {
	name    string
	release release // that the broker has by then
	args    []string
	// throughPlatform: Cloud Foundry asks the broker for each operation, as verb.
	throughPlatform string
}

var firstRelease = release{maintenance: "1.0.0", stemcell: "1.999"}

// fleetRuns are carried out one after the other, on the same instances.
func fleetRuns() []fleetRun {
	return []fleetRun{
		{name: "upgrade through Cloud Foundry", release: release{"2.0.0", "1.1000"}, args: []string{"upgrade"}, throughPlatform: "update"},
		{name: "upgrade through the broker", release: release{"2.0.0", "1.1001"}, args: []string{"upgrade"}},
		{name: "recreate", release: release{"2.0.0", "1.1001"}, args: []string{"recreate"}},
		{name: "delete", release: release{"2.0.0", "1.1001"}, args: []string{"delete", "--yes"}, throughPlatform: "deprovision"},
	}
}

// fleetMeasurement is how a run went.
type fleetMeasurement struct {
	run      string
	size     int
	command  ran
	requests int // to Cloud Foundry, the command's and the broker's
	director traffic
	// CPU of the others: platform is the driver's own process, rest all that has nothing to do with the run.
	brokerCPU, adapterCPU, directorCPU, platformCPU, restCPU time.Duration
}

// ideal is what a fleet takes if each slot is always in use and each end is seen at once.
func ideal(size int) time.Duration { return time.Duration(size) * fleetTasks / inFlight }

func (m fleetMeasurement) stretch() float64 {
	return m.command.took.Seconds() / ideal(m.size).Seconds()
}

func (m fleetMeasurement) requestsEach() float64 { return float64(m.requests) / float64(m.size) }

// measureFleets runs everything and prints it as it comes.
func (w *workshop) measureFleets(ctx context.Context, out io.Writer) ([]target, error) {
	var all []fleetMeasurement
	for _, size := range w.instances {
		measured, err := w.measureFleet(ctx, size)
		if err != nil {
			return nil, fmt.Errorf("with %d instances: %w", size, err)
		}
		printFleet(out, size, measured)
		all = append(all, measured...)
	}
	listings, err := w.measureListings(ctx)
	if err != nil {
		return nil, fmt.Errorf("with %d instances listed: %w", w.listed, err)
	}
	printListings(out, w.listed, listings)
	return append(fleetTargets(all), listingTargets(w.listed, listings)...), nil
}

func (w *workshop) measureFleet(ctx context.Context, size int) (measured []fleetMeasurement, err error) {
	f, err := w.openFleet(ctx, size)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.populate(ctx); err != nil {
		return nil, err
	}
	for _, run := range fleetRuns() {
		m, err := f.measure(ctx, w.odb, run)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", run.name, err)
		}
		measured = append(measured, m)
	}
	return measured, nil
}

// fleetBooks are all counts at one moment.
type fleetBooks struct {
	director                 traffic
	broker, bosh, ownProcess usage
	machine                  time.Duration
}

func (f *fleet) books(ctx context.Context) (b fleetBooks, err error) {
	if b.director, err = f.director.traffic(ctx); err != nil {
		return b, err
	}
	for pid, into := range map[int]*usage{f.broker.pid(): &b.broker, f.director.pid(): &b.bosh, os.Getpid(): &b.ownProcess} {
		if *into, err = usageOf(pid); err != nil {
			return b, err
		}
	}
	b.machine, err = machineCPU()
	return b, err
}

// measure carries a run out and insists that it did what it tells: each instance once, the right way.
func (f *fleet) measure(ctx context.Context, odb string, run fleetRun) (fleetMeasurement, error) {
	m := fleetMeasurement{run: run.name, size: f.size}
	if err := f.serve(ctx, run.release); err != nil {
		return m, err
	}
	before, err := f.books(ctx)
	if err != nil {
		return m, err
	}
	f.cloud.ResetStats()
	args := append([]string{"instances"}, run.args...)
	if m.command, err = runCommand(ctx, odb, append(args, "--config", f.file, "--max-in-flight", strconv.Itoa(inFlight), "--json")...); err != nil {
		return m, err
	}
	asked := f.cloud.Stats()
	after, err := f.books(ctx)
	if err != nil {
		return m, err
	}
	m.requests = asked.Total
	m.compare(before, after)
	return m, errors.Join(f.finished(m), f.wentThrough(run, asked.ToBrokers))
}

func (m *fleetMeasurement) compare(before, after fleetBooks) {
	m.director.Requests, m.director.Tasks = after.director.Requests-before.director.Requests, after.director.Tasks-before.director.Tasks
	m.brokerCPU, m.adapterCPU = after.broker.CPU-before.broker.CPU, after.broker.ChildrenCPU-before.broker.ChildrenCPU
	m.directorCPU, m.platformCPU = after.bosh.CPU-before.bosh.CPU, after.ownProcess.CPU-before.ownProcess.CPU
	m.restCPU = max(0, after.machine-before.machine-m.command.cpu-m.brokerCPU-m.adapterCPU-m.directorCPU-m.platformCPU)
}

// finished tells what is wrong with the summary, or with the Director's tasks.
func (f *fleet) finished(m fleetMeasurement) error {
	var summary struct {
		Event      string `json:"event"`
		Successful int    `json:"successful"`
	}
	if err := json.Unmarshal([]byte(m.command.last), &summary); err != nil {
		return fmt.Errorf("the last line is no summary: %w", err)
	}
	if summary.Event != "summary" || summary.Successful != f.size || m.director.Tasks != f.size {
		return fmt.Errorf("the Director had %d tasks, for %d instances and the summary %s", m.director.Tasks, f.size, m.command.last)
	}
	return nil
}

// wentThrough tells whether Cloud Foundry had the part in it that it should have.
func (f *fleet) wentThrough(run fleetRun, toBroker map[string]int) error {
	for _, verb := range []string{"update", "deprovision"} {
		wanted := 0
		if verb == run.throughPlatform {
			wanted = f.size
		}
		if toBroker[verb] != wanted {
			return fmt.Errorf("%d of kind %s went through Cloud Foundry, not %d", toBroker[verb], verb, wanted)
		}
	}
	return nil
}
