package cftest

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// Broker is a service broker that is registered already, with what is known of its catalog.
type Broker struct {
	Name string
	// URL, Username and Password of a broker that is driven; without a URL it is simulated.
	URL, Username, Password string
	Offerings               []Offering
}

// Offering is a service offering. Instances of a shareable one may be shared with other spaces.
type Offering struct {
	Name, CatalogID string
	Shareable       bool
	Plans           []Plan
}

// Plan is a service plan; one that isn't public is visible to admins only.
type Plan struct {
	Name, CatalogID string
	// MaintenanceVersion of its maintenance info; "": it has none.
	MaintenanceVersion string
	Public             bool
}

// Instance is a managed service instance.
type Instance struct {
	GUID, Name          string // AddInstance makes them up if they are ""
	PlanGUID, SpaceGUID string
	// MaintenanceVersion that it was last deployed with; AddInstance takes the plan's for "".
	MaintenanceVersion string
	UpgradeAvailable   bool // told by Instance, not taken by AddInstance
	DashboardURL       string
	// LastOperation; AddInstance makes the zero value a create that succeeded.
	LastOperation LastOperation
}

// LastOperation of an instance: Type create, update or delete; State initial, in progress, succeeded or failed.
type LastOperation struct{ Type, State, Description string }

// Binding is a key, or the binding of an app if AppGUID is set.
type Binding struct{ InstanceGUID, Name, AppGUID string }

// misuse is a test's own fault: it refers to what isn't there.
func misuse(what, guid string) { panic(fmt.Sprintf("cftest: there is no %s %q", what, guid)) }

// AddBroker adds a broker with its offerings and plans, without asking it for its catalog, and returns its GUID.
func (c *CloudController) AddBroker(b Broker) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := &broker{record: c.newRecord("", b.Name), access: brokerAccess{b.URL, b.Username, b.Password}}
	c.world.brokers.add(made)
	c.takeCatalog(made, catalogOf(b.Offerings))
	for _, o := range b.Offerings {
		for _, p := range o.Plans {
			c.planOf(p.CatalogID).public = p.Public
		}
	}
	return made.guid
}

func catalogOf(offerings []Offering) []catalogService {
	var services []catalogService
	for _, o := range offerings {
		s := catalogService{
			ID: o.CatalogID, Name: o.Name, Description: o.Name, Bindable: true, PlanUpdateable: true,
			Metadata: json.RawMessage(fmt.Sprintf(`{"shareable":%t}`, o.Shareable)),
		}
		for _, p := range o.Plans {
			known := catalogPlan{ID: p.CatalogID, Name: p.Name, Description: p.Name}
			if p.MaintenanceVersion != "" {
				known.MaintenanceInfo = &maintenanceInfo{Version: p.MaintenanceVersion}
			}
			s.Plans = append(s.Plans, known)
		}
		services = append(services, s)
	}
	return services
}

// planOf is the newest plan with an id in its broker's catalog; one that isn't there is misuse.
func (c *CloudController) planOf(catalogID string) *plan {
	found := c.world.plans.find(func(p *plan) bool { return p.catalog.ID == catalogID })
	if len(found) == 0 {
		misuse("plan with catalog id", catalogID)
	}
	return found[len(found)-1]
}

// PlanGUID is the GUID of the plan with that id in its broker's catalog.
func (c *CloudController) PlanGUID(catalogID string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.planOf(catalogID).guid
}

// SetMaintenanceVersion gives a plan, by its id in the catalog, another version, as a catalog that was fetched again
// does. "" takes its maintenance info away.
func (c *CloudController) SetMaintenanceVersion(catalogID, version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.planOf(catalogID)
	p.catalog.MaintenanceInfo = nil
	if version != "" {
		p.catalog.MaintenanceInfo = &maintenanceInfo{Version: version}
	}
}

// AddInstance adds an instance, without telling its broker, and returns its GUID. Tens of thousands are cheap.
func (c *CloudController) AddInstance(i Instance) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	of, is := c.world.plans.get(i.PlanGUID)
	if !is {
		misuse("plan", i.PlanGUID)
	}
	in, is := c.world.spaces.get(i.SpaceGUID)
	if !is {
		misuse("space", i.SpaceGUID)
	}
	made := &instance{record: c.newRecord(i.GUID, i.Name), plan: of, space: in, maintenance: of.catalog.MaintenanceInfo, dashboard: i.DashboardURL}
	if made.name == "" {
		made.name = "instance-" + made.guid
	}
	if i.MaintenanceVersion != "" && i.MaintenanceVersion != of.version() {
		made.maintenance = &maintenanceInfo{Version: i.MaintenanceVersion}
	}
	if i.LastOperation == (LastOperation{}) {
		i.LastOperation = LastOperation{Type: typeCreate, State: stateSucceeded}
	}
	c.begin(made, i.LastOperation.Type, i.LastOperation.State)
	made.operation.description = i.LastOperation.Description
	c.world.instances.add(made)
	return made.guid
}

// Instance is how an instance stands; false if there is none with that GUID.
func (c *CloudController) Instance(guid string) (Instance, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, is := c.world.instances.get(guid)
	if !is {
		return Instance{}, false
	}
	return i.told(), true
}

// Instances are all instances, in the order of their creation.
func (c *CloudController) Instances() []Instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Instance, 0, len(c.world.instances.order))
	for _, i := range c.world.instances.order {
		all = append(all, i.told())
	}
	return all
}

func (i *instance) told() Instance {
	return Instance{
		GUID: i.guid, Name: i.name, PlanGUID: i.plan.guid, SpaceGUID: i.space.guid, MaintenanceVersion: i.version(),
		UpgradeAvailable: i.upgradeAvailable(), DashboardURL: i.dashboard,
		LastOperation: LastOperation{i.operation.kind, i.operation.state, i.operation.description},
	}
}

func (c *CloudController) instanceThere(guid string) *instance {
	i, is := c.world.instances.get(guid)
	if !is {
		misuse("instance", guid)
	}
	return i
}

// AddBinding adds a binding, without telling the broker, and returns its GUID.
func (c *CloudController) AddBinding(b Binding) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := &binding{record: c.newRecord("", b.Name), kind: bindingKey, instance: c.instanceThere(b.InstanceGUID), credentials: json.RawMessage("{}")}
	if b.AppGUID != "" {
		to, is := c.world.apps[b.AppGUID]
		if !is {
			misuse("app", b.AppGUID)
		}
		made.kind, made.app = bindingApp, to
	}
	c.stand(made, typeCreate, stateSucceeded, "")
	c.addBinding(made)
	return made.guid
}

// AddRouteBinding binds some route to an instance, without telling the broker, and returns the binding's GUID.
func (c *CloudController) AddRouteBinding(instanceGUID string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := &binding{record: c.newRecord("", ""), kind: bindingRoute, instance: c.instanceThere(instanceGUID), route: uuid.NewString()}
	c.stand(made, typeCreate, stateSucceeded, "")
	c.addBinding(made)
	return made.guid
}

// Share shares an instance with a space, both by GUID.
func (c *CloudController) Share(instanceGUID, spaceGUID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	with, is := c.world.spaces.get(spaceGUID)
	if !is {
		misuse("space", spaceGUID)
	}
	i := c.instanceThere(instanceGUID)
	i.shared = append(i.shared, with)
}
