package broker

import (
	"context"
	"fmt"
	"log/slog"

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
	at := b.Now()
	plans, err := b.census.Plans(ctx)
	if err != nil {
		return nil, fmt.Errorf("counting the instances: %w", err)
	}
	sizes := map[string]int{}
	for _, planID := range plans {
		sizes[planID]++
	}
	b.watching.keep(tallied{at: at, sizes: sizes})
	return sizes, nil
}

// metricsOf makes the figures from the number of instances of each plan, by its id. Figures of quotas may be negative.
func metricsOf(catalog config.ServiceCatalog, counts map[string]int) []Metric {
	var metrics []Metric
	tell := func(key string, value int) {
		metrics = append(metrics, Metric{Key: key, Value: float64(value), Unit: "count"})
	}
	for _, u := range usageOf(catalog, counts) {
		at, used, left := "/on-demand-broker/"+catalog.Name, "/total_instances", "/quota_remaining"
		if u.Plan != "" {
			at += "/" + u.Plan
		}
		if u.Resource != "" {
			used, left = "/"+u.Resource+"/used", "/"+u.Resource+"/remaining"
		}
		tell(at+used, u.Used)
		if u.Limit != nil {
			tell(at+left, *u.Limit-u.Used)
		}
	}
	return metrics
}
