package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/mgmtclient"
)

const (
	askInterval = time.Second
	askTimeout  = 10 * time.Second // of one request
)

func waitReadyCommand() *cobra.Command {
	var path string
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "wait-ready --config broker.yml",
		Short: "Wait until the broker of this machine is ready",
		Long: "wait-ready asks the broker of this machine whether it is ready, its Director included, and for its catalog, with what\n" +
			"broker.yml says of port, TLS and user, until both are there. Exit code 1 if they aren't in time.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return errNoBrokerFile
			}
			c, _, err := config.Load(path)
			if err != nil {
				return fmt.Errorf("error parsing config: %w", err)
			}
			return waiting{localBroker(c), limit, "was not ready", ready}.end(cmd.Context())
		},
	}
	addConfigFlag(cmd, &path)
	cmd.Flags().DurationVar(&limit, "timeout", 2*time.Minute, "how long to wait")
	return cmd
}

// brokerPostStart is the predecessor's program, which runs after the broker's start: if it fails, so does the deploy.
func brokerPostStart() *cobra.Command {
	var path, username, password, port string
	var seconds int
	cmd := &cobra.Command{
		Use:   "broker-post-start -configFilePath broker.yml -brokerUsername USER -brokerPassword PASSWORD -brokerPort PORT",
		Short: "Wait until the broker of this machine serves its catalog",
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := newErrandLog(cmd.OutOrStdout(), cmd.Name())
			if path == "" {
				return failing(logger, errNoBrokerFile)
			}
			c, _, err := config.Load(path)
			if err != nil {
				return failing(logger, fmt.Errorf("error parsing config: %w", err))
			}
			options := localBroker(c)
			options.Username, options.Password = username, password
			options.URL = localURL(c, port)
			limit := time.Duration(seconds) * time.Second
			logger.Printf("Waiting %s for the broker to serve its catalog at %s", limit, options.URL)
			if err := (waiting{options, limit, "did not serve its catalog", serving}).end(cmd.Context()); err != nil {
				return failing(logger, err)
			}
			logger.Println("The broker serves its catalog")
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&path, "configFilePath", "", "path of broker.yml")
	flags.StringVar(&username, "brokerUsername", "", "the broker's user")
	flags.StringVar(&password, "brokerPassword", "", "that user's password, for every user of this machine to see: odb wait-ready reads it from broker.yml")
	flags.StringVar(&port, "brokerPort", "", "the broker's port")
	flags.IntVar(&seconds, "timeout", 120, "how many seconds to wait")
	return cmd
}

var errNoBrokerFile = errors.New("the path of broker.yml is missing: give it with --config (-configFilePath)")

// localBroker is the broker of this machine. Its certificate isn't one for the name by which it is reached here, and who else
// would listen on its port is this machine's owner.
func localBroker(c *config.Config) mgmtclient.Options {
	return mgmtclient.Options{
		URL:                 localURL(c, strconv.Itoa(c.Broker.Port)),
		Username:            c.Broker.Username,
		Password:            c.Broker.Password.Reveal(),
		SkipTLSVerification: true,
		Timeout:             askTimeout,
		UserAgent:           "odb/" + version,
	}
}

func localURL(c *config.Config, port string) string {
	scheme, host := "http", c.Broker.Host
	if c.Broker.TLS.Enabled() {
		scheme = "https"
	}
	if address := net.ParseIP(host); host == "" || address.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// waiting is what a command waits for, and how long.
type waiting struct {
	broker mgmtclient.Options
	limit  time.Duration
	// failed is what the broker did, or was, if time is up.
	failed string
	ask    func(context.Context, *mgmtclient.Client) error
}

func serving(ctx context.Context, broker *mgmtclient.Client) error {
	_, err := broker.Catalog(ctx)
	return err
}

func ready(ctx context.Context, broker *mgmtclient.Client) error {
	if err := broker.Ready(ctx); err != nil {
		return err
	}
	return serving(ctx, broker)
}

// end asks each second until the answer is no error. What the broker said last is the error, in the end.
func (w waiting) end(ctx context.Context) error {
	broker, err := mgmtclient.New(w.broker)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	var last error
	for {
		err := w.ask(ctx, broker)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil { // that time is up isn't what is wrong
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the broker %s within %s: %w", w.failed, w.limit, last)
		case <-time.After(askInterval):
		}
	}
}
