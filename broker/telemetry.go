package broker

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// telemetryEvery is how often the instances are counted for telemetry. What happens in between is told with the last count:
// counting asks whoever knows the instances for all of them.
const telemetryEvery = 10 * time.Minute

// telemetry is the numbers that the operator asked for in the log: a line with the total, and one for each plan, at the start,
// on a timer and when an operation begins.
type telemetry struct {
	counted time.Time // by one goroutine of Run

	mu      sync.Mutex
	perPlan map[string]int
}

// tell writes the lines of an event with the last count; none if there has been none.
func (b *Broker) tell(ctx context.Context, item, operation string) {
	if !b.Switches.EnableTelemetry {
		return
	}
	b.telemetry.mu.Lock()
	perPlan := b.telemetry.perPlan
	b.telemetry.mu.Unlock()
	if perPlan == nil {
		return
	}
	common := []slog.Attr{
		slog.String("telemetry-time", b.Now().UTC().Format(time.RFC3339)), slog.String("telemetry-source", "on-demand-broker"),
		slog.Group("service-offering", slog.String("name", b.offering.Name)),
		slog.Group("event", slog.String("item", item), slog.String("operation", operation)),
	}
	line := func(attr slog.Attr) {
		b.Logger.LogAttrs(ctx, slog.LevelInfo, "telemetry", append(slices.Clone(common), attr)...)
	}
	total := 0
	for _, count := range perPlan {
		total += count
	}
	line(slog.Group("service-instances", slog.Int("total", total)))
	for _, planID := range slices.Sorted(maps.Keys(perPlan)) {
		line(slog.Group("service-instances-per-plan", slog.String("plan-id", planID), slog.Int("total", perPlan[planID])))
	}
}

// count counts the instances, if it is time to, and tells it.
func (b *Broker) count(ctx context.Context) {
	now := b.Now()
	first := b.telemetry.counted.IsZero()
	if !b.Switches.EnableTelemetry || (!first && now.Sub(b.telemetry.counted) < telemetryEvery) {
		return
	}
	sizes, err := b.sizes(ctx)
	if err != nil {
		b.Logger.WarnContext(ctx, "telemetry.not-counted", slog.String("error", err.Error()))
		return
	}
	perPlan := make(map[string]int, len(b.offering.plans))
	for planID := range b.offering.plans {
		perPlan[planID] = 0
	}
	maps.Copy(perPlan, sizes)
	b.telemetry.counted = now
	b.telemetry.mu.Lock()
	b.telemetry.perPlan = perPlan
	b.telemetry.mu.Unlock()
	if first {
		b.tell(ctx, "broker", "startup")
	} else {
		b.tell(ctx, "broker", "count")
	}
}
