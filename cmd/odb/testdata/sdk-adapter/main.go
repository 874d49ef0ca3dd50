// Command sdk-adapter is a service adapter for the stories: it uses what the public SDK offers authors and the examples
// have no need for. By its name it chooses among the SDK's entries, old and new.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

func main() {
	handler := serviceadapter.CommandLineHandler{ManifestGenerator: generator{}, Binder: binder{}, DashboardURLGenerator: dashboard{}}
	switch name := filepath.Base(os.Args[0]); name {
	case "handle-cli":
		serviceadapter.HandleCLI(os.Args, handler)
	case "handle":
		os.Exit(handle(handler))
	case "handle-command-line-invocation": // deprecated, and in use
		serviceadapter.HandleCommandLineInvocation(os.Args, generator{}, binder{}, dashboard{})
	default:
		fmt.Fprintf(os.Stderr, "sdk-adapter: no entry of the SDK is called %q\n", name)
		os.Exit(1)
	}
}

// handle is for authors who write main's end themselves.
func handle(handler serviceadapter.CommandLineHandler) (exitCode int) {
	err := handler.Handle(os.Args, os.Stdout, os.Stderr, os.Stdin)
	var told serviceadapter.CLIHandlerError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &told):
		return told.ExitCode
	default:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}

type dashboard struct{}

func (dashboard) DashboardUrl(params serviceadapter.DashboardUrlParams) (serviceadapter.DashboardUrl, error) {
	return serviceadapter.DashboardUrl{DashboardUrl: "https://dashboard.example/" + params.InstanceID}, nil
}
