package main

import "github.com/spf13/cobra"

func instancesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "instances", Short: "Look after the service instances", Args: noArguments, RunE: help}
	cmd.AddCommand(instancesListCommand(), instancesShowCommand(), instancesUpgradeCommand(), instancesRecreateCommand(),
		instancesDeleteCommand(), instancesRepairCommand(), instancesCancelCommand())
	return cmd
}
