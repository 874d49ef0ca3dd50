package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/fleet"
)

// fleetFlags are what every command can be told that goes through many instances.
type fleetFlags struct {
	maxInFlight, attempts, stopAfter int
	only, exclude                    []string
	dryRun, asJSON                   bool
}

// addTo gives a command the flags, and tells in its help how it stops and ends.
func (f *fleetFlags) addTo(cmd *cobra.Command, maxInFlight int) {
	cmd.Args = noArguments
	cmd.Long += "\n\nThe first SIGINT or SIGTERM lets it begin nothing more and wait for what runs; after the second it leaves what runs to itself.\n" +
		"Exit codes: 0 all well; 1 failure, or stopped before the end; 2 usage; 3 some failed; 4 none failed, some are busy with other operations."
	flags := cmd.Flags()
	flags.IntVar(&f.maxInFlight, "max-in-flight", maxInFlight, "how many operations run at one time; instead of max_in_flight in the file")
	flags.IntVar(&f.attempts, "attempts", 5, "how often a service instance is tried that is busy with another operation; instead of attempt_limit in the file")
	flags.IntVar(&f.stopAfter, "stop-after", 0, "begin nothing more after so many failures; 0 for no such number")
	flags.StringSliceVar(&f.only, "only", nil, "only these, like id=…, plan=…, org=…, space=…; alternatives of one key, and each key has to match")
	flags.StringSliceVar(&f.exclude, "exclude", nil, "not these, written like --only")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show who would be touched and why, and change nothing")
	flags.BoolVar(&f.asJSON, "json", false, "write each event as a line of JSON, the summary last")
}

// selection is who is meant. It also checks the numbers.
func (f *fleetFlags) selection() (selection fleet.Selection, err error) {
	if f.maxInFlight < 1 || f.attempts < 1 || f.stopAfter < 0 {
		return selection, usageError{errors.New("--max-in-flight and --attempts have to be above 0, --stop-after not below it")}
	}
	if selection.Only, err = fleet.ParseFilter(f.only); err != nil {
		return selection, usageError{err}
	}
	if selection.Exclude, err = fleet.ParseFilter(f.exclude); err != nil {
		return selection, usageError{err}
	}
	return selection, nil
}

// complete puts what was told into the file's place.
func (f *fleetFlags) complete(cmd *cobra.Command, c *config.Companion) {
	if cmd.Flags().Changed("max-in-flight") {
		c.MaxInFlight = f.maxInFlight
	}
	if cmd.Flags().Changed("attempts") {
		c.AttemptLimit = f.attempts
	}
}
