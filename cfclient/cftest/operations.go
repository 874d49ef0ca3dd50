package cftest

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// course is an operation on an instance that the broker carries out.
type course struct {
	instance *instance
	kind     string // of the last operation: create, update, delete
	verb     string // what is asked of the broker
	serial   int    // of the last operation that it is
	access   brokerAccess
	request  osbRequest
	change   instanceChange // of an update
}

// launch starts the job of a create or an update.
func (c *CloudController) launch(operation string, o course) response {
	return c.start(operation, c.aboutInstance(o.instance, "service_instances"), func(ctx context.Context, j *job) *apiError {
		return c.carryOut(ctx, j, o)
	})
}

func unableTo(verb, why string) *apiError {
	return &apiError{verb + " could not be completed: " + why, "CF-UnableToPerform", 10009}
}

func gone(i *instance) *apiError {
	return &apiError{"The service instance could not be found: " + i.guid, "CF-ResourceNotFound", 10010}
}

// overtaken is the error of a job whose instance has gone, or is the matter of another operation by now; nil if it is
// still its own. It is called under the lock.
func (c *CloudController) overtaken(o course) *apiError {
	switch {
	case !c.exists(o.instance):
		return gone(o.instance)
	case o.instance.operation.serial != o.serial:
		return unableTo(o.kind, o.instance.operation.kind+" in progress")
	}
	return nil
}

// carryOut sends a create or an update to the broker and sees it to its end.
func (c *CloudController) carryOut(ctx context.Context, j *job, o course) (failed *apiError) {
	c.locked(func() {
		if failed = c.overtaken(o); failed == nil {
			c.progress(o.instance, stateInProgress, "")
		}
	})
	if failed != nil {
		return failed
	}
	answer, failure := c.askBroker(ctx, o)
	if failure != nil {
		c.locked(func() {
			if c.overtaken(o) == nil {
				c.progress(o.instance, stateFailed, failure.Detail)
			}
		})
		if o.kind == typeCreate && failure.orphan {
			c.mitigate(o.access, o.request.undone())
		}
		return unableTo(o.verb, failure.Detail)
	}
	if answer.status != http.StatusAccepted {
		c.locked(func() {
			if failed = c.overtaken(o); failed == nil {
				c.succeed(o, answer, "")
			}
		})
		return failed
	}
	c.locked(func() { c.setState(j, jobPolling) })
	return c.follow(ctx, o, answer)
}

// expected are the statuses by which a broker takes something on.
func expected(verb string) []int {
	switch verb {
	case verbProvision, verbBind:
		return []int{http.StatusOK, http.StatusCreated, http.StatusAccepted}
	case verbDeprovision, verbUnbind:
		return []int{http.StatusOK, http.StatusAccepted, http.StatusGone}
	}
	return []int{http.StatusOK, http.StatusAccepted}
}

// askBroker sends what an operation asks of the broker; what the broker doesn't take on is a failure.
func (c *CloudController) askBroker(ctx context.Context, o course) (osbAnswer, *brokerFailure) {
	answer, failure := c.sendOSB(ctx, o.access, o.request)
	if failure == nil && !slices.Contains(expected(o.verb), answer.status) {
		failure = answer.refused()
	}
	return answer, failure
}

// succeed ends an operation well; it is called under the lock.
func (c *CloudController) succeed(o course, answer osbAnswer, description string) {
	i := o.instance
	if o.kind == typeDelete {
		c.removeInstance(i)
		return
	}
	if answer.DashboardURL != "" {
		i.dashboard = answer.DashboardURL
	}
	if o.kind == typeUpdate {
		c.apply(i, o.change)
	}
	i.updated = c.options.Now()
	c.progress(i, stateSucceeded, description)
}

// follow polls the last operation until it has ended, or another operation has taken the instance over. accepted is how
// the broker took it on.
func (c *CloudController) follow(ctx context.Context, o course, accepted osbAnswer) *apiError {
	request := o.request.lastOperation(accepted.Operation)
	for {
		if !c.sleep(ctx, c.options.PollInterval) {
			return &unknownError
		}
		var failed *apiError
		c.locked(func() { failed = c.overtaken(o) })
		if failed != nil {
			return failed
		}
		state, description := c.poll(ctx, o.access, request, o.kind == typeDelete)
		over := false
		c.locked(func() {
			failed, over = c.note(o, accepted, state, description)
		})
		if over {
			return failed
		}
	}
}

// poll asks for the last operation. What is no answer changes nothing: it is asked for again.
func (c *CloudController) poll(ctx context.Context, access brokerAccess, request osbRequest, deleting bool) (state, description string) {
	answer, failure := c.sendOSB(ctx, access, request)
	switch {
	case failure != nil:
		return stateInProgress, ""
	case answer.status == http.StatusGone && deleting:
		return stateSucceeded, ""
	case answer.status == http.StatusBadRequest:
		return stateFailed, answer.Description
	case answer.status == http.StatusOK && slices.Contains([]string{stateSucceeded, stateFailed}, answer.State):
		return answer.State, answer.Description
	case answer.status == http.StatusOK:
		return stateInProgress, answer.Description
	}
	return stateInProgress, ""
}

// note takes over what a poll found. Of an operation that failed later the job knows no reason: the instance does.
func (c *CloudController) note(o course, accepted osbAnswer, state, description string) (failed *apiError, over bool) {
	if failed := c.overtaken(o); failed != nil {
		return failed, true
	}
	switch state {
	case stateSucceeded:
		c.succeed(o, accepted, description)
		return nil, true
	case stateFailed:
		c.progress(o.instance, stateFailed, description)
		return &unknownError, true
	}
	if description != "" {
		c.progress(o.instance, stateInProgress, description)
	}
	return nil, false
}

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
		why := "Service instance " + i.name + ": " + failure.Detail
		c.locked(func() { c.notDeleted(i, why) })
		return unableTo("delete", why)
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

// notDeleted makes a delete that failed the last operation, unless another one runs.
func (c *CloudController) notDeleted(i *instance, why string) {
	if c.exists(i) && !i.operation.running() {
		c.begin(i, typeDelete, stateFailed)
		i.operation.description = why
	}
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
			why = "Service instance " + i.name + ": " + why
			c.locked(func() { c.notDeleted(i, why) })
			return unableTo("delete", why)
		}
	}
	return nil
}

const (
	mitigationAttempts = 8
	mitigationFirst    = 50 * time.Millisecond
)

// mitigate sends, in nobody's name, the request that removes what a broker may have left behind: again, after twice the
// time, as long as the broker can't do it.
func (c *CloudController) mitigate(access brokerAccess, request osbRequest) {
	c.running.Add(1)
	go func() {
		defer c.running.Done()
		pause := mitigationFirst
		for range mitigationAttempts {
			answer, failure := c.sendOSB(c.ctx, access, request)
			if failure == nil && answer.status < http.StatusInternalServerError {
				return
			}
			if !c.sleep(c.ctx, pause) {
				return
			}
			pause *= 2
		}
	}()
}
