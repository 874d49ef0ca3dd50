package cftest

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

func busy(i *instance) apiError {
	return apiError{"An operation for service instance " + i.name + " is in progress.", "CF-AsyncServiceInstanceOperationInProgress", 60016}
}

func (c *CloudController) createInstance(q *request) response {
	fields := q.readBody()
	name, problems := textIn(fields, "name"), fieldsBeyond(fields, "type", "name", "parameters", "tags", "relationships", "metadata")
	if name == "" {
		problems = append(problems, "Name must be a string, Name can't be blank")
	}
	if fields["type"] != "managed" {
		problems = append(problems, "Type must be one of 'managed'; cftest models no other")
	}
	_, isObject := fields["parameters"].(map[string]any)
	if fields["parameters"] != nil && !isObject {
		problems = append(problems, "Parameters must be an object")
	}
	if len(problems) > 0 {
		return unprocessable(strings.Join(problems, ", "))
	}
	in, is := c.world.spaces.get(related(fields, "space"))
	if !is {
		return unprocessable("Invalid space. Ensure that the space exists and you have access to it.")
	}
	p, is := c.world.plans.get(related(fields, "service_plan"))
	if !is || p.inactive || !p.visibleIn(in.organization) {
		return unprocessable(invalidPlan)
	}
	if c.nameTaken(in, name) {
		return unprocessable("The service instance name is taken: " + name)
	}
	made := &instance{record: c.newRecord("", name), plan: p, space: in, maintenance: p.catalog.MaintenanceInfo, tags: texts(fields["tags"])}
	c.begin(made, typeCreate, stateInitial)
	c.world.instances.add(made)
	return c.launch("service_instance.create", course{
		instance: made, kind: typeCreate, verb: verbProvision, serial: made.operation.serial,
		access: p.offering.broker.access, request: c.provisionRequest(made, fields["parameters"], callerOf(q)),
	})
}

const invalidPlan = "Invalid service plan. Ensure that the service plan exists, is available, and you have access to it."

func (c *CloudController) nameTaken(in *space, name string) bool {
	return slices.ContainsFunc(c.world.instances.order, func(i *instance) bool { return i.space == in && i.name == name })
}

func texts(list any) []string {
	items, _ := list.([]any)
	var found []string
	for _, item := range items {
		if text, is := item.(string); is {
			found = append(found, text)
		}
	}
	return found
}

// instanceChange is what a PATCH asks for.
type instanceChange struct {
	name       string // "" leaves it
	plan       *plan
	version    string // of the maintenance info; "" leaves it
	parameters any    // nil: none given
	tags       []string
}

// readInstanceChange reads the body of a PATCH, or is how to refuse it.
func (c *CloudController) readInstanceChange(i *instance, fields map[string]any) (instanceChange, *response) {
	refused := func(r response) (instanceChange, *response) { return instanceChange{}, &r }
	problems := fieldsBeyond(fields, "name", "parameters", "tags", "relationships", "maintenance_info", "metadata")
	change := instanceChange{
		name: textIn(fields, "name"), plan: i.plan, version: textIn(fields, "maintenance_info", "version"),
		parameters: fields["parameters"], tags: texts(fields["tags"]),
	}
	if _, isObject := change.parameters.(map[string]any); change.parameters != nil && !isObject {
		problems = append(problems, "Parameters must be an object")
	}
	if fields["maintenance_info"] != nil && change.version == "" {
		problems = append(problems, "Maintenance info must have a version")
	}
	if len(problems) > 0 {
		return refused(unprocessable(strings.Join(problems, ", ")))
	}
	if i.operation.running() {
		return refused(refuse(http.StatusConflict, busy(i)))
	}
	if guid := related(fields, "service_plan"); guid != "" && guid != i.plan.guid {
		p, is := c.world.plans.get(guid)
		if !is || p.inactive || p.offering != i.plan.offering || !p.visibleIn(i.space.organization) {
			return refused(unprocessable(invalidPlan))
		}
		change.plan = p
	}
	if change.version != "" && change.plan.version() == "" {
		return refused(unprocessable("The service broker does not support upgrades for service instances created from this plan."))
	}
	if change.version != "" && change.version != change.plan.version() {
		return refused(unprocessable(invalidVersion))
	}
	if change.name != "" && change.name != i.name && c.nameTaken(i.space, change.name) {
		return refused(unprocessable("The service instance name is taken: " + change.name))
	}
	return change, nil
}

const invalidVersion = "maintenance_info.version requested is invalid. Please ensure the catalog is up to date and you are providing a version supported by this service plan."

// concernsBroker tells whether the broker must be asked; else the change is Cloud Controller's own.
func (i *instance) concernsBroker(change instanceChange) bool {
	renamed := change.name != "" && change.name != i.name
	return change.parameters != nil || change.plan != i.plan || (change.version != "" && change.version != i.version()) ||
		(renamed && i.plan.offering.catalog.AllowContextUpdates)
}

func (c *CloudController) updateInstance(q *request) response {
	i, is := c.world.instances.get(q.guid())
	if !is {
		return notFound("Service instance")
	}
	change, refusal := c.readInstanceChange(i, q.readBody())
	if refusal != nil {
		return *refusal
	}
	if !i.concernsBroker(change) {
		c.begin(i, typeUpdate, stateSucceeded)
		c.apply(i, change)
		return ok(i.view(c))
	}
	c.begin(i, typeUpdate, stateInProgress)
	return c.launch("service_instance.update", course{
		instance: i, kind: typeUpdate, verb: verbUpdate, serial: i.operation.serial, change: change,
		access: i.plan.offering.broker.access, request: c.updateRequest(i, change, callerOf(q)),
	})
}

// apply makes an instance what was asked for. Of a version only the version is kept, as it was asked for.
func (c *CloudController) apply(i *instance, change instanceChange) {
	if change.name != "" {
		i.name = change.name
	}
	if change.tags != nil {
		i.tags = change.tags
	}
	if change.version == "" && change.plan != i.plan {
		change.version = change.plan.version()
	}
	if change.version != "" && change.version != i.version() {
		i.maintenance = &maintenanceInfo{Version: change.version}
	}
	i.plan, i.updated = change.plan, c.options.Now()
}

func (c *CloudController) deleteInstance(q *request) response {
	i, is := c.world.instances.get(q.guid())
	if !is {
		return notFound("Service instance")
	}
	if q.http.URL.Query().Get("purge") == "true" {
		c.removeInstance(i)
		return noContent()
	}
	asks := callerOf(q)
	return c.start("service_instance.delete", c.aboutInstance(i, "service_instance"), func(ctx context.Context, j *job) *apiError {
		return c.deprovision(ctx, j, i, asks)
	})
}
