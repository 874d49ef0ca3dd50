package broker

import (
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/config"
)

// maintenanceInfo is what the catalog tells of a plan: the plan's version and description, else the offering's.
// OSB 2.17 knows no other keys and wants a version; Cloud Controller refuses a catalog with more.
func maintenanceInfo(global, own *config.MaintenanceInfo) *domain.MaintenanceInfo {
	var info domain.MaintenanceInfo
	for _, configured := range []*config.MaintenanceInfo{global, own} {
		if configured == nil {
			continue
		}
		if configured.Version != "" {
			info.Version = configured.Version
		}
		if configured.Description != "" {
			info.Description = configured.Description
		}
	}
	if info.Version == "" {
		return nil
	}
	return &info
}

// maintenanceVersion is a plan's in the catalog; empty if it has none.
func (o offering) maintenanceVersion(p *plan) string {
	return versionOf(maintenanceInfo(o.MaintenanceInfo, p.MaintenanceInfo))
}

func versionOf(info *domain.MaintenanceInfo) string {
	if info == nil {
		return ""
	}
	return info.Version
}

// checkMaintenanceInfo compares what a platform believes of a plan with the catalog, by version alone (OSB 2.17,
// Maintenance Info Object). A platform that sends none is not asked.
func (o offering) checkMaintenanceInfo(p *plan, believed *domain.MaintenanceInfo) *Error {
	switch current := o.maintenanceVersion(p); {
	case believed == nil:
		return nil
	case current == "":
		return refuse(MaintenanceInfoConflict, "maintenance_info was passed, but the catalog's plan %q has none: refresh the catalog", p.Name)
	case believed.Version != current:
		return refuse(MaintenanceInfoConflict, "maintenance_info.version %q is not the catalog's %q for plan %q: refresh the catalog", believed.Version, current, p.Name)
	default:
		return nil
	}
}

// change is a PATCH as the decider sees it.
type change struct {
	target, previous *plan // previous is nil if the platform didn't say, or named one that the catalog no longer has
	parameters       bool  // some were given
	requested        *domain.MaintenanceInfo
	before           *domain.MaintenanceInfo
}

// decide tells whether a PATCH is an update or the upgrade of one instance, or why it is neither. An upgrade changes
// the maintenance version alone.
func (o offering) decide(c change) (OperationType, *Error) {
	if err := o.checkMaintenanceInfo(c.target, c.requested); err != nil {
		return "", err
	}
	samePlan := c.previous == nil || c.previous.ID == c.target.ID
	if samePlan && !c.parameters && c.requested != nil && versionOf(c.requested) != versionOf(c.before) {
		return OperationUpgrade, nil
	}
	if c.before != nil && c.previous != nil && versionOf(c.before) != o.maintenanceVersion(c.previous) {
		return "", refuse(Refused, "Service instance needs to be upgraded before updating")
	}
	return OperationUpdate, nil
}
