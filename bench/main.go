// Command bench measures the broker as its users meet it: odb, a development Director and this load driver run as
// processes of their own, on loopback, with TLS towards the Director. It knows the broker by its HTTP API, its log and
// what the kernel tells of its process. docs/BENCHMARKS.md says what the numbers mean.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are what the driver can be told.
type options struct {
	odb         string
	adapter     string // empty: the test double, built for the run
	clients     []int
	deployments []int
	calls       int           // of each verb that runs the adapter, in each table
	polls       int           // of the run that looks for growth
	slow        time.Duration // what the slow adapter takes
	fleet       bool          // measure the commands for many instances instead
	instances   []int         // of each fleet
	listed      int           // instances that are only listed
	check       bool
}

// timeLimit ends a run that hangs; one that works takes minutes.
const timeLimit = 20 * time.Minute

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2) // parse has said why
	}
	// A closed terminal or pipe, too, must not leave broker and Director behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	err = run(ctx, o, os.Stdout)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// parse reads the flags, and prints what is wrong with them.
func parse(args []string) (options, error) {
	o := options{clients: []int{1, 16, 128}, deployments: []int{10, 1000, 50000}, calls: 400, polls: 100_000, slow: 30 * time.Second,
		instances: []int{250, 1000}, listed: 50_000}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.odb, "odb", "bin/odb", "the odb executable")
	flags.StringVar(&o.adapter, "adapter", "", "a service adapter for examples/cache's plans (default: a double, which takes little time)")
	flags.BoolVar(&o.check, "check", false, "exit 1 if a target is missed")
	flags.BoolFunc("quick", "a run of a minute, to see that all works: fewer of everything, unless told otherwise by flags that follow", func(string) error {
		o.clients, o.deployments, o.calls, o.polls, o.slow = []int{1, 16}, []int{10, 1000}, 60, 5000, 5*time.Second
		o.instances, o.listed = []int{50, 100}, 5000
		return nil
	})
	flags.Func("clients", "how many clients call at the same time, as 1,16,128", intoNumbers(&o.clients))
	flags.Func("deployments", "how many deployments the Director has, as 10,1000,50000", intoNumbers(&o.deployments))
	flags.Func("calls", "calls of each verb that runs the adapter, in each table; other verbs get more (default 400)", intoNumber(&o.calls))
	flags.Func("polls", "polls after which memory must not have grown (default 100000)", intoNumber(&o.polls))
	flags.BoolVar(&o.fleet, "fleet", false, "measure the commands that go through many service instances, instead")
	flags.Func("instances", "how many service instances each fleet has, as 250,1000", intoNumbers(&o.instances))
	flags.Func("listed", "service instances that are only listed, with -fleet (default 50000)", intoNumber(&o.listed))
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if clients := slices.Max(o.clients); instancesFor(clients, o.calls) > rememberedTasks {
		err := fmt.Errorf("%d -calls by %d -clients are too many: the Director remembers %d ended tasks", o.calls, clients, rememberedTasks)
		fmt.Fprintln(os.Stderr, err)
		return o, err
	}
	return o, nil
}

func intoNumber(into *int) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err == nil && n < 1 {
			err = errors.New("at least 1 is needed")
		}
		*into = n
		return err
	}
}

func intoNumbers(into *[]int) func(string) error {
	return func(text string) error {
		*into = nil
		for part := range strings.SplitSeq(text, ",") {
			var n int
			if err := intoNumber(&n)(part); err != nil {
				return err
			}
			*into = append(*into, n)
		}
		return nil
	}
}

var errMissed = errors.New("a target is missed")

// run measures everything and prints it as it comes.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	workshop, err := newWorkshop(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, workshop.close()) }()

	started := time.Now()
	printMachine(out)
	measure := workshop.measureBroker
	if o.fleet {
		measure = workshop.measureFleets
	}
	targets, err := measure(ctx, out)
	if err != nil {
		return err
	}
	printTargets(out, targets)
	fmt.Fprintf(out, "\nThe run took %s.\n", time.Since(started).Round(time.Second))
	if o.check && missed(targets) {
		return errMissed
	}
	return nil
}
