package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/on-demand-broker/odb/boshclient"
)

// errNoTask is why an operation can't be told about.
var errNoTask = errors.New("the Director has no task of the operation")

// withoutTask answers for an operation whose task the Director doesn't have: it keeps a limited number of those that have ended.
// What it has of the instance, and what is remembered, say how the operation ended, if anything does.
func (b *Broker) withoutTask(ctx context.Context, instanceID string, operation Operation, cause error) (Polled, error) {
	if cause == nil {
		cause = errNoTask
	}
	end, err := b.endOf(ctx, instanceID, operation)
	switch {
	case err != nil:
		return Polled{}, b.cannotTell(ctx, instanceID, operation, err)
	case end == cannotTell:
		return Polled{}, b.cannotTell(ctx, instanceID, operation, cause)
	case end == fail:
		return b.report(ctx, instanceID, operation, decision{action: fail, task: boshclient.Task{ID: operation.BoshTaskID, Result: errNoTask.Error()}})
	default:
		return b.report(ctx, instanceID, operation, decision{action: end})
	}
}

// endOf tells how an operation without a task ended. Of a deletion the deployment alone tells.
func (b *Broker) endOf(ctx context.Context, instanceID string, o Operation) (action, error) {
	name := deploymentName(instanceID)
	var deployed boshclient.Deployment
	var configs instanceConfigs
	there := true
	err := sideBySide(ctx,
		func(ctx context.Context) (err error) {
			if deployed, err = b.Deployments.Deployment(ctx, name); errors.Is(err, boshclient.ErrNotFound) {
				there = false
				return nil
			}
			return err
		},
		func(ctx context.Context) (err error) {
			if o.deletes() {
				return nil
			}
			if configs, err = b.readConfigs(ctx, name); forbidden(err) {
				return nil
			}
			return err
		},
	)
	switch {
	case err != nil:
		return cannotTell, fmt.Errorf("looking for deployment %s: %w", name, err)
	case o.deletes() && there && o.taskless():
		return fail, nil // nobody deletes it, and nobody will
	case o.deletes() && there:
		return cannotTell, nil
	case o.deletes():
		return succeed, nil
	case !there && configs.record == nil:
		return cannotTell, refuse(NotFound, "Service instance %s does not exist", instanceID)
	}
	own, err := b.ownRecord(ctx, instanceID, o, configs.record)
	if err != nil {
		return cannotTell, err
	}
	return endByRecord(o, own, there, deployed), nil
}

// ownRecord is what is remembered of the operation; nil if the instance's last operation was another one. An operation of one step
// is known by its task only: it is the remembered one if that is of its type and has no task any more, either.
func (b *Broker) ownRecord(ctx context.Context, instanceID string, o Operation, known *record) (*recordedOperation, error) {
	switch {
	case known == nil || known.Operation.Type != o.OperationType:
		return nil, nil
	case o.BoshContextID != "" && o.BoshContextID != known.Operation.ContextID:
		return nil, nil
	case o.BoshContextID != "" || known.Operation.ContextID == "":
		return &known.Operation, nil
	}
	attempts, err := b.attempts(ctx, instanceID, known.Operation.asOperation())
	if err != nil || len(attempts) > 0 {
		return nil, err
	}
	return &known.Operation, nil
}

// endByRecord tells how a deploy ended by what is deployed: the Director keeps a manifest only once its deploy has succeeded. How
// errands ended it doesn't tell, nor can a manifest that has not changed.
func endByRecord(o Operation, own *recordedOperation, there bool, deployed boshclient.Deployment) action {
	creates := o.OperationType == OperationCreate
	switch {
	case own != nil && own.State == stateSucceeded:
		return succeed
	case own != nil && own.State == stateFailed:
		return fail
	case len(o.errands()) > 0, own == nil && !there:
		return cannotTell
	case !there, creates && deployed.BeingCreated:
		return fail
	case creates:
		return succeed
	case own == nil || own.Manifest == own.ManifestBefore:
		return cannotTell
	}
	switch manifestDigest(deployed.Manifest) {
	case own.Manifest:
		return succeed
	case own.ManifestBefore:
		return fail
	default:
		return cannotTell
	}
}
