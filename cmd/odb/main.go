// Command odb is an on-demand service broker for BOSH: `odb serve` is the daemon, the other subcommands help those
// who run it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errReported ends a command that has said already what is wrong.
var errReported = errors.New("reported")

// run is the program without its process: tests call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "odb",
		Short: "An on-demand service broker for BOSH",
		Long: "odb turns the Open Service Broker API's provision, update, bind, unbind and deprovision into BOSH deployments,\n" +
			"by way of a service author's executable, the service adapter.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand(), devCommand(), configCommand(), versionCommand())
	root.SetArgs(legacyFlags(args))
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintf(stderr, "odb: %v\n", err)
		}
		return 1
	}
	return 0
}

// legacyFlags lets flags be written with one dash, as the predecessor's were and as owners' job templates still do.
func legacyFlags(args []string) []string {
	translated := make([]string, 0, len(args))
	for _, arg := range args {
		if arg == "-configFilePath" || strings.HasPrefix(arg, "-configFilePath=") {
			arg = "-" + arg
		}
		translated = append(translated, arg)
	}
	return translated
}
