package main

import (
	"slices"

	"github.com/on-demand-broker/odb/config"
)

// notActedOn lists what a configuration asks for and this version doesn't do. The broker starts all the same, since the
// file is a good one, but whoever relies on a quota must not learn it from its absence.
func notActedOn(c *config.Config) []string {
	catalog := c.ServiceCatalog
	anyPlan := slices.ContainsFunc[[]config.Plan]
	var keys []string
	for _, feature := range []struct {
		key   string
		asked bool
	}{
		{"service_catalog.global_quotas", limited(catalog.GlobalQuotas)},
		{"service_catalog.plans[].quotas", anyPlan(catalog.Plans, func(p config.Plan) bool { return limited(p.Quotas) })},
	} {
		if feature.asked {
			keys = append(keys, feature.key)
		}
	}
	return keys
}

func limited(q config.Quotas) bool { return q.ServiceInstanceLimit != nil || len(q.Resources) > 0 }
