package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/on-demand-broker/odb/boshclient"
)

// uploadConfigs stores the BOSH configs that the adapter returned under the deployment's name, in a fixed order.
// A type that is no longer returned stays.
func (b *Broker) uploadConfigs(ctx context.Context, deployment string, configs map[string]string) error {
	for _, configType := range typesOf(configs) {
		request := boshclient.CreateConfig{Type: configType, Name: deployment, Content: configs[configType]}
		if _, err := b.Configs.CreateConfig(ctx, request); err != nil {
			return fmt.Errorf("uploading the %s config %s: %w", configType, deployment, err)
		}
	}
	return nil
}

// currentConfigs are the instance's configs by type; nil if the operator disabled them.
func (b *Broker) currentConfigs(ctx context.Context, deployment string) (map[string]string, error) {
	if b.Switches.DisableBOSHConfigs {
		return nil, nil
	}
	found, err := b.Configs.Configs(ctx, boshclient.ConfigFilter{Name: deployment})
	if err != nil {
		return nil, fmt.Errorf("reading the configs named %s: %w", deployment, err)
	}
	byType := make(map[string]string, len(found))
	for _, c := range found {
		byType[c.Type] = c.Content
	}
	return byType, nil
}

// deleteConfigs removes what is left of the instance's configs. types are those it is known to have; nil means that
// they have to be looked up.
func (b *Broker) deleteConfigs(ctx context.Context, deployment string, types *[]string) error {
	if b.Switches.DisableBOSHConfigs {
		return nil
	}
	if types == nil {
		current, err := b.currentConfigs(ctx, deployment)
		if err != nil {
			return err
		}
		found := typesOf(current)
		types = &found
	}
	for _, configType := range *types {
		if err := b.Configs.DeleteConfig(ctx, configType, deployment); err != nil && !errors.Is(err, boshclient.ErrNotFound) {
			return fmt.Errorf("deleting the %s config %s: %w", configType, deployment, err)
		}
		b.Logger.InfoContext(ctx, "config.deleted", slog.String("type", configType))
	}
	return nil
}

// typesOf lists the types in a fixed order; of none it is an empty list, which is to know that there are none.
func typesOf(configs map[string]string) []string {
	types := slices.AppendSeq(make([]string, 0, len(configs)), maps.Keys(configs))
	slices.Sort(types)
	return types
}
