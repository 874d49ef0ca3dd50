package cftest

import (
	"context"
	"net/http"
	"slices"
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
		return c.notTaken(o, failure)
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

// notTaken ends a create or an update that the broker didn't take on.
func (c *CloudController) notTaken(o course, failure *brokerFailure) *apiError {
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
