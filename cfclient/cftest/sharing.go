package cftest

import (
	"slices"
)

type sharedView struct {
	Data     []reference         `json:"data"`
	Links    map[string]link     `json:"links"`
	Included map[string][]shared `json:"included,omitempty"`
}

// shared is a space with what fields[...] ask of it.
type shared = map[string]any

func (c *CloudController) sharedView(i *instance) sharedView {
	view := sharedView{Data: []reference{}, Links: map[string]link{
		"self": {Href: c.URL() + "/v3/service_instances/" + i.guid + "/relationships/shared_spaces"},
	}}
	for _, s := range i.shared {
		view.Data = append(view.Data, reference{s.guid})
	}
	return view
}

func (c *CloudController) listSharedSpaces(q *request) response {
	i, is := c.world.instances.get(q.guid())
	if !is || !q.seesAll() {
		return notFound("Service instance")
	}
	l, refusal := q.listing(listable{valid: []string{"fields"}, modelled: []string{"fields"}})
	if refusal != nil {
		return *refusal
	}
	view := c.sharedView(i)
	spaces, organizations := newUnique[*space](), newUnique[*organization]()
	for _, s := range i.shared {
		spaces.add(s)
		organizations.add(s.organization)
	}
	included := map[string][]shared{}
	if asked := l.fields("space"); asked != nil {
		included["spaces"] = spaces.fields(asked)
	}
	if asked := l.fields("space.organization"); asked != nil {
		included["organizations"] = organizations.fields(asked)
	}
	view.Included = included
	return ok(view)
}

func (c *CloudController) shareInstance(q *request) response {
	i, is := c.world.instances.get(q.guid())
	if !is {
		return notFound("Service instance")
	}
	if !i.plan.offering.shareable() {
		return unprocessable("The " + i.plan.offering.name + " service does not support service instance sharing.")
	}
	items, _ := q.readBody()["data"].([]any)
	if len(items) == 0 {
		return unprocessable("Data must be an array of objects with a guid")
	}
	var with []*space
	for _, item := range items {
		s, is := c.world.spaces.get(textIn(item, "guid"))
		if !is {
			return unprocessable("Unable to share service instance " + i.name + " with spaces ['" + textIn(item, "guid") +
				"']. Ensure the spaces exist and that you have access to them.")
		}
		if s == i.space {
			return unprocessable("Unable to share service instance '" + i.name + "' with space '" + s.guid +
				"'. Service instances cannot be shared into the space where they were created.")
		}
		with = append(with, s)
	}
	for _, s := range with {
		if !slices.Contains(i.shared, s) {
			i.shared = append(i.shared, s)
		}
	}
	return ok(c.sharedView(i))
}

func (c *CloudController) showSharedUsage(q *request) response {
	i, is := c.world.instances.get(q.guid())
	if !is || !q.seesAll() {
		return notFound("Service instance")
	}
	type usage struct {
		Space reference `json:"space"`
		Apps  int       `json:"bound_app_count"`
	}
	usages := []usage{}
	for _, s := range i.shared {
		usages = append(usages, usage{reference{s.guid}, len(i.boundIn(s))})
	}
	self := c.URL() + "/v3/service_instances/" + i.guid
	return ok(map[string]any{"usage_summary": usages, "links": map[string]link{
		"self":          {Href: self + "/relationships/shared_spaces/usage_summary"},
		"shared_spaces": {Href: self + "/relationships/shared_spaces"}, "service_instance": {Href: self},
	}})
}

// boundIn are the bindings of apps in a space.
func (i *instance) boundIn(s *space) []*binding {
	return slices.DeleteFunc(slices.Clone(i.bindings), func(b *binding) bool { return b.app == nil || b.app.space != s })
}

// unshareInstance ends a share; apps of the space that are bound are unbound.
func (c *CloudController) unshareInstance(q *request) response {
	i, is := c.world.instances.get(q.guid())
	if !is {
		return notFound("Service instance")
	}
	at := slices.IndexFunc(i.shared, func(s *space) bool { return s.guid == q.param("space") })
	if at < 0 {
		return unprocessable("Unable to unshare service instance from space " + q.param("space") +
			". Ensure the space exists and the service instance has been shared to this space.")
	}
	for _, b := range i.boundIn(i.shared[at]) {
		c.startUnbind("service_bindings.delete", b, callerOf(q))
	}
	i.shared = slices.Delete(i.shared, at, at+1)
	return noContent()
}
