package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/logs"
)

func serveCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve --config broker.yml",
		Short: "Run the broker",
		Long: "serve runs the broker until it gets SIGTERM or SIGINT; then requests may finish within\n" +
			"broker.shutdown_timeout_in_seconds. Deployments go on in the Director. At SIGHUP it reads the file anew.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := logs.New(cmd.OutOrStdout(), "odb", slog.LevelInfo)
			c, err := loadConfig(path, logger, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return serve(cmd.Context(), path, c, logger)
		},
	}
	addConfigFlag(cmd, &path)
	return cmd
}

// addConfigFlag adds --config and the name that it has always had.
func addConfigFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "config", "", "path of broker.yml")
	cmd.Flags().StringVar(path, "configFilePath", "", "the same, by its old name (one dash will do)")
	cmd.MarkFlagsMutuallyExclusive("config", "configFilePath")
	_ = cmd.MarkFlagFilename("config", "yml", "yaml")
}

// loadConfig reads the file, logs what is odd and tells what is wrong, all of it, on stderr.
func loadConfig(path string, logger *slog.Logger, stderr io.Writer) (*config.Config, error) {
	if path == "" {
		return nil, errors.New("the path of broker.yml is missing: give it with --config")
	}
	c, warnings, err := config.Load(path)
	logProblems(logger, warnings)
	var refused *config.Problems
	switch {
	case errors.As(err, &refused):
		fmt.Fprintf(stderr, "error parsing config:\n%v\n", refused)
		return nil, errReported
	case err != nil:
		return nil, fmt.Errorf("error parsing config: %w", err)
	}
	return c, nil
}

func logProblems(logger *slog.Logger, problems []config.Problem) {
	for _, p := range problems {
		level := slog.LevelWarn
		if p.Severity == config.Error {
			level = slog.LevelError
		}
		logger.LogAttrs(context.Background(), level, "config."+string(p.Severity), slog.String("problem", p.String()))
	}
}

// serve runs the broker of the file at path, of which c is what it says now, until ctx ends. Each SIGHUP has the file read
// anew.
func serve(ctx context.Context, path string, c *config.Config, logger *slog.Logger) error {
	hangUps := make(chan os.Signal, 1) // one that comes while the file is read has it read once more
	signal.Notify(hangUps, syscall.SIGHUP)
	defer signal.Stop(hangUps)
	d, err := newDaemon(ctx, c, logger, rhythm{})
	if err != nil {
		return err
	}
	if err := d.Listen(); err != nil {
		return err
	}
	tellOddities(c, logger)
	if c.Broker.StartupBanner {
		logger.Info("banner", slog.String("text", "*** on-demand service broker for "+c.ServiceCatalog.Name+" ***"))
	}
	logger.Info("server.listening", slog.String("url", d.URL()), slog.String("service", c.ServiceCatalog.Name), slog.Int("plans", len(c.ServiceCatalog.Plans)))
	var reloading sync.WaitGroup
	defer reloading.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	reloading.Go(func() { d.reloadAt(ctx, hangUps, path) })
	return d.Run(ctx)
}

// tellOddities says in the log what a configuration is, that is right and may not be meant.
func tellOddities(c *config.Config, logger *slog.Logger) {
	if c.Broker.DisableBOSHConfigs {
		logger.Warn("config.instances-not-remembered", slog.String("problem", "broker.disable_bosh_configs is true: the Director can't remember instances, so that errands of an operation go on after a restart of the broker only when the platform polls"))
	}
	if problem := instancesUnlisted(c); problem != "" {
		logger.Info("management.instances", slog.String("problem", problem))
	}
	if c.Broker.DisableCFStartupChecks && c.Broker.DisableBOSHConfigs && c.ServiceCatalog.QuotasNeedPlans() {
		logger.Warn("config.quotas-not-kept", slog.String("problem", "broker.disable_bosh_configs is true: the Director can't remember which plan an instance has, so that limits of plans and of resources are not kept"))
	}
}
