package broker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/logs"
)

// Recreate makes all VMs of an instance anew, from the manifest that is deployed (management API, operation_type=recreate).
func (b *Broker) Recreate(ctx context.Context, instanceID string, m Maintenance) (operation string, err error) {
	return b.maintain(ctx, instanceID, OperationRecreate, m, b.recreate)
}

func (b *Broker) recreate(ctx context.Context, d deployment) (operation string, err error) {
	if _, err := b.readDeployed(ctx, &d); err != nil {
		return "", err
	}
	o := Operation{OperationType: OperationRecreate, BoshContextID: newContextID(ctx), Errands: d.plan.postDeploy()}
	if err := b.rememberRecreation(ctx, d, o); err != nil && !forbidden(err) {
		return "", err
	}
	o.BoshTaskID, err = b.submit(ctx, d.name(), o, func() (int, error) {
		return b.Maintaining.Recreate(ctx, boshclient.Recreate{Name: d.name(), ContextID: o.BoshContextID})
	})
	if err != nil {
		if !outcomeUnknown(err) && !b.Switches.DisableBOSHConfigs {
			b.putBack(ctx, d.name(), recordType, d.before.text)
		}
		return "", fmt.Errorf("recreating deployment %s: %w", d.name(), err)
	}
	b.Logger.InfoContext(logs.With(ctx, slog.Int("task_id", o.BoshTaskID)), "recreate.submitted", slog.String("plan", d.plan.Name))
	b.announce(ctx, d.instanceID, d.plan.ID, o)
	return b.handOut(ctx, d.instanceID, o)
}

// rememberRecreation notes the operation. What else is remembered stays, since the deployment does.
func (b *Broker) rememberRecreation(ctx context.Context, d deployment, o Operation) error {
	if b.Switches.DisableBOSHConfigs {
		return nil
	}
	now := b.Now().UTC()
	r := record{ServiceID: b.offering.ID, terms: terms{PlanID: d.plan.ID}, Context: d.partContext, CreatedAt: now}
	if d.before.record != nil {
		r = d.before.record.settled(*d.agreed)
	}
	r.UpdatedAt, r.Operation = now, recordOf(o, now)
	return b.rememberBeginning(ctx, d.name(), r, d.before)
}
