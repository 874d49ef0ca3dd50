package main

import (
	"fmt"

	"github.com/pivotal-cf/on-demand-services-sdk/bosh"
	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

const (
	instanceGroup = "cache"
	serverJob     = "cache-server"
	link          = "cache" // what the server's job provides, and bindings find its address by
	stemcellAlias = "default"
	port          = 6380
)

// manifestGenerator turns a plan and a user's parameters into a deployment manifest, the secrets that it refers to, and
// a cloud config.
type manifestGenerator struct {
	newPassword func() string
}

func (g manifestGenerator) GenerateManifest(
	params serviceadapter.GenerateManifestParams,
) (serviceadapter.GenerateManifestOutput, error) {
	var none serviceadapter.GenerateManifestOutput
	previous, err := readProperties(params.PreviousManifest)
	if err != nil {
		return none, operatorError(err)
	}
	settled := cacheProperties{Port: port}
	if settled.settings, err = settle(params, previous); err != nil {
		return none, err // a text for the user
	}
	made := newSecrets{}
	if settled.Password, err = g.password(params.Plan, previous, made); err != nil {
		return none, operatorError(err)
	}
	if settled.DashboardClient, err = client(params.ServiceInstanceUAAClient, previous, made); err != nil {
		return none, operatorError(err)
	}
	deployment := params.ServiceDeployment.DeploymentName
	extension, err := newExtension(deployment, params.Plan)
	if err != nil {
		return none, operatorError(err)
	}
	group, err := cacheGroup(params, settled, extension)
	if err != nil {
		return none, operatorError(err)
	}
	manifest := bosh.BoshManifest{
		Name:           deployment,
		Releases:       releases(params.ServiceDeployment.Releases),
		InstanceGroups: []bosh.InstanceGroup{group},
		Update:         updateBlock(params.Plan.Update),
		Features:       bosh.BoshFeatures{UseDNSAddresses: bosh.BoolPointer(true)},
	}
	if manifest.Stemcells, err = stemcells(params.ServiceDeployment.Stemcells); err != nil {
		return none, operatorError(err)
	}
	configs, err := extension.configs()
	if err != nil {
		return none, operatorError(err)
	}
	return serviceadapter.GenerateManifestOutput{
		Manifest:          manifest,
		ODBManagedSecrets: serviceadapter.ODBManagedSecrets(made),
		Configs:           configs,
		Labels:            map[string]any{"cache-secure.example.com/nodes": fmt.Sprint(group.Instances)},
	}, nil
}

// cacheGroup is the plan's only instance group: the server, and beside it the jobs that run as lifecycle errands.
func cacheGroup(params serviceadapter.GenerateManifestParams, properties cacheProperties, extension *vmExtension) (bosh.InstanceGroup, error) {
	var none bosh.InstanceGroup
	groups := params.Plan.InstanceGroups
	if len(groups) != 1 || groups[0].Name != instanceGroup {
		return none, fmt.Errorf("the plan must have one instance group, %q", instanceGroup)
	}
	if err := checkErrands(params.Plan.LifecycleErrands); err != nil {
		return none, err
	}
	jobs := append([]string{serverJob}, errandJobs()...)
	generated, err := serviceadapter.GenerateInstanceGroupsWithNoProperties(groups, params.ServiceDeployment.Releases,
		stemcellAlias, map[string][]string{instanceGroup: jobs})
	if err != nil {
		return none, err
	}
	group := generated[0]
	group.Jobs[0].Properties = map[string]interface{}{propertiesKey: properties}
	// Shared, since bindings ask for the link's address from outside of the deployment. The errands' jobs find the server,
	// its port and its password by the same link.
	group.Jobs[0] = group.Jobs[0].AddSharedProvidesLink(link)
	if extension != nil {
		group.VMExtensions = append(group.VMExtensions, extension.Name)
	}
	return group, nil
}

func releases(configured serviceadapter.ServiceReleases) []bosh.Release {
	all := make([]bosh.Release, 0, len(configured))
	for _, release := range configured {
		all = append(all, bosh.Release{Name: release.Name, Version: release.Version})
	}
	return all
}

func stemcells(configured []serviceadapter.Stemcell) ([]bosh.Stemcell, error) {
	if len(configured) != 1 {
		return nil, fmt.Errorf("%d stemcells are configured; this service needs exactly one", len(configured))
	}
	only := configured[0]
	return []bosh.Stemcell{{Alias: stemcellAlias, Name: only.Name, OS: only.OS, Version: only.Version}}, nil
}

// updateBlock is the plan's, if the operator gave it one.
func updateBlock(plan *serviceadapter.Update) *bosh.Update {
	if plan == nil {
		return &bosh.Update{Canaries: 1, MaxInFlight: 1, CanaryWatchTime: "3000-60000", UpdateWatchTime: "3000-60000"}
	}
	return &bosh.Update{
		Canaries:                      plan.Canaries,
		MaxInFlight:                   plan.MaxInFlight,
		CanaryWatchTime:               plan.CanaryWatchTime,
		UpdateWatchTime:               plan.UpdateWatchTime,
		Serial:                        plan.Serial,
		InitialDeployAZUpdateStrategy: plan.InitialDeployAZUpdateStrategy,
	}
}
