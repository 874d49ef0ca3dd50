package broker

import (
	"context"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/config"
)

// Services is the catalog (OSB 2.17, GET /v2/catalog). It was built once, from the configuration and the
// plans' schemas, and asks nobody.
func (b *Broker) Services(context.Context) ([]domain.Service, error) { return b.catalog, nil }

func buildCatalog(o offering, schemas Schemas) []domain.Service {
	service := domain.Service{
		ID:                   o.ID,
		Name:                 o.Name,
		Description:          o.Description,
		Bindable:             o.Bindable,
		PlanUpdatable:        o.PlanUpdatable,
		InstancesRetrievable: o.InstancesRetrievable,
		AllowContextUpdates:  o.AllowContextUpdates,
		// Whatever is kept is kept of all plans' bindings.
		BindingsRetrievable: o.KeepBindings != "",
		Tags:                o.Tags,
		Metadata:            serviceMetadata(o.Metadata),
		Plans:               make([]domain.ServicePlan, 0, len(o.Plans)),
	}
	for _, permission := range o.Requires {
		service.Requires = append(service.Requires, domain.RequiredPermission(permission))
	}
	if client := o.DashboardClient; client != nil {
		service.DashboardClient = &domain.ServiceDashboardClient{ID: client.ID, Secret: client.Secret.Reveal(), RedirectURI: client.RedirectURI}
	}
	for _, p := range o.Plans {
		service.Plans = append(service.Plans, domain.ServicePlan{
			ID:                     p.ID,
			Name:                   p.Name,
			Description:            p.Description,
			Free:                   p.Free,
			Bindable:               p.Bindable,
			PlanUpdatable:          p.PlanUpdatable,
			MaximumPollingDuration: wholeSeconds(p.MaximumPollingDuration),
			Metadata:               planMetadata(p.Metadata),
			Schemas:                schemas.osb(p.ID),
			MaintenanceInfo:        maintenanceInfo(o.MaintenanceInfo, p.MaintenanceInfo, o.fullMaintenanceInfo),
		})
	}
	return []domain.Service{service}
}

// wholeSeconds is nil for no time.
func wholeSeconds(d time.Duration) *int {
	if d == 0 {
		return nil
	}
	seconds := int(d / time.Second)
	return &seconds
}

func serviceMetadata(m config.ServiceMetadata) *domain.ServiceMetadata {
	shareable := m.Shareable
	return &domain.ServiceMetadata{
		DisplayName:         m.DisplayName,
		ImageUrl:            m.ImageURL,
		LongDescription:     m.LongDescription,
		ProviderDisplayName: m.ProviderDisplayName,
		DocumentationUrl:    m.DocumentationURL,
		SupportUrl:          m.SupportURL,
		Shareable:           &shareable, // always told, as Cloud Foundry's users are used to
		AdditionalMetadata:  m.Extra,
	}
}

func planMetadata(m config.PlanMetadata) *domain.ServicePlanMetadata {
	metadata := &domain.ServicePlanMetadata{DisplayName: m.DisplayName, Bullets: m.Bullets, AdditionalMetadata: m.Extra}
	for _, cost := range m.Costs {
		metadata.Costs = append(metadata.Costs, domain.ServicePlanCost{Amount: cost.Amount, Unit: cost.Unit})
	}
	return metadata
}
