package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/logs"
)

// passesPerSweep is how many passes of the carrier there are from one sweep to the next: an hour's, every ten seconds.
const passesPerSweep = 360

// sweep removes what is left of instances whose deletion nobody saw the end of: it was begun by a process that is gone, and the
// platform doesn't poll. They are those that are remembered and have no deployment.
func (b *Broker) sweep(ctx context.Context) error {
	if b.Switches.DisableBOSHConfigs {
		return nil
	}
	abandoned, err := b.withoutDeployment(ctx)
	switch {
	case forbidden(err): // asking again won't help
		b.Logger.WarnContext(ctx, "sweep.not-allowed", slog.String("error", err.Error()))
		return nil
	case err != nil:
		b.Logger.WarnContext(ctx, "sweep.delayed", slog.String("error", err.Error()))
		return err
	}
	for instanceID := range abandoned {
		ctx := logs.With(ctx, slog.String("instance_id", instanceID))
		if err := b.sweepOne(ctx, instanceID); err != nil { // the next sweep tries it again
			b.Logger.WarnContext(ctx, "sweep.left", slog.String("error", err.Error()))
		}
	}
	return nil
}

// withoutDeployment are the remembered instances of the offering that have none. Deployments are listed last: what is just being
// made has one by then, or a task.
func (b *Broker) withoutDeployment(ctx context.Context) (instanceIDs map[string]bool, err error) {
	instanceIDs = map[string]bool{}
	err = b.eachRecord(ctx, func(r knownInstance) {
		if r.ServiceID == b.offering.ID {
			instanceIDs[r.instanceID] = true
		}
	})
	if err != nil || len(instanceIDs) == 0 {
		return nil, err
	}
	deployments, err := b.Maintaining.Deployments(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the deployments: %w", err)
	}
	for _, deployment := range deployments {
		if instanceID, ok := instanceOf(deployment.Name); ok {
			delete(instanceIDs, instanceID)
		}
	}
	return instanceIDs, nil
}

// storedWithin is how exactly the Director says when a config was stored.
const storedWithin = time.Second

// sweepOne removes what is left of an instance if it is certain that it was deleted. Whoever works on it now sees to it himself.
func (b *Broker) sweepOne(ctx context.Context, instanceID string) error {
	if _, carried := b.carrier.of(instanceID); carried {
		return nil
	}
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	if refusal != nil {
		return nil
	}
	defer unlock()
	configs, deleted, err := b.wasDeleted(ctx, deploymentName(instanceID))
	if err != nil || !deleted {
		return err
	}
	types := configs.types()
	o := Operation{OperationType: OperationDelete, Configs: &types, UAAClient: b.hasUAAClient(configs.record), Parameters: configs.record.hasParameters()}
	if err := b.deleteLeftovers(ctx, instanceID, o); err != nil {
		return err
	}
	b.Logger.InfoContext(ctx, "sweep.removed", slog.Any("configs", types), slog.Bool("uaa_client", o.UAAClient))
	return nil
}

// wasDeleted tells whether the last that the Director did about an instance was to delete its deployment, and that after it was
// remembered: one that is just being made anew may have neither deployment nor task yet. Both times are the Director's.
func (b *Broker) wasDeleted(ctx context.Context, name string) (configs instanceConfigs, deleted bool, err error) {
	if configs, err = b.readConfigs(ctx, name); err != nil || configs.record == nil {
		return configs, false, err
	}
	latest, found, err := b.Maintaining.LatestTask(ctx, name)
	switch {
	case err != nil:
		return configs, false, fmt.Errorf("looking for the last task of deployment %s: %w", name, err)
	case !found || latest.State != boshclient.StateDone || !(step{kind: stepDelete}).isOf(Operation{}, name, latest):
		return configs, false, nil
	case configs.storedAt.IsZero() || configs.storedAt.Add(storedWithin).After(latest.StartedAt):
		return configs, false, nil
	}
	_, err = b.Deployments.Deployment(ctx, name)
	if errors.Is(err, boshclient.ErrNotFound) {
		return configs, true, nil
	}
	return configs, false, err
}
