package broker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/on-demand-broker/odb/boshclient"
)

// underWay is what goes on about an instance.
type underWay struct {
	idle      bool
	operation Operation // as it was handed out; without a type if it isn't known whose the Director's task is
}

// underWay tells what a deletion meets: an operation that is remembered, or a task of the Director.
func (b *Broker) underWay(ctx context.Context, d deletion) (underWay, error) {
	if o, ok := b.lastBegun(d.instanceID, d.before.record, d.tasks); ok {
		switch begun, err := b.standing(ctx, d.instanceID, o); {
		case err != nil:
			return underWay{}, err
		case begun.goesOn():
			if o.carried() {
				b.carryUnlessBusy(ctx, d.instanceID, o)
			}
			return underWay{operation: begun.operation}, nil
		}
	}
	if len(d.tasks) == 0 {
		return underWay{idle: true}, nil
	}
	task := d.tasks[0]
	b.Logger.InfoContext(ctx, "operation.in-progress", slog.Int("task_id", task.ID), slog.String("description", task.Description))
	i := slices.IndexFunc(d.tasks, func(t boshclient.Task) bool { return (step{kind: stepDelete}).isOf(Operation{}, d.name(), t) })
	if i < 0 {
		return underWay{}, nil
	}
	// It is a deletion, whoever began it. One of a single step is not remembered.
	o := d.operation
	o.Errands, o.BoshTaskID, o.BoshContextID = nil, d.tasks[i].ID, d.tasks[i].ContextID
	return underWay{operation: o}, nil
}

// lastBegun is the instance's last operation, if it may go on: it has steps left, or its task runs.
func (b *Broker) lastBegun(instanceID string, known *record, tasks []boshclient.Task) (o Operation, ok bool) {
	if o, ok := b.unfinished(instanceID, known); ok {
		return o, true
	}
	if known == nil || known.Operation.State != "" || known.Operation.ContextID == "" {
		return Operation{}, false
	}
	its := func(t boshclient.Task) bool { return t.ContextID == known.Operation.ContextID }
	return known.Operation.asOperation(), slices.ContainsFunc(tasks, its)
}

// mayArriveWithin is how long after its creation was begun an instance's deployment may turn up of which the Director has no task yet:
// as long as a submission may have waited for its answer, and then as late as it may arrive.
const mayArriveWithin = 2 * lateArrival

// mustNotArrive refuses to forget an instance without a deployment whose creation may still arrive, since its answer got lost: nobody
// would know then whose the deployment is, and the platform asks for the deletion again.
func (b *Broker) mustNotArrive(ctx context.Context, d deletion) error {
	known := d.before.record
	if known == nil || known.Operation.Type != OperationCreate || known.Operation.State != "" || b.Now().Sub(known.Operation.StartedAt).Abs() > mayArriveWithin {
		return nil
	}
	tasks, err := b.Tasks.TasksByContext(ctx, d.name(), known.Operation.ContextID)
	switch {
	case err != nil:
		return fmt.Errorf("looking for the task of the creation %s: %w", known.Operation.ContextID, err)
	case len(tasks) > 0:
		return nil
	}
	b.Logger.WarnContext(ctx, "delete.creation-may-arrive", slog.String("deployment", d.name()))
	return operationInProgress()
}

// deletedMeanwhile answers a deletion for which the instance could not be locked: if what is at work on it is a deletion, the
// answer is that one's. Where nothing is left of the deployment, it may be what makes the instance anew.
func (b *Broker) deletedMeanwhile(ctx context.Context, d deletion, refusal *Error) (operation string, err error) {
	if refusal.Kind != Concurrency {
		return "", refusal
	}
	d, err = b.readBeforeDelete(ctx, d)
	if err != nil {
		return "", err
	}
	switch current, err := b.underWay(ctx, d); {
	case err != nil:
		return "", err
	case current.operation.deletes() && (d.canRunErrands || len(d.tasks) > 0):
		return current.operation.handedOut()
	}
	return "", refusal
}

// deleteInstead begins the deletion of an instance that is being created (OSB 2.17, Deprovisioning: the creation is to be
// stopped). Its first step is to cancel the creation's task, which goes on to its next checkpoint, for minutes if need be: nobody
// waits for that here. From the record on, the creation starts no step. Where nothing can be remembered, it has to be waited for.
func (b *Broker) deleteInstead(ctx context.Context, d deletion, creation Operation) (operation string, err error) {
	if b.Switches.DisableBOSHConfigs || d.before.record == nil {
		return "", operationInProgress()
	}
	o := d.operation
	o.BoshContextID, o.Cancels = newContextID(ctx), creation.BoshContextID
	switch err := b.rememberDeletion(ctx, d, &o); {
	case forbidden(err):
		return "", operationInProgress()
	case err != nil:
		return "", err
	}
	b.Logger.InfoContext(ctx, "delete.instead-of-creation", slog.String("cancels", o.Cancels), slog.Int("errands", len(o.Errands)))
	b.announce(ctx, d.instanceID, d.planID, o)
	operation, err = b.handOut(ctx, d.instanceID, o)
	for _, task := range d.tasks {
		if task.ContextID == o.Cancels {
			b.halt(ctx, task)
		}
	}
	return operation, err
}

// halt cancels a task of a creation that a deletion takes the place of. What fails is tried again at the next look.
func (b *Broker) halt(ctx context.Context, task boshclient.Task) {
	if _, err := b.cancelTask(ctx, task); err != nil {
		b.Logger.WarnContext(ctx, "task.not-cancelled", slog.Int("task_id", task.ID), slog.String("error", err.Error()))
	}
}
