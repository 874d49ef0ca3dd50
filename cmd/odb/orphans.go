package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/config"
)

// exitOrphans is how orphan-deployments says that there are any.
const exitOrphans = 10

func orphansCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "orphans", Short: "Deployments of instances that the platform doesn't know", Args: noArguments, RunE: help}
	cmd.AddCommand(orphansListCommand())
	return cmd
}

func orphansListCommand() *cobra.Command {
	var to connection
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the deployments of instances that the platform doesn't know",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			broker, err := to.broker(cmd)
			if err != nil {
				return err
			}
			orphans, err := broker.Orphans(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), orphans)
			}
			for _, orphan := range orphans {
				fmt.Fprintln(cmd.OutOrStdout(), orphan.DeploymentName)
			}
			return nil
		},
	}
	to.addFlags(cmd, brokerOrigins())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	return cmd
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
			orphans, err := broker.Orphans(cmd.Context())
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
