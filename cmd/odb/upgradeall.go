package main

import (
	"context"
	"fmt"
	"log"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

func upgradeAllServiceInstances() *cobra.Command {
	return oldBulkCommand(mgmtclient.Upgrade, &cobra.Command{
		Use:   "upgrade-all-service-instances -configPath config.yml",
		Short: "Upgrade all service instances",
	}, config.NeedBrokerAPI)
}

func recreateAllServiceInstances() *cobra.Command {
	return oldBulkCommand(mgmtclient.Recreate, &cobra.Command{
		Use:   "recreate-all-service-instances -configPath config.yml",
		Short: "Make all VMs of all service instances anew",
	}, config.NeedBrokerAPI, config.NeedBOSH)
}

// oldBulkCommand completes one of the predecessor's two programs for many instances.
func oldBulkCommand(kind string, cmd *cobra.Command, needs ...config.Need) *cobra.Command {
	var path string
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		logger := newErrandLog(cmd.OutOrStdout(), cmd.Name())
		file, err := loadOldFile(path, "configPath", logger, needs...)
		if err != nil {
			return err
		}
		if err := runOldBulk(cmd.Context(), kind, file, logger); err != nil {
			return failing(logger, err)
		}
		return nil
	}
	cmd.Flags().StringVar(&path, "configPath", "", "the command's file")
	return cmd
}

func runOldBulk(ctx context.Context, kind string, file *config.Companion, logger *log.Logger) error {
	b := &bulk{kind: kind, file: file, warn: func(text string) { logger.Println(text) }}
	if kind == mgmtclient.Recreate {
		if err := checkDirector(ctx, file.BOSH); err != nil {
			return err
		}
		file.Canaries, file.CanarySelectionParams = 0, nil
	}
	if !throughPlatform(ctx, kind, file, logger) {
		file.CF = config.CF{}
	}
	if err := b.connect(); err != nil {
		return err
	}
	summary, err := b.run(ctx, fleet.NewPlain(b.name(), func(line string) error { return logger.Output(2, line) }))
	if err != nil {
		return err
	}
	return summary.Err()
}

// throughPlatform tells whether instances may be upgraded through Cloud Foundry. Where it can't be asked, owners of such files
// are used to everything going through the broker.
func throughPlatform(ctx context.Context, kind string, file *config.Companion, logger *log.Logger) bool {
	if kind != mgmtclient.Upgrade || !file.MaintenanceInfoPresent || !file.CF.Given() {
		return false
	}
	platform, err := newCloudFoundry(file.CF, onlooker{})
	if err == nil {
		_, err = platform.Info(ctx)
	}
	if err != nil {
		logger.Printf("Cloud Foundry can't be asked, so all service instances are upgraded through the broker: %v", err)
	}
	return err == nil
}

// checkDirector makes sure that the Director can recreate what it has deployed. Anybody may ask for its version.
func checkDirector(ctx context.Context, c config.BOSH) error {
	director, err := boshclient.New(boshclient.Options{
		URL: c.URL, CACert: c.RootCACert, Username: "anybody", Password: "none", Timeout: c.Timeout, UserAgent: "odb/" + version,
	})
	if err != nil {
		return err
	}
	info, err := director.Info(ctx)
	if err != nil {
		return fmt.Errorf("asking the Director for its version: %w", err)
	}
	return companions.CheckRecreation(info.Version)
}
