package companions

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/fleet"
)

// Lister is what is asked of Cloud Foundry to know whom a deletion is about (cfclient).
type Lister interface {
	Broker(ctx context.Context, name string) (cfclient.Broker, error)
	Offerings(ctx context.Context, catalogID string) ([]cfclient.Offering, error)
	OfferingPlans(ctx context.Context, offeringGUIDs ...string) ([]cfclient.Plan, error)
	Instances(ctx context.Context, filter cfclient.InstanceFilter) iter.Seq2[cfclient.Instance, error]
	BoundInstances(ctx context.Context, planGUIDs ...string) (map[string]struct{}, error)
}

// Doomed are the instances of one service offering, in Cloud Foundry's eyes.
type Doomed struct {
	Members []fleet.Member // filled by List
	// Found is false if no broker that is registered has the offering.
	Found    bool
	Offering cfclient.Offering
	Plans    []cfclient.Plan

	platform Lister
	seen     map[string]cfclient.LastOperation // by instance; only those that are or were to be deleted
	bound    map[string]struct{}               // instances that were bound to apps or had keys
}

// FindDoomed finds the offering with an id of the catalog, but not yet its instances. If several brokers have the id, brokerName
// says which is meant; it may be empty otherwise, and has to be the right one if it isn't.
func FindDoomed(ctx context.Context, platform Lister, catalogID, brokerName string) (*Doomed, error) {
	d := &Doomed{platform: platform, seen: map[string]cfclient.LastOperation{}}
	var err error
	if d.Offering, d.Found, err = findOffering(ctx, platform, catalogID, brokerName); err != nil || !d.Found {
		return d, err
	}
	if d.Plans, err = platform.OfferingPlans(ctx, d.Offering.GUID); err != nil {
		return nil, fmt.Errorf("the plans of service offering %s: %w", d.Offering.Name, err)
	}
	return d, nil
}

// List finds the instances.
func (d *Doomed) List(ctx context.Context) error {
	byGUID := map[string]cfclient.Plan{}
	for _, plan := range d.Plans {
		byGUID[plan.GUID] = plan
	}
	for instance, err := range d.platform.Instances(ctx, cfclient.InstanceFilter{PlanGUIDs: guidsOf(d.Plans)}) {
		if err != nil {
			return fmt.Errorf("listing the service instances: %w", err)
		}
		plan := byGUID[instance.PlanGUID]
		d.Members = append(d.Members, fleet.Member{
			ID: instance.GUID, Name: instance.Name, Org: instance.Org, Space: instance.Space, PlanID: plan.CatalogID, Plan: plan.Name,
		})
		if instance.LastOperation.Type == operationDelete {
			d.seen[instance.GUID] = instance.LastOperation
		}
	}
	var err error
	if d.bound, err = d.platform.BoundInstances(ctx, guidsOf(d.Plans)...); err != nil {
		return fmt.Errorf("listing the bindings: %w", err)
	}
	return nil
}

// operationDelete is the type of the last operation of what is, or was, to be deleted.
const operationDelete = "delete"

func findOffering(ctx context.Context, platform Lister, catalogID, brokerName string) (offering cfclient.Offering, found bool, err error) {
	offerings, err := platform.Offerings(ctx, catalogID)
	switch {
	case err != nil:
		return cfclient.Offering{}, false, fmt.Errorf("looking for service offering %s: %w", catalogID, err)
	case len(offerings) == 0:
		return cfclient.Offering{}, false, nil
	case brokerName == "" && len(offerings) > 1:
		return cfclient.Offering{}, false, fmt.Errorf("%d brokers offer a service with the id %s: say which one is meant, by broker_name", len(offerings), catalogID)
	case brokerName == "":
		return offerings[0], true, nil
	}
	broker, err := platform.Broker(ctx, brokerName)
	if err != nil {
		return cfclient.Offering{}, false, fmt.Errorf("another broker offers the service with the id %s: %w", catalogID, err)
	}
	for _, offering := range offerings {
		if offering.BrokerGUID == broker.GUID {
			return offering, true, nil
		}
	}
	return cfclient.Offering{}, false, fmt.Errorf("the service with the id %s is another broker's, not that of %s", catalogID, brokerName)
}

// remaining are the instances that there are by now, in words; of a selection only those that are in it.
func (d *Doomed) remaining(ctx context.Context, selected []fleet.Member) (left []string, err error) {
	chosen := map[string]bool{}
	for _, member := range selected {
		chosen[member.ID] = true
	}
	all := len(selected) == len(d.Members) // then those count, too, that have come since
	for instance, err := range d.platform.Instances(ctx, cfclient.InstanceFilter{PlanGUIDs: guidsOf(d.Plans)}) {
		if err != nil {
			return nil, fmt.Errorf("listing the service instances that remain: %w", err)
		}
		if all || chosen[instance.GUID] {
			left = append(left, strings.TrimSpace(instance.GUID+" "+standingText(instance.LastOperation)))
		}
	}
	return left, nil
}

func standingText(last cfclient.LastOperation) string {
	if last.Type == "" {
		return ""
	}
	return fmt.Sprintf("(%s %s)", last.Type, last.State)
}

// CheckNoneRemains is the last look: its error names whoever of the selected is still
// there; if all were selected, also who has come since.
func (d *Doomed) CheckNoneRemains(ctx context.Context, selected []fleet.Member) error {
	left, err := d.remaining(ctx, selected)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%w: %s", ErrRemain, shortList(left))
	}
	return err
}

// ErrRemain says that there are instances after all deletions ended well: most likely made since.
var ErrRemain = errors.New("service instances remain")
