package cftest

import (
	"encoding/json"
	"slices"
)

// offering is a service offering of a broker.
type offering struct {
	record
	broker  *broker
	catalog catalogService // without its plans
}

// shareable tells whether instances may be shared with other spaces.
func (o *offering) shareable() bool {
	var said struct {
		Shareable bool `json:"shareable"`
	}
	return json.Unmarshal(objectOr(o.catalog.Metadata), &said) == nil && said.Shareable
}

// objectOr is the JSON, or {} if there is none.
func objectOr(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}

type offeringFeatures struct {
	PlanUpdateable       bool `json:"plan_updateable"`
	Bindable             bool `json:"bindable"`
	InstancesRetrievable bool `json:"instances_retrievable"`
	BindingsRetrievable  bool `json:"bindings_retrievable"`
	AllowContextUpdates  bool `json:"allow_context_updates"`
}

type offeringCatalogView struct {
	ID       string           `json:"id"`
	Metadata json.RawMessage  `json:"metadata"`
	Features offeringFeatures `json:"features"`
}

func (o *offering) view(c *CloudController) any {
	s := o.catalog
	return struct {
		recordView
		Name             string              `json:"name"`
		Description      string              `json:"description"`
		Available        bool                `json:"available"`
		Tags             []string            `json:"tags"`
		Requires         []string            `json:"requires"`
		Shareable        bool                `json:"shareable"`
		DocumentationURL string              `json:"documentation_url"`
		BrokerCatalog    offeringCatalogView `json:"broker_catalog"`
		Relationships    map[string]relation `json:"relationships"`
		Metadata         metadata            `json:"metadata"`
		Links            map[string]link     `json:"links"`
	}{
		recordView: o.head(), Name: o.name, Description: s.Description, Available: c.available(o),
		Tags: append([]string{}, s.Tags...), Requires: append([]string{}, s.Requires...), Shareable: o.shareable(),
		BrokerCatalog: offeringCatalogView{s.ID, objectOr(s.Metadata), offeringFeatures{
			s.PlanUpdateable, s.Bindable, s.InstancesRetrievable, s.BindingsRetrievable, s.AllowContextUpdates,
		}},
		Relationships: map[string]relation{"service_broker": relatedTo(o.broker.guid)},
		Links: map[string]link{
			"self":           {Href: c.URL() + "/v3/service_offerings/" + o.guid},
			"service_plans":  {Href: c.URL() + "/v3/service_plans?service_offering_guids=" + o.guid},
			"service_broker": {Href: c.URL() + "/v3/service_brokers/" + o.broker.guid},
		},
	}
}

func (c *CloudController) plansOf(o *offering) []*plan {
	return c.world.plans.find(func(p *plan) bool { return p.offering == o })
}

func (c *CloudController) available(o *offering) bool {
	return slices.ContainsFunc(c.plansOf(o), func(p *plan) bool { return !p.inactive })
}

// visibleTo tells whether the caller may see the offering: who doesn't see everything sees those with public plans.
func (o *offering) visibleTo(c *CloudController, q *request) bool {
	return q.seesAll() || slices.ContainsFunc(c.plansOf(o), func(p *plan) bool { return p.public })
}

func (c *CloudController) listOfferings(q *request) response {
	l, refusal := q.listing(listableBy([]string{"guids", "names", "service_broker_guids", "service_broker_names", "fields"},
		"guids", "available", "fields", "service_broker_guids", "service_broker_names", "names", "space_guids",
		"organization_guids", "label_selector"))
	if refusal != nil {
		return *refusal
	}
	guids, names := l.filter("guids"), l.filter("names")
	brokerGUIDs, brokerNames := l.filter("service_broker_guids"), l.filter("service_broker_names")
	answer, shown := page(c, l, c.world.offerings.find(func(o *offering) bool {
		return guids.has(o.guid) && names.has(o.name) && brokerGUIDs.has(o.broker.guid) &&
			brokerNames.has(o.broker.name) && o.visibleTo(c, q)
	}))
	if asked := l.fields("service_broker"); asked != nil {
		found := newUnique[*broker]()
		for _, o := range shown {
			found.add(o.broker)
		}
		answer.included = map[string]any{"service_brokers": found.fields(asked)}
	}
	return ok(answer)
}

func (c *CloudController) showOffering(q *request) response {
	found, is := c.world.offerings.get(q.guid())
	if !is || !found.visibleTo(c, q) {
		return notFound("Service offering")
	}
	return ok(found.view(c))
}

// deleteOffering serves ?purge=true, which tells the broker nothing. Without, an offering that has plans stays.
func (c *CloudController) deleteOffering(q *request) response {
	found, is := c.world.offerings.get(q.guid())
	if !is {
		return notFound("Service offering")
	}
	if q.http.URL.Query().Get("purge") != "true" && len(c.plansOf(found)) > 0 {
		return unprocessable("The service offering has plans: purge it, or let its broker take it out of its catalog")
	}
	for _, i := range c.world.instances.find(func(i *instance) bool { return i.plan.offering == found }) {
		c.removeInstance(i)
	}
	c.removeOffering(found)
	return noContent()
}

func (c *CloudController) removeOffering(o *offering) {
	for _, p := range c.plansOf(o) {
		c.world.plans.remove(p.guid)
	}
	c.world.offerings.remove(o.guid)
}
