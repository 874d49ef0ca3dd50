package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/pivotal-cf/on-demand-services-sdk/bosh"
	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
	"gopkg.in/yaml.v2"
)

// propertiesKey is the key below which the server job's properties stand.
const propertiesKey = "cache"

// cacheProperties are the server job's properties.
type cacheProperties struct {
	Port            int           `yaml:"port"`
	Password        managedSecret `yaml:"password"`
	DashboardClient *uaaClient    `yaml:"dashboard_client,omitempty"`
	settings        `yaml:",inline"`
}

// settings are what users and plans choose. What users chose stands apart: otherwise a plan's old value would look like a
// user's choice, and another plan would change nothing.
type settings struct {
	MaxMemoryMB          int `yaml:"max_memory_mb"`
	RequestedMaxMemoryMB int `yaml:"requested_max_memory_mb,omitempty"`
}

const (
	maxMemory        = "max_memory_mb" // the parameter, and the plan's property
	leastMemoryMB    = 16
	mostMemoryMB     = 65536
	defaultMaxMemory = 256
)

// settle takes a setting from this request, else from an earlier one, else from the plan, else a default. Its errors are
// texts for users.
func settle(params serviceadapter.GenerateManifestParams, previous *cacheProperties) (settings, error) {
	var settled settings
	if previous != nil {
		settled.RequestedMaxMemoryMB = previous.RequestedMaxMemoryMB
	}
	requested := params.RequestParams.ArbitraryParams()
	for _, name := range slices.Sorted(maps.Keys(requested)) {
		if name != maxMemory {
			return settled, fmt.Errorf("unknown parameter %q; the only one is %s", name, maxMemory)
		}
		var err error
		if settled.RequestedMaxMemoryMB, err = memory(requested[name]); err != nil {
			return settled, err
		}
	}
	settled.MaxMemoryMB = settled.RequestedMaxMemoryMB
	if ofPlan, given := params.Plan.Properties[maxMemory]; settled.MaxMemoryMB == 0 && given {
		var err error
		if settled.MaxMemoryMB, err = memory(ofPlan); err != nil {
			return settled, operatorError(fmt.Errorf("the plan's properties: %w", err))
		}
	}
	if settled.MaxMemoryMB == 0 {
		settled.MaxMemoryMB = defaultMaxMemory
	}
	return settled, nil
}

// memory reads a JSON number, which the SDK hands over as a float64.
func memory(value interface{}) (int, error) {
	number, ok := value.(float64)
	if !ok || number != math.Trunc(number) || number < leastMemoryMB || number > mostMemoryMB {
		return 0, fmt.Errorf("%s must be a whole number from %d to %d", maxMemory, leastMemoryMB, mostMemoryMB)
	}
	return int(number), nil
}

// readProperties finds the server's properties in a manifest that this adapter made; nil if there is no manifest.
func readProperties(manifest *bosh.BoshManifest) (*cacheProperties, error) {
	if manifest == nil {
		return nil, nil
	}
	for _, group := range manifest.InstanceGroups {
		for _, job := range group.Jobs {
			if job.Name != serverJob {
				continue
			}
			text, err := yaml.Marshal(job.Properties[propertiesKey])
			if err != nil {
				return nil, fmt.Errorf("reading the properties of job %s: %w", serverJob, err)
			}
			var properties cacheProperties
			if yaml.Unmarshal(text, &properties) != nil { // whose text may quote what it read
				return nil, fmt.Errorf("the properties of job %s have another form than this adapter gives them", serverJob)
			}
			return &properties, nil
		}
	}
	return nil, errors.New("the deployed manifest has no job " + serverJob)
}
