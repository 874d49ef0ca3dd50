package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
)

// RunningTask is a task that the Director has not ended, in the form of the management API.
type RunningTask struct {
	ID          int        `json:"id"`
	State       string     `json:"state"`
	Description string     `json:"description"`
	User        string     `json:"user,omitempty"`
	StartedAt   *time.Time `json:"started_at,omitempty"` // missing while it waits for a worker
}

func runningTasks(tasks []boshclient.Task) []RunningTask {
	running := make([]RunningTask, 0, len(tasks))
	for _, t := range tasks {
		task := RunningTask{ID: t.ID, State: t.State, Description: t.Description, User: t.User}
		if !t.StartedAt.IsZero() {
			started := t.StartedAt.UTC()
			task.StartedAt = &started
		}
		running = append(running, task)
	}
	return running
}

// Cancel asks the Director to cancel the tasks that change an instance, whoever began them, and lists them; none if there is
// nothing to cancel. A task goes on to its next checkpoint, and its operation then fails.
func (b *Broker) Cancel(ctx context.Context, instanceID string) ([]RunningTask, error) {
	ctx, cancel := b.detached(about(ctx, instanceID))
	defer cancel()
	cancelled, err := b.cancel(ctx, instanceID)
	if err != nil {
		return nil, b.failed(ctx, instanceID, "", err)
	}
	return runningTasks(cancelled), nil
}

func (b *Broker) cancel(ctx context.Context, instanceID string) (cancelled []boshclient.Task, err error) {
	name := deploymentName(instanceID)
	tasks, err := b.Tasks.TasksInProgress(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("looking for tasks of deployment %s: %w", name, err)
	}
	if len(tasks) == 0 {
		_, err := b.Deployments.Deployment(ctx, name)
		if errors.Is(err, boshclient.ErrNotFound) {
			return nil, refuse(NotFound, "Service instance %s does not exist", instanceID)
		}
		return nil, err
	}
	for _, task := range tasks {
		ended, err := b.cancelTask(ctx, task)
		if err != nil {
			return nil, fmt.Errorf("cancelling task %d: %w", task.ID, err)
		}
		if !ended {
			task.State = boshclient.StateCancelling
			cancelled = append(cancelled, task)
		}
	}
	return cancelled, nil
}

// cancelTask cancels one that isn't being cancelled already. The Director refuses if the task ended meanwhile.
func (b *Broker) cancelTask(ctx context.Context, task boshclient.Task) (ended bool, err error) {
	if task.State == boshclient.StateCancelling {
		return false, nil
	}
	err = b.Maintaining.CancelTask(ctx, task.ID)
	var refused *boshclient.Rejected
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest {
		return true, nil
	}
	if err == nil {
		b.Logger.InfoContext(ctx, "task.cancelled", slog.Int("task_id", task.ID), slog.String("description", task.Description))
	}
	return false, err
}
