package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// exitOrphans is how orphan-deployments says that there are any.
const exitOrphans = 10

func orphansCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "orphans", Short: "What is there of instances that the platform doesn't know", Args: noArguments, RunE: help}
	cmd.AddCommand(orphansListCommand(), orphansDeleteCommand())
	return cmd
}

func orphansListCommand() *cobra.Command {
	var to connection
	var grace time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the deployments, and what else is left, of instances that the platform doesn't know",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			broker, err := to.broker(cmd)
			if err != nil {
				return err
			}
			orphans, err := broker.Orphans(cmd.Context(), given(cmd, "grace", &grace))
			if err != nil {
				return fmt.Errorf("listing the orphans: %w", err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), orphans)
			}
			return printOrphans(cmd.OutOrStdout(), orphans)
		},
	}
	to.addFlags(cmd, brokerOrigins())
	addGraceFlag(cmd, &grace)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func addGraceFlag(cmd *cobra.Command, grace *time.Duration) {
	cmd.Flags().DurationVar(grace, "grace", 0, "leave alone what changed within this time, like 15m; without it the broker decides")
}

// given is a flag's value if it was given, and otherwise nil.
func given[T any](cmd *cobra.Command, flag string, value *T) *T {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return value
}

func printOrphans(out io.Writer, found mgmtclient.Orphans) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "INSTANCE\tPLAN ID\tHAS\tCHANGED\tREMARK")
	row := func(o mgmtclient.Orphan, remark string) {
		changed := ""
		if o.ChangedAt != nil {
			changed = o.ChangedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", o.InstanceID, dash(o.PlanID), dash(strings.Join(o.Has, ", ")), dash(changed), dash(remark))
	}
	for _, orphan := range found.Orphans {
		remark := ""
		if !orphan.Ours {
			remark = "maybe another broker's"
		}
		row(orphan, remark)
	}
	for _, spared := range found.Spared {
		row(spared.Orphan, "not to be removed: "+spared.Description)
	}
	return table.Flush()
}

// orphanDeployments is the predecessor's program. Its stdout is JSON and nothing else.
func orphanDeployments() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "orphan-deployments -configPath config.yml",
		Short: "List orphan deployments as JSON; exit code 10 if there are any",
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := newErrandLog(cmd.ErrOrStderr(), cmd.Name())
			c, err := loadOldFile(path, "configPath", logger, config.NeedBrokerAPI)
			if err != nil {
				return err
			}
			broker, err := newBroker(c, 0)
			if err != nil {
				return failing(logger, err)
			}
			orphans, err := broker.OrphanDeployments(cmd.Context())
			if err != nil {
				return failing(logger, fmt.Errorf("listing the orphan deployments: %w", err))
			}
			if err := json.NewEncoder(cmd.OutOrStdout()).Encode(orphans); err != nil {
				return failing(logger, err)
			}
			if len(orphans) > 0 {
				logger.Printf("Orphan deployments found: %d. No service instance of the platform belongs to them. Make sure that nobody needs their data before you delete any.", len(orphans))
				return exitCode(exitOrphans)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&path, "configPath", "", "the command's file")
	return cmd
}
