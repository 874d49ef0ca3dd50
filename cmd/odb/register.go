package main

import (
	"fmt"
	"log"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
)

func registerCommand() *cobra.Command {
	var to connection
	var prune, dryRun bool
	cmd := &cobra.Command{
		Use:   "register --config register.yml",
		Short: "Register the broker with Cloud Foundry, and give access to its plans",
		Long: "register makes Cloud Foundry know the broker and read its catalog, and gives access to plans as the file says. It may be\n" +
			"repeated: what is as it should be is left alone. Access of organizations that the file doesn't name is kept, unless\n" +
			"--prune is given; enable and disable hold for all organizations.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := to.load(cmd, config.NeedCF, config.NeedRegistration)
			if err != nil {
				return err
			}
			platform, err := newCloudFoundry(file.CF, onlooker{})
			if err != nil {
				return err
			}
			registration := registrationOf(file)
			registration.Prune = prune
			if dryRun {
				return registration.Foretell(cmd.Context(), platform, tellingOf(cmd))
			}
			return registration.Apply(cmd.Context(), platform, tellingOf(cmd))
		},
	}
	to.addFlags(cmd, registrationOrigins(), platformOrigins())
	cmd.Flags().BoolVar(&prune, "prune", false, "take access from organizations that have it and that the file doesn't name")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, and change nothing")
	return cmd
}

// registrationOrigins are those of the broker, as Cloud Foundry is to know it.
func registrationOrigins() []origin {
	return []origin{
		brokerNameOrigin(),
		{flag: "broker-username", variable: "ODB_BROKER_USERNAME", usage: "the broker's user",
			set: func(c *config.Companion, v string) { c.BrokerUsername = v }},
		{flag: "broker-password-file", variable: "ODB_BROKER_PASSWORD", usage: "file with that user's password", file: true,
			set: func(c *config.Companion, v string) { c.BrokerPassword = config.NewSecret(v) }},
	}
}

func brokerNameOrigin() origin {
	return origin{flag: "broker-name", variable: "ODB_BROKER_NAME", usage: "the broker's name in Cloud Foundry",
		set: func(c *config.Companion, v string) { c.BrokerName = v }}
}

func registrationOf(file *config.Companion) companions.Registration {
	registration := companions.Registration{
		Broker: cfclient.BrokerRegistration{
			Name: file.BrokerName, URL: file.BrokerURL, Username: file.BrokerUsername, Password: file.BrokerPassword.Reveal(),
		},
		OfferingID: file.ServiceOfferingID,
	}
	for _, plan := range file.Plans {
		registration.Plans = append(registration.Plans, companions.PlanAccess{
			Plan: plan.Name, Access: plan.CFServiceAccess, Organizations: plan.Organizations(),
		})
	}
	return registration
}

// tellingOf says what is done on stdout, and warns on stderr.
func tellingOf(cmd *cobra.Command) companions.Telling {
	return companions.Telling{
		Tell: func(line string) { fmt.Fprintln(cmd.OutOrStdout(), line) },
		Warn: func(line string) { fmt.Fprintf(cmd.ErrOrStderr(), "odb: %s\n", line) },
	}
}

// oldTelling says all of it in an errand's log.
func oldTelling(logger *log.Logger) companions.Telling {
	return companions.Telling{
		Tell: func(line string) { logger.Println(line) },
		Warn: func(line string) { logger.Println("warning: " + line) },
	}
}

// registerBroker is the predecessor's program.
func registerBroker() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "register-broker -configPath config.yml",
		Short: "Register the broker with Cloud Foundry, and give access to its plans",
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := newErrandLog(cmd.OutOrStdout(), cmd.Name())
			file, err := loadOldFile(path, "configPath", logger, config.NeedCF, config.NeedRegistration)
			if err != nil {
				return err
			}
			platform, err := newCloudFoundry(file.CF, onlooker{})
			if err == nil {
				err = registrationOf(file).Apply(cmd.Context(), platform, oldTelling(logger))
			}
			if err != nil {
				return failing(logger, fmt.Errorf("failed to execute register-broker: %w", err))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&path, "configPath", "", "the command's file")
	return cmd
}
