package broker

import (
	"context"
	"errors"
	"log/slog"

	"github.com/on-demand-broker/odb/boshclient"
)

// directorCensus counts in the Director: an instance is there as long as its deployment is, from the moment that its creation
// is submitted until its deletion is done, whatever the platform knows of it. Its plan is what is remembered of it. A
// deployment of which nothing is remembered, made by the predecessor, is an instance of an unknown plan.
type directorCensus struct{ *Broker }

// Plans asks for the deployments and for what is remembered, both at once.
func (b directorCensus) Plans(ctx context.Context) (map[string]string, error) {
	var deployments []boshclient.DeploymentSummary
	var remembered map[string]ownership
	err := sideBySide(ctx,
		func(ctx context.Context) (err error) {
			deployments, err = b.Maintaining.Deployments(ctx)
			return err
		},
		func(ctx context.Context) (err error) {
			remembered, err = b.remembered(ctx)
			return err
		},
	)
	if err != nil {
		return nil, err
	}
	plans, unknown := make(map[string]string, len(deployments)), 0
	for _, deployment := range deployments {
		instanceID, isInstance := instanceOf(deployment.Name)
		known, found := remembered[instanceID]
		if !isInstance || (found && known.serviceID != b.offering.ID) {
			continue
		}
		if plans[instanceID] = known.planID; !found {
			unknown++
		}
	}
	b.Logger.InfoContext(ctx, "quotas.counted", slog.Int("instances", len(plans)), slog.Int("of_unknown_plan", unknown))
	return plans, nil
}

// ownership is what a count needs of a record: of fifty thousand, the rest would be most of it.
type ownership struct{ serviceID, planID string }

// remembered is whose the instances of all offerings are, by instance id; empty where that can't be had.
func (b directorCensus) remembered(ctx context.Context) (map[string]ownership, error) {
	byID := map[string]ownership{}
	err := b.eachRecord(ctx, func(r knownInstance) { byID[r.instanceID] = ownership{r.ServiceID, r.PlanID} })
	switch {
	case errors.Is(err, errNotRemembered): // which was told at the start
		return nil, nil
	case forbidden(err):
		b.Logger.WarnContext(ctx, "quotas.plans-unknown", slog.String("error", err.Error()))
		return nil, nil
	case err != nil:
		return nil, err
	}
	return byID, nil
}
