package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
)

func deregisterCommand() *cobra.Command {
	var to connection
	cmd := &cobra.Command{
		Use:   "deregister --broker-name NAME",
		Short: "Remove the broker from Cloud Foundry",
		Long:  "deregister removes the broker's registration. Cloud Foundry refuses that while there are service instances: delete them\nfirst (odb instances delete). A broker that isn't registered is fine.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := to.load(cmd, config.NeedCF, config.NeedBrokerName)
			if err != nil {
				return err
			}
			platform, err := newCloudFoundry(file.CF, onlooker{})
			if err != nil {
				return err
			}
			return companions.Deregister(cmd.Context(), platform, file.BrokerName, tellingOf(cmd))
		},
	}
	to.addFlags(cmd, []origin{brokerNameOrigin()}, platformOrigins())
	return cmd
}

// errNoBrokerName is for the two old commands that are told the name beside their file.
var errNoBrokerName = errors.New("the name of the broker in Cloud Foundry is missing: give it with -brokerName")

// deregisterBroker is the predecessor's program.
func deregisterBroker() *cobra.Command {
	var path, name string
	cmd := &cobra.Command{
		Use:   "deregister-broker -brokerName NAME -configFilePath config.yml",
		Short: "Remove the broker from Cloud Foundry",
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := newErrandLog(cmd.OutOrStdout(), cmd.Name())
			if name == "" {
				return failing(logger, errNoBrokerName)
			}
			file, err := loadOldFile(path, "configFilePath", logger, config.NeedCF)
			if err != nil {
				return err
			}
			platform, err := newCloudFoundry(file.CF, onlooker{})
			if err == nil {
				err = companions.Deregister(cmd.Context(), platform, name, oldTelling(logger))
			}
			if err != nil {
				return failing(logger, err)
			}
			logger.Println("FINISHED DEREGISTER BROKER")
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "brokerName", "", "the broker's name in Cloud Foundry")
	cmd.Flags().StringVar(&path, "configFilePath", "", "the command's file")
	return cmd
}
