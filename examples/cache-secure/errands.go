package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

const (
	healthCheckJob = "health-check" // writes an entry and reads it, on each node: for after a deploy
	cleanUpJob     = "clean-up"     // overwrites what is on the disks: for before the deletion
)

func errandJobs() []string { return []string{healthCheckJob, cleanUpJob} }

// checkErrands refuses errands that no job of the instance's would run: the operator would learn it only from an
// instance that was deployed and whose errand failed.
func checkErrands(errands serviceadapter.LifecycleErrands) error {
	for _, errand := range slices.Concat(errands.PostDeploy, errands.PreDelete) {
		if !slices.Contains(errandJobs(), errand.Name) {
			return fmt.Errorf("the plan has a lifecycle errand %q; this service has %s", errand.Name, strings.Join(errandJobs(), " and "))
		}
	}
	return nil
}
