package cftest

import (
	"encoding/json"
	"slices"
)

// plan is a service plan of an offering.
type plan struct {
	record
	offering *offering
	catalog  catalogPlan
	inactive bool // its broker's catalog doesn't name it any more

	public        bool
	organizations []*organization // that it is visible in; a public plan may have some, too
}

// flag is a value of the catalog, or what holds without one.
func flag(said *bool, otherwise bool) bool {
	if said == nil {
		return otherwise
	}
	return *said
}

func (p *plan) bindable() bool { return flag(p.catalog.Bindable, p.offering.catalog.Bindable) }

func (p *plan) version() string {
	if p.catalog.MaintenanceInfo == nil {
		return ""
	}
	return p.catalog.MaintenanceInfo.Version
}

type planFeatures struct {
	Bindable       bool `json:"bindable"`
	PlanUpdateable bool `json:"plan_updateable"`
}

type planCatalogView struct {
	ID                     string          `json:"id"`
	Metadata               json.RawMessage `json:"metadata"`
	MaximumPollingDuration *int            `json:"maximum_polling_duration"`
	Features               planFeatures    `json:"features"`
}

type parametersSchema struct {
	Parameters json.RawMessage `json:"parameters"`
}

// schemasView has every schema, {} where the catalog has none.
type schemasView struct {
	Instance struct {
		Create parametersSchema `json:"create"`
		Update parametersSchema `json:"update"`
	} `json:"service_instance"`
	Binding struct {
		Create parametersSchema `json:"create"`
	} `json:"service_binding"`
}

func (p *plan) schemas() schemasView {
	var view schemasView
	if json.Unmarshal(objectOr(p.catalog.Schemas), &view) != nil {
		view = schemasView{}
	}
	for _, one := range []*parametersSchema{&view.Instance.Create, &view.Instance.Update, &view.Binding.Create} {
		one.Parameters = objectOr(one.Parameters)
	}
	return view
}

func (p *plan) view(c *CloudController) any {
	self := c.URL() + "/v3/service_plans/" + p.guid
	var maintenance maintenanceInfo
	if p.catalog.MaintenanceInfo != nil {
		maintenance = *p.catalog.MaintenanceInfo
	}
	return struct {
		recordView
		Name            string              `json:"name"`
		VisibilityType  string              `json:"visibility_type"`
		Available       bool                `json:"available"`
		Free            bool                `json:"free"`
		Costs           []any               `json:"costs"`
		Description     string              `json:"description"`
		MaintenanceInfo maintenanceInfo     `json:"maintenance_info"`
		BrokerCatalog   planCatalogView     `json:"broker_catalog"`
		Schemas         schemasView         `json:"schemas"`
		Relationships   map[string]relation `json:"relationships"`
		Metadata        metadata            `json:"metadata"`
		Links           map[string]link     `json:"links"`
	}{
		recordView: p.head(), Name: p.name, VisibilityType: p.visibility(), Available: !p.inactive,
		Free: flag(p.catalog.Free, true), Costs: []any{}, Description: p.catalog.Description, MaintenanceInfo: maintenance,
		BrokerCatalog: planCatalogView{p.catalog.ID, objectOr(p.catalog.Metadata), p.catalog.MaximumPollingDuration, planFeatures{
			p.bindable(), flag(p.catalog.PlanUpdateable, p.offering.catalog.PlanUpdateable),
		}},
		Schemas:       p.schemas(),
		Relationships: map[string]relation{"service_offering": relatedTo(p.offering.guid)},
		Links: map[string]link{
			"self":             {Href: self},
			"service_offering": {Href: c.URL() + "/v3/service_offerings/" + p.offering.guid},
			"visibility":       {Href: self + "/visibility"},
		},
	}
}

func (c *CloudController) listPlans(q *request) response {
	l, refusal := q.listing(listableBy(
		[]string{"guids", "names", "broker_catalog_ids", "service_offering_guids", "service_offering_names", "service_broker_guids", "service_broker_names", "service_instance_guids", "include"},
		"guids", "available", "broker_catalog_ids", "fields", "include", "names", "organization_guids", "service_broker_guids",
		"service_broker_names", "service_instance_guids", "service_offering_guids", "service_offering_names", "space_guids", "label_selector"))
	if refusal != nil {
		return *refusal
	}
	passes := c.planFilter(l)
	answer, shown := page(c, l, c.world.plans.find(func(p *plan) bool {
		return passes(p) && (q.seesAll() || p.public)
	}))
	if l.includes("service_offering") {
		found := newUnique[*offering]()
		for _, p := range shown {
			found.add(p.offering)
		}
		answer.included = map[string]any{"service_offerings": found.views(c)}
	}
	return ok(answer)
}

func (c *CloudController) planFilter(l listing) func(*plan) bool {
	guids, names, ids := l.filter("guids"), l.filter("names"), l.filter("broker_catalog_ids")
	offeringGUIDs, offeringNames := l.filter("service_offering_guids"), l.filter("service_offering_names")
	brokerGUIDs, brokerNames := l.filter("service_broker_guids"), l.filter("service_broker_names")
	var used wanted
	if instances := l.filter("service_instance_guids"); instances != nil {
		used = wanted{}
		for guid := range instances {
			if i, is := c.world.instances.get(guid); is {
				used[i.plan.guid] = true
			}
		}
	}
	return func(p *plan) bool {
		o := p.offering
		return guids.has(p.guid) && names.has(p.name) && ids.has(p.catalog.ID) && offeringGUIDs.has(o.guid) &&
			offeringNames.has(o.name) && brokerGUIDs.has(o.broker.guid) && brokerNames.has(o.broker.name) && used.has(p.guid)
	}
}

func (c *CloudController) showPlan(q *request) response {
	found, is := c.world.plans.get(q.guid())
	if !is || (!q.seesAll() && !found.public) {
		return notFound("Service plan")
	}
	return ok(found.view(c))
}

// visibleIn tells whether instances of the plan may be made in an organization.
func (p *plan) visibleIn(o *organization) bool {
	return p.public || slices.Contains(p.organizations, o)
}
