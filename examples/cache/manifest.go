package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/pivotal-cf/on-demand-services-sdk/bosh"
	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

const (
	instanceGroup = "cache"
	job           = "cache-server"
	stemcellAlias = "default"
	port          = 6379
)

// manifestGenerator turns a plan and a user's parameters into a deployment manifest. With the same input it makes the
// same manifest: the broker asks again before an update, only to compare.
type manifestGenerator struct {
	newPassword func() (string, error)
}

func (g manifestGenerator) GenerateManifest(
	params serviceadapter.GenerateManifestParams,
) (serviceadapter.GenerateManifestOutput, error) {
	var none serviceadapter.GenerateManifestOutput
	if err := checkPlanChange(params.Plan, params.PreviousPlan); err != nil {
		return none, err
	}
	previous, err := readProperties(params.PreviousManifest)
	if err != nil {
		return none, operatorError(err)
	}
	properties, err := g.properties(params, previous)
	if err != nil {
		return none, err
	}
	groups, err := instanceGroups(params, properties)
	if err != nil {
		return none, operatorError(err)
	}
	stemcell, err := onlyStemcell(params.ServiceDeployment.Stemcells)
	if err != nil {
		return none, operatorError(err)
	}
	manifest := bosh.BoshManifest{
		Name:           params.ServiceDeployment.DeploymentName,
		Stemcells:      []bosh.Stemcell{stemcell},
		InstanceGroups: groups,
		Update:         updateBlock(params.Plan.Update),
	}
	for _, release := range params.ServiceDeployment.Releases {
		manifest.Releases = append(manifest.Releases, bosh.Release{Name: release.Name, Version: release.Version})
	}
	return serviceadapter.GenerateManifestOutput{Manifest: manifest}, nil
}

// properties are the cache server's: what was generated once is carried over, the rest is settled anew.
func (g manifestGenerator) properties(
	params serviceadapter.GenerateManifestParams, previous *cacheProperties,
) (cacheProperties, error) {
	properties := cacheProperties{Port: port}
	if previous != nil {
		properties.Password, properties.Requested = previous.Password, previous.Requested
	}
	if properties.Password == "" {
		var err error
		if properties.Password, err = g.newPassword(); err != nil {
			return properties, operatorError(fmt.Errorf("making a password: %w", err))
		}
	}
	requested, err := properties.Requested.overlaidWith(params.RequestParams.ArbitraryParams())
	if err != nil {
		return properties, err // a text for the user
	}
	fromPlan, err := settings{}.overlaidWith(planSettings(params.Plan.Properties))
	if err != nil {
		return properties, operatorError(fmt.Errorf("the plan's properties: %w", err))
	}
	properties.Requested = requested
	properties.settings = requested.or(fromPlan).or(defaults())
	return properties, nil
}

func instanceGroups(params serviceadapter.GenerateManifestParams, properties cacheProperties) ([]bosh.InstanceGroup, error) {
	for _, group := range params.Plan.InstanceGroups {
		if group.Name != instanceGroup {
			return nil, fmt.Errorf("the plan has an instance group %q; this service knows only %q", group.Name, instanceGroup)
		}
	}
	groups, err := serviceadapter.GenerateInstanceGroupsWithNoProperties(params.Plan.InstanceGroups,
		params.ServiceDeployment.Releases, stemcellAlias, map[string][]string{instanceGroup: {job}})
	if err != nil {
		return nil, err
	}
	if len(groups) != 1 {
		return nil, fmt.Errorf("the plan has %d instance groups %q instead of one", len(groups), instanceGroup)
	}
	groups[0].Jobs[0].Properties = map[string]interface{}{propertiesKey: properties}
	return groups, nil
}

func onlyStemcell(stemcells []serviceadapter.Stemcell) (bosh.Stemcell, error) {
	if len(stemcells) != 1 {
		return bosh.Stemcell{}, fmt.Errorf("%d stemcells are configured; this service needs exactly one", len(stemcells))
	}
	only := stemcells[0]
	return bosh.Stemcell{Alias: stemcellAlias, Name: only.Name, OS: only.OS, Version: only.Version}, nil
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

// checkPlanChange refuses to take nodes away: what they hold would be lost.
func checkPlanChange(plan serviceadapter.Plan, previous *serviceadapter.Plan) error {
	if previous == nil || nodes(plan) >= nodes(*previous) {
		return nil
	}
	return fmt.Errorf("this plan has fewer nodes (%d) than the instance has now (%d); a cache can't be made smaller",
		nodes(plan), nodes(*previous))
}

func nodes(plan serviceadapter.Plan) int {
	total := 0
	for _, group := range plan.InstanceGroups {
		total += group.Instances
	}
	return total
}

// operatorError logs what only the operator can mend and returns a text for the user, who sees what an adapter's error
// says.
func operatorError(err error) error {
	fmt.Fprintf(os.Stderr, "cache-adapter: %v\n", err)
	return errors.New("the cache service is not configured correctly; please tell the operator")
}
