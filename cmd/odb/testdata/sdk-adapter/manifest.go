package main

import (
	"github.com/pivotal-cf/on-demand-services-sdk/bosh"
	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

// agentProperty is where the service's agents listen, in the plan and in the manifest.
const agentProperty = "agent"

// generator makes a manifest with everything that the SDK's types have words for beyond instance groups.
type generator struct{}

func (generator) GenerateManifest(params serviceadapter.GenerateManifestParams) (serviceadapter.GenerateManifestOutput, error) {
	groups, err := serviceadapter.GenerateInstanceGroupsWithNoProperties(params.Plan.InstanceGroups,
		params.ServiceDeployment.Releases, "default", map[string][]string{"redis": {"redis-server"}})
	if err != nil {
		return serviceadapter.GenerateManifestOutput{}, err
	}
	groups[0].Env = map[string]interface{}{"bosh": map[string]interface{}{"swap_size": 0}}
	groups[0].Jobs[0].Properties = map[string]interface{}{agentProperty: params.Plan.Properties[agentProperty], "password": "((admin-password))"}
	stemcell, release := params.ServiceDeployment.Stemcells[0], params.ServiceDeployment.Releases[0]
	return serviceadapter.GenerateManifestOutput{Manifest: bosh.BoshManifest{
		Name:           params.ServiceDeployment.DeploymentName,
		Releases:       []bosh.Release{{Name: release.Name, Version: release.Version}},
		Stemcells:      []bosh.Stemcell{{Alias: "default", OS: stemcell.OS, Version: stemcell.Version}},
		InstanceGroups: groups,
		Update: &bosh.Update{
			Canaries: 1, MaxInFlight: "50%", CanaryWatchTime: "1000-30000", UpdateWatchTime: "1000-30000",
			VmStrategy: "create-swap-delete",
		},
		Variables: []bosh.Variable{{Name: "admin-password", Type: "password", UpdateMode: "converge", Options: map[string]interface{}{"length": 40}}},
		Addons: []bosh.Addon{{
			Name:    "metrics",
			Jobs:    []bosh.Job{{Name: "redis-server", Release: release.Name}},
			Include: bosh.PlacementRule{InstanceGroups: []string{"nothing-yet"}},
		}},
		Tags: map[string]interface{}{"product": "cache"},
		Features: bosh.BoshFeatures{
			UseDNSAddresses: bosh.BoolPointer(true), ExtraFeatures: map[string]interface{}{"converge_variables": true},
		},
	}}, nil
}
