package cftest

import (
	"context"
	"encoding/json"
	"slices"
)

// Kinds of bindings; a route binding isn't a credential binding.
const (
	bindingApp   = "app"
	bindingKey   = "key"
	bindingRoute = "route"
)

// binding binds an instance to an app or a route, or is a key.
type binding struct {
	record
	kind        string
	instance    *instance
	app         *app   // of an app binding
	route       string // GUID, of a route binding
	operation   lastOperation
	credentials json.RawMessage
}

func (b *binding) view(c *CloudController) any {
	if b.kind == bindingRoute {
		return b.routeView(c)
	}
	self := c.URL() + "/v3/service_credential_bindings/" + b.guid
	relations := map[string]relation{"service_instance": relatedTo(b.instance.guid)}
	links := map[string]link{
		"self": {Href: self}, "details": {Href: self + "/details"}, "parameters": {Href: self + "/parameters"},
		"service_instance": {Href: c.URL() + "/v3/service_instances/" + b.instance.guid},
	}
	if b.app != nil {
		relations["app"] = relatedTo(b.app.guid)
		links["app"] = link{Href: c.URL() + "/v3/apps/" + b.app.guid}
	}
	return struct {
		recordView
		Name          *string             `json:"name"`
		Type          string              `json:"type"`
		LastOperation operationView       `json:"last_operation"`
		Metadata      metadata            `json:"metadata"`
		Relationships map[string]relation `json:"relationships"`
		Links         map[string]link     `json:"links"`
	}{b.head(), textOrNull(b.name), b.kind, b.operation.view(), metadata{}, relations, links}
}

func (b *binding) routeView(c *CloudController) any {
	self := c.URL() + "/v3/service_route_bindings/" + b.guid
	return struct {
		recordView
		RouteServiceURL *string             `json:"route_service_url"`
		LastOperation   operationView       `json:"last_operation"`
		Metadata        metadata            `json:"metadata"`
		Relationships   map[string]relation `json:"relationships"`
		Links           map[string]link     `json:"links"`
	}{
		b.head(), nil, b.operation.view(), metadata{},
		map[string]relation{"service_instance": relatedTo(b.instance.guid), "route": relatedTo(b.route)},
		map[string]link{
			"self": {Href: self}, "parameters": {Href: self + "/parameters"},
			"service_instance": {Href: c.URL() + "/v3/service_instances/" + b.instance.guid},
			"route":            {Href: c.URL() + "/v3/routes/" + b.route},
		},
	}
}

// addBinding adds a binding to its instance.
func (c *CloudController) addBinding(b *binding) {
	c.world.bindings.add(b)
	b.instance.bindings = append(b.instance.bindings, b)
}

func (c *CloudController) removeBinding(b *binding) {
	c.world.bindings.remove(b.guid)
	b.instance.bindings = slices.DeleteFunc(b.instance.bindings, func(o *binding) bool { return o == b })
}

func (c *CloudController) bound(b *binding) bool {
	found, is := c.world.bindings.get(b.guid)
	return is && found == b
}

// stand makes the last operation of a binding; it is called under the lock.
func (c *CloudController) stand(b *binding, kind, state, description string) {
	b.operation = lastOperation{kind: kind, state: state, description: description, at: c.options.Now()}
}

// bindingsOf are the bindings of the instances that a filter names, or all.
func (c *CloudController) bindingsOf(instances wanted, passes func(*binding) bool) []*binding {
	if instances == nil {
		return c.world.bindings.find(passes)
	}
	var found []*binding
	for guid := range instances {
		if i, is := c.world.instances.get(guid); is {
			found = append(found, slices.DeleteFunc(slices.Clone(i.bindings), func(b *binding) bool { return !passes(b) })...)
		}
	}
	slices.SortFunc(found, func(a, b *binding) int { return a.serial - b.serial })
	return found
}

func (c *CloudController) listCredentialBindings(q *request) response {
	l, refusal := q.listing(listableBy([]string{"guids", "names", "type", "service_instance_guids", "service_instance_names", "app_guids", "app_names", "service_plan_guids"},
		"names", "service_instance_guids", "service_instance_names", "app_names", "app_guids", "service_plan_names",
		"service_plan_guids", "service_offering_names", "service_offering_guids", "type", "include", "guids", "label_selector"))
	if refusal != nil {
		return *refusal
	}
	guids, names, types := l.filter("guids"), l.filter("names"), l.filter("type")
	instanceNames, appGUIDs, appNames := l.filter("service_instance_names"), l.filter("app_guids"), l.filter("app_names")
	planGUIDs := l.filter("service_plan_guids")
	answer, _ := page(c, l, c.bindingsOf(l.filter("service_instance_guids"), func(b *binding) bool {
		appGUID, appName := "", ""
		if b.app != nil {
			appGUID, appName = b.app.guid, b.app.name
		}
		return q.seesAll() && b.kind != bindingRoute && guids.has(b.guid) && names.has(b.name) && types.has(b.kind) &&
			instanceNames.has(b.instance.name) && planGUIDs.has(b.instance.plan.guid) && appGUIDs.has(appGUID) && appNames.has(appName)
	}))
	return ok(answer)
}

func (c *CloudController) listRouteBindings(q *request) response {
	l, refusal := q.listing(listableBy([]string{"guids", "service_instance_guids", "service_instance_names", "route_guids"},
		"route_guids", "service_instance_guids", "service_instance_names", "guids", "include", "label_selector"))
	if refusal != nil {
		return *refusal
	}
	guids, routes, names := l.filter("guids"), l.filter("route_guids"), l.filter("service_instance_names")
	answer, _ := page(c, l, c.bindingsOf(l.filter("service_instance_guids"), func(b *binding) bool {
		return q.seesAll() && b.kind == bindingRoute && guids.has(b.guid) && routes.has(b.route) && names.has(b.instance.name)
	}))
	return ok(answer)
}

// findBinding is the binding that a request is about, or nil.
func (c *CloudController) findBinding(q *request, route bool) *binding {
	b, is := c.world.bindings.get(q.guid())
	if !is || !q.seesAll() || (b.kind == bindingRoute) != route {
		return nil
	}
	return b
}

const (
	credentialBinding = "Service credential binding"
	routeBinding      = "Service route binding"
)

func (c *CloudController) showCredentialBinding(q *request) response {
	if b := c.findBinding(q, false); b != nil {
		return ok(b.view(c))
	}
	return notFound(credentialBinding)
}

func (c *CloudController) showRouteBinding(q *request) response {
	if b := c.findBinding(q, true); b != nil {
		return ok(b.view(c))
	}
	return notFound(routeBinding)
}

func (c *CloudController) showCredentials(q *request) response {
	b := c.findBinding(q, false)
	if b == nil {
		return notFound(credentialBinding)
	}
	if b.operation.kind == typeCreate && b.operation.state != stateSucceeded {
		return refuse(404, apiError{"Creation of service binding " + describe(b.operation.state), "CF-ResourceNotFound", 10010})
	}
	return ok(map[string]any{"credentials": objectOr(b.credentials)})
}

func describe(state string) string {
	if state == stateFailed {
		return stateFailed
	}
	return stateInProgress
}

func (c *CloudController) deleteCredentialBinding(q *request) response {
	b := c.findBinding(q, false)
	if b == nil {
		return notFound(credentialBinding)
	}
	operation := "service_bindings.delete"
	if b.kind == bindingKey {
		operation = "service_keys.delete"
	}
	return c.startUnbind(operation, b, callerOf(q))
}

func (c *CloudController) deleteRouteBinding(q *request) response {
	if b := c.findBinding(q, true); b != nil {
		return c.startUnbind("service_route_bindings.delete", b, callerOf(q))
	}
	return notFound(routeBinding)
}

func (c *CloudController) startUnbind(operation string, b *binding, asks caller) response {
	return c.start(operation, c.aboutBinding(b), func(ctx context.Context, _ *job) *apiError {
		var failed *apiError
		c.locked(func() {
			if b.instance.operation.running() {
				e := busy(b.instance)
				failed = &e
			}
		})
		if failed != nil {
			return failed
		}
		if why := c.unbind(ctx, b, asks); why != "" {
			return unableTo(verbUnbind, why)
		}
		return nil
	})
}

func (c *CloudController) aboutBinding(b *binding) subject {
	about := subject{name: "service_credential_binding", path: "/v3/service_credential_bindings/" + b.guid}
	if b.kind == bindingRoute {
		about = subject{name: "service_route_binding", path: "/v3/service_route_bindings/" + b.guid}
	}
	about.there = func() bool { return c.bound(b) }
	return about
}
