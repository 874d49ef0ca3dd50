package broker

import (
	"maps"
	"slices"

	"github.com/on-demand-broker/odb/config"
)

// Usage is how much is used of something that may be limited.
type Usage struct {
	Plan     string // its name; empty for the offering as a whole
	Resource string // empty for the instances themselves
	Used     int
	Limit    *int // nil for none
}

// usageOf is what the instances use, from the number of them of each plan, by its id: plan by plan, and then in all.
func usageOf(catalog config.ServiceCatalog, counts map[string]int) []Usage {
	var all []Usage
	total, used := 0, map[string]int{}
	for _, count := range counts {
		total += count
	}
	for _, p := range catalog.Plans {
		count := counts[p.ID]
		all = append(all, Usage{Plan: p.Name, Used: count, Limit: p.Quotas.ServiceInstanceLimit})
		for _, kind := range slices.Sorted(maps.Keys(p.Quotas.Resources)) {
			resource := p.Quotas.Resources[kind]
			if resource.Cost == 0 {
				continue
			}
			used[kind] += count * resource.Cost
			u := Usage{Plan: p.Name, Resource: kind, Used: count * resource.Cost}
			if resource.Limit != 0 { // 0 means no limit here
				u.Limit = &resource.Limit
			}
			all = append(all, u)
		}
	}
	all = append(all, Usage{Used: total, Limit: catalog.GlobalQuotas.ServiceInstanceLimit})
	for _, kind := range slices.Sorted(maps.Keys(catalog.GlobalQuotas.Resources)) {
		limit := catalog.GlobalQuotas.Resources[kind].Limit
		all = append(all, Usage{Resource: kind, Used: used[kind], Limit: &limit})
	}
	return all
}
