package cftest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// catalogService is a service offering in a broker's catalog (OSB 2.15 §Catalog Management).
type catalogService struct {
	ID                   string          `json:"id"`
	Name                 string          `json:"name"`
	Description          string          `json:"description"`
	Bindable             bool            `json:"bindable"`
	InstancesRetrievable bool            `json:"instances_retrievable"`
	BindingsRetrievable  bool            `json:"bindings_retrievable"`
	PlanUpdateable       bool            `json:"plan_updateable"`
	AllowContextUpdates  bool            `json:"allow_context_updates"`
	Tags                 []string        `json:"tags"`
	Requires             []string        `json:"requires"`
	Metadata             json.RawMessage `json:"metadata"`
	Plans                []catalogPlan   `json:"plans"`
}

type catalogPlan struct {
	ID                     string           `json:"id"`
	Name                   string           `json:"name"`
	Description            string           `json:"description"`
	Free                   *bool            `json:"free"`
	Bindable               *bool            `json:"bindable"`
	PlanUpdateable         *bool            `json:"plan_updateable"`
	MaximumPollingDuration *int             `json:"maximum_polling_duration"`
	MaintenanceInfo        *maintenanceInfo `json:"maintenance_info"`
	Metadata               json.RawMessage  `json:"metadata"`
	Schemas                json.RawMessage  `json:"schemas"`
}

// maintenanceInfo is that of a plan, or what an instance was last deployed with.
type maintenanceInfo struct {
	Version     string `json:"version,omitempty"`
	Description string `json:"description,omitempty"`
}

func (c *CloudController) fetchCatalog(ctx context.Context, access brokerAccess, asks caller) ([]catalogService, *apiError) {
	answer, failure := c.sendOSB(ctx, access, osbRequest{verb: verbCatalog, method: http.MethodGet, path: "/v2/catalog", caller: asks})
	if failure != nil {
		return nil, &failure.apiError
	}
	if answer.status != http.StatusOK {
		e := answer.refused().apiError
		return nil, &e
	}
	offered, problems := parseCatalog(answer.raw)
	if len(problems) > 0 {
		return nil, &apiError{
			"Service broker catalog is invalid: \n" + strings.Join(problems, "\n") + "\n", "CF-ServiceBrokerCatalogInvalid", 270012,
		}
	}
	return offered, nil
}

// parseCatalog reads a catalog and finds out what is wrong with it.
func parseCatalog(raw []byte) ([]catalogService, []string) {
	var catalog struct {
		Services []catalogService `json:"services"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if err := decoder.Decode(&catalog); err != nil {
		return nil, []string{"Service broker catalog can't be read: " + err.Error()}
	}
	if len(catalog.Services) == 0 {
		return nil, []string{"Service broker must provide at least one service"}
	}
	var problems []string
	ids := map[string]bool{}
	identify := func(what, id, name, description string) {
		if id == "" || name == "" || description == "" {
			problems = append(problems, what+" "+name+": id, name and description are required")
		}
		if ids[id] {
			problems = append(problems, what+" "+name+": id must be unique")
		}
		ids[id] = true
	}
	for _, s := range catalog.Services {
		identify("Service", s.ID, s.Name, s.Description)
		if len(s.Plans) == 0 {
			problems = append(problems, "Service "+s.Name+"\n  At least one plan is required")
		}
		for n, p := range s.Plans {
			identify("Plan", p.ID, p.Name, p.Description)
			if slices.ContainsFunc(s.Plans[:n], func(o catalogPlan) bool { return o.Name == p.Name }) {
				problems = append(problems, "Service "+s.Name+"\n  Plan names must be unique within a service. Service "+s.Name+" already has a plan named "+p.Name)
			}
		}
	}
	return catalog.Services, problems
}

// takeCatalog makes the broker's offerings and plans what the catalog says. Plans that it doesn't name any more stay,
// unavailable, while they have instances.
func (c *CloudController) takeCatalog(b *broker, offered []catalogService) []warning {
	for _, s := range offered {
		o := c.offeringOf(b, s.ID)
		if o == nil {
			o = &offering{record: c.newRecord("", ""), broker: b}
			c.world.offerings.add(o)
		}
		o.name, o.updated, o.catalog = s.Name, c.options.Now(), s
		for _, p := range s.Plans {
			c.takePlan(o, p)
		}
		o.catalog.Plans = nil // they are kept apart
	}
	return c.dropMissing(b, offered)
}

func (c *CloudController) takePlan(o *offering, p catalogPlan) {
	known := c.world.plans.find(func(k *plan) bool { return k.offering == o && k.catalog.ID == p.ID })
	if len(known) == 0 {
		known = []*plan{{record: c.newRecord("", ""), offering: o}}
		c.world.plans.add(known[0])
	}
	known[0].name, known[0].updated, known[0].catalog, known[0].inactive = p.Name, c.options.Now(), p, false
}

func (c *CloudController) dropMissing(b *broker, offered []catalogService) []warning {
	ids := map[string]bool{}
	for _, s := range offered {
		ids[s.ID] = true
		for _, p := range s.Plans {
			ids[s.ID+"/"+p.ID] = true
		}
	}
	var kept []string
	for _, p := range c.world.plans.find(func(p *plan) bool { return p.offering.broker == b }) {
		if ids[p.offering.catalog.ID+"/"+p.catalog.ID] {
			continue
		}
		if c.inUse(p) {
			p.inactive = true
			kept = append(kept, "\nService Offering: "+p.offering.name+"\nPlans deactivated: "+p.name+"\n")
			continue
		}
		c.world.plans.remove(p.guid)
	}
	for _, o := range c.world.offerings.find(func(o *offering) bool { return o.broker == b && !ids[o.catalog.ID] }) {
		if len(c.world.plans.find(func(p *plan) bool { return p.offering == o })) == 0 {
			c.world.offerings.remove(o.guid)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return []warning{{Detail: deactivated + strings.Join(kept, "")}}
}

const deactivated = "Warning: Service plans are missing from the broker's catalog but can not be removed from Cloud Foundry while " +
	"instances exist. The plans have been deactivated to prevent users from attempting to provision new instances of these plans. " +
	"The broker should continue to support bind, unbind, and delete for existing instances; if these operations fail contact your broker provider.\n"

func (c *CloudController) offeringOf(b *broker, catalogID string) *offering {
	found := c.world.offerings.find(func(o *offering) bool { return o.broker == b && o.catalog.ID == catalogID })
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func (c *CloudController) inUse(p *plan) bool {
	return slices.ContainsFunc(c.world.instances.order, func(i *instance) bool { return i.plan == p })
}
