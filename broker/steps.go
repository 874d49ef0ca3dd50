package broker

import (
	"cmp"
	"slices"

	"github.com/on-demand-broker/odb/boshclient"
)

// An operation is carried out in steps, each of them one task of the Director: a deploy and then its post-deploy errands, or
// the pre-delete errands and then the deletion. A deletion that begins during the creation has a step before: that the tasks of the
// creation are over.
type step struct {
	kind   stepKind
	errand Errand
}

type stepKind int

const (
	stepDeploy stepKind = iota
	stepErrand
	stepDelete
	stepCancel
)

func (o Operation) steps() []step {
	var steps []step
	switch {
	case !o.deletes():
		steps = append(steps, step{kind: stepDeploy})
	case o.Cancels != "":
		steps = append(steps, step{kind: stepCancel})
	}
	for _, errand := range o.errands() {
		steps = append(steps, step{kind: stepErrand, errand: errand})
	}
	if o.deletes() {
		steps = append(steps, step{kind: stepDelete})
	}
	return steps
}

// errands are those of the operation; operations of old have at most one, under another name.
func (o Operation) errands() []Errand {
	single := o.PostDeployErrand
	if o.deletes() {
		single = o.PreDeleteErrand
	}
	switch {
	case len(o.Errands) > 0:
		return o.Errands
	case single.Name != "" && o.BoshContextID != "":
		return []Errand{single}
	default:
		return nil
	}
}

// heedsErrands tells whether an errand that fails ends the operation. By force an instance is deleted all the same.
func (o Operation) heedsErrands() bool { return o.OperationType != OperationForceDelete }

// heeds tells whether a step that fails ends the operation. How a creation ended that was cancelled doesn't matter.
func (o Operation) heeds(s step) bool {
	switch s.kind {
	case stepCancel:
		return false
	case stepErrand:
		return o.heedsErrands()
	default:
		return true
	}
}

// cancels tells whether a task is one of the creation that is to be over first.
func (o Operation) cancels(task boshclient.Task) bool {
	return o.Cancels != "" && task.ContextID == o.Cancels
}

const errandPrefix = "run errand "

// isOf tells whether a task is one of this step. Tasks are told apart by what the Director calls them, so that neither a
// task that somebody else ran under the same context id nor one that the Director has forgotten is miscounted.
func (s step) isOf(o Operation, deployment string, task boshclient.Task) bool {
	if o.cancels(task) || s.kind == stepCancel {
		return o.cancels(task) && s.kind == stepCancel
	}
	switch s.kind {
	case stepErrand:
		return task.Description == errandPrefix+s.errand.Name+" from deployment "+deployment
	case stepDelete:
		return task.Description == "delete deployment "+deployment
	default:
		if o.BoshTaskID == 0 { // as remembered, before there was a task
			return task.Description == "create deployment" // as updates and recreations are called, too
		}
		return task.ID == o.BoshTaskID
	}
}

// span is from the first to the last of the tasks, by their ids; 0 if there are none.
func span(tasks []boshclient.Task) (first, last int) {
	for _, task := range tasks {
		first, last = min(cmp.Or(first, task.ID), task.ID), max(last, task.ID)
	}
	return first, last
}

// attempt is a task with the one thing that its state doesn't tell: whether the errand that it ran exited well.
type attempt struct {
	boshclient.Task
	errandFailed bool
}

func (a attempt) failed() bool {
	return a.Ended() && (a.State != boshclient.StateDone || a.errandFailed)
}

// action is what is to be done about an operation.
type action int

const (
	wait    action = iota // the task runs
	start                 // the step is due
	succeed               // the last step is done
	fail                  // the task has failed, and with it the operation
	halt                  // the task is to be cancelled
	cannotTell
)

// goesOn tells whether the operation has not ended.
func (a action) goesOn() bool { return a == wait || a == start || a == halt }

// decision is an action with the task it is about, which is empty if there is none, and the step that is due.
type decision struct {
	action action
	task   boshclient.Task
	due    step
}

// next decides how an operation goes on from the tasks that were run for it, in any order. Steps run strictly one after
// another, so that a task of one step says that those before it are over, even if the Director has forgotten their tasks.
func next(o Operation, deployment string, tasks []attempt) decision {
	tasks = slices.Clone(tasks)
	slices.SortFunc(tasks, func(a, b attempt) int { return a.ID - b.ID })
	steps := o.steps()
	reached, last := -1, attempt{}
	for _, task := range tasks {
		if task.Deployment != "" && task.Deployment != deployment {
			continue
		}
		if o.cancels(task.Task) && !task.Ended() {
			return decision{action: cancelling(task.Task), task: task.Task}
		}
		if i := stepOf(o, deployment, steps, reached, task.Task); i >= 0 {
			reached, last = i, task
		}
	}
	switch {
	case reached < 0:
		return decision{action: cannotTell}
	case !last.Ended():
		return decision{action: wait, task: last.Task}
	case last.failed() && o.heeds(steps[reached]):
		return decision{action: fail, task: last.Task}
	case reached == len(steps)-1:
		return decision{action: succeed, task: last.Task}
	default:
		return decision{action: start, task: last.Task, due: steps[reached+1]}
	}
}

// cancelling is what is to be done about a task of a creation that is to be over.
func cancelling(task boshclient.Task) action {
	if task.State == boshclient.StateCancelling {
		return wait
	}
	return halt
}

// stepOf finds the step that a task belongs to: a later one than was reached before, since two errands may have one name,
// or else that one again, if it isn't the deploy: that is the first task of all, whatever others do under the context id. It is
// negative if the task is none of the operation's.
func stepOf(o Operation, deployment string, steps []step, reached int, task boshclient.Task) int {
	for i := reached + 1; i < len(steps); i++ {
		if steps[i].isOf(o, deployment, task) {
			return i
		}
	}
	if reached >= 0 && steps[reached].kind != stepDeploy && steps[reached].isOf(o, deployment, task) {
		return reached
	}
	return -1
}
