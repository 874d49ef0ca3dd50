package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

func instancesUpgradeCommand() *cobra.Command {
	cmd, f := bulkCommand(mgmtclient.Upgrade, &cobra.Command{
		Use:   "upgrade",
		Short: "Bring all service instances, or some, to what is configured now",
		Long: "upgrade brings service instances to what broker.yml and the adapter make of them now. What is up to date is left alone.\n" +
			"An instance whose maintenance version in Cloud Foundry is behind its plan's is upgraded through Cloud Foundry, if that is\n" +
			"configured; all others through the broker. Run again after it was stopped or killed, it goes on where it was.",
	})
	flags := cmd.Flags()
	flags.BoolVar(&f.force, "force", false, "redeploy also what is up to date")
	flags.IntVar(&f.canaries, "canaries", 0, "how many service instances come first, and have to end well before any other is begun")
	flags.StringSliceVar(&f.canary, "canary", nil, "who may be one of these, like org=…,space=…,plan=…,id=…; without --canaries all of them are")
	return cmd
}

func instancesRecreateCommand() *cobra.Command {
	cmd, _ := bulkCommand(mgmtclient.Recreate, &cobra.Command{
		Use:   "recreate",
		Short: "Make the VMs of all service instances, or of some, anew",
		Long: "recreate makes all VMs of service instances anew, as they were deployed last, and runs their post-deploy errands. Who was\n" +
			"recreated before isn't known: run again after it was stopped, it begins from the start. --only and --exclude say who is left.",
	})
	return cmd
}

// bulkFlags are what the bulk commands can be told.
type bulkFlags struct {
	to                                         connection
	maxInFlight, attempts, canaries, stopAfter int
	canary, only, exclude                      []string
	force, dryRun, asJSON                      bool
}

// bulkCommand completes a command of an operation over many instances.
func bulkCommand(kind string, cmd *cobra.Command) (*cobra.Command, *bulkFlags) {
	f := &bulkFlags{}
	cmd.Long += "\n\nThe first SIGINT or SIGTERM lets it begin nothing more and wait for what runs; after the second it leaves what runs to itself.\n" +
		"Exit codes: 0 all well; 1 failure, or stopped before the end; 2 usage; 3 some failed; 4 none failed, some are busy with other operations."
	cmd.Args = noArguments
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return f.run(cmd, kind) }
	f.to.addFlags(cmd, brokerOrigins(), platformOrigins())
	flags := cmd.Flags()
	flags.IntVar(&f.maxInFlight, "max-in-flight", 1, "how many operations run at one time; instead of max_in_flight in the file")
	flags.IntVar(&f.attempts, "attempts", 5, "how often a service instance is tried that is busy with another operation; instead of attempt_limit in the file")
	flags.IntVar(&f.stopAfter, "stop-after", 0, "begin nothing more after so many failures; 0 for no such number")
	flags.StringSliceVar(&f.only, "only", nil, "only these, like id=…, plan=…, org=…, space=…; alternatives of one key, and each key has to match")
	flags.StringSliceVar(&f.exclude, "exclude", nil, "not these, written like --only")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show who would be touched and why, and change nothing")
	flags.BoolVar(&f.asJSON, "json", false, "write each event as a line of JSON, the summary last")
	return cmd, f
}

// bulk puts together what flags and file say.
func (f *bulkFlags) bulk(cmd *cobra.Command, kind string) (*bulk, error) {
	b := &bulk{kind: kind, force: f.force, stopAfter: f.stopAfter, warn: func(text string) { fmt.Fprintf(cmd.ErrOrStderr(), "odb: %s\n", text) }}
	var err error
	for terms, filter := range map[*[]string]*fleet.Filter{&f.only: &b.selection.Only, &f.exclude: &b.selection.Exclude, &f.canary: &b.canaries} {
		if *filter, err = fleet.ParseFilter(*terms); err != nil {
			return nil, usageError{err}
		}
	}
	f.to.complete = func(c *config.Companion) {
		for name, number := range map[string]struct{ from, to *int }{
			"max-in-flight": {&f.maxInFlight, &c.MaxInFlight}, "attempts": {&f.attempts, &c.AttemptLimit}, "canaries": {&f.canaries, &c.Canaries},
		} {
			if cmd.Flags().Changed(name) {
				*number.to = *number.from
			}
		}
	}
	if f.maxInFlight < 1 || f.attempts < 1 || f.canaries < 0 || f.stopAfter < 0 {
		return nil, usageError{errors.New("--max-in-flight and --attempts have to be above 0, --canaries and --stop-after not below it")}
	}
	if b.file, err = f.to.load(cmd, config.NeedBrokerAPI); err != nil {
		return nil, err
	}
	return b, b.connect()
}

func (f *bulkFlags) run(cmd *cobra.Command, kind string) error {
	b, err := f.bulk(cmd, kind)
	if err != nil {
		return err
	}
	if f.dryRun {
		return f.foretell(cmd, b)
	}
	summary, err := b.run(cmd.Context(), rendererFor(cmd.OutOrStdout(), b.name(), f.asJSON))
	if err != nil {
		return err
	}
	return endOf(summary, cmd.ErrOrStderr())
}

// foretell shows who would be touched, canaries first, and why.
func (f *bulkFlags) foretell(cmd *cobra.Command, b *bulk) error {
	operation, options, err := b.prepare(cmd.Context())
	if err != nil {
		return err
	}
	planned, err := fleet.Plan(options)
	if err != nil {
		return err
	}
	show := newForecast(cmd.OutOrStdout(), b.kind, f.asJSON, len(planned.Canaries))
	members := append(planned.Canaries, planned.Rest...)
	if err := operation.Outlooks(cmd.Context(), members, options.MaxInFlight, show.tell); err != nil {
		return err
	}
	return show.end(len(members))
}
