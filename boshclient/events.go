package boshclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// NewEvent is an entry for the Director's log of who did what, which it fills itself with time and user.
type NewEvent struct {
	Action     string         `json:"action"`
	ObjectType string         `json:"object_type"`
	ObjectName string         `json:"object_name"`
	Deployment string         `json:"deployment"`
	Context    map[string]any `json:"context"`
}

// CreateEvent adds an entry (Director API: POST /events). It needs bosh.admin: *Rejected that is ErrNotAllowed without. It is not
// tried again if its answer is lost.
func (c *Client) CreateEvent(ctx context.Context, event NewEvent) error {
	body, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("event %s of %s: %w", event.Action, event.ObjectName, err)
	}
	return c.exchange(ctx, request{method: http.MethodPost, path: "/events", contentType: jsonType, body: body}, nil, http.StatusOK)
}

// TaskEvent is a line of a task's event log: a stage's task started, moved on or finished, or the task's error.
type TaskEvent struct {
	Time     time.Time
	Stage    string   // e.g. "Updating instance"
	Tags     []string // e.g. the instance group
	Total    int      // tasks in the stage
	Index    int      // of this one, from 1
	Task     string   // e.g. "redis/0 (...) (canary)"
	State    string   // started, in_progress, finished, failed
	Progress int      // percent
	Error    *TaskError
}

// TaskError is why a task failed, whole, while Task.Result is cut.
type TaskError struct {
	Code    int
	Message string
}

// TaskEvents reads a task's events from a byte offset on, 0 for the first call. next is the offset for the next call: only
// whole lines are consumed, so an event still being written is not lost. Lines that are no JSON objects are passed over.
func (c *Client) TaskEvents(ctx context.Context, id int, offset int64) (events []TaskEvent, next int64, err error) {
	path, err := taskPath("tasks", id)
	if err != nil {
		return nil, offset, err
	}
	if offset < 0 {
		return nil, offset, fmt.Errorf("%d can't be an offset", offset)
	}
	r := request{
		method: http.MethodGet, path: path + "/output", query: url.Values{"type": {"event"}}, safe: true, truncate: true,
		byteRange: fmt.Sprintf("bytes=%d-", offset),
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, offset, err
	}
	lines, err := newPart(r, a, offset)
	if err != nil {
		return nil, offset, err
	}
	events, consumed := parseEvents(lines)
	if consumed == 0 && a.truncated {
		return nil, offset, fmt.Errorf("%s: one event: %w", r.op(), ErrTooLarge)
	}
	return events, offset + int64(consumed), nil
}

// newPart is what follows the offset, whether or not the answer honoured the Range.
func newPart(r request, a *answer, offset int64) ([]byte, error) {
	switch a.status {
	case http.StatusPartialContent:
		var start int64
		if _, err := fmt.Sscanf(a.header.Get("Content-Range"), "bytes %d-", &start); err != nil || start != offset {
			cause := fmt.Errorf("asked for bytes from %d on, got %.40q", offset, a.header.Get("Content-Range"))
			return nil, &Unavailable{Op: r.op(), Status: a.status, Sent: true, Cause: cause}
		}
		return a.body, nil
	case http.StatusOK:
		return a.body[min(offset, int64(len(a.body))):], nil
	case http.StatusRequestedRangeNotSatisfiable, http.StatusNoContent:
		return nil, nil
	}
	return nil, refusal(r, a)
}

// parseEvents reads whole lines and says how many bytes they are.
func parseEvents(lines []byte) (events []TaskEvent, consumed int) {
	for {
		end := bytes.IndexByte(lines[consumed:], '\n')
		if end < 0 {
			return events, consumed
		}
		if event, ok := parseEvent(lines[consumed : consumed+end]); ok {
			events = append(events, event)
		}
		consumed += end + 1
	}
}

func parseEvent(line []byte) (TaskEvent, bool) {
	var body *struct {
		Time     float64  `json:"time"`
		Stage    string   `json:"stage"`
		Tags     []string `json:"tags"`
		Total    int      `json:"total"`
		Index    int      `json:"index"`
		Task     string   `json:"task"`
		State    string   `json:"state"`
		Progress int      `json:"progress"`
		Error    *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(line, &body) != nil || body == nil {
		return TaskEvent{}, false
	}
	event := TaskEvent{
		Time: moment(&body.Time), Stage: body.Stage, Tags: body.Tags, Total: body.Total, Index: body.Index,
		Task: body.Task, State: body.State, Progress: body.Progress,
	}
	if body.Error != nil {
		event.Error = &TaskError{Code: body.Error.Code, Message: body.Error.Message}
	}
	return event, true
}
