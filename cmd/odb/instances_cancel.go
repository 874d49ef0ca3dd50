package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func instancesCancelCommand() *cobra.Command {
	var to connection
	cmd := &cobra.Command{
		Use:   "cancel INSTANCE",
		Short: "Cancel the tasks that change one service instance",
		Long:  "cancel asks the Director to cancel all tasks that change a service instance, whoever began them. They go on to their next\ncheckpoint; their operation then fails.",
		Args:  oneInstance,
		RunE: func(cmd *cobra.Command, args []string) error {
			broker, err := to.broker(cmd)
			if err != nil {
				return err
			}
			tasks, err := broker.Cancel(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("service instance %s: %w", args[0], err)
			}
			for _, task := range tasks {
				fmt.Fprintf(cmd.OutOrStdout(), "task %d is being cancelled: %s\n", task.ID, task.Description)
			}
			if len(tasks) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "no task changes the instance")
			}
			return nil
		},
	}
	to.addFlags(cmd, brokerOrigins())
	return cmd
}
