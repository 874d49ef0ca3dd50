package config

import (
	"maps"
	"slices"
)

// Quotas limit how many instances there may be and what they use up together.
type Quotas struct {
	// ServiceInstanceLimit is nil if there is none; 0 allows nothing.
	ServiceInstanceLimit *int                     `yaml:"service_instance_limit"`
	Resources            map[string]ResourceQuota `yaml:"resources"`
	legacyQuotas         `yaml:",inline"`
}

// ResourceQuota is about one kind of resource. Of a plan, Cost is what each of its instances uses, and Limit, if not
// zero, what all of them may use together. Of the offering, Limit is what all plans' instances may use together, even
// if it is zero.
type ResourceQuota struct {
	Limit int `yaml:"limit"`
	Cost  int `yaml:"cost"`
}

// legacyQuotas is how resources were spelt once.
type legacyQuotas struct {
	LegacyLimits map[string]int `yaml:"resource_limits"`
	LegacyCosts  map[string]int `yaml:"resource_costs"`
}

// QuotasNeedPlans tells whether there is a limit for which it must be known which plan each instance has.
func (c ServiceCatalog) QuotasNeedPlans() bool {
	return c.GlobalQuotas.limitsResources() || slices.ContainsFunc(c.Plans, func(p Plan) bool { return p.Quotas.limits() })
}

// limits tells whether anything is limited that must be counted.
func (q Quotas) limits() bool {
	return q.limitsResources() || (q.ServiceInstanceLimit != nil && *q.ServiceInstanceLimit > 0)
}

func (q Quotas) limitsResources() bool {
	for _, resource := range q.Resources {
		if resource.Limit != 0 {
			return true
		}
	}
	return false
}

// foldGlobal lets deprecated limits take the place of all resources, as the BOSH template did.
func (q *Quotas) foldGlobal(at section) {
	legacy := q.legacyQuotas
	q.legacyQuotas = legacyQuotas{}
	if len(legacy.LegacyCosts) > 0 {
		at.key("resource_costs").notice("has no effect here", "give the cost in each plan's quotas.resources")
	}
	if len(legacy.LegacyLimits) == 0 {
		return
	}
	resourceLimits(at, "which it replaces", len(q.Resources) > 0)
	q.Resources = make(map[string]ResourceQuota, len(legacy.LegacyLimits))
	for kind, limit := range legacy.LegacyLimits {
		q.Resources[kind] = ResourceQuota{Limit: limit}
	}
}

// foldPlan lets deprecated limits and costs take the place of the resources of the same kind, as the BOSH template did.
func (q *Quotas) foldPlan(at section) {
	legacy := q.legacyQuotas
	q.legacyQuotas = legacyQuotas{}
	kinds := map[string]ResourceQuota{}
	for kind, limit := range legacy.LegacyLimits {
		kinds[kind] = ResourceQuota{Limit: limit}
	}
	for kind, cost := range legacy.LegacyCosts {
		kinds[kind] = ResourceQuota{Limit: kinds[kind].Limit, Cost: cost}
	}
	if len(kinds) == 0 {
		return
	}
	replaced := slices.ContainsFunc(slices.Collect(maps.Keys(kinds)), func(kind string) bool { _, both := q.Resources[kind]; return both })
	if len(legacy.LegacyLimits) > 0 {
		resourceLimits(at, "whose limit and cost of the same kinds it replaces", replaced)
	}
	if len(legacy.LegacyCosts) > 0 {
		at.key("resource_costs").notice("is deprecated", "use resources.KIND.cost")
	}
	if q.Resources == nil {
		q.Resources = map[string]ResourceQuota{}
	}
	maps.Copy(q.Resources, kinds)
}

func resourceLimits(at section, how string, replaces bool) {
	at = at.key("resource_limits")
	if replaces {
		at.warn("is deprecated and stands beside resources, "+how, "move everything to resources")
		return
	}
	at.notice("is deprecated", "use resources.KIND.limit")
}

func (q Quotas) check(at section) {
	if q.ServiceInstanceLimit != nil && *q.ServiceInstanceLimit < 0 {
		at.key("service_instance_limit").warn("is negative", "give a number from 0, or remove it for no limit")
	}
	for _, kind := range slices.Sorted(maps.Keys(q.Resources)) {
		if resource := q.Resources[kind]; resource.Limit < 0 || resource.Cost < 0 {
			at.key("resources", kind).warn("has a negative limit or cost", "give numbers from 0")
		}
	}
}

// checkGlobal speaks about what is different at the level of the offering.
func (q Quotas) checkGlobal(at section) {
	for _, kind := range slices.Sorted(maps.Keys(q.Resources)) {
		resource, place := q.Resources[kind], at.key("resources", kind)
		if resource.Limit == 0 {
			place.notice("has no limit, which for all plans together means zero", "give a limit, or remove the resource for no limit")
		}
		if resource.Cost != 0 {
			place.key("cost").warn("has no effect here", "give the cost in each plan's quotas.resources")
		}
	}
}
