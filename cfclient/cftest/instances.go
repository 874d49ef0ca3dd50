package cftest

import (
	"slices"
	"time"
)

// Types and states of a last operation.
const (
	typeCreate = "create"
	typeUpdate = "update"
	typeDelete = "delete"

	stateInitial    = "initial"
	stateInProgress = "in progress"
	stateSucceeded  = "succeeded"
	stateFailed     = "failed"
)

// instance is a managed service instance.
type instance struct {
	record
	plan        *plan
	space       *space
	operation   lastOperation
	maintenance *maintenanceInfo // what it was last deployed with; nil: the plan had none
	dashboard   string
	tags        []string
	shared      []*space
	bindings    []*binding // of all kinds
}

// lastOperation is what was or is being done to an instance or a binding.
type lastOperation struct {
	kind, state string
	description string
	at          time.Time
	serial      int // tells it from those before and after
}

func (o lastOperation) running() bool { return o.state == stateInitial || o.state == stateInProgress }

// begin makes a new last operation of an instance.
func (c *CloudController) begin(i *instance, kind, state string) {
	i.operation = lastOperation{kind: kind, state: state, at: c.options.Now(), serial: i.operation.serial + 1}
}

// progress is how the last operation stands now.
func (c *CloudController) progress(i *instance, state, description string) {
	i.operation.state, i.operation.description, i.operation.at = state, description, c.options.Now()
}

type operationView struct {
	Type        string  `json:"type"`
	State       string  `json:"state"`
	Description *string `json:"description"`
	Updated     string  `json:"updated_at"`
	Created     string  `json:"created_at"`
}

func (o lastOperation) view() operationView {
	return operationView{o.kind, o.state, textOrNull(o.description), stamp(o.at), stamp(o.at)}
}

func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// upgradeAvailable is Cloud Controller's own comparison of the instance's version with its plan's.
func (i *instance) upgradeAvailable() bool {
	return i.plan.version() != "" && i.plan.version() != i.version()
}

func (i *instance) version() string {
	if i.maintenance == nil {
		return ""
	}
	return i.maintenance.Version
}

type instanceLinks struct {
	Self               link `json:"self"`
	Space              link `json:"space"`
	CredentialBindings link `json:"service_credential_bindings"`
	RouteBindings      link `json:"service_route_bindings"`
	Plan               link `json:"service_plan"`
	Parameters         link `json:"parameters"`
	SharedSpaces       link `json:"shared_spaces"`
}

type instanceRelations struct {
	Space relation `json:"space"`
	Plan  relation `json:"service_plan"`
}

type instanceView struct {
	recordView
	Name             string            `json:"name"`
	Tags             []string          `json:"tags"`
	LastOperation    operationView     `json:"last_operation"`
	Type             string            `json:"type"`
	MaintenanceInfo  maintenanceInfo   `json:"maintenance_info"`
	UpgradeAvailable bool              `json:"upgrade_available"`
	DashboardURL     *string           `json:"dashboard_url"`
	Relationships    instanceRelations `json:"relationships"`
	Metadata         metadata          `json:"metadata"`
	Links            instanceLinks     `json:"links"`
}

func (i *instance) view(c *CloudController) any {
	base := c.URL()
	self := base + "/v3/service_instances/" + i.guid
	view := instanceView{
		recordView: i.head(), Name: i.name, Tags: append([]string{}, i.tags...), LastOperation: i.operation.view(),
		Type: "managed", UpgradeAvailable: i.upgradeAvailable(), DashboardURL: textOrNull(i.dashboard),
		Relationships: instanceRelations{relatedTo(i.space.guid), relatedTo(i.plan.guid)},
		Links: instanceLinks{
			Self: link{Href: self}, Space: link{Href: base + "/v3/spaces/" + i.space.guid},
			CredentialBindings: link{Href: base + "/v3/service_credential_bindings?service_instance_guids=" + i.guid},
			RouteBindings:      link{Href: base + "/v3/service_route_bindings?service_instance_guids=" + i.guid},
			Plan:               link{Href: base + "/v3/service_plans/" + i.plan.guid},
			Parameters:         link{Href: self + "/parameters"},
			SharedSpaces:       link{Href: self + "/relationships/shared_spaces"},
		},
	}
	if i.maintenance != nil {
		view.MaintenanceInfo = *i.maintenance
	}
	return view
}

func (c *CloudController) listInstances(q *request) response {
	l, refusal := q.listing(listableBy(
		[]string{"guids", "type", "fields", "names", "space_guids", "organization_guids", "service_plan_guids", "service_plan_names"},
		"guids", "type", "fields", "names", "space_guids", "organization_guids", "service_plan_guids", "service_plan_names", "label_selector"))
	if refusal != nil {
		return *refusal
	}
	guids, names, types := l.filter("guids"), l.filter("names"), l.filter("type")
	spaces, organizations := l.filter("space_guids"), l.filter("organization_guids")
	plans, planNames := l.filter("service_plan_guids"), l.filter("service_plan_names")
	managed := q.seesAll() && types.has("managed")
	answer, shown := page(c, l, c.world.instances.find(func(i *instance) bool {
		return managed && guids.has(i.guid) && names.has(i.name) && spaces.has(i.space.guid) &&
			organizations.has(i.space.organization.guid) && plans.has(i.plan.guid) && planNames.has(i.plan.name)
	}))
	answer.included = includedWithInstances(l, shown)
	return ok(answer)
}

// includedWithInstances is what fields[...] of the instances' surroundings ask for; nil for nothing.
func includedWithInstances(l listing, shown []*instance) any {
	spaces, organizations := newUnique[*space](), newUnique[*organization]()
	plans, offerings, brokers := newUnique[*plan](), newUnique[*offering](), newUnique[*broker]()
	for _, i := range shown {
		spaces.add(i.space)
		organizations.add(i.space.organization)
		plans.add(i.plan)
		offerings.add(i.plan.offering)
		brokers.add(i.plan.offering.broker)
	}
	included := map[string]any{}
	for _, one := range []struct {
		resource, key string
		fields        func([]string) []map[string]any
	}{
		{"space", "spaces", spaces.fields},
		{"space.organization", "organizations", organizations.fields},
		{"service_plan", "service_plans", plans.fields},
		{"service_plan.service_offering", "service_offerings", offerings.fields},
		{"service_plan.service_offering.service_broker", "service_brokers", brokers.fields},
	} {
		if asked := l.fields(one.resource); asked != nil {
			included[one.key] = one.fields(asked)
		}
	}
	if len(included) == 0 {
		return nil
	}
	return included
}

func (c *CloudController) showInstance(q *request) response {
	return show(c, q, &c.world.instances, "Service instance")
}

// removeInstance forgets an instance and its bindings.
func (c *CloudController) removeInstance(i *instance) {
	for _, b := range slices.Clone(i.bindings) {
		c.removeBinding(b)
	}
	c.world.instances.remove(i.guid)
}

func (c *CloudController) aboutInstance(i *instance, linkName string) subject {
	return subject{name: linkName, path: "/v3/service_instances/" + i.guid, there: func() bool { return c.exists(i) }}
}

func (c *CloudController) exists(i *instance) bool {
	found, is := c.world.instances.get(i.guid)
	return is && found == i
}
