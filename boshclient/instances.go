package boshclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// The task form asks every VM's agent. Dead agents and queues make it slow; a caller without a deadline of its own
	// still gets an answer.
	addressTaskLimit = 5 * time.Minute
	firstPoll        = 200 * time.Millisecond
	slowestPoll      = 3 * time.Second
	fastestPoll      = 50 * time.Millisecond
	cancelLimit      = 2 * time.Second
)

// Instance is an instance that has, or should have, a VM.
type Instance struct {
	Group string // instance group
	ID    string
	Index int
	AZ    string
	IPs   []string
}

// instanceBody is a line of GET /instances, and as much as is read of one of the VM task's result.
type instanceBody struct {
	Job       string   `json:"job"`
	Index     *int     `json:"index"`
	ID        string   `json:"id"`
	AZ        *string  `json:"az"`
	IPs       []string `json:"ips"`
	ExpectsVM bool     `json:"expects_vm"`
}

// Instances lists a deployment's instances that expect a VM; ErrNotFound if there is no such deployment. It is one plain
// request, answered from the Director's database. Only if some instance has no address there (dynamic networks), the
// Director is asked to ask the VMs: a task, awaited with growing pauses until the ctx ends or five minutes have passed.
func (c *Client) Instances(ctx context.Context, name string) ([]Instance, error) {
	path, err := deploymentPath(name)
	if err != nil {
		return nil, err
	}
	var bodies []instanceBody
	if err := c.read(ctx, path+"/instances", nil, &bodies); err != nil {
		return nil, err
	}
	instances := make([]Instance, 0, len(bodies))
	complete := true
	for _, body := range bodies {
		if !body.ExpectsVM {
			continue
		}
		instance := Instance{Group: body.Job, ID: body.ID, AZ: text(body.AZ), IPs: body.IPs}
		if body.Index != nil {
			instance.Index = *body.Index
		}
		complete = complete && len(body.IPs) > 0
		instances = append(instances, instance)
	}
	if complete {
		return instances, nil
	}
	addresses, err := c.askVMs(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("addresses of deployment %s: %w", name, err)
	}
	for i := range instances {
		if len(instances[i].IPs) == 0 {
			instances[i].IPs = addresses[instances[i].ID]
		}
	}
	return instances, nil
}

// askVMs runs the Director's VM task and returns addresses by instance id.
func (c *Client) askVMs(ctx context.Context, deploymentPath string) (map[string][]string, error) {
	ctx, cancel := context.WithTimeout(ctx, addressTaskLimit)
	defer cancel()
	// Starting it twice does no harm, so it is tried again like a read.
	id, err := c.submit(ctx, request{
		method: http.MethodGet, path: deploymentPath + "/vms", query: url.Values{"format": {"full"}}, safe: true,
	})
	if err != nil {
		return nil, err
	}
	task, err := c.awaitTask(ctx, id)
	if err != nil {
		return nil, err
	}
	if task.State != StateDone {
		cause := fmt.Errorf("task %d (%s) ended as %s: %s", id, task.Description, task.State, task.Result)
		return nil, &Unavailable{Op: "GET " + deploymentPath + "/vms", Sent: true, Cause: cause}
	}
	result, err := c.TaskResult(ctx, id)
	if err != nil {
		return nil, err
	}
	return addressesByInstance(result)
}

// awaitTask reads a task with growing pauses until it has ended. If time is up before, the task is cancelled, so that
// callers who come again don't fill the Director's queue.
func (c *Client) awaitTask(ctx context.Context, id int) (Task, error) {
	pause := firstPoll
	for {
		task, err := c.Task(ctx, id)
		if err == nil && task.Ended() {
			return task, nil
		}
		if err == nil && !sleep(ctx, beforeDeadline(ctx, jittered(pause))) {
			err = &Unavailable{
				Op: fmt.Sprintf("GET /tasks/%d", id), Sent: true,
				Cause: fmt.Errorf("the task is still %s: %w", task.State, endOf(ctx)),
			}
		}
		if err != nil {
			return Task{}, errors.Join(err, c.abandon(ctx, id))
		}
		pause = min(2*pause, slowestPoll)
	}
}

// beforeDeadline shortens a pause so that a last look or two fit in before the deadline.
func beforeDeadline(ctx context.Context, pause time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(pause, max(time.Until(deadline)*3/4, fastestPoll))
	}
	return pause
}

// endOf is why a ctx has ended or, as sleep doesn't wait for a deadline that it would miss, is about to end.
func endOf(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.DeadlineExceeded
}

// abandon cancels a task whose answer nobody waits for. That it has ended meanwhile is no failure.
func (c *Client) abandon(ctx context.Context, id int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelLimit)
	defer cancel()
	err := c.CancelTask(ctx, id)
	var rejected *Rejected
	if err == nil || errors.As(err, &rejected) {
		return nil
	}
	return fmt.Errorf("cancel it: %w", err)
}

func addressesByInstance(result []byte) (map[string][]string, error) {
	addresses := map[string][]string{}
	for decoder := json.NewDecoder(bytes.NewReader(result)); ; {
		var vm instanceBody
		switch err := decoder.Decode(&vm); {
		case errors.Is(err, io.EOF):
			return addresses, nil
		case err != nil:
			return nil, fmt.Errorf("unreadable list of VMs: %w", err)
		}
		addresses[vm.ID] = vm.IPs
	}
}
