package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
)

// instanceConfigs are the named configs that carry a deployment's name: the adapter's, by type, and the broker's record.
type instanceConfigs struct {
	adapter map[string]string // nil if the operator disabled configs
	record  *record
	text    string // the record's
	// storedAt is when the latest of them was stored; zero if there are none.
	storedAt time.Time
}

// types lists all of them; of none it is an empty list, which is to know that there are none.
func (c instanceConfigs) types() []string {
	types := typesOf(c.adapter)
	if c.text != "" {
		types = append(types, recordType)
	}
	return types
}

// content is that of a type; empty if there is none.
func (c instanceConfigs) content(configType string) string {
	if configType == recordType {
		return c.text
	}
	return c.adapter[configType]
}

// typesOf lists the types in a fixed order.
func typesOf(configs map[string]string) []string {
	types := slices.AppendSeq(make([]string, 0, len(configs)), maps.Keys(configs))
	slices.Sort(types)
	return types
}

// readConfigs reads an instance's configs; none if the operator disabled them.
func (b *Broker) readConfigs(ctx context.Context, deployment string) (instanceConfigs, error) {
	if b.Switches.DisableBOSHConfigs {
		return instanceConfigs{}, nil
	}
	found, err := b.Configs.Configs(ctx, boshclient.ConfigFilter{Name: deployment})
	if err != nil {
		return instanceConfigs{}, fmt.Errorf("reading the configs named %s: %w", deployment, err)
	}
	configs := instanceConfigs{adapter: make(map[string]string, len(found))}
	for _, c := range found {
		if c.Type == claimType {
			continue // which is nothing of the instance's
		}
		if at := c.Created(); at.After(configs.storedAt) {
			configs.storedAt = at
		}
		if c.Type != recordType {
			configs.adapter[c.Type] = c.Content
			continue
		}
		configs.text = c.Content
		if configs.record, err = decodeRecord(c.Content); err != nil {
			b.Logger.WarnContext(ctx, "instance.record-unreadable", slog.String("error", err.Error()))
		}
	}
	return configs, nil
}

// storeConfigs stores what the adapter returned, and the record, before the deploy that they are for. If the deploy is then
// refused, what was there before is put back.
func (b *Broker) storeConfigs(ctx context.Context, d deployment, wanted instanceConfigs, undo *undo) error {
	deployment := d.name()
	b.planHints.forget(deployment)
	for _, configType := range wanted.types() {
		request := boshclient.CreateConfig{Type: configType, Name: deployment, Content: wanted.content(configType)}
		_, err := b.Configs.CreateConfig(ctx, request)
		if err == nil || outcomeUnknown(err) {
			undo.add(func() { b.putBack(ctx, deployment, configType, d.before.content(configType)) })
		}
		switch {
		case configType == recordType && forbidden(err):
			b.Logger.WarnContext(ctx, "instance.not-remembered", slog.String("error", err.Error()))
		case err != nil:
			return fmt.Errorf("storing the %s config %s: %w", configType, deployment, err)
		}
	}
	if wanted.text != "" {
		b.hintPlans(deployment, planHint{plans: []string{d.plan.ID}})
	}
	return nil
}

// forbidden tells whether the Director won't have it: a team without the right to write configs has instances all the same.
func forbidden(err error) bool {
	var rejected *boshclient.Rejected
	return errors.Is(err, boshclient.ErrUnauthorized) || errors.As(err, &rejected)
}

func (b *Broker) putBack(ctx context.Context, deployment, configType, content string) {
	b.planHints.forget(deployment)
	var err error
	if content == "" {
		err = b.Configs.DeleteConfig(ctx, configType, deployment)
	} else {
		_, err = b.Configs.CreateConfig(ctx, boshclient.CreateConfig{Type: configType, Name: deployment, Content: content})
	}
	if err != nil {
		b.Logger.ErrorContext(ctx, "config.not-put-back", slog.String("type", configType), slog.String("error", err.Error()))
	}
}

// deleteConfigs removes configs of the instance. types are those it is known to have; nil means that they have to be
// looked up.
func (b *Broker) deleteConfigs(ctx context.Context, deployment string, types *[]string) error {
	if b.Switches.DisableBOSHConfigs {
		return nil
	}
	if types == nil {
		current, err := b.readConfigs(ctx, deployment)
		if err != nil {
			return err
		}
		found := current.types()
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
