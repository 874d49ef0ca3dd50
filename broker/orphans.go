package broker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
)

// OrphanDeployment is a deployment whose instance the platform doesn't know, in the form of the management API of old.
type OrphanDeployment struct {
	DeploymentName string `json:"deployment_name"`
}

// Orphans are what is there of instances that the platform doesn't know, in the form of the management API.
type Orphans struct {
	Grace   string         `json:"grace"`
	Orphans []Orphan       `json:"orphans"`
	Spared  []SparedOrphan `json:"spared"` // that may not be removed, or not yet
}

// Orphan is one of them. Without a deployment it is what was left of an instance.
type Orphan struct {
	InstanceID     string     `json:"service_instance_id"`
	DeploymentName string     `json:"deployment_name"`
	PlanID         string     `json:"plan_id,omitempty"` // missing if nobody knows it
	Has            []string   `json:"has"`
	Ours           bool       `json:"ours"`                 // something shows that it is this service's; otherwise it may be another broker's
	ChangedAt      *time.Time `json:"changed_at,omitempty"` // missing if nothing tells
}

// SparedOrphan is one with what speaks against its removal.
type SparedOrphan struct {
	Orphan
	Why         string `json:"why"` // a Spared constant
	Description string `json:"description"`
}

// Why an orphan is spared.
const (
	SparedBusy         = "busy"
	SparedYoung        = "young"
	SparedOtherService = "other_service"
)

// spared says what speaks against removing what is there of an instance that the platform doesn't know; empty for nothing.
func (f facts) spared(serviceID string, grace time.Duration, now time.Time) (why, description string) {
	if others := f.isOthers(serviceID); others != "" {
		return SparedOtherService, others
	}
	if runs := f.busy(); runs != "" {
		return SparedBusy, runs
	}
	if age := max(now.Sub(f.changedAt()), 0); age < grace { // the Director's clock may be ahead
		return SparedYoung, fmt.Sprintf("it changed %s ago, and is left alone for %s (grace)", age.Round(time.Second), grace)
	}
	return "", ""
}

// OrphanDeployments lists the deployments of instances that the platform doesn't know and nobody works on, if nothing of them
// changed within the grace time (management API, GET /mgmt/orphan_deployments). Whoever reads it may delete them: in doubt there is no list.
func (b *Broker) OrphanDeployments(ctx context.Context, grace time.Duration) ([]OrphanDeployment, error) {
	all, err := b.unknownInstances(ctx, b.deployedInstances)
	if err != nil {
		return nil, err
	}
	found, err := b.lookAtAll(ctx, all, func(ctx context.Context, instanceID string) (facts, error) {
		f := facts{instanceID: instanceID}
		err := b.askDirector(ctx, &f)
		return f, err
	})
	orphans := []OrphanDeployment{}
	for _, f := range found {
		if why, _ := f.spared(b.offering.ID, grace, b.Now()); why == "" && f.deployment != Missing {
			orphans = append(orphans, OrphanDeployment{DeploymentName: deploymentName(f.instanceID)})
		}
	}
	return orphans, err
}

// Orphans lists what is there of instances that the platform doesn't know: deployments, and what was left without one
// (management API, GET /mgmt/orphans).
func (b *Broker) Orphans(ctx context.Context, grace time.Duration) (Orphans, error) {
	orphans := Orphans{Grace: grace.String(), Orphans: []Orphan{}, Spared: []SparedOrphan{}}
	all, err := b.unknownInstances(ctx, b.deployedInstances, b.configuredInstances, b.instancesWithSecrets, b.instancesWithBindings)
	if err != nil {
		return orphans, err
	}
	found, err := b.lookAtAll(ctx, all, b.look)
	if err != nil {
		return orphans, err
	}
	for _, f := range found {
		if err := f.incomplete(); err != nil { // what isn't seen isn't listed
			return orphans, err
		}
		orphan := f.orphan(b.offering.ID)
		if len(orphan.Has) == 0 { // it went while we looked
			continue
		}
		if why, description := f.spared(b.offering.ID, grace, b.Now()); why != "" {
			orphans.Spared = append(orphans.Spared, SparedOrphan{orphan, why, description})
			continue
		}
		orphans.Orphans = append(orphans.Orphans, orphan)
	}
	return orphans, nil
}

func (f facts) orphan(serviceID string) Orphan {
	o := Orphan{InstanceID: f.instanceID, DeploymentName: deploymentName(f.instanceID), Has: f.has(), Ours: f.isOurs(serviceID)}
	if f.configs.record != nil {
		o.PlanID = f.configs.record.PlanID
	}
	if at := f.changedAt().UTC(); !at.IsZero() {
		o.ChangedAt = &at
	}
	return o
}

// unknownInstances are those that the sources have and the platform doesn't list, in order. The platform is asked last, so that
// an instance that is just being made has its place in its list.
func (b *Broker) unknownInstances(ctx context.Context, sources ...func(context.Context) ([]string, error)) ([]string, error) {
	if b.listed() == nil {
		return nil, refuse(Unsafe, "only the platform knows which deployments are orphans, and no list of its instances is configured: what the broker remembers doesn't say whether an instance is in use")
	}
	there := map[string]bool{}
	for _, source := range sources {
		found, err := source(ctx)
		if err != nil {
			return nil, err
		}
		for _, instanceID := range found {
			there[instanceID] = true
		}
	}
	instances, err := b.listedInstances(ctx)
	if err != nil {
		return nil, err
	}
	for _, instance := range instances {
		delete(there, instance.ID)
	}
	return slices.Sorted(maps.Keys(there)), nil
}

// deployedInstances are those that have a deployment, of whatever broker.
func (b *Broker) deployedInstances(ctx context.Context) ([]string, error) {
	all, err := b.Maintaining.Deployments(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the deployments: %w", err)
	}
	return instancesOf(all, func(d boshclient.DeploymentSummary) string { return d.Name }), nil
}

// configuredInstances are those that have BOSH configs, of whatever broker.
func (b *Broker) configuredInstances(ctx context.Context) ([]string, error) {
	if b.Switches.DisableBOSHConfigs {
		return nil, nil
	}
	there := map[string]bool{} // each has several
	err := b.Configs.EachConfig(ctx, boshclient.ConfigFilter{}, func(c boshclient.Config) {
		if instanceID, ok := instanceOf(c.Name); ok && c.Type != claimType {
			there[instanceID] = true
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listing the configs: %w", err)
	}
	return slices.Collect(maps.Keys(there)), nil
}

func (b *Broker) instancesWithSecrets(ctx context.Context) ([]string, error) {
	if b.ManifestSecrets == nil {
		return nil, nil
	}
	all, err := b.ManifestSecrets.DeploymentsWithSecrets(ctx, b.offering.ID)
	if err != nil {
		return nil, fmt.Errorf("listing the secrets: %w", err)
	}
	return instancesOf(all, func(name string) string { return name }), nil
}

func (b *Broker) instancesWithBindings(ctx context.Context) ([]string, error) {
	if b.BindingSecrets == nil {
		return nil, nil
	}
	all, err := b.BindingSecrets.InstancesWithBindings(ctx, b.offering.ID)
	if err != nil {
		return nil, fmt.Errorf("listing the bindings' credentials: %w", err)
	}
	return all, nil
}

// instancesOf are the instances that deployments' names are of.
func instancesOf[T any](all []T, nameOf func(T) string) []string {
	var instances []string
	for _, each := range all {
		if instanceID, ok := instanceOf(nameOf(each)); ok {
			instances = append(instances, instanceID)
		}
	}
	return instances
}

// lookedAtOnce bounds how many instances are looked at side by side.
const lookedAtOnce = 8

// lookAtAll looks at each of the instances, some at a time, and keeps their order.
func (b *Broker) lookAtAll(ctx context.Context, instanceIDs []string, look func(context.Context, string) (facts, error)) ([]facts, error) {
	var all []facts
	for some := range slices.Chunk(instanceIDs, lookedAtOnce) {
		found, requests := make([]facts, len(some)), make([]func(context.Context) error, len(some))
		for i, instanceID := range some {
			requests[i] = func(ctx context.Context) (err error) {
				found[i], err = look(ctx, instanceID)
				return err
			}
		}
		if err := sideBySide(ctx, requests...); err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
