package cftest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

func (c *CloudController) createCredentialBinding(q *request) response {
	fields := q.readBody()
	problems := fieldsBeyond(fields, "type", "name", "relationships", "parameters", "metadata")
	kind, name := textIn(fields, "type"), textIn(fields, "name")
	if kind != bindingApp && kind != bindingKey {
		problems = append(problems, "Type must be one of 'app', 'key'")
	}
	if kind == bindingKey && name == "" {
		problems = append(problems, "Name can't be blank")
	}
	if len(problems) > 0 {
		return unprocessable(strings.Join(problems, ", "))
	}
	i, is := c.world.instances.get(related(fields, "service_instance"))
	if !is {
		return unprocessable("The service instance could not be found: '" + related(fields, "service_instance") + "'")
	}
	made := &binding{record: c.newRecord("", name), kind: kind, instance: i}
	if refusal := c.checkBinding(made, related(fields, "app")); refusal != nil {
		return *refusal
	}
	c.stand(made, typeCreate, stateInitial, "")
	c.addBinding(made)
	operation := "service_bindings.create"
	if kind == bindingKey {
		operation = "service_keys.create"
	}
	request := c.bindRequest(made, fields["parameters"], callerOf(q))
	access := i.plan.offering.broker.access
	return c.start(operation, c.aboutBinding(made), func(ctx context.Context, j *job) *apiError {
		return c.bind(ctx, j, made, access, request)
	})
}

// checkBinding finds the app of a binding to be, and whether it may be made.
func (c *CloudController) checkBinding(b *binding, appGUID string) *response {
	refused := func(detail string) *response {
		r := unprocessable(detail)
		return &r
	}
	i := b.instance
	if b.kind == bindingApp {
		found, is := c.world.apps[appGUID]
		if !is {
			return refused("The app could not be found: '" + appGUID + "'")
		}
		b.app = found
	}
	same := slices.ContainsFunc(i.bindings, func(o *binding) bool {
		return o.kind == b.kind && o.app == b.app && (b.kind == bindingApp || o.name == b.name)
	})
	switch {
	case !i.plan.bindable():
		return refused("Service plan does not allow bindings.")
	case i.operation.running():
		return refused("There is an operation in progress for the service instance")
	case same && b.kind == bindingApp:
		return refused("The app is already bound to the service instance")
	case same:
		return refused("The binding name is invalid. Key binding names must be unique. The service instance already has a key binding with the name '" + b.name + "'.")
	case b.app != nil && b.app.space != i.space && !slices.Contains(i.shared, b.app.space):
		return refused("The service instance and the app are in different spaces.")
	}
	return nil
}

// bind carries out the creation of a binding.
func (c *CloudController) bind(ctx context.Context, j *job, b *binding, access brokerAccess, request osbRequest) *apiError {
	answer, failure := c.sendOSB(ctx, access, request)
	if failure == nil && !slices.Contains(expected(verbBind), answer.status) {
		failure = answer.refused()
	}
	if failure != nil {
		c.locked(func() { c.stand(b, typeCreate, stateFailed, failure.Detail) })
		if failure.orphan {
			c.mitigate(access, request.undone())
		}
		return unableTo(verbBind, failure.Detail)
	}
	if answer.status == http.StatusAccepted {
		c.locked(func() {
			c.stand(b, typeCreate, stateInProgress, "")
			c.setState(j, jobPolling)
		})
		if why := c.await(ctx, access, request.lastOperation(answer.Operation), false); why != "" {
			c.locked(func() { c.stand(b, typeCreate, stateFailed, why) })
			return &unknownError
		}
		answer, _ = c.sendOSB(ctx, access, osbRequest{
			verb: verbFetchBinding, method: http.MethodGet, path: request.path, caller: request.caller,
		})
	}
	c.locked(func() {
		b.credentials = json.RawMessage(answer.Credentials)
		b.updated = c.options.Now()
		c.stand(b, typeCreate, stateSucceeded, "")
	})
	return nil
}

// await polls the last operation of a binding until it has ended, and tells why it failed; "" if it didn't.
func (c *CloudController) await(ctx context.Context, access brokerAccess, request osbRequest, deleting bool) string {
	for c.sleep(ctx, c.options.PollInterval) {
		switch state, description := c.poll(ctx, access, request, deleting); state {
		case stateSucceeded:
			return ""
		case stateFailed:
			if description == "" {
				description = "the broker gave no reason"
			}
			return description
		}
	}
	return "the Cloud Controller was closed"
}

// unbind carries out the deletion of a binding, and tells why it failed; "" if it didn't.
func (c *CloudController) unbind(ctx context.Context, b *binding, asks caller) (why string) {
	var access brokerAccess
	var request osbRequest
	there := false
	c.locked(func() {
		there = c.bound(b)
		access, request = b.instance.plan.offering.broker.access, c.unbindRequest(b, asks)
	})
	if !there {
		return ""
	}
	answer, failure := c.sendOSB(ctx, access, request)
	if failure == nil && !slices.Contains(expected(verbUnbind), answer.status) {
		failure = answer.refused()
	}
	switch {
	case failure != nil:
		why = failure.Detail
	case answer.status == http.StatusAccepted:
		why = c.await(ctx, access, request.lastOperation(answer.Operation), true)
	}
	c.locked(func() {
		if why != "" {
			c.stand(b, typeDelete, stateFailed, why)
			return
		}
		c.removeBinding(b)
	})
	return why
}
