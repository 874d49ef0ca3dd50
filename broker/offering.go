package broker

import (
	"fmt"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/config"
)

// offering is what the operator sells: the catalog's service with its plans found by id, each as the adapter knows it.
type offering struct {
	config.ServiceCatalog
	plans               map[string]*plan
	fullMaintenanceInfo bool
}

type plan struct {
	config.Plan
	// adapter is the plan in the adapter protocol's words, its properties laid over the global ones.
	adapter adapterclient.Plan
}

func newOffering(catalog config.ServiceCatalog, fullMaintenanceInfo bool) (offering, error) {
	if catalog.ID == "" || len(catalog.Plans) == 0 {
		return offering{}, fmt.Errorf("there is nothing to serve: service_catalog needs an id and at least one plan")
	}
	o := offering{ServiceCatalog: catalog, fullMaintenanceInfo: fullMaintenanceInfo, plans: make(map[string]*plan, len(catalog.Plans))}
	for _, p := range catalog.Plans {
		if _, taken := o.plans[p.ID]; !taken { // the first of two with one id has always been the one
			o.plans[p.ID] = &plan{Plan: p, adapter: adapterPlan(catalog, p)}
		}
	}
	return o, nil
}

// plan finds a plan for a request that names both.
func (o offering) plan(serviceID, planID string) (*plan, *Error) {
	if err := o.offers(serviceID); err != nil {
		return nil, err
	}
	p, ok := o.plans[planID]
	if !ok {
		return nil, refuse(BadRequest, "plan_id %q is not a plan of service %q: see the catalog", planID, o.Name)
	}
	return p, nil
}

func (o offering) offers(serviceID string) *Error {
	if serviceID != o.ID {
		return refuse(BadRequest, "service_id %q is not in the catalog", serviceID)
	}
	return nil
}

func adapterPlan(catalog config.ServiceCatalog, p config.Plan) adapterclient.Plan {
	return adapterclient.Plan{
		Properties:       catalog.PropertiesOf(p),
		LifecycleErrands: adapterErrands(p.LifecycleErrands),
		InstanceGroups:   adapterGroups(p.InstanceGroups),
		Update:           adapterUpdate(p.Update),
	}
}

func adapterErrands(errands *config.LifecycleErrands) adapterclient.LifecycleErrands {
	if errands == nil {
		return adapterclient.LifecycleErrands{}
	}
	convert := func(list []config.Errand) []adapterclient.Errand {
		converted := make([]adapterclient.Errand, 0, len(list))
		for _, e := range list {
			converted = append(converted, adapterclient.Errand{Name: e.Name, Instances: e.Instances})
		}
		return converted
	}
	return adapterclient.LifecycleErrands{PostDeploy: convert(errands.PostDeploy), PreDelete: convert(errands.PreDelete)}
}

func adapterGroups(groups []config.InstanceGroup) []adapterclient.InstanceGroup {
	converted := make([]adapterclient.InstanceGroup, 0, len(groups))
	for _, g := range groups {
		group := adapterclient.InstanceGroup{
			Name: g.Name, VMType: g.VMType, VMExtensions: g.VMExtensions, PersistentDiskType: g.PersistentDiskType,
			Instances: g.Instances, Networks: g.Networks, AZs: g.AZs, Lifecycle: g.Lifecycle, Extra: g.Extra,
		}
		for _, from := range g.MigratedFrom {
			group.MigratedFrom = append(group.MigratedFrom, adapterclient.MigratedFrom{Name: from.Name})
		}
		converted = append(converted, group)
	}
	return converted
}

func adapterUpdate(update *config.Update) *adapterclient.Update {
	if update == nil {
		return nil
	}
	return &adapterclient.Update{
		Canaries: update.Canaries, CanaryWatchTime: update.CanaryWatchTime, UpdateWatchTime: update.UpdateWatchTime,
		MaxInFlight: update.MaxInFlight, Serial: update.Serial, InitialDeployAZUpdateStrategy: update.InitialDeployAZUpdateStrategy,
	}
}

func serviceDeployment(name string, deployment config.ServiceDeployment) adapterclient.ServiceDeployment {
	converted := adapterclient.ServiceDeployment{DeploymentName: name}
	for _, r := range deployment.Releases {
		converted.Releases = append(converted.Releases, adapterclient.Release{Name: r.Name, Version: r.Version, Jobs: r.Jobs})
	}
	for _, s := range deployment.Stemcells {
		converted.Stemcells = append(converted.Stemcells, adapterclient.Stemcell{Name: s.Name, OS: s.OS, Version: s.Version})
	}
	return converted
}
