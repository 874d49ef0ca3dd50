package broker

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/on-demand-broker/odb/config"
)

// Metric is a figure in the form of the management API.
type Metric struct {
	Key   string  `json:"key"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// Metrics are how many instances there are, and how much of each quota is used and left (management API, GET /mgmt/metrics).
// The error is ErrNotRegistered if there is a platform that doesn't know the offering.
func (b *Broker) Metrics(ctx context.Context) ([]Metric, error) {
	if b.platform != nil {
		if _, err := b.platform.known(ctx); err != nil {
			return nil, err
		}
	}
	counts, err := b.sizes(ctx)
	if err != nil {
		return nil, err
	}
	for planID, count := range counts {
		if b.offering.plans[planID] == nil { // it counts for the offering, and has no name to be told by
			b.Logger.WarnContext(ctx, "metrics.unknown-plan", slog.String("plan_id", planID), slog.Int("instances", count))
		}
	}
	return metricsOf(b.offering.ServiceCatalog, counts), nil
}

// sizes are how many instances there are of each plan, by its id, as the quotas count them.
func (b *Broker) sizes(ctx context.Context) (map[string]int, error) {
	if b.Switches.DisableBOSHConfigs && b.listed() == nil {
		return nil, errNotRemembered
	}
	plans, err := b.census.Plans(ctx)
	if err != nil {
		return nil, fmt.Errorf("counting the instances: %w", err)
	}
	sizes := map[string]int{}
	for _, planID := range plans {
		sizes[planID]++
	}
	return sizes, nil
}

// metricsOf makes the figures from the number of instances of each plan, by its id. Figures of quotas may be negative.
func metricsOf(catalog config.ServiceCatalog, counts map[string]int) []Metric {
	var metrics []Metric
	tell := func(key string, value int) {
		metrics = append(metrics, Metric{Key: "/on-demand-broker/" + catalog.Name + key, Value: float64(value), Unit: "count"})
	}
	total, used := 0, map[string]int{}
	for _, count := range counts {
		total += count
	}
	for _, p := range catalog.Plans {
		count, at := counts[p.ID], "/"+p.Name
		tell(at+"/total_instances", count)
		if limit := p.Quotas.ServiceInstanceLimit; limit != nil {
			tell(at+"/quota_remaining", *limit-count)
		}
		for _, kind := range slices.Sorted(maps.Keys(p.Quotas.Resources)) {
			resource := p.Quotas.Resources[kind]
			if resource.Cost == 0 {
				continue
			}
			used[kind] += count * resource.Cost
			tell(at+"/"+kind+"/used", count*resource.Cost)
			if resource.Limit != 0 {
				tell(at+"/"+kind+"/remaining", resource.Limit-count*resource.Cost)
			}
		}
	}
	tell("/total_instances", total)
	if limit := catalog.GlobalQuotas.ServiceInstanceLimit; limit != nil {
		tell("/quota_remaining", *limit-total)
	}
	for _, kind := range slices.Sorted(maps.Keys(catalog.GlobalQuotas.Resources)) {
		tell("/"+kind+"/used", used[kind])
		tell("/"+kind+"/remaining", catalog.GlobalQuotas.Resources[kind].Limit-used[kind])
	}
	return metrics
}
