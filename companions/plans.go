package companions

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// plans are those of the broker's catalog, and Cloud Foundry's of the same.
type plans struct {
	offerings []mgmtclient.Offering
	catalog   map[string]mgmtclient.Plan // by id
	platform  CloudFoundry

	mu   sync.Mutex
	byID map[string]cfclient.Plan // by Cloud Foundry's GUID
}

func newPlans(offerings []mgmtclient.Offering, platform CloudFoundry) *plans {
	p := &plans{offerings: offerings, catalog: map[string]mgmtclient.Plan{}, platform: platform}
	for _, offering := range offerings {
		for _, plan := range offering.Plans {
			p.catalog[plan.ID] = plan
		}
	}
	return p
}

// name is a plan's name, if it is in the catalog.
func (p *plans) name(id string) string { return p.catalog[id].Name }

// readPlatform reads Cloud Foundry's plans, of which it returns the GUIDs.
func (p *plans) readPlatform(ctx context.Context) (guids []string, err error) {
	byID := map[string]cfclient.Plan{}
	for _, offering := range p.offerings {
		found, err := p.platform.Plans(ctx, offering.ID)
		if err != nil {
			return nil, fmt.Errorf("the plans of offering %s: %w", offering.Name, err)
		}
		for _, plan := range found {
			byID[plan.GUID] = plan
			guids = append(guids, plan.GUID)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byID = byID
	return guids, nil
}

func (p *plans) ofPlatform(guid string) (cfclient.Plan, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	plan, known := p.byID[guid]
	return plan, known
}

// anew is ofPlatform after another look.
func (p *plans) anew(ctx context.Context, guid string) (cfclient.Plan, error) {
	if _, err := p.readPlatform(ctx); err != nil {
		return cfclient.Plan{}, err
	}
	if plan, known := p.ofPlatform(guid); known {
		return plan, nil
	}
	return cfclient.Plan{}, fmt.Errorf("plan %s of Cloud Foundry is none of the broker's", guid)
}

// outdated are the plans whose maintenance version in Cloud Foundry isn't the catalog's.
func (p *plans) outdated() (told []string) {
	for _, offering := range p.offerings {
		for _, plan := range offering.Plans {
			for _, registered := range p.byID {
				if registered.CatalogID == plan.ID && registered.MaintenanceVersion != plan.MaintenanceInfo.Version {
					told = append(told, fmt.Sprintf("plan %s has maintenance version %s in the broker's catalog and %s in Cloud Foundry: register the broker again before its instances are upgraded",
						plan.Name, orNone(plan.MaintenanceInfo.Version), orNone(registered.MaintenanceVersion)))
				}
			}
		}
	}
	return told
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}

// nowInPlatform asks Cloud Foundry for one instance.
func (r *Roster) nowInPlatform(ctx context.Context, id string) (at standing, found bool, err error) {
	instance, err := r.platform.Instance(ctx, id)
	switch {
	case errors.Is(err, cfclient.ErrNotFound):
		return standing{}, false, nil
	case err != nil:
		return standing{}, false, err
	}
	plan, known := r.plans.ofPlatform(instance.PlanGUID)
	if !known {
		if plan, err = r.plans.anew(ctx, instance.PlanGUID); err != nil {
			return standing{}, false, err
		}
	}
	version := versions{deployed: instance.MaintenanceVersion, plan: plan.MaintenanceVersion}
	return standing{planID: plan.CatalogID, spaceGUID: instance.SpaceGUID, version: version}, true, nil
}
