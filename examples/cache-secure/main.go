// Command cache-secure-adapter is the service adapter of a cache that keeps nothing secret in its manifest: with the public
// SDK, and with what the protocol offers beyond a manifest and credentials.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

func main() {
	serviceadapter.HandleCLI(os.Args, handler())
}

// handler has no schema generator: that is the author's to leave out, and the broker is told "not implemented".
func handler() serviceadapter.CommandLineHandler {
	return serviceadapter.CommandLineHandler{
		ManifestGenerator:     manifestGenerator{newPassword: rand.Text},
		Binder:                binder{},
		DashboardURLGenerator: dashboard{},
	}
}

// operatorError logs what only the operator can mend and returns a text for the user, who sees what an adapter's error
// says.
func operatorError(err error) error {
	fmt.Fprintf(os.Stderr, "cache-secure-adapter: %v\n", err)
	return errors.New("the cache service is not configured correctly; please tell the operator")
}
