package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/on-demand-broker/odb/boshclient"
)

// Orphan is a deployment whose instance the platform doesn't know, in the form of the management API.
type Orphan struct {
	DeploymentName string `json:"deployment_name"`
}

// errNoPlatform is why there is no list of orphans.
var errNoPlatform = errors.New("only the platform knows which deployments are orphans, and no list of its instances is configured: what the broker remembers doesn't say whether an instance is in use")

// Orphans lists the deployments of instances that the platform doesn't know (management API, GET /mgmt/orphan_deployments).
// Whoever reads it may delete them: in doubt there is no list.
//
// Deployments are looked for before the platform is asked, so that an instance that is just being made has its place in the
// platform's list; and once more after, so that one whose deletion just ended is gone from both.
func (b *Broker) Orphans(ctx context.Context) ([]Orphan, error) {
	if b.Options.Instances == nil {
		return nil, errNoPlatform
	}
	before, err := b.instanceDeployments(ctx)
	if err != nil {
		return nil, err
	}
	instances, err := b.ListInstances(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, instance := range instances {
		delete(before, deploymentName(instance.ID))
	}
	orphans := []Orphan{}
	if len(before) == 0 {
		return orphans, nil
	}
	if err := b.spareOthers(ctx, before); err != nil {
		return nil, err
	}
	after, err := b.Maintaining.Deployments(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the deployments again: %w", err)
	}
	for _, d := range after {
		if before[d.Name] {
			orphans = append(orphans, Orphan{DeploymentName: d.Name})
		}
	}
	return orphans, nil
}

// instanceDeployments are the names of the deployments that are of instances, of whatever broker.
func (b *Broker) instanceDeployments(ctx context.Context) (map[string]bool, error) {
	all, err := b.Maintaining.Deployments(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the deployments: %w", err)
	}
	names := map[string]bool{}
	for _, d := range all {
		if _, ok := instanceOf(d.Name); ok {
			names[d.Name] = true
		}
	}
	return names, nil
}

// spareOthers takes out the deployments that are remembered, but not as this offering's: another broker's, or unreadable.
func (b *Broker) spareOthers(ctx context.Context, deployments map[string]bool) error {
	if b.Switches.DisableBOSHConfigs {
		return nil
	}
	found, err := b.Configs.Configs(ctx, boshclient.ConfigFilter{Type: recordType})
	if err != nil {
		return fmt.Errorf("reading the remembered instances: %w", err)
	}
	for _, c := range found {
		if r, err := decodeRecord(c.Content); err != nil || r.ServiceID != b.offering.ID {
			delete(deployments, c.Name)
		}
	}
	return nil
}
