package broker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
)

// Platform is what the broker asks of Cloud Foundry. It changes nothing there.
type Platform interface {
	Info(ctx context.Context) (cfclient.Info, error)
	Plans(ctx context.Context, offeringCatalogID string) ([]cfclient.Plan, error)
	Count(ctx context.Context, planGUIDs ...string) (int, error)
	Instances(ctx context.Context, chosen cfclient.InstanceFilter) iter.Seq2[cfclient.Instance, error]
}

// ErrNotRegistered says that the platform doesn't know the offering, so that there is nothing to be said of its instances.
var ErrNotRegistered = errors.New("the platform does not know the service offering: the broker is not registered, or the credentials in cf.uaa may not see it")

const (
	listTimeout = 5 * time.Minute
	// countTimeout leaves an admission some of the minute that Cloud Controller waits for a broker.
	countTimeout = 40 * time.Second
)

// platformView is the platform as the source of instances.
type platformView struct {
	Platform
	offeringID string
}

// known are the plans of the offering that the platform knows, those that are no longer in the catalog included. The error is
// ErrNotRegistered if there are none.
func (p platformView) known(ctx context.Context) ([]cfclient.Plan, error) {
	plans, err := p.Plans(ctx, p.offeringID)
	if err != nil {
		return nil, fmt.Errorf("asking the platform for the plans: %w", err)
	}
	if len(plans) == 0 {
		return nil, ErrNotRegistered
	}
	return plans, nil
}

// List gives the platform's instances, those included that are being created or whose creation failed. cf_org and cf_space
// are names and come together; there are none where the platform has no such place.
func (p platformView) List(ctx context.Context, filter map[string]string) ([]Instance, error) {
	org, space, err := placeOf(filter)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	plans, err := p.known(ctx)
	if errors.Is(err, ErrNotRegistered) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	chosen := cfclient.InstanceFilter{Org: org, Space: space}
	catalogIDs := make(map[string]string, len(plans))
	for _, plan := range plans {
		chosen.PlanGUIDs = append(chosen.PlanGUIDs, plan.GUID)
		catalogIDs[plan.GUID] = plan.CatalogID
	}
	var instances []Instance
	for i, err := range p.Platform.Instances(ctx, chosen) {
		if err != nil {
			return nil, err
		}
		instances = append(instances, Instance{ID: i.GUID, PlanID: catalogIDs[i.PlanGUID], SpaceGUID: i.SpaceGUID})
	}
	return instances, nil
}

// checkPlatform asks the platform what can be asked at the start, and says what is odd. It reports whether there is no need to ask
// again: a platform that is away is no reason not to serve.
func (b *Broker) checkPlatform(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	info, missing, err := b.askPlatform(ctx)
	switch {
	case errors.Is(err, ErrNotRegistered):
		b.Logger.InfoContext(ctx, "start.not-registered", slog.String("problem", err.Error()))
	case errors.Is(err, cfclient.ErrNoV3), errors.Is(err, cfclient.ErrUnauthorized), errors.Is(err, cfclient.ErrForbidden):
		b.Logger.ErrorContext(ctx, "start.platform", slog.String("problem", err.Error()))
	case err != nil:
		b.Logger.WarnContext(ctx, "start.platform-away", slog.String("error", err.Error()))
		return false
	default:
		b.Logger.InfoContext(ctx, "start.platform", slog.String("api_version", info.APIVersion))
		b.tellMissing(ctx, missing)
	}
	return true
}

// askPlatform gives the number of instances of each plan that is not in the catalog, by its id there.
func (b *Broker) askPlatform(ctx context.Context) (info cfclient.Info, missing map[string]int, err error) {
	if info, err = b.Platform.Info(ctx); err != nil {
		return info, nil, err
	}
	plans, err := b.platform.known(ctx)
	if err != nil {
		return info, nil, err
	}
	missing = map[string]int{}
	for _, plan := range plans {
		if b.offering.plans[plan.CatalogID] != nil {
			continue
		}
		instances, err := b.Platform.Count(ctx, plan.GUID)
		if err != nil {
			return info, nil, fmt.Errorf("counting the instances of plan %q: %w", plan.Name, err)
		}
		missing[plan.CatalogID] += instances
	}
	return info, missing, nil
}
