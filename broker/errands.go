package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/logs"
)

// errandsOf are a plan's errands in the form that an operation carries them: those at the start of the operation count,
// whatever the plan says later.
func errandsOf(configured []config.Errand) []Errand {
	var errands []Errand
	for _, e := range configured {
		errands = append(errands, Errand{Name: e.Name, Instances: e.Instances})
	}
	return errands
}

func (p *plan) postDeploy() []Errand {
	if p.LifecycleErrands == nil {
		return nil
	}
	return errandsOf(p.LifecycleErrands.PostDeploy)
}

func (p *plan) preDelete() []Errand {
	if p == nil || p.LifecycleErrands == nil {
		return nil
	}
	return errandsOf(p.LifecycleErrands.PreDelete)
}

// attempts are the operation's tasks, with the outcome of their errands. An operation of one step is its task.
func (b *Broker) attempts(ctx context.Context, instanceID string, o Operation) ([]attempt, error) {
	deployment := deploymentName(instanceID)
	if o.BoshContextID == "" || (o.BoshTaskID != 0 && len(o.steps()) == 1) {
		task, err := b.Tasks.Task(ctx, o.BoshTaskID)
		switch {
		case err != nil:
			return nil, fmt.Errorf("task %d: %w", o.BoshTaskID, err)
		case task.Deployment != "" && task.Deployment != deployment:
			return nil, refuse(BadRequest, "the operation is not one of service instance %s", instanceID)
		}
		return []attempt{{Task: task}}, nil
	}
	tasks, err := b.Tasks.TasksByContext(ctx, deployment, o.BoshContextID)
	if err != nil {
		return nil, fmt.Errorf("tasks of operation %s: %w", o.BoshContextID, err)
	}
	if o.Cancels != "" && len(tasks) == 0 { // once there are any, those before are over
		if tasks, err = b.Tasks.TasksByContext(ctx, deployment, o.Cancels); err != nil {
			return nil, fmt.Errorf("tasks of the creation %s: %w", o.Cancels, err)
		}
	}
	attempts := make([]attempt, len(tasks))
	for i, task := range tasks {
		attempts[i].Task = task
		if task.State == boshclient.StateDone && o.heedsErrands() && o.ran(deployment, task) {
			if attempts[i].errandFailed, err = b.errandFailed(ctx, task.ID); err != nil {
				return nil, fmt.Errorf("result of errand task %d: %w", task.ID, err)
			}
		}
	}
	return attempts, nil
}

// ran tells whether the task ran one of the operation's errands.
func (o Operation) ran(deployment string, task boshclient.Task) bool {
	for _, errand := range o.errands() {
		if (step{kind: stepErrand, errand: errand}).isOf(o, deployment, task) {
			return true
		}
	}
	return false
}

// errandFailed reads the exit codes of an errand that is done: to the Director an errand that fails is done, too. That
// one passed is remembered, so that it is asked for once.
func (b *Broker) errandFailed(ctx context.Context, taskID int) (bool, error) {
	if b.passed.get(taskID) {
		return false, nil
	}
	result, err := b.Tasks.TaskResult(ctx, taskID)
	if err != nil {
		return false, err
	}
	code, err := worstExitCode(result)
	if err != nil {
		return false, err
	}
	if code == 0 {
		b.passed.change(taskID, func(bool) bool { return true })
	}
	return code != 0, nil
}

// worstExitCode is the first exit code that isn't 0, of all the instances that an errand ran on. The result is one JSON
// document an instance.
func worstExitCode(result []byte) (int, error) {
	decoder := json.NewDecoder(bytes.NewReader(result))
	for {
		var run struct {
			ExitCode int `json:"exit_code"`
		}
		switch err := decoder.Decode(&run); {
		case errors.Is(err, io.EOF):
			return 0, nil
		case err != nil:
			return 0, errors.New("the errand's result is not JSON")
		case run.ExitCode != 0:
			return run.ExitCode, nil
		}
	}
}

// startStep submits the step that is due, under the instance's lock and after a second look at the tasks: however many
// polls find it due at one moment, it starts once. It returns the decision that then holds.
func (b *Broker) startStep(ctx context.Context, instanceID string, o Operation, due decision) (decision, error) {
	ctx, cancel := b.detached(ctx)
	defer cancel()
	// What isn't to be started keeps nobody else from the instance: neither its lock, nor a claim, which costs more than the record.
	if d, err := b.mayStart(ctx, instanceID, o, due); err != nil || d.action != start {
		return d, err
	}
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	switch {
	case refusal != nil && refusal.Kind != Concurrency:
		return decision{}, refusal
	case refusal != nil: // somebody else is at it
		return decision{action: wait}, nil
	}
	defer unlock()
	attempts, err := b.attempts(ctx, instanceID, o)
	if err != nil {
		return decision{}, err
	}
	d := next(o, deploymentName(instanceID), attempts)
	if d.action == start {
		d, err = b.mayStart(ctx, instanceID, o, d)
	}
	if err != nil || d.action != start {
		return d, err
	}
	return b.submitDue(ctx, instanceID, o, d)
}

// submitDue submits the step that is surely due. The caller holds the instance's lock.
func (b *Broker) submitDue(ctx context.Context, instanceID string, o Operation, d decision) (decision, error) {
	name := deploymentName(instanceID)
	if d.due.kind == stepErrand && o.cancels(d.task) { // the creation may have come too far to be cancelled
		_, errands, err := b.canRunErrands(ctx, name)
		switch {
		case err != nil:
			return decision{}, err
		case !errands:
			d.due = step{kind: stepDelete}
		}
	}
	taskID, err := b.submitStep(ctx, name, o, d.due)
	switch {
	case o.deletes() && errors.Is(err, boshclient.ErrNotFound): // gone is what it was to be
		return b.endedWithout(o, d, ""), nil
	case outcomeUnknown(err): // a later look at the tasks tells
		leaveClaim(ctx)
		now := b.Now()
		b.unanswered.change(o.after(d.task), func(time.Time) time.Time { return now })
		return decision{action: wait}, nil
	case isUnavailable(err):
		return decision{}, err
	case err != nil:
		b.Logger.ErrorContext(ctx, "step.refused", slog.String("step", d.due.String()), slog.String("error", err.Error()))
		if unstored := b.rememberState(ctx, name, o, stateFailed); unstored != nil && !forbidden(unstored) {
			return decision{}, unstored // no task would tell of the failure: what isn't on record isn't told
		}
		return b.endedWithout(o, d, err.Error()), nil
	}
	b.Logger.InfoContext(logs.With(ctx, slog.Int("task_id", taskID)), "step.submitted", slog.String("step", d.due.String()))
	return decision{action: wait, task: boshclient.Task{ID: taskID, State: boshclient.StateQueued}}, nil
}

func (s step) String() string {
	switch s.kind {
	case stepErrand:
		return "errand " + s.errand.Name
	case stepDelete:
		return "delete"
	case stepCancel:
		return "cancel the creation"
	default:
		return "deploy"
	}
}

func (b *Broker) submitStep(ctx context.Context, deployment string, o Operation, s step) (taskID int, err error) {
	if err := mustHold(ctx); err != nil {
		return 0, err
	}
	if s.kind == stepDelete {
		return b.Deployments.DeleteDeployment(ctx, boshclient.DeleteDeployment{
			Name: deployment, ContextID: o.BoshContextID, Force: o.OperationType == OperationForceDelete,
		})
	}
	return b.Deployments.RunErrand(ctx, boshclient.RunErrand{
		Deployment: deployment, Errand: s.errand.Name, Instances: s.errand.Instances, ContextID: o.BoshContextID,
	})
}
