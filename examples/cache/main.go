// Command cache-adapter is the service adapter of a small cache service: what the author of a service writes, with the
// public SDK and nothing of this broker.
package main

import (
	"os"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

func main() {
	serviceadapter.HandleCLI(os.Args, handler(besideProgram()))
}

func handler(users users) serviceadapter.CommandLineHandler {
	return serviceadapter.CommandLineHandler{
		ManifestGenerator:     manifestGenerator{newPassword: randomPassword},
		Binder:                binder{users: users},
		DashboardURLGenerator: dashboard{},
		SchemaGenerator:       schemas{},
	}
}
