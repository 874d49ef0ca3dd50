package cftest

import (
	"context"
	"net/http"
	"slices"
)

// deprovision deletes an instance: bindings first, then the instance, even while it is being created.
func (c *CloudController) deprovision(ctx context.Context, j *job, i *instance, asks caller) (failed *apiError) {
	var o course
	c.locked(func() {
		o = course{
			instance: i, kind: typeDelete, verb: verbDeprovision, access: i.plan.offering.broker.access,
			request: c.deprovisionRequest(i, asks), serial: i.operation.serial,
		}
		failed = c.deletable(i)
	})
	if deleting(failed) {
		return c.awaitDeletion(ctx, o)
	}
	if failed == nil {
		failed = c.unbindAll(ctx, i, asks)
	}
	if failed != nil {
		return failed
	}
	answer, failure := c.askBroker(ctx, o)
	if failure != nil {
		return c.undeleted(i, failure.Detail)
	}
	c.locked(func() {
		switch {
		case !c.exists(i):
			failed = gone(i)
		case answer.status != http.StatusAccepted:
			c.succeed(o, answer, "")
		default:
			c.begin(i, typeDelete, stateInProgress)
			o.serial = i.operation.serial
			c.setState(j, jobPolling)
		}
	})
	if failed != nil || answer.status != http.StatusAccepted {
		return failed
	}
	return c.follow(ctx, o, answer)
}

// errDeleting stands for a delete that runs already.
var errDeleting = &apiError{Title: "delete in progress"}

func deleting(e *apiError) bool { return e == errDeleting }

// deletable is why the deletion of an instance can't begin; nil if it can. A create doesn't hinder it.
func (c *CloudController) deletable(i *instance) *apiError {
	switch {
	case !c.exists(i):
		return gone(i)
	case i.operation.running() && i.operation.kind == typeDelete:
		return errDeleting
	case i.operation.running() && i.operation.kind == typeUpdate:
		e := busy(i)
		return &e
	case len(i.shared) > 0:
		return unableTo("delete", "Service instance "+i.name+": Service instances must be unshared before they can be deleted. Unsharing "+
			i.name+" will automatically delete any bindings that have been made to applications in other spaces.")
	}
	return nil
}

// undeleted makes a delete that failed the last operation, unless another one runs, and the job's error.
func (c *CloudController) undeleted(i *instance, why string) *apiError {
	why = "Service instance " + i.name + ": " + why
	c.locked(func() {
		if c.exists(i) && !i.operation.running() {
			c.begin(i, typeDelete, stateFailed)
			i.operation.description = why
		}
	})
	return unableTo("delete", why)
}

// awaitDeletion is what is left to a second delete: it finds the instance gone, or its deletion failed.
func (c *CloudController) awaitDeletion(ctx context.Context, o course) *apiError {
	for c.sleep(ctx, c.options.PollInterval) {
		var failed *apiError
		running := false
		c.locked(func() {
			failed = c.overtaken(o)
			running = failed == nil && o.instance.operation.running()
		})
		if failed != nil {
			return failed
		}
		if !running {
			break
		}
	}
	return &unknownError
}

// unbindAll unbinds what is bound to an instance; what the broker does asynchronously is waited for.
func (c *CloudController) unbindAll(ctx context.Context, i *instance, asks caller) *apiError {
	var bound []*binding
	c.locked(func() { bound = slices.Clone(i.bindings) })
	for _, b := range bound {
		if why := c.unbind(ctx, b, asks); why != "" {
			return c.undeleted(i, why)
		}
	}
	return nil
}
