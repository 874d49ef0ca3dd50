package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/logs"
)

const (
	devUser     = "admin"
	devPassword = "admin"
)

// devFlags are what `odb dev` can be told.
type devFlags struct {
	config       string
	directorPort int
	brokerPort   int
	state        string
	taskDuration time.Duration
	workers      int
	latency      time.Duration
	log          string
	control      bool
}

func devCommand() *cobra.Command {
	var f devFlags
	cmd := &cobra.Command{
		Use:   "dev [--config broker.yml]",
		Short: "Run a development Director, and a broker on it",
		Long: "dev runs a development BOSH Director on a loopback port: it takes deployments, runs tasks and errands, and makes no\n" +
			"VMs. With --config it runs the broker of that file on it (the file's own bosh section is not used); without, it\n" +
			"prints the bosh section by which a broker of yours finds it.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return dev(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	addConfigFlag(cmd, &f.config)
	flags := cmd.Flags()
	flags.IntVar(&f.directorPort, "director-port", 25555, "loopback port of the Director; 0 for a free one")
	flags.IntVar(&f.brokerPort, "broker-port", -1, "port of the broker instead of broker.port; 0 for a free one")
	flags.StringVar(&f.state, "state", "", "folder to keep the Director's state in; without it, it is gone at the end")
	flags.DurationVar(&f.taskDuration, "task-duration", 5*time.Second, "how long a Director task takes")
	flags.IntVar(&f.workers, "workers", 3, "how many tasks the Director runs at one time")
	flags.DurationVar(&f.latency, "latency", 0, "how long each answer of the Director is delayed")
	flags.StringVar(&f.log, "log", "", "file that the broker's log is appended to, as serve writes it; without it, a readable one goes to standard error")
	flags.BoolVar(&f.control, "control", false, "let anybody on this machine count the Director's requests and make it fail, under /_dev/")
	return cmd
}

func dev(ctx context.Context, f devFlags, stdout, stderr io.Writer) (err error) {
	logger, closeLog, err := openLog(f.log, stderr)
	if err != nil {
		return err
	}
	defer closeLog()

	director, err := devdirector.Start(devdirector.Options{
		Address:      net.JoinHostPort("127.0.0.1", strconv.Itoa(f.directorPort)),
		TLS:          true,
		Users:        map[string]devdirector.User{devUser: {Password: devPassword, Scopes: []string{"bosh.admin"}}},
		TaskDuration: f.taskDuration,
		Workers:      f.workers,
		Latency:      f.latency,
		StateDir:     f.state,
		Control:      f.control,
	})
	if err != nil {
		return fmt.Errorf("starting the development Director: %w", orAnotherPort(err, "--director-port"))
	}
	defer func() { err = errors.Join(err, director.Close()) }()

	section := config.BOSH{URL: director.URL(), RootCACert: director.CACert(), Timeout: 30 * time.Second}
	section.Authentication.Basic = config.BasicAuthentication{Username: devUser, Password: config.NewSecret(devPassword)}
	if f.config == "" {
		printDirector(stdout, section)
		<-ctx.Done()
		return nil
	}
	c, err := loadConfig(f.config, logger, stderr)
	if err != nil {
		return err
	}
	c.BOSH = section
	if f.brokerPort >= 0 {
		c.Broker.Port = f.brokerPort
	}
	return devBroker(ctx, c, logger, stdout)
}

func devBroker(ctx context.Context, c *config.Config, logger *slog.Logger, stdout io.Writer) error {
	s, err := newDaemon(ctx, c, logger, rhythm{})
	if err != nil {
		return err
	}
	if err := s.Listen(); err != nil {
		return orAnotherPort(err, "--broker-port")
	}
	printBroker(stdout, c, s.URL())
	return s.Run(ctx)
}

// orAnotherPort tells who finds a port taken which flag chooses another.
func orAnotherPort(err error, flag string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: choose another port with %s, or 0 for any that is free", err, flag)
	}
	return err
}

// openLog is a log for who watches or, in a file, the one that the broker has elsewhere.
func openLog(path string, terminal io.Writer) (*slog.Logger, func(), error) {
	if path == "" {
		return logs.Readable(terminal, slog.LevelInfo), func() {}, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the log: %w", err)
	}
	return logs.New(file, "odb", slog.LevelInfo), func() { file.Close() }, nil
}

// printDirector prints what a broker.yml needs to know of the Director.
func printDirector(w io.Writer, section config.BOSH) {
	fmt.Fprintf(w, "The development Director is ready. In your broker.yml:\n\nbosh:\n  url: %s\n  authentication: {basic: {username: %s, password: %s}}\n  root_ca_cert: |\n    %s\n",
		section.URL, devUser, devPassword, strings.ReplaceAll(strings.TrimSpace(section.RootCACert), "\n", "\n    "))
}

// printBroker prints what to paste into a shell next.
func printBroker(w io.Writer, c *config.Config, url string) {
	service, plan := c.ServiceCatalog, c.ServiceCatalog.Plans[0]
	login := c.Broker.Username + ":" + c.Broker.Password.Reveal()
	curl := "curl -sS -u " + login + " -H 'X-Broker-API-Version: 2.17'"
	instance := url + "/v2/service_instances/my-instance"
	ids := "service_id=" + service.ID + "&plan_id=" + plan.ID
	body := fmt.Sprintf(`{"service_id":"%s","plan_id":"%s","organization_guid":"my-org","space_guid":"my-space"}`, service.ID, plan.ID)
	fmt.Fprintf(w, "The broker of service %s is ready at %s, on the development Director at %s (%s/%s).\n\n", service.Name, url, c.BOSH.URL, devUser, devPassword)
	fmt.Fprintf(w, "Try it with curl:\n\n")
	for _, line := range []string{
		fmt.Sprintf("%s %s/v2/catalog", curl, url),
		fmt.Sprintf("%s -X PUT '%s?accepts_incomplete=true' -d '%s'", curl, instance, body),
		fmt.Sprintf("%s -G '%s/last_operation' --data-urlencode 'operation=<the operation that you were answered>'", curl, instance),
		fmt.Sprintf("%s -X PUT '%s/service_bindings/my-binding' -d '%s'", curl, instance, fmt.Sprintf(`{"service_id":"%s","plan_id":"%s"}`, service.ID, plan.ID)),
		fmt.Sprintf("%s -X DELETE '%s/service_bindings/my-binding?%s'", curl, instance, ids),
		fmt.Sprintf("%s -X DELETE '%s?accepts_incomplete=true&%s'", curl, instance, ids),
	} {
		fmt.Fprintf(w, "  %s\n", line)
	}
	fmt.Fprintf(w, "\nwith Cloud Foundry (where it can reach this machine):\n\n  cf create-service-broker my-broker %s %s %s\n  cf enable-service-access %s\n  cf create-service %s %s my-instance\n",
		c.Broker.Username, c.Broker.Password.Reveal(), url, service.Name, service.Name, plan.Name)
	fmt.Fprintf(w, "\nor with eden:\n\n  export SB_BROKER_URL=%s SB_BROKER_USERNAME=%s SB_BROKER_PASSWORD=%s\n  eden catalog\n  eden provision -s %s -p %s -i my-instance\n\nCtrl-C ends it.\n",
		url, c.Broker.Username, c.Broker.Password.Reveal(), service.Name, plan.Name)
}
