package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/mgmtclient"
)

// exitNotRegistered is how the commands of metrics say that there are none yet; who collects them waits then.
const exitNotRegistered = 10

func metricsCommand() *cobra.Command {
	var to connection
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Print how many instances there are, and what is left of quotas",
		Long:  "metrics prints the figures of the management API as JSON. Exit code 10 if the broker has none because its platform\ndoesn't know it yet.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			broker, err := to.broker(cmd)
			if err != nil {
				return err
			}
			return printMetrics(cmd, broker)
		},
	}
	to.addFlags(cmd, brokerOrigins())
	return cmd
}

// collectServiceMetrics is the predecessor's program, which the service-metrics release runs. It takes the password as an
// argument because that one gives it so.
func collectServiceMetrics() *cobra.Command {
	var options mgmtclient.Options
	var password string
	cmd := &cobra.Command{
		Use:   "collect-service-metrics -brokerUrl URL -brokerUsername USER -brokerPassword PASSWORD",
		Short: "Print the broker's metrics; exit code 10 if it isn't registered yet",
		RunE: func(cmd *cobra.Command, _ []string) error {
			options.Password, options.UserAgent = password, "odb/"+version
			broker, err := mgmtclient.New(options)
			if err != nil {
				return err
			}
			return printMetrics(cmd, broker)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Username, "brokerUsername", "", "the broker's user")
	flags.StringVar(&password, "brokerPassword", "", "that user's password, for every user of this machine to see: odb metrics reads it from elsewhere")
	flags.StringVar(&options.URL, "brokerUrl", "", "the broker's URL")
	flags.StringVar(&options.CACert, "brokerCACert", "", "the CA certificates of the broker, PEM (the text, not a path)")
	flags.BoolVar(&options.SkipTLSVerification, "disableTLSCertificateVerification", false, "trust whoever answers")
	return cmd
}

func printMetrics(cmd *cobra.Command, broker *mgmtclient.Client) error {
	body, registered, err := broker.Metrics(cmd.Context())
	switch {
	case err != nil:
		return fmt.Errorf("collecting the metrics: %w", err)
	case !registered:
		fmt.Fprintln(cmd.ErrOrStderr(), "odb: the broker has no metrics: it is not registered with its platform yet")
		return exitCode(exitNotRegistered)
	}
	_, err = cmd.OutOrStdout().Write(append(bytes.TrimSpace(body), '\n'))
	return err
}
