package main

import (
	"context"
	"fmt"
	"log"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/fleet"
)

// deleteAllServiceInstances is the predecessor's program.
func deleteAllServiceInstances() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "delete-all-service-instances -configFilePath config.yml",
		Short: "Delete all service instances, without asking",
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := newErrandLog(cmd.OutOrStdout(), cmd.Name())
			file, err := loadOldFile(path, "configFilePath", logger, config.NeedCF, config.NeedOffering)
			if err != nil {
				return err
			}
			d := &deletion{file: file, telling: oldTelling(logger)}
			if err = d.find(cmd.Context()); err == nil {
				err = d.deleteAll(cmd.Context(), logger)
			}
			if err != nil {
				return failing(logger, err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&path, "configFilePath", "", "the command's file")
	return cmd
}

// deleteAll deletes all there are, as the errands do.
func (d *deletion) deleteAll(ctx context.Context, logger *log.Logger) error {
	work, options, err := d.prepare(ctx)
	if err != nil {
		return err
	}
	summary, err := d.run(ctx, work, options, fleet.NewPlain(deleteAllName, func(line string) error { return logger.Output(2, line) }))
	if err == nil {
		err = summary.Err()
	}
	if err == nil {
		logger.Println("FINISHED DELETES")
	}
	return err
}

// deleteAllServiceInstancesAndDeregisterBroker is the predecessor's program.
func deleteAllServiceInstancesAndDeregisterBroker() *cobra.Command {
	var path, name string
	cmd := &cobra.Command{
		Use:   "delete-all-service-instances-and-deregister-broker -brokerName NAME -configFilePath config.yml",
		Short: "Delete all service instances, without asking, then remove the broker from Cloud Foundry",
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := newErrandLog(cmd.OutOrStdout(), cmd.Name())
			if name == "" {
				return failing(logger, errNoBrokerName)
			}
			file, err := loadOldFile(path, "configFilePath", logger, config.NeedCF, config.NeedOffering)
			if err != nil {
				return err
			}
			file.BrokerName = name
			d := &deletion{file: file, telling: oldTelling(logger)}
			if err := d.purge(cmd.Context(), logger); err != nil {
				logger.Printf("Purger Failed: %v", err)
				return exitCode(exitFailed)
			}
			logger.Println("FINISHED PURGE INSTANCES AND DEREGISTER BROKER")
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "brokerName", "", "the broker's name in Cloud Foundry")
	cmd.Flags().StringVar(&path, "configFilePath", "", "the command's file")
	return cmd
}

// purge takes access to the plans away, so that no instance is made meanwhile, deletes all instances and removes the broker. Where
// it stops before the end, it says what access is like by then.
func (d *deletion) purge(ctx context.Context, logger *log.Logger) error {
	if err := d.find(ctx); err != nil {
		return err
	}
	before, err := companions.Withdraw(ctx, d.platform, d.doomed.Plans, d.telling)
	if err != nil {
		return fmt.Errorf("%w; %s", err, companions.HalfWithdrawnText(before))
	}
	if err = d.deleteAll(ctx, logger); err == nil {
		err = companions.Deregister(ctx, d.platform, d.file.BrokerName, d.telling)
	}
	if err != nil && d.doomed.Found {
		return fmt.Errorf("%w; %s", err, companions.WithdrawnText(before))
	}
	return err
}
