package broker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/logs"
)

// Deprovision starts the deletion of an instance (OSB 2.17, DELETE /v2/service_instances/:id). The plan may have left
// the catalog: what was sold must stay deletable.
func (b *Broker) Deprovision(ctx context.Context, instanceID string, details domain.DeprovisionDetails, asyncAllowed bool) (spec domain.DeprovisionServiceSpec, err error) {
	ctx, cancel := b.detached(about(ctx, instanceID, slog.String("plan_id", details.PlanID)))
	defer cancel()
	d := deletion{instanceID: instanceID, planID: details.PlanID, operation: b.deletionOf(details.PlanID, details.Force)}
	defer b.unlessBegun(d.operation.OperationType, details.PlanID, b.Now(), &err)

	if refusal := b.offering.offers(details.ServiceID); refusal != nil {
		return domain.DeprovisionServiceSpec{}, refusal
	}
	if !asyncAllowed {
		return domain.DeprovisionServiceSpec{}, asyncRequired()
	}
	data, err := b.deprovision(ctx, d)
	if err != nil {
		return domain.DeprovisionServiceSpec{}, b.failed(ctx, instanceID, d.operation.OperationType, err)
	}
	return domain.DeprovisionServiceSpec{IsAsync: true, OperationData: data}, nil
}

// deletion is what the deletion of one instance needs to know.
type deletion struct {
	instanceID, planID string
	operation          Operation

	// Of what there is; empty before it was looked for.
	tasks         []boshclient.Task // that have not ended
	before        instanceConfigs
	canRunErrands bool   // if there are any
	manifest      string // that is deployed, if there are errands
}

func (d deletion) name() string { return deploymentName(d.instanceID) }

// deletionOf is the operation that deletes an instance of a plan, which may have left the catalog, or be unknown.
func (b *Broker) deletionOf(planID string, force bool) Operation {
	operation := Operation{OperationType: OperationDelete, Errands: b.offering.plans[planID].preDelete()}
	if force {
		operation.OperationType = OperationForceDelete
	}
	return operation
}

// deprovision begins the deletion. What is under way decides how: a deletion is not begun twice, a creation is cancelled first,
// anything else is to be waited for.
func (b *Broker) deprovision(ctx context.Context, d deletion) (operation string, err error) {
	ctx, unlock, refusal := b.lock(ctx, d.instanceID)
	if refusal != nil {
		return b.deletedMeanwhile(ctx, d, refusal)
	}
	defer unlock()
	d, err = b.readBeforeDelete(ctx, d)
	if err != nil {
		return "", err
	}
	switch current, err := b.underWay(ctx, d); {
	case err != nil:
		return "", err
	case current.idle:
		return b.submitDelete(ctx, d)
	case current.operation.deletes():
		return b.handOut(ctx, d.instanceID, current.operation)
	case current.operation.OperationType == OperationCreate:
		return b.deleteInstead(ctx, d, current.operation)
	}
	return "", operationInProgress()
}

// readBeforeDelete looks what there is of the instance, all at once.
func (b *Broker) readBeforeDelete(ctx context.Context, d deletion) (deletion, error) {
	name, wanted := d.name(), len(d.operation.Errands) > 0
	err := sideBySide(ctx,
		func(ctx context.Context) (err error) {
			d.tasks, err = b.tasksInProgress(ctx, name)
			return err
		},
		func(ctx context.Context) (err error) {
			d.before, d.operation.Configs, err = b.configsToDelete(ctx, name, wanted)
			return err
		},
		func(ctx context.Context) (err error) {
			if wanted {
				d.manifest, d.canRunErrands, err = b.canRunErrands(ctx, name)
			}
			return err
		},
	)
	d.operation.UAAClient = d.operation.UAAClient || b.hasUAAClient(d.before.record)
	d.operation.Parameters = d.before.record.hasParameters()
	return d, err
}

// submitDelete submits the first step of the deletion: the first pre-delete errand, or the deletion itself. That the
// deployment isn't there is no failure: what else is left of the instance is cleaned up.
func (b *Broker) submitDelete(ctx context.Context, d deletion) (string, error) {
	o := d.operation
	errands := d.canRunErrands
	if !errands {
		o.Errands = nil
	}
	o.BoshContextID = deleteContextID(d.instanceID)
	if errands {
		o.BoshContextID = newContextID(ctx) // the operation's alone, since its tasks are found by it
		if err := b.rememberDeletion(ctx, d, &o); err != nil && !forbidden(err) {
			return "", err
		}
	}
	var err error
	o.BoshTaskID, err = b.submit(ctx, d.name(), o, func() (int, error) { return b.submitStep(ctx, d.name(), o, o.steps()[0]) })
	switch {
	case errors.Is(err, boshclient.ErrNotFound):
		if err := b.mustNotArrive(ctx, d); err != nil {
			return "", err
		}
		if err := b.deleteLeftovers(ctx, d.instanceID, o); err != nil {
			return "", err
		}
		return "", refuse(Gone, "Service instance %s does not exist", d.instanceID)
	case err != nil:
		switch {
		case errands && outcomeUnknown(err):
			b.carryAlone(ctx, d.instanceID, o)
		case errands && !b.Switches.DisableBOSHConfigs:
			b.putBack(ctx, d.name(), recordType, d.before.text)
		}
		return "", fmt.Errorf("deleting deployment %s: %w", d.name(), err)
	}
	b.Logger.InfoContext(logs.With(ctx, slog.Int("task_id", o.BoshTaskID)), "delete.submitted",
		slog.String("operation", string(o.OperationType)), slog.Int("errands", len(o.Errands)))
	b.announce(ctx, d.instanceID, d.planID, o)
	return b.handOut(ctx, d.instanceID, o)
}

// canRunErrands tells whether the deployment, of which it gives the manifest, can run errands. One that never came up can't, and must
// be deletable all the same.
func (b *Broker) canRunErrands(ctx context.Context, deployment string) (manifest string, can bool, err error) {
	deployed, err := b.Deployments.Deployment(ctx, deployment)
	switch {
	case errors.Is(err, boshclient.ErrNotFound):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("looking for deployment %s: %w", deployment, err)
	case deployed.BeingCreated:
		b.Logger.WarnContext(ctx, "delete.without-errands", slog.String("problem", "the instance was never deployed successfully, its pre-delete errands can't run"))
		return "", false, nil
	}
	return deployed.Manifest, true, nil
}

// rememberDeletion notes, before the first of several steps, that the deployment is to go. An instance of which nothing was
// remembered is from now on. The record goes with the rest.
func (b *Broker) rememberDeletion(ctx context.Context, d deletion, o *Operation) error {
	if b.Switches.DisableBOSHConfigs {
		return nil
	}
	now := b.Now().UTC()
	r := record{ServiceID: b.offering.ID, terms: terms{PlanID: d.planID}, CreatedAt: now}
	if d.before.record != nil {
		agreed, err := b.agreed(ctx, d.instanceID, d.before.record, d.manifest)
		if err != nil {
			return err
		}
		r = d.before.record.settled(*agreed)
	}
	if o.Configs != nil && !slices.Contains(*o.Configs, recordType) {
		types := append(slices.Clone(*o.Configs), recordType)
		o.Configs = &types
	}
	r.UpdatedAt, r.Operation = now, recordOf(*o, now)
	return b.rememberBeginning(ctx, d.name(), r, d.before)
}

// configsToDelete are those that the instance has and the types to remove at the end of the deletion; nil (look again then) if they can't be
// read now, which is no reason to keep a deployment. With errands it is one to wait: a deletion in several steps has to be
// remembered, or it would pass for an earlier operation's later.
func (b *Broker) configsToDelete(ctx context.Context, deployment string, errands bool) (instanceConfigs, *[]string, error) {
	configs, err := b.readConfigs(ctx, deployment)
	if err != nil && errands && !forbidden(err) {
		return configs, nil, err
	}
	if err != nil {
		b.Logger.WarnContext(ctx, "delete.configs-unknown", slog.String("error", err.Error()))
		return instanceConfigs{}, nil, nil
	}
	types := configs.types()
	return configs, &types, nil
}

// maxContextIDLength is the Director's.
const maxContextIDLength = 64

// deleteContextID groups the tasks of a deletion in the Director. An id too long for it is shortened to its digest.
func deleteContextID(instanceID string) string {
	const prefix = "delete-"
	if len(prefix)+len(instanceID) <= maxContextIDLength {
		return prefix + instanceID
	}
	digest := sha256.Sum256([]byte(instanceID))
	return prefix + hex.EncodeToString(digest[:20])
}
