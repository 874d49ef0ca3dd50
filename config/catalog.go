package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// ServiceCatalog is the service offering (OSB 2.17, GET /v2/catalog) and what holds for all its plans.
type ServiceCatalog struct {
	ID            string `yaml:"id"`
	Name          string `yaml:"service_name"`
	Description   string `yaml:"service_description"`
	Bindable      bool   `yaml:"bindable"`
	PlanUpdatable bool   `yaml:"plan_updatable"`
	// InstancesRetrievable lets platforms fetch instances, AllowContextUpdates announces that a new context alone is taken (OSB
	// 2.17, Service Offering Object).
	InstancesRetrievable bool            `yaml:"instances_retrievable"`
	AllowContextUpdates  bool            `yaml:"allow_context_updates"`
	Requires             []string        `yaml:"requires"`
	Tags                 []string        `yaml:"tags"`
	Metadata             ServiceMetadata `yaml:"metadata"`
	// DashboardClient is nil if there is none.
	DashboardClient *DashboardClient `yaml:"dashboard_client"`
	// GlobalProperties lie under the properties of each plan.
	GlobalProperties map[string]any `yaml:"global_properties"`
	// GlobalQuotas hold for all plans together. A resource listed here without a limit has a limit of zero.
	GlobalQuotas Quotas `yaml:"global_quotas"`
	// MaintenanceInfo is nil if there is none.
	MaintenanceInfo *MaintenanceInfo `yaml:"maintenance_info"`
	// KeepBindings says where bindings are kept to be answered again: KeepInCredHub, KeepInMemory, or empty for nowhere.
	KeepBindings string `yaml:"keep_bindings"`
	Plans        []Plan `yaml:"plans"`
}

// ServiceMetadata is shown to those who choose a service. Extra holds all other keys and is shown as it is.
type ServiceMetadata struct {
	DisplayName         string         `yaml:"display_name"`
	ImageURL            string         `yaml:"image_url"`
	LongDescription     string         `yaml:"long_description"`
	ProviderDisplayName string         `yaml:"provider_display_name"`
	DocumentationURL    string         `yaml:"documentation_url"`
	SupportURL          string         `yaml:"support_url"`
	Shareable           bool           `yaml:"shareable"`
	Extra               map[string]any `yaml:",inline"`
}

// DashboardClient is the OAuth client for single sign-on to the service's dashboard.
type DashboardClient struct {
	ID          string `yaml:"id"`
	Secret      Secret `yaml:"secret"`
	RedirectURI string `yaml:"redirect_uri"`
}

// MaintenanceInfo is what makes a platform offer upgrades. A plan's lies over the offering's.
type MaintenanceInfo struct {
	Version     string            `yaml:"version"`
	Description string            `yaml:"description"`
	Public      map[string]string `yaml:"public"`
	Private     map[string]Secret `yaml:"private"`
}

// PropertiesOf gives what the adapter gets as a plan's properties: the plan's own, whose top-level keys win whole, and
// the global ones. It is the caller's to keep, the values aren't.
func (c ServiceCatalog) PropertiesOf(p Plan) map[string]any {
	properties := make(map[string]any, len(c.GlobalProperties)+len(p.Properties))
	maps.Copy(properties, c.GlobalProperties)
	maps.Copy(properties, p.Properties)
	return properties
}

// CanChange tells whether instances of a plan can be given another one: what the plan says, else what the offering says.
func (c ServiceCatalog) CanChange(p Plan) bool {
	if p.PlanUpdatable != nil {
		return *p.PlanUpdatable
	}
	return c.PlanUpdatable
}

// IsBindable tells whether instances of a plan can be bound: what the plan says, else what the offering says.
func (c ServiceCatalog) IsBindable(p Plan) bool {
	if p.Bindable != nil {
		return *p.Bindable
	}
	return c.Bindable
}

func (c *ServiceCatalog) fold(at section) {
	c.GlobalQuotas.foldGlobal(at.key("global_quotas"))
	for i := range c.Plans {
		c.Plans[i].Quotas.foldPlan(at.key("plans").item(i).key("quotas"))
	}
}

// permissions are those of OSB 2.17, Service Offering Object.
func permissions() []string { return []string{"syslog_drain", "route_forwarding", "volume_mount"} }

// cliFriendly is what OSB 2.17 asks of the names of services and plans.
var cliFriendly = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)

func checkName(at section, name string) {
	if name != "" && !cliFriendly.MatchString(name) {
		at.notice("is awkward on a command line", "use letters, digits, dots and hyphens (OSB 2.17)")
	}
	checkLength(at, name, 255)
}

func checkLength(at section, text string, most int) {
	if length := utf8.RuneCountInString(text); length > most {
		at.notice(fmt.Sprintf("has %d characters, which a platform may refuse", length), fmt.Sprintf("use %d at most", most))
	}
}

func (c ServiceCatalog) check(at section) {
	at.key("id").need(Error, c.ID != "", "give the service offering's id, a GUID that never changes")
	at.key("service_name").need(Warning, c.Name != "", "give the service offering's name")
	checkName(at.key("service_name"), c.Name)
	at.key("service_description").need(Warning, c.Description != "", "describe the service offering")
	checkLength(at.key("service_description"), c.Description, 10_000)
	at.key("bindable").need(Warning, at.key("bindable").given(), "say true or false")
	for i, permission := range c.Requires {
		if !slices.Contains(permissions(), permission) {
			at.key("requires").item(i).warn("is no permission that a platform can grant", "use "+oneOfThese(permissions()))
		}
	}
	checkLength(at.key("tags"), strings.Join(c.Tags, ","), 2048)
	c.DashboardClient.check(at.key("dashboard_client"))
	c.GlobalQuotas.check(at.key("global_quotas"))
	c.GlobalQuotas.checkGlobal(at.key("global_quotas"))
	c.MaintenanceInfo.check(at.key("maintenance_info"))
	c.checkPlans(at.key("plans"))
}

func (c ServiceCatalog) checkPlans(at section) {
	plans := 0
	ids, names := map[string]int{}, map[string]int{}
	for i, plan := range c.Plans {
		if at.item(i).isNull() { // tiles render the plans that an operator switched off as null
			continue
		}
		plans++
		plan.check(at.item(i))
		if first, taken := ids[plan.ID]; taken && plan.ID != "" {
			at.item(i).key("plan_id").warn(fmt.Sprintf("is also that of plans[%d], and the first one is used", first), "give each plan an id of its own")
		} else {
			ids[plan.ID] = i
		}
		if first, taken := names[plan.Name]; taken && plan.Name != "" {
			at.item(i).key("name").warn(fmt.Sprintf("is also that of plans[%d]", first), "give each plan a name of its own")
		} else {
			names[plan.Name] = i
		}
	}
	at.need(Error, plans > 0, "list at least one plan")
}

func (c *DashboardClient) given() bool { return c != nil && *c != DashboardClient{} }

func (c *DashboardClient) check(at section) {
	if !c.given() {
		return
	}
	at.key("id").need(Warning, c.ID != "", "give the OAuth client's id")
	at.key("secret").need(Warning, !c.Secret.Empty(), "give the OAuth client's secret")
	at.key("redirect_uri").need(Warning, c.RedirectURI != "", "give the dashboard's address (Cloud Foundry refuses a catalog without)")
}

// semver is the grammar of semver.org, version 2.0.0.
var semver = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?` +
	`(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

func (m *MaintenanceInfo) given() bool {
	return m != nil && (m.Version != "" || m.Description != "" || len(m.Public) > 0 || len(m.Private) > 0)
}

func (m *MaintenanceInfo) check(at section) {
	if !m.given() {
		return
	}
	if m.Version != "" && !semver.MatchString(m.Version) {
		at.key("version").warn("is not a semantic version", "give one like 1.4.0 or 1.4.0+jammy.351")
	}
	checkLength(at.key("description"), m.Description, 1900)
	if len(m.Public) > 0 || len(m.Private) > 0 {
		at.notice("has public or private entries, which OSB and Cloud Foundry don't know", "let version say it: change it whenever an upgrade would change anything")
	}
}

func (c *ServiceCatalog) settle(at section) {
	if !c.DashboardClient.given() {
		c.DashboardClient = nil
	}
	if !c.MaintenanceInfo.given() {
		c.MaintenanceInfo = nil
	}
	var plans []Plan
	for i, plan := range c.Plans {
		if place := at.key("plans").item(i); !place.isNull() {
			plan.settle(place)
			plans = append(plans, plan)
		}
	}
	c.Plans = plans
}
