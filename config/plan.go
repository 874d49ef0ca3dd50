package config

import (
	"slices"
	"time"
)

// Plan is a service plan: what the platform is told of it, and what the adapter is.
type Plan struct {
	ID          string `yaml:"plan_id"`
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	// Free is nil if the operator doesn't say; platforms then take it for true.
	Free *bool `yaml:"free"`
	// Bindable is nil if what the offering says holds.
	Bindable *bool `yaml:"bindable"`
	// PlanUpdatable tells whether the plan of its instances can be changed; nil if what the offering says holds.
	PlanUpdatable *bool `yaml:"plan_updatable"`
	// MaximumPollingDuration is after which time platforms take an operation for failed; 0 leaves it to them.
	MaximumPollingDuration time.Duration `yaml:"maximum_polling_duration" unit:"seconds"`
	Metadata               PlanMetadata  `yaml:"metadata"`
	Quotas                 Quotas        `yaml:"quotas"`
	// Properties are for the adapter; the broker doesn't read them.
	Properties     map[string]any  `yaml:"properties"`
	InstanceGroups []InstanceGroup `yaml:"instance_groups"`
	// Update is nil if the operator gives none.
	Update *Update `yaml:"update"`
	// LifecycleErrands is nil if there are none.
	LifecycleErrands *LifecycleErrands `yaml:"lifecycle_errands"`
	BindingWithDNS   []BindingDNS      `yaml:"binding_with_dns"`
	Binding          PlanBinding       `yaml:"binding"`
	// MaintenanceInfo is nil if what the offering says holds.
	MaintenanceInfo *MaintenanceInfo `yaml:"maintenance_info"`
	// CFServiceAccess is enable, disable, manual or org-restricted; empty means enable. It is for those who register
	// the broker with Cloud Foundry.
	CFServiceAccess string `yaml:"cf_service_access"`
	// ServiceAccessOrg is the organisation that org-restricted means.
	ServiceAccessOrg string `yaml:"service_access_org"`
	// ServiceAccessOrgs are more organisations for org-restricted.
	ServiceAccessOrgs []string `yaml:"service_access_orgs"`
}

// PlanMetadata is shown to those who choose a plan. Extra holds all other keys and is shown as it is.
type PlanMetadata struct {
	DisplayName string         `yaml:"display_name"`
	Bullets     []string       `yaml:"bullets"`
	Costs       []PlanCost     `yaml:"costs"`
	Extra       map[string]any `yaml:",inline"`
}

// PlanCost is a price for each unit, by currency.
type PlanCost struct {
	Amount map[string]float64 `yaml:"amount"`
	Unit   string             `yaml:"unit"`
}

// BindingDNS is a BOSH DNS address that bindings are given under Name.
type BindingDNS struct {
	Name                 string `yaml:"name"`
	LinkProvider         string `yaml:"link_provider"`
	InstanceGroup        string `yaml:"instance_group"`
	BindingDNSProperties `yaml:"properties"`
}

// BindingDNSProperties select the instances that the address resolves to.
type BindingDNSProperties struct {
	AZs    []string `yaml:"azs"`
	Status string   `yaml:"status"` // default, healthy, unhealthy or all; empty means default
}

func (p Plan) check(at section) {
	at.key("plan_id").need(Warning, p.ID != "", "give the plan's id, a GUID that never changes")
	at.key("name").need(Warning, p.Name != "", "give the plan's name")
	checkName(at.key("name"), p.Name)
	at.key("description").need(Warning, p.Description != "", "describe the plan")
	checkLength(at.key("description"), p.Description, 10_000)
	if p.MaximumPollingDuration < 0 {
		at.key("maximum_polling_duration").warn("is negative", "give the seconds after which platforms take an operation for failed, or 0 to leave it to them")
	}
	p.Quotas.check(at.key("quotas"))
	groups := at.key("instance_groups")
	groups.need(Warning, len(p.InstanceGroups) > 0, "list the plan's instance groups")
	for i, group := range p.InstanceGroups {
		group.check(groups.item(i))
	}
	p.Update.check(at.key("update"))
	p.LifecycleErrands.check(at.key("lifecycle_errands"))
	p.MaintenanceInfo.check(at.key("maintenance_info"))
	p.checkDNS(at.key("binding_with_dns"))
	p.checkAccess(at)
}

func (p Plan) checkAccess(at section) {
	switch access := p.CFServiceAccess; {
	case access == orgRestricted:
		at.key("service_access_org").need(Warning, p.ServiceAccessOrg != "" || len(p.ServiceAccessOrgs) > 0, "name the organisation that cf_service_access restricts the plan to")
	case access != "" && !slices.Contains(accessKinds(), access):
		at.key("cf_service_access").warn("is no kind of access", "use "+oneOfThese(accessKinds()))
	}
}

const orgRestricted = "org-restricted"

func accessKinds() []string { return []string{"enable", "disable", "manual", orgRestricted} }

func dnsStatuses() []string { return []string{"default", "healthy", "unhealthy", "all"} }

func (p Plan) checkDNS(at section) {
	names := map[string]bool{}
	for i, dns := range p.BindingWithDNS {
		place := at.item(i)
		place.key("name").need(Warning, dns.Name != "", "name the address, as the adapter will know it")
		place.key("link_provider").need(Warning, dns.LinkProvider != "", "name the job's link provider")
		place.key("instance_group").need(Warning, dns.InstanceGroup != "", "name the instance group of the provider")
		if dns.Status != "" && !slices.Contains(dnsStatuses(), dns.Status) {
			place.key("properties", "status").warn("is no status that BOSH DNS knows", "use "+oneOfThese(dnsStatuses()))
		}
		if names[dns.Name] && dns.Name != "" {
			place.key("name").warn("is that of an earlier address, which it replaces", "give each address a name of its own")
		}
		names[dns.Name] = true
	}
}

func (p *Plan) settle(at section) {
	if !p.Update.given() {
		p.Update = nil
	}
	if !p.MaintenanceInfo.given() {
		p.MaintenanceInfo = nil
	}
	p.MaximumPollingDuration = max(p.MaximumPollingDuration, 0)
	p.LifecycleErrands = p.LifecycleErrands.settled(at.key("lifecycle_errands"))
	for i := range p.InstanceGroups {
		p.InstanceGroups[i].settle()
	}
}
