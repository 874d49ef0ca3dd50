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
func (b *Broker) Deprovision(ctx context.Context, instanceID string, details domain.DeprovisionDetails, asyncAllowed bool) (domain.DeprovisionServiceSpec, error) {
	ctx, cancel := b.detached(about(ctx, instanceID, slog.String("plan_id", details.PlanID)))
	defer cancel()

	if refusal := b.offering.offers(details.ServiceID); refusal != nil {
		return domain.DeprovisionServiceSpec{}, refusal
	}
	if !asyncAllowed {
		return domain.DeprovisionServiceSpec{}, asyncRequired()
	}
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	if refusal != nil {
		return domain.DeprovisionServiceSpec{}, refusal
	}
	defer unlock()

	operation := b.deletion(details.PlanID, details.Force)
	data, err := b.submitDelete(ctx, instanceID, details.PlanID, operation)
	if err != nil {
		return domain.DeprovisionServiceSpec{}, b.failed(ctx, instanceID, operation.OperationType, err)
	}
	return domain.DeprovisionServiceSpec{IsAsync: true, OperationData: data}, nil
}

// deletion is the operation that deletes an instance of a plan, which may have left the catalog, or be unknown.
func (b *Broker) deletion(planID string, force bool) Operation {
	operation := Operation{OperationType: OperationDelete, Errands: b.offering.plans[planID].preDelete()}
	if force {
		operation.OperationType = OperationForceDelete
	}
	return operation
}

// submitDelete submits the first step of the deletion: the first pre-delete errand, or the deletion itself. That the
// deployment isn't there is no failure: what else is left of the instance is cleaned up.
func (b *Broker) submitDelete(ctx context.Context, instanceID, planID string, operation Operation) (string, error) {
	name := deploymentName(instanceID)
	wanted := len(operation.Errands) > 0
	errands := wanted
	var before instanceConfigs
	var types *[]string
	err := sideBySide(ctx,
		func(ctx context.Context) error { return b.mustBeIdle(ctx, name) },
		func(ctx context.Context) (err error) {
			before, types, err = b.configsToDelete(ctx, instanceID, wanted)
			return err
		},
		func(ctx context.Context) (err error) {
			if wanted {
				errands, err = b.canRunErrands(ctx, name)
			}
			return err
		},
	)
	if err != nil {
		return "", err
	}
	operation.Configs = types
	operation.UAAClient = operation.UAAClient || b.hasUAAClient(before.record)
	if !errands {
		operation.Errands = nil
	}
	operation.BoshContextID = deleteContextID(instanceID)
	if errands {
		operation.BoshContextID = newContextID(ctx) // the operation's alone, since its tasks are found by it
		if err := b.rememberDeletion(ctx, name, planID, before.record, &operation); err != nil {
			return "", err
		}
	}
	operation.BoshTaskID, err = b.submitFirst(ctx, name, operation)
	switch {
	case errors.Is(err, boshclient.ErrNotFound):
		if err := b.deleteLeftovers(ctx, instanceID, operation); err != nil {
			return "", err
		}
		return "", refuse(Gone, "Service instance %s does not exist", instanceID)
	case err != nil:
		switch {
		case errands && outcomeUnknown(err):
			b.carryAlone(instanceID, operation)
		case errands && !b.Switches.DisableBOSHConfigs:
			b.putBack(ctx, name, recordType, before.text)
		}
		return "", fmt.Errorf("deleting deployment %s: %w", name, err)
	}
	b.Logger.InfoContext(logs.With(ctx, slog.Int("task_id", operation.BoshTaskID)), "delete.submitted",
		slog.String("operation", string(operation.OperationType)), slog.Int("errands", len(operation.Errands)))
	b.tell(ctx, "instance", string(operation.OperationType))
	return b.handOut(instanceID, operation)
}

// canRunErrands tells whether the deployment can run errands. One that never came up can't, and must be deletable all the same.
func (b *Broker) canRunErrands(ctx context.Context, deployment string) (bool, error) {
	deployed, err := b.Deployments.Deployment(ctx, deployment)
	switch {
	case errors.Is(err, boshclient.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking for deployment %s: %w", deployment, err)
	case deployed.BeingCreated:
		b.Logger.WarnContext(ctx, "delete.without-errands", slog.String("problem", "the instance was never deployed successfully, its pre-delete errands can't run"))
		return false, nil
	}
	return true, nil
}

// rememberDeletion notes, before the first errand, that errands are to run and the deployment then is to go. An instance of which
// nothing was remembered is from now on. The record goes with the rest.
func (b *Broker) rememberDeletion(ctx context.Context, name, planID string, known *record, o *Operation) error {
	if b.Switches.DisableBOSHConfigs {
		return nil
	}
	now := b.Now().UTC()
	r := record{ServiceID: b.offering.ID, PlanID: planID, CreatedAt: now}
	if known != nil {
		r = *known
	}
	if o.Configs != nil && !slices.Contains(*o.Configs, recordType) {
		types := append(slices.Clone(*o.Configs), recordType)
		o.Configs = &types
	}
	r.UpdatedAt, r.Operation = now, recordOf(*o, now)
	if err := b.rewriteRecord(ctx, name, r); err != nil && !forbidden(err) {
		return err
	}
	return nil
}

// submitFirst submits the first step, and finds its task if the answer gets lost: errands have a context id of their own, and
// but for the deletion nothing runs on the deployment.
func (b *Broker) submitFirst(ctx context.Context, name string, o Operation) (taskID int, err error) {
	taskID, err = b.submitStep(ctx, name, o, o.steps()[0])
	if !outcomeUnknown(err) {
		return taskID, err
	}
	return b.lostTask(ctx, err, func() ([]boshclient.Task, error) {
		if len(o.Errands) > 0 {
			return b.Tasks.TasksByContext(ctx, name, o.BoshContextID)
		}
		return b.Tasks.TasksInProgress(ctx, name)
	})
}

// configsToDelete are those that the instance has and the types to remove at the end of the deletion; nil (look again then) if they can't be
// read now, which is no reason to keep a deployment. With errands it is one to wait: a deletion in several steps has to be
// remembered, or it would pass for an earlier operation's later.
func (b *Broker) configsToDelete(ctx context.Context, instanceID string, errands bool) (instanceConfigs, *[]string, error) {
	configs, err := b.readConfigs(ctx, deploymentName(instanceID))
	if err != nil && errands && !forbidden(err) {
		return configs, nil, err
	}
	if err != nil {
		b.Logger.WarnContext(ctx, "delete.configs-unknown", slog.String("error", err.Error()))
		return instanceConfigs{}, nil, nil
	}
	types := configs.types()
	return configs, &types, b.mustBeFinished(ctx, instanceID, configs.record)
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
