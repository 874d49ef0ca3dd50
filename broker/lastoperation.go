package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/logs"
)

// advance looks how an operation stands and starts the step that is due.
func (b *Broker) advance(ctx context.Context, instanceID string, operation Operation) (decision, error) {
	if operation.taskless() {
		return decision{action: cannotTell}, nil
	}
	attempts, err := b.attempts(ctx, instanceID, operation)
	if err != nil {
		return decision{}, err
	}
	d := next(operation, deploymentName(instanceID), attempts)
	if d.action == start {
		d, err = b.startStep(ctx, instanceID, operation, d)
	}
	if err == nil && d.action == halt {
		b.halt(ctx, d.task)
		d.action = wait
	}
	return d, err
}

// cannotTell is the answer to a poll that leaves the operation as it is.
func (b *Broker) cannotTell(ctx context.Context, instanceID string, operation Operation, cause error) *Error {
	failure := b.failed(ctx, instanceID, "", cause)
	if failure.Kind == Internal {
		incident := b.incident(ctx, instanceID, operation.OperationType)
		incident.taskID = operation.BoshTaskID
		failure.Message = incident.String()
	}
	return failure
}

// report words a decision for the platform.
func (b *Broker) report(ctx context.Context, instanceID string, operation Operation, d decision) (Polled, error) {
	switch d.action {
	case wait:
		var ran time.Duration
		if begun := d.task.StartedAt; !begun.IsZero() {
			ran = b.Now().Sub(begun)
		}
		return inProgress(operation, b.stage(ctx, operation, d.task), ran), nil
	case succeed:
		b.progress.forget(d.task.ID)
		return b.finish(ctx, instanceID, operation, d.task.ID)
	default:
		b.progress.forget(d.task.ID)
		b.Logger.ErrorContext(logs.With(ctx, slog.Int("failed_task_id", d.task.ID)), "operation.failed", slog.String("state", d.task.State), slog.String("result", d.task.Result))
		operation.BoshTaskID = d.task.ID // of several steps the one that failed is of interest
		polled, err := b.leaving(ctx, b.failedOperation(ctx, instanceID, operation, d.task.Result), operation, d.task)
		if err != nil {
			return Polled{}, b.cannotTell(ctx, instanceID, operation, err)
		}
		return polled, nil
	}
}

// finish does what is left when the last task is done: it removes what the operation leaves without a use. The task is 0 if
// the Director no longer has it.
func (b *Broker) finish(ctx context.Context, instanceID string, operation Operation, lastTask int) (Polled, error) {
	if !b.leavesSomething(operation) || b.cleaned.get(lastTask) {
		return completed(operation), nil
	}
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	switch {
	case refusal != nil && refusal.Kind != Concurrency:
		return Polled{}, b.cannotTell(ctx, instanceID, operation, refusal)
	case refusal != nil:
		return inProgress(operation, "cleaning up", 0), nil
	}
	defer unlock()
	err := b.cleanUp(ctx, instanceID, operation, lastTask)
	if err == nil {
		if lastTask != 0 {
			b.cleaned.change(lastTask, func(bool) bool { return true })
			if operation.deletes() { // nothing is left, not even a record to mark
				b.carrier.drop(instanceID, operation.BoshContextID)
			}
		}
		return completed(operation), nil
	}
	if failure := b.cannotTell(ctx, instanceID, operation, err); failure.Kind == Unavailable {
		return Polled{}, failure
	}
	b.Logger.ErrorContext(ctx, "operation.clean-up-failed", slog.String("error", err.Error()))
	return b.failedOperation(ctx, instanceID, operation, err.Error()), nil
}

// leavesSomething tells whether there is anything to do. Deletions of old don't say what the instance had.
func (b *Broker) leavesSomething(o Operation) bool {
	unknown := o.Configs == nil && o.deletes()
	some := o.Configs != nil && len(*o.Configs) > 0
	configs := !b.Switches.DisableBOSHConfigs && (unknown || some)
	secrets := b.ManifestSecrets != nil && o.deletes()
	return configs || o.UAAClient || o.Parameters || secrets
}

// deleteLeftovers removes what an instance has besides its deployment.
func (b *Broker) deleteLeftovers(ctx context.Context, instanceID string, o Operation) error {
	if o.UAAClient && b.UAAClients != nil {
		b.deleteUAAClient(ctx, instanceID)
	}
	if o.Parameters {
		if err := b.deleteParameters(ctx, instanceID); err != nil {
			return err
		}
	}
	if o.deletes() {
		b.planHints.forget(deploymentName(instanceID))
		if err := b.deleteSecrets(ctx, instanceID); err != nil {
			return err
		}
	}
	return b.deleteConfigs(ctx, deploymentName(instanceID), o.Configs)
}

// cleanUp removes the configs, unless they are somebody else's by now: an instance that was made anew under the same id
// keeps its own, and a later update may have brought back what an earlier one dropped. The poll came late then.
func (b *Broker) cleanUp(ctx context.Context, instanceID string, operation Operation, lastTask int) error {
	name := deploymentName(instanceID)
	if !operation.deletes() {
		configs, err := b.readConfigs(ctx, name)
		if err != nil {
			return err
		}
		if configs.record == nil || configs.record.Operation.ContextID != operation.BoshContextID {
			return nil
		}
		return b.deleteConfigs(ctx, name, operation.Configs)
	}
	if begun, err := b.begunAnew(ctx, instanceID, operation, lastTask); err != nil || begun {
		return err // it may be that its deployment isn't there yet
	}
	switch _, err := b.Deployments.Deployment(ctx, name); {
	case err == nil:
		return nil
	case !errors.Is(err, boshclient.ErrNotFound):
		return fmt.Errorf("looking for deployment %s: %w", name, err)
	}
	return b.deleteLeftovers(ctx, instanceID, operation)
}

// begunAnew tells whether the instance of a deletion that is over is being made anew: what another broker began, its task tells. What
// this one carries may also be from before the deletion, if it was taken on from the record.
func (b *Broker) begunAnew(ctx context.Context, instanceID string, deletion Operation, lastTask int) (bool, error) {
	name := deploymentName(instanceID)
	if b.Switches.SideBySide {
		tasks, err := b.Tasks.TasksInProgress(ctx, name)
		return len(tasks) > 0, err
	}
	other, ok := b.carrier.of(instanceID)
	if !ok || other.BoshContextID == deletion.BoshContextID {
		return false, nil
	}
	tasks, err := b.Tasks.TasksByContext(ctx, name, other.BoshContextID)
	_, last := span(tasks)
	return len(tasks) == 0 || last > lastTask, err
}

func inProgress(operation Operation, stage string, ran time.Duration) Polled {
	description := "Instance " + operationNouns[operation.OperationType] + " in progress"
	if stage != "" {
		description += ": " + stage
	}
	return Polled{LastOperation: domain.LastOperation{State: domain.InProgress, Description: description}, RetryAfter: pollAgainAfter(ran, leastBetweenPolls)}
}

func completed(operation Operation) Polled {
	return Polled{LastOperation: domain.LastOperation{State: domain.Succeeded, Description: "Instance " + operationNouns[operation.OperationType] + " completed"}}
}

// failedOperation describes a failure: to the user with what an operator needs to find it, with the Director's words
// only if the operator lets them out. The text of a failed upgrade is read by the errand that upgrades all.
func (b *Broker) failedOperation(ctx context.Context, instanceID string, operation Operation, detail string) Polled {
	description := fmt.Sprintf("Instance %s failed", operationNouns[operation.OperationType])
	if operation.OperationType == OperationUpgrade {
		description = fmt.Sprintf("Failed for bosh task: %d", operation.BoshTaskID)
	} else {
		incident := b.incident(ctx, instanceID, operation.OperationType)
		incident.taskID = operation.BoshTaskID
		description += ": " + incident.String()
	}
	if b.Switches.ExposeOperationalErrors && detail != "" {
		description += ", error-message: " + detail
	}
	return Polled{LastOperation: domain.LastOperation{State: domain.Failed, Description: description}}
}
