package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// orphansDelete is what the command was told.
type orphansDelete struct {
	to          connection
	all, yes    bool
	vouched     bool
	force       bool
	grace       time.Duration
	maxInFlight int
	asJSON      bool
}

func orphansDeleteCommand() *cobra.Command {
	var d orphansDelete
	cmd := &cobra.Command{
		Use:   "delete INSTANCE... | --all --yes",
		Short: "Remove orphans: deployment, configs, secrets and UAA client",
		Long: "delete removes what is there of instances that the platform doesn't know, named by their ids or by their deployments' names, as\n" +
			"if they were deprovisioned: pre-delete errands run first. The broker refuses what its platform knows, what another service\n" +
			"claims, what is worked on, and what changed within the grace time. If Cloud Foundry is given, it is asked, too.\n\n" +
			"Exit codes: 0 all well; 1 failure; 2 usage; 3 some failed; 4 none failed, some are busy with other operations.",
		RunE: func(cmd *cobra.Command, args []string) error { return d.run(cmd, args) },
	}
	d.to.addFlags(cmd, brokerOrigins(), platformOrigins())
	addGraceFlag(cmd, &d.grace)
	flags := cmd.Flags()
	flags.BoolVar(&d.all, "all", false, "all that odb orphans list shows; needs --yes")
	flags.BoolVar(&d.yes, "yes", false, "be sure")
	flags.BoolVar(&d.vouched, "unknown-to-platform", false, "you have made sure that no platform knows them, where the broker can't")
	flags.BoolVar(&d.force, "force", false, "go on where pre-delete errands fail, and delete even if BOSH leaves VMs behind")
	flags.IntVar(&d.maxInFlight, "max-in-flight", 1, "how many are removed at one time")
	flags.BoolVar(&d.asJSON, "json", false, "write each event as a line of JSON, the summary last")
	return cmd
}

func (d *orphansDelete) run(cmd *cobra.Command, names []string) error {
	switch {
	case d.all && len(names) > 0:
		return usageError{errors.New("either --all or the ids of instances, not both")}
	case d.all && !d.yes:
		return usageError{errors.New("--all removes all orphans: look at odb orphans list, and say --yes")}
	case !d.all && len(names) == 0:
		return usageError{errors.New("which orphans? Give the ids of their instances, or --all --yes")}
	case d.maxInFlight < 1:
		return usageError{errors.New("--max-in-flight has to be above 0")}
	}
	file, err := d.to.load(cmd, config.NeedBrokerAPI)
	if err != nil {
		return err
	}
	broker, err := newBroker(file, blip)
	if err != nil {
		return err
	}
	platform, err := findingInstances(file.CF)
	if err != nil {
		return err
	}
	options := fleet.Options{MaxInFlight: d.maxInFlight, Attempts: file.AttemptLimit, AttemptInterval: file.AttemptInterval, PollingInterval: file.PollingInterval}
	if options.Members, err = d.members(cmd, broker, names); err != nil {
		return err
	}
	work := &companions.Removals{Broker: broker, Platform: platform, Terms: d.terms(cmd)}
	summary, err := carryOut(cmd.Context(), options, work, rendererFor(cmd.OutOrStdout(), "delete-orphans", d.asJSON))
	if err != nil {
		return err
	}
	return endOf(summary, cmd.ErrOrStderr())
}

func (d *orphansDelete) terms(cmd *cobra.Command) mgmtclient.Removal {
	terms := mgmtclient.Removal{Grace: given(cmd, "grace", &d.grace), Force: d.force}
	if d.vouched {
		terms.Platform = mgmtclient.PlatformDoesNot
	}
	return terms
}

// members are those that were named, or all that are listed.
func (d *orphansDelete) members(cmd *cobra.Command, broker *mgmtclient.Client, names []string) (members []fleet.Member, err error) {
	for _, name := range names {
		members = append(members, fleet.Member{ID: companions.InstanceOf(name)})
	}
	if !d.all {
		return members, nil
	}
	found, err := broker.Orphans(cmd.Context(), given(cmd, "grace", &d.grace))
	if err != nil {
		return nil, fmt.Errorf("listing the orphans: %w", err)
	}
	for _, orphan := range found.Orphans {
		members = append(members, fleet.Member{ID: orphan.InstanceID, PlanID: orphan.PlanID})
	}
	return members, nil
}
