package boshclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The states of a task.
const (
	StateQueued     = "queued"
	StateProcessing = "processing"
	StateCancelling = "cancelling"
	StateDone       = "done"
	StateError      = "error"
	StateCancelled  = "cancelled"
	StateTimeout    = "timeout"
)

// Task is a task of the Director.
type Task struct {
	ID          int
	State       string // one of the State constants
	Description string // e.g. "create deployment", "run errand smoke from deployment si-1"
	Result      string // about 128 characters at most, then "..."; an error's whole text is in the task's events
	User        string
	Deployment  string    // empty if the task is of none
	ContextID   string    // as given when it was submitted
	StartedAt   time.Time // zero until a worker takes it
	UpdatedAt   time.Time // the Director's timestamp: when the state last changed; zero while queued or processing
}

// Ended says that the task will not change any more.
func (t Task) Ended() bool {
	switch t.State {
	case StateDone, StateError, StateCancelled, StateTimeout:
		return true
	}
	return false
}

type taskBody struct {
	ID          int      `json:"id"`
	State       string   `json:"state"`
	Description string   `json:"description"`
	Timestamp   *float64 `json:"timestamp"`
	StartedAt   *float64 `json:"started_at"`
	Result      *string  `json:"result"`
	User        *string  `json:"user"`
	Deployment  *string  `json:"deployment"`
	ContextID   *string  `json:"context_id"`
}

func (b taskBody) task() Task {
	return Task{
		ID: b.ID, State: b.State, Description: b.Description, Result: text(b.Result), User: text(b.User),
		Deployment: text(b.Deployment), ContextID: text(b.ContextID),
		StartedAt: moment(b.StartedAt), UpdatedAt: moment(b.Timestamp),
	}
}

// moment is a nullable Unix time in seconds.
func moment(seconds *float64) time.Time {
	if seconds == nil || *seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(*seconds), 0).UTC()
}

// Task reads one task; ErrNotFound if there is none of that id.
func (c *Client) Task(ctx context.Context, id int) (Task, error) {
	path, err := taskPath("tasks", id)
	if err != nil {
		return Task{}, err
	}
	var body taskBody
	if err := c.read(ctx, path, nil, &body); err != nil {
		return Task{}, err
	}
	return body.task(), nil
}

// TasksInProgress lists the tasks of a deployment that have not ended, newest first. Tasks that only look (VM lists, logs,
// ssh) are left out.
func (c *Client) TasksInProgress(ctx context.Context, deployment string) ([]Task, error) {
	if deployment == "" {
		return nil, errors.New("tasks in progress: of which deployment?") // the Director would list everybody's
	}
	states := StateQueued + "," + StateProcessing + "," + StateCancelling
	return c.tasks(ctx, url.Values{"deployment": {deployment}, "state": {states}, "verbose": {"1"}})
}

// TasksByContext lists the tasks that were submitted with a context id, newest first. An empty deployment means any.
func (c *Client) TasksByContext(ctx context.Context, deployment, contextID string) ([]Task, error) {
	if contextID == "" {
		return nil, errors.New("tasks by context: of which context id?") // the Director would list all tasks
	}
	query := url.Values{"context_id": {contextID}, "verbose": {"1"}}
	if deployment != "" {
		query.Set("deployment", deployment)
	}
	return c.tasks(ctx, query)
}

// LatestTask gives the newest task of a deployment, ended or not, without those that only look; found is false if the Director
// knows none (any more). Of a deployment that is gone it still tells.
func (c *Client) LatestTask(ctx context.Context, deployment string) (latest Task, found bool, err error) {
	if deployment == "" {
		return Task{}, false, errors.New("the latest task: of which deployment?") // the Director would tell anybody's
	}
	tasks, err := c.tasks(ctx, url.Values{"deployment": {deployment}, "limit": {"1"}, "verbose": {"1"}})
	if err != nil || len(tasks) == 0 {
		return Task{}, false, err
	}
	return tasks[0], true, nil
}

func (c *Client) tasks(ctx context.Context, query url.Values) ([]Task, error) {
	var bodies []taskBody
	if err := c.read(ctx, "/tasks", query, &bodies); err != nil {
		return nil, err
	}
	tasks := make([]Task, len(bodies))
	for i, body := range bodies {
		tasks[i] = body.task()
	}
	return tasks, nil
}

// TaskResult is a task's result output: one JSON document a line, e.g. one per instance that an errand ran on. It is
// empty until there is one.
func (c *Client) TaskResult(ctx context.Context, id int) ([]byte, error) {
	path, err := taskPath("tasks", id)
	if err != nil {
		return nil, err
	}
	r := request{method: http.MethodGet, path: path + "/output", query: url.Values{"type": {"result"}}, safe: true}
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK && a.status != http.StatusNoContent {
		return nil, refusal(r, a)
	}
	return a.body, nil
}

// CancelTask asks the Director to cancel a task. The task goes on to its next checkpoint, which may take long; one that
// has ended is *Rejected with status 400.
func (c *Client) CancelTask(ctx context.Context, id int) error {
	path, err := taskPath("task", id) // singular: the plural has no DELETE
	if err != nil {
		return err
	}
	return c.exchange(ctx, request{method: http.MethodDelete, path: path}, nil, http.StatusNoContent, http.StatusOK)
}

func taskPath(collection string, id int) (string, error) {
	if id <= 0 {
		return "", fmt.Errorf("%d can't be the id of a task", id)
	}
	return "/" + collection + "/" + strconv.Itoa(id), nil
}
