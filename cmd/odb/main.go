// Command odb is an on-demand service broker for BOSH: `odb serve` is the daemon, the other subcommands help those
// who run it. Called by the name of one of the predecessor's programs it is that program.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals()...)
	code := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// stopSignals are those that ask a command to come to its end.
func stopSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// errReported ends a command that has said already what is wrong.
var errReported = errors.New("reported")

// The exit codes that every command has; some have more, see exitCode.
const (
	exitFailed = 1
	exitUsage  = 2
)

// exitCode ends a command that has said all there is to say, with a code of its own.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a command line that can't be understood.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// run is the program without its process: tests call it. args begin with the name that it was called by.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	name, rest := filepath.Base(args[0]), args[1:]
	if isOldName(name) {
		rest = append([]string{name}, rest...)
	}
	root.SetArgs(twoDashes(root, rest))
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	var code exitCode
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "odb: %v; see %s --help\n", err, command.CommandPath())
		return exitUsage
	default:
		fmt.Fprintf(stderr, "odb: %v\n", err)
		return exitFailed
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "odb",
		Short: "An on-demand service broker for BOSH",
		Long: "odb turns the Open Service Broker API's provision, update, bind, unbind and deprovision into BOSH deployments,\n" +
			"by way of a service author's executable, the service adapter.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(), devCommand(), configCommand(), versionCommand(),
		registerCommand(), deregisterCommand(), instancesCommand(), orphansCommand(), metricsCommand(), waitReadyCommand(), osbCheckCommand())
	addOldCommands(root)
	return root
}

// noArguments is for commands that take flags only.
func noArguments(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !cmd.HasSubCommands():
		return usageError{fmt.Errorf("%s takes no argument %q", cmd.CommandPath(), args[0])}
	}
	meant := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		meant = ", did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError{fmt.Errorf("%s has no command %q%s", cmd.CommandPath(), args[0], meant)}
}

// oneInstance is for commands that take the id of an instance.
func oneInstance(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usageError{fmt.Errorf("%s takes one argument, the id of a service instance", cmd.CommandPath())}
	}
	return nil
}
