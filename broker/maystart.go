package broker

import (
	"context"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
)

// ending is how an operation ended without a task that tells: the Director refused the next step, or had nothing left to delete.
type ending struct {
	over    bool
	refusal string
}

// of is the decision about an operation that ended so after the task.
func (e ending) of(after boshclient.Task) decision {
	if e.refusal != "" {
		return decision{action: fail, task: boshclient.Task{ID: after.ID, State: boshclient.StateError, Result: e.refusal}}
	}
	return decision{action: succeed, task: after}
}

// after is the key of what is known of the step after a task. Of a creation's last task the step that is due may be the
// creation's, or the deletion's that takes its place.
func (o Operation) after(task boshclient.Task) int {
	if o.cancels(task) {
		return -task.ID
	}
	return task.ID
}

// lateArrival is how long after a submission without an answer its task may still turn up: until then the step isn't
// submitted again.
const lateArrival = time.Minute

// mayStart makes sure that a step whose turn it is by the tasks was neither submitted nor refused before, and that the
// operation is still the instance's: polls come late, too, when the deployment is that of another operation.
func (b *Broker) mayStart(ctx context.Context, instanceID string, o Operation, due decision) (decision, error) {
	// What a creation submitted may turn up after it was cancelled.
	at := laterOf(b.unanswered.get(due.task.ID), b.unanswered.get(o.after(due.task)))
	if !at.IsZero() && b.Now().Sub(at) < lateArrival {
		return decision{action: wait}, nil
	}
	if end := b.ended.get(o.after(due.task)); end.over {
		return end.of(due.task), nil
	}
	if current, ok := b.carrier.of(instanceID); ok && !b.Switches.SideBySide && current.BoshContextID == o.BoshContextID {
		return due, nil // this process began it, or has it from the record, and nobody else ends it
	}
	configs, err := b.readConfigs(ctx, deploymentName(instanceID))
	if err != nil && !forbidden(err) {
		return decision{}, err
	}
	switch {
	case configs.record == nil && o.Cancels == "": // it was never remembered, as those of the predecessor
		return due, nil
	case configs.record == nil: // it has come to its end
		return decision{action: cannotTell}, nil
	case o.BoshContextID != "" && configs.record.Operation.Cancels == o.BoshContextID:
		return b.endedWithout(o, due, "the instance is being deleted"), nil
	case configs.record.Operation.ContextID != o.BoshContextID:
		return b.mayStartUnremembered(ctx, instanceID, o, due, *configs.record)
	case configs.record.Operation.State == stateFailed:
		return b.endedWithout(o, due, "the next step could not be started"), nil
	case configs.record.Operation.State == stateSucceeded: // the Director has forgotten the tasks after this one
		return b.endedWithout(o, due, ""), nil
	}
	return due, nil
}

// mayStartUnremembered is mayStart for an operation that isn't the one that is remembered. Which of the two was begun later, the ids
// of their tasks tell, since the Director counts them up: by the first of this one's, as a later one may be of a submission that
// arrived late. What was begun before the one that is remembered has ended, and with an instance that is gone it is known how.
func (b *Broker) mayStartUnremembered(ctx context.Context, instanceID string, o Operation, due decision, known record) (decision, error) {
	remembered := known.Operation
	if remembered.ContextID == "" { // by an upgrade that found nothing to do: none of ours has been submitted yet
		return due, nil
	}
	tasks, err := b.Tasks.TasksByContext(ctx, deploymentName(instanceID), remembered.ContextID)
	if err != nil {
		return decision{}, err
	}
	first, last := span(tasks)
	switch {
	case len(tasks) == 0: // what is remembered was begun after this one, and its first step has yet to come
	case last < o.BoshTaskID: // one of the predecessor's, which keeps no record, after one of ours
		return due, nil
	case first < o.BoshTaskID: // they overlap
		return decision{action: cannotTell}, nil
	}
	madeAnew, err := b.madeAnew(ctx, instanceID, o, known)
	switch {
	case err != nil:
		return decision{}, err
	case !o.deletes() && (madeAnew || remembered.asOperation().deletes()):
		return b.endedWithout(o, due, "the instance has been deleted since"), nil
	case o.deletes() && madeAnew: // so it was gone
		b.cleaned.change(due.task.ID, func(bool) bool { return true }) // what there is of it now is the new one's
		return b.endedWithout(o, due, ""), nil
	default:
		return decision{action: cannotTell}, nil
	}
}

// madeAnew tells whether the instance was created after an operation that is not the one that is remembered, nor begun after that.
func (b *Broker) madeAnew(ctx context.Context, instanceID string, o Operation, known record) (bool, error) {
	if known.Operation.Type == OperationCreate {
		return true, nil
	}
	if known.CreatedBy == "" || known.CreatedBy == o.BoshContextID {
		return false, nil
	}
	tasks, err := b.Tasks.TasksByContext(ctx, deploymentName(instanceID), known.CreatedBy)
	first, _ := span(tasks)
	return first > o.BoshTaskID, err
}

// endedWithout is the end of an operation without the step that is due: it has failed if there is a reason. That is what it stays, also
// when another operation is remembered, or nothing any more.
func (b *Broker) endedWithout(o Operation, due decision, reason string) decision {
	end := ending{over: true, refusal: reason}
	b.ended.change(o.after(due.task), func(ending) ending { return end })
	return end.of(due.task)
}
