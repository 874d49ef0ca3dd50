package main

import (
	"errors"
	"fmt"
	"slices"

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

// bulkFlags are what the bulk commands of the broker can be told.
type bulkFlags struct {
	fleetFlags
	to       connection
	canaries int
	canary   []string
	force    bool
}

// bulkCommand completes a command of an operation over many instances.
func bulkCommand(kind string, cmd *cobra.Command) (*cobra.Command, *bulkFlags) {
	f := &bulkFlags{}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return f.run(cmd, kind) }
	f.to.addFlags(cmd, brokerOrigins(), platformOrigins())
	f.addTo(cmd, 1)
	return cmd, f
}

// bulk puts together what flags and file say.
func (f *bulkFlags) bulk(cmd *cobra.Command, kind string) (*bulk, error) {
	b := &bulk{kind: kind, force: f.force, stopAfter: f.stopAfter, warn: func(text string) { fmt.Fprintf(cmd.ErrOrStderr(), "odb: %s\n", text) }}
	var err error
	if b.selection, err = f.selection(); err != nil {
		return nil, err
	}
	if b.canaries, err = fleet.ParseFilter(f.canary); err != nil {
		return nil, usageError{err}
	}
	if f.canaries < 0 {
		return nil, usageError{errors.New("--canaries must not be below 0")}
	}
	f.to.complete = func(c *config.Companion) {
		f.complete(cmd, c)
		if cmd.Flags().Changed("canaries") {
			c.Canaries = f.canaries
		}
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
	defer frugally()()
	operation, options, err := b.prepare(cmd.Context())
	if err != nil {
		return err
	}
	planned, err := fleet.Plan(options)
	if err != nil {
		return err
	}
	show := newForecast(cmd.OutOrStdout(), b.kind, f.asJSON, len(planned.Canaries))
	members := planned.Rest
	if len(planned.Canaries) > 0 {
		members = slices.Concat(planned.Canaries, planned.Rest)
	}
	if err := operation.Outlooks(cmd.Context(), members, options.MaxInFlight, show.tell); err != nil {
		return err
	}
	return show.end(len(members))
}
