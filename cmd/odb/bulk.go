package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// blip is how long a broker may be away for a request of a bulk command without anybody being told; what takes longer the
// fleet's engine has patience for.
const blip = 10 * time.Second

// How a bulk command ends, other than well or because nothing could be done at all.
const (
	exitSomeFailed = 3
	exitSomeBusy   = 4
)

// bulk is one operation over many instances, whoever asked for it by which name.
type bulk struct {
	kind  string // mgmtclient.Upgrade or Recreate
	force bool
	// file says whom to talk to and how to go through the instances.
	file      *config.Companion
	selection fleet.Selection
	canaries  fleet.Filter
	stopAfter int
	// warn tells what is odd and no reason to stop.
	warn func(text string)

	broker   *mgmtclient.Client
	platform *cfclient.Client // nil if everything goes through the broker
}

// frugally keeps the garbage of a long list small, until the function that it returns is called: a list of 50 000 instances is read in
// a moment, and then mostly waited upon.
func frugally() (restore func()) {
	const percent = 25
	before := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(before) }
}

// name is what the log calls the operation.
func (b *bulk) name() string { return b.kind + "-all" }

// connect makes the clients. Nobody is asked anything yet.
func (b *bulk) connect() (err error) {
	if b.broker, err = newBroker(b.file, blip); err != nil {
		return err
	}
	b.platform, err = newCloudFoundry(b.file.CF, onlooker{})
	return err
}

// prepare finds out who is there and who is meant, and says how to go about it.
func (b *bulk) prepare(ctx context.Context) (*companions.Operation, fleet.Options, error) {
	var platform companions.CloudFoundry
	if b.platform != nil {
		platform = b.platform
	}
	roster, err := companions.List(ctx, b.broker, platform)
	if err != nil {
		return nil, fleet.Options{}, err
	}
	for _, text := range roster.Outdated {
		b.warn(text)
	}
	operation := companions.NewRecreation(roster)
	if b.kind == mgmtclient.Upgrade {
		operation = companions.NewUpgrade(roster, b.force)
	}
	options := fleetOptions(b.file, b.stopAfter)
	options.Canaries = fleet.Canaries{Number: b.file.Canaries, Selection: b.canaries}
	options.Members = roster.Members
	if !b.selection.Only.Empty() || !b.selection.Exclude.Empty() {
		if options.Members, err = b.selection.Of(roster.Members); err != nil {
			return nil, fleet.Options{}, err
		}
	}
	if params := b.file.CanarySelectionParams; len(params) > 0 && b.canaries.Empty() {
		options.Canaries.Selection, options.Canaries.Criteria, err = companions.Choose(ctx, b.broker, params)
	}
	return operation, options, err
}

// run carries the operation out.
func (b *bulk) run(ctx context.Context, renderer fleet.Renderer) (fleet.Summary, error) {
	defer frugally()()
	operation, options, err := b.prepare(ctx)
	if err != nil {
		return fleet.Summary{}, errors.Join(err, renderer.Close())
	}
	return carryOut(ctx, options, operation, renderer)
}

// fleetOptions is how a file says to go through the instances.
func fleetOptions(file *config.Companion, stopAfter int) fleet.Options {
	return fleet.Options{
		MaxInFlight: file.MaxInFlight, Attempts: file.AttemptLimit, AttemptInterval: file.AttemptInterval,
		PollingInterval: file.PollingInterval, StopAfter: stopAfter,
	}
}

// carryOut runs the engine. The first signal, which ends ctx, lets it begin nothing more; the second one makes it leave.
func carryOut(ctx context.Context, options fleet.Options, work fleet.Work, renderer fleet.Renderer) (fleet.Summary, error) {
	leave, cancel := leaving(ctx)
	defer cancel()
	options.Drain, options.Events = ctx.Done(), renderer.Render
	summary, err := fleet.Run(leave, options, work)
	return summary, errors.Join(err, renderer.Close())
}

// endOf says on stderr what went wrong, and makes the exit code of it.
func endOf(summary fleet.Summary, stderr io.Writer) error {
	if err := summary.Err(); err != nil {
		fmt.Fprintf(stderr, "odb: %v\n", err)
	}
	switch summary.End() {
	case fleet.EndWell:
		return nil
	case fleet.EndSomeFailed:
		return exitCode(exitSomeFailed)
	case fleet.EndSomeBusy:
		return exitCode(exitSomeBusy)
	default:
		return exitCode(exitFailed)
	}
}

// rendererFor shows a run to people, or to a program.
func rendererFor(out io.Writer, name string, asJSON bool) fleet.Renderer {
	if asJSON {
		return fleet.NewJSONLines(out)
	}
	if file, ok := out.(*os.File); ok {
		return fleet.ForOutput(file, name)
	}
	return fleet.NewPlain(name, func(line string) error {
		_, err := fmt.Fprintln(out, line)
		return err
	})
}
