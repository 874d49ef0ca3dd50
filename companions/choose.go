package companions

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/on-demand-broker/odb/fleet"
)

// Choose lets the broker, or rather the source of its list, say which instances are meant. What the parameters mean is up to that;
// criteria are the same in words.
func Choose(ctx context.Context, broker Broker, params map[string]string) (selection fleet.Filter, criteria string, err error) {
	told := make([]string, 0, len(params))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		told = append(told, name+": "+params[name])
	}
	criteria = strings.Join(told, ", ")
	instances, err := broker.Instances(ctx, params)
	if err != nil {
		return fleet.Filter{}, criteria, fmt.Errorf("listing the service instances of %s: %w", criteria, err)
	}
	ids := make([]string, 0, len(instances))
	for _, instance := range instances {
		ids = append(ids, instance.ID)
	}
	return fleet.IDs(ids...), criteria, nil
}
