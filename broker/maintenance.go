package broker

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/config"
)

// maintenanceInfo is what the catalog tells of a plan: the plan's own lies over the offering's, key by key. OSB 2.17 knows
// version and description only, and wants a version; Cloud Controller refuses a catalog with more. With full set it is what
// the existing broker tells, public values and the digest of private ones included.
func maintenanceInfo(global, own *config.MaintenanceInfo, full bool) *domain.MaintenanceInfo {
	var info domain.MaintenanceInfo
	public, private := map[string]string{}, map[string]config.Secret{}
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
		maps.Copy(public, configured.Public)
		maps.Copy(private, configured.Private)
	}
	if full {
		info.Private = privateDigest(private)
		if len(public) > 0 {
			info.Public = public
		}
	}
	if info.Version == "" && info.Private == "" && info.Public == nil {
		return nil
	}
	return &info
}

// privateDigest tells of private values that they changed, and nothing else. It must be the existing broker's to the bit, or
// every instance shows an upgrade after the change of brokers: the digest of the digests of keys and values, in the keys'
// order.
func privateDigest(private map[string]config.Secret) string {
	if len(private) == 0 {
		return ""
	}
	whole := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(private)) {
		for _, part := range []string{key, private[key].Reveal()} {
			digest := sha256.Sum256([]byte(part))
			whole.Write(digest[:])
		}
	}
	return hex.EncodeToString(whole.Sum(nil))
}

func versionOf(info *domain.MaintenanceInfo) string {
	if info == nil {
		return ""
	}
	return info.Version
}

func (o offering) maintenanceInfo(p *plan) *domain.MaintenanceInfo {
	return maintenanceInfo(o.MaintenanceInfo, p.MaintenanceInfo, o.fullMaintenanceInfo)
}

// sameMaintenance compares by version alone (OSB 2.17, Maintenance Info Object), or by all that the full catalog tells.
func (o offering) sameMaintenance(a, b *domain.MaintenanceInfo) bool {
	var left, right domain.MaintenanceInfo
	if a != nil {
		left = *a
	}
	if b != nil {
		right = *b
	}
	if !o.fullMaintenanceInfo {
		return left.Version == right.Version
	}
	return left.Version == right.Version && left.Private == right.Private && maps.Equal(left.Public, right.Public)
}

// checkMaintenanceInfo compares what a platform believes of a plan with the catalog. A platform that sends none is not
// asked.
func (o offering) checkMaintenanceInfo(p *plan, believed *domain.MaintenanceInfo) *Error {
	switch current := o.maintenanceInfo(p); {
	case believed == nil:
		return nil
	case current == nil:
		return refuse(MaintenanceInfoConflict, "maintenance_info was passed, but the catalog's plan %q has none: refresh the catalog", p.Name)
	case !o.sameMaintenance(believed, current):
		return refuse(MaintenanceInfoConflict, "maintenance_info (version %q) is not the catalog's (version %q) for plan %q: refresh the catalog", believed.Version, current.Version, p.Name)
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
// the maintenance info alone.
func (o offering) decide(c change) (OperationType, *Error) {
	if err := o.checkMaintenanceInfo(c.target, c.requested); err != nil {
		return "", err
	}
	samePlan := c.previous == nil || c.previous.ID == c.target.ID
	if samePlan && !c.parameters && c.requested != nil && !o.sameMaintenance(c.requested, c.before) {
		return OperationUpgrade, nil
	}
	if c.before != nil && c.previous != nil && !o.sameMaintenance(c.before, o.maintenanceInfo(c.previous)) {
		return "", refuse(Refused, "Service instance needs to be upgraded before updating")
	}
	return OperationUpdate, nil
}
