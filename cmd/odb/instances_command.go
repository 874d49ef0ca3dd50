package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/mgmtclient"
)

func instancesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "instances", Short: "Look after the service instances", Args: noArguments, RunE: help}
	cmd.AddCommand(instancesListCommand(), instancesShowCommand(), instancesUpgradeCommand(), instancesRecreateCommand(),
		instancesRepairCommand())
	return cmd
}

func instancesListCommand() *cobra.Command {
	var to connection
	var org, space string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the service instances that the broker's platform knows",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (org == "") != (space == "") {
				return usageError{fmt.Errorf("--org and --space go together")}
			}
			broker, err := to.broker(cmd)
			if err != nil {
				return err
			}
			var filter map[string]string
			if org != "" {
				filter = map[string]string{"cf_org": org, "cf_space": space}
			}
			instances, err := broker.Instances(cmd.Context(), filter)
			if err != nil {
				return fmt.Errorf("listing the service instances: %w", err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), append([]mgmtclient.Instance{}, instances...))
			}
			return printInstances(cmd, broker, instances)
		},
	}
	to.addFlags(cmd, brokerOrigins())
	cmd.Flags().StringVar(&org, "org", "", "only those of this organization's --space")
	cmd.Flags().StringVar(&space, "space", "", "only those of this space")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	return cmd
}

func printInstances(cmd *cobra.Command, broker *mgmtclient.Client, instances []mgmtclient.Instance) error {
	offerings, err := broker.Catalog(cmd.Context())
	if err != nil {
		return fmt.Errorf("reading the catalog: %w", err)
	}
	plans := map[string]string{}
	for _, offering := range offerings {
		for _, plan := range offering.Plans {
			plans[plan.ID] = plan.Name
		}
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "INSTANCE\tPLAN\tSPACE GUID")
	for _, i := range instances {
		plan := plans[i.PlanID]
		if plan == "" {
			plan = i.PlanID + " (not in the catalog)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", i.ID, plan, dash(i.SpaceGUID))
	}
	return table.Flush()
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func instancesShowCommand() *cobra.Command {
	var to connection
	var planID string
	var asJSON, diff bool
	cmd := &cobra.Command{
		Use:   "show INSTANCE",
		Short: "Show what the broker knows of one service instance",
		Args:  oneInstance,
		RunE: func(cmd *cobra.Command, args []string) error {
			broker, err := to.broker(cmd)
			if err != nil {
				return err
			}
			shown := shownInstance{}
			if shown.InstanceDetails, err = broker.Instance(cmd.Context(), args[0], planID); err != nil {
				return fmt.Errorf("service instance %s: %w", args[0], err)
			}
			if diff {
				changes, err := broker.Pending(cmd.Context(), args[0], planID)
				if err != nil {
					return fmt.Errorf("the pending changes of service instance %s: %w", args[0], err)
				}
				shown.Changes = &changes
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), shown)
			}
			return shown.print(cmd)
		},
	}
	to.addFlags(cmd, brokerOrigins())
	cmd.Flags().StringVar(&planID, "plan-id", "", "the instance's plan, by its id of the catalog, if the broker doesn't know it")
	cmd.Flags().BoolVar(&diff, "diff", false, "show also what an upgrade would change")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// shownInstance is what the command tells.
type shownInstance struct {
	mgmtclient.InstanceDetails
	Changes *mgmtclient.PendingChanges `json:"changes,omitempty"`
}

func (s shownInstance) print(cmd *cobra.Command) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	line := func(what, text string) { fmt.Fprintf(table, "%s:\t%s\n", what, dash(text)) }
	line("instance", s.ID)
	line("plan", strings.TrimSpace(s.PlanName+" "+s.PlanID))
	line("space", s.SpaceGUID)
	line("deployment", s.Deployment)
	if !s.Created {
		line("created", "no: its first deploy has not succeeded")
	}
	line("maintenance version", s.MaintenanceVersion)
	line("dashboard", s.DashboardURL)
	if o := s.LastOperation; o != nil {
		line("last operation", fmt.Sprintf("%s %s, begun %s", o.Type, o.State, o.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC")))
	}
	for _, task := range s.Tasks {
		line("running task", fmt.Sprintf("%d %s: %s", task.ID, task.State, task.Description))
	}
	line("an upgrade is due", s.due())
	if err := table.Flush(); err != nil {
		return err
	}
	if s.Changes != nil {
		printChanges(cmd.OutOrStdout(), *s.Changes, "")
	}
	return nil
}

func (s shownInstance) due() string {
	switch {
	case s.PendingChanges == nil:
		return "can't be told: " + s.PendingChangesUnknown
	case *s.PendingChanges:
		return "yes"
	default:
		return "no"
	}
}
