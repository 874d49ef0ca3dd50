package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/mgmtclient"
)

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
