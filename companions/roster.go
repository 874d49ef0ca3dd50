package companions

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// Broker is what is asked of the broker's management API (mgmtclient).
type Broker interface {
	Catalog(ctx context.Context) ([]mgmtclient.Offering, error)
	Instances(ctx context.Context, filter map[string]string) ([]mgmtclient.Instance, error)
	Instance(ctx context.Context, id, planID string) (mgmtclient.InstanceDetails, error)
	Pending(ctx context.Context, id, planID string) (mgmtclient.PendingChanges, error)
	Start(ctx context.Context, start mgmtclient.Start) (mgmtclient.Started, error)
	LastOperation(ctx context.Context, id, operationData string) (mgmtclient.LastOperation, error)
}

// CloudFoundry is what is asked of the platform (cfclient).
type CloudFoundry interface {
	Plans(ctx context.Context, offeringCatalogID string) ([]cfclient.Plan, error)
	Instances(ctx context.Context, filter cfclient.InstanceFilter) iter.Seq2[cfclient.Instance, error]
	Instance(ctx context.Context, guid string) (cfclient.Instance, error)
	Upgrade(ctx context.Context, guid, version string) (cfclient.UpgradeStarted, error)
	Job(ctx context.Context, guid string) (cfclient.Job, error)
}

// Roster is who there is: the instances that the broker lists, with what Cloud Foundry tells of them, and those that only
// Cloud Foundry has, such as instances that a broker without a platform's list has not met yet.
type Roster struct {
	Members []fleet.Member
	// Outdated are, in words for an operator, the plans whose maintenance version in Cloud Foundry isn't the catalog's.
	Outdated []string

	broker   Broker
	platform CloudFoundry // nil if there is none
	plans    *plans
	list     *relist

	mu       sync.Mutex
	versions map[string]versions // by instance, of those in Cloud Foundry
}

// versions are the maintenance version that an instance has in Cloud Foundry, and the one that its plan has there.
type versions struct{ deployed, plan string }

// behind tells whether Cloud Foundry offers an upgrade.
func (v versions) behind() bool { return v.plan != "" && v.plan != v.deployed }

// List makes the roster. platform may be nil.
func List(ctx context.Context, broker Broker, platform CloudFoundry) (*Roster, error) {
	offerings, err := broker.Catalog(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the broker's catalog: %w", err)
	}
	r := &Roster{broker: broker, platform: platform, plans: newPlans(offerings, platform), list: &relist{broker: broker}, versions: map[string]versions{}}
	instances, err := r.list.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the service instances: %w", err)
	}
	r.Members = make([]fleet.Member, 0, len(instances))
	places := make(map[string]int, len(instances))
	for _, instance := range instances {
		places[instance.ID] = len(r.Members)
		r.Members = append(r.Members, fleet.Member{ID: instance.ID, PlanID: instance.PlanID, Plan: r.plans.name(instance.PlanID)})
	}
	if platform == nil {
		return r, nil
	}
	if err := r.addPlatform(ctx, places); err != nil {
		return nil, fmt.Errorf("listing the service instances of Cloud Foundry: %w", err)
	}
	r.list = &relist{broker: broker} // it is seldom asked, and then reads anew
	return r, nil
}

// addPlatform adds what Cloud Foundry knows. places are the members by instance.
func (r *Roster) addPlatform(ctx context.Context, places map[string]int) error {
	guids, err := r.plans.readPlatform(ctx)
	if err != nil {
		return err
	}
	r.Outdated = r.plans.outdated()
	for instance, err := range r.platform.Instances(ctx, cfclient.InstanceFilter{PlanGUIDs: guids}) {
		if err != nil {
			return err
		}
		plan, _ := r.plans.ofPlatform(instance.PlanGUID)
		at, listed := places[instance.GUID]
		if !listed {
			at = len(r.Members)
			r.Members = append(r.Members, fleet.Member{ID: instance.GUID})
		}
		m := &r.Members[at]
		m.Name, m.Org, m.Space, m.PlanID, m.Plan = instance.Name, instance.Org, instance.Space, plan.CatalogID, plan.Name
		r.versions[instance.GUID] = versions{deployed: instance.MaintenanceVersion, plan: plan.MaintenanceVersion}
	}
	return nil
}

// UpgradeTo is the maintenance version that an instance is behind in Cloud Foundry; empty if it is behind none.
func (r *Roster) UpgradeTo(id string) string {
	if v, _ := r.versionsOf(id); v.behind() {
		return v.plan
	}
	return ""
}

// standing is where an instance stands now.
type standing struct {
	planID    string // of the catalog
	spaceGUID string
	version   versions
}

// now looks an instance up, since its plan may have changed since it was listed, and an upgrade to the plan of then would
// change it back. found is false if the platform has it no more.
func (r *Roster) now(ctx context.Context, id string) (at standing, found bool, err error) {
	if _, inPlatform := r.versionsOf(id); inPlatform {
		return r.nowInPlatform(ctx, id)
	}
	instance, found, err := r.list.find(ctx, id)
	if err != nil {
		return standing{}, false, fmt.Errorf("looking for the plan: %w", err)
	}
	return standing{planID: instance.PlanID, spaceGUID: instance.SpaceGUID}, found, nil
}

// versionsOf are an instance's in Cloud Foundry, as they were seen last.
func (r *Roster) versionsOf(id string) (v versions, inPlatform bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, inPlatform = r.versions[id]
	return v, inPlatform
}

func (r *Roster) noteVersions(id string, v versions) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.versions[id] = v
}
