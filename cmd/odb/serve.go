package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

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
			"broker.shutdown_timeout_in_seconds. Deployments go on in the Director.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := logs.New(cmd.OutOrStdout(), "odb", slog.LevelInfo)
			c, err := loadConfig(path, logger, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, logger)
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
	for _, w := range warnings {
		logger.Warn("config."+string(w.Severity), slog.String("problem", w.String()))
	}
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

// serve runs the broker of c until ctx ends.
func serve(ctx context.Context, c *config.Config, logger *slog.Logger) error {
	s, err := newServer(ctx, c, logger, 0)
	if err != nil {
		return err
	}
	if err := s.Listen(); err != nil {
		return err
	}
	if !c.Broker.UseStdin {
		logger.Warn("adapter.arguments", slog.String("problem", "broker.use_stdin is false: manifests and parameters are passed to the adapter as arguments, which every user of this machine can read; set it to true if the adapter can read stdin"))
	}
	if c.Broker.DisableBOSHConfigs {
		logger.Warn("config.instances-not-remembered", slog.String("problem", "broker.disable_bosh_configs is true: the Director can't remember instances, so that errands of an operation go on after a restart of the broker only when the platform polls"))
	}
	if problem := instancesUnlisted(c); problem != "" {
		logger.Info("management.instances", slog.String("problem", problem))
	}
	if c.Broker.DisableCFStartupChecks && c.Broker.DisableBOSHConfigs && c.ServiceCatalog.QuotasNeedPlans() {
		logger.Warn("config.quotas-not-kept", slog.String("problem", "broker.disable_bosh_configs is true: the Director can't remember which plan an instance has, so that limits of plans and of resources are not kept"))
	}
	if c.Broker.StartupBanner {
		logger.Info("banner", slog.String("text", "*** on-demand service broker for "+c.ServiceCatalog.Name+" ***"))
	}
	logger.Info("server.listening", slog.String("url", s.URL()), slog.String("service", c.ServiceCatalog.Name), slog.Int("plans", len(c.ServiceCatalog.Plans)))
	return s.Run(ctx)
}
