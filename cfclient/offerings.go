package cfclient

import (
	"context"
	"fmt"
	"slices"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
)

// Offering is a service offering.
type Offering struct {
	GUID, Name string
	CatalogID  string // service_catalog.id of the broker
	BrokerGUID string
	Shareable  bool // its instances may be shared with other spaces
	ForRoutes  bool // its instances may be bound to routes
}

// Plan is a service plan.
type Plan struct {
	GUID, Name         string
	CatalogID          string // the plan's id in the broker's catalog
	MaintenanceVersion string // of its maintenance_info; "" if it has none
	OfferingGUID       string
	VisibilityType     string // see Visibility
	Available          bool   // false: the broker's catalog has it no more, and instances keep it here
}

// Offerings finds the offerings whose catalog id this is: none if no broker with it is registered, more than one if several
// are. Cloud Foundry can't look for the id, so all offerings are gone through.
func (c *Client) Offerings(ctx context.Context, catalogID string) ([]Offering, error) {
	if catalogID == "" {
		return nil, nil
	}
	var found []Offering
	path, options := "/v3/service_offerings", client.NewServiceOfferingListOptions()
	for page, err := range pages(ctx, c, path, query(options), newOffering) {
		if err != nil {
			return nil, err
		}
		for _, offering := range page.elements {
			if offering.CatalogID == catalogID {
				found = append(found, offering)
			}
		}
	}
	return found, nil
}

// BrokerOfferings are the offerings of a broker, those that its catalog no longer has included.
func (c *Client) BrokerOfferings(ctx context.Context, brokerGUID string) ([]Offering, error) {
	if _, err := segment("service broker", brokerGUID); err != nil { // an empty filter chooses all
		return nil, err
	}
	options := client.NewServiceOfferingListOptions()
	options.ServiceBrokerGUIDs = filter(brokerGUID)
	return all(ctx, c, "/v3/service_offerings", query(options), newOffering)
}

func newOffering(theirs resource.ServiceOffering) Offering {
	return Offering{
		GUID: theirs.GUID, Name: theirs.Name, CatalogID: theirs.BrokerCatalog.ID, BrokerGUID: guidOf(&theirs.Relationships.ServiceBroker),
		Shareable: theirs.Shareable, ForRoutes: slices.Contains(theirs.Requires, "route_forwarding"),
	}
}

// Offering finds the offering of a catalog id. Beyond the usual errors there are ErrNotFound and ErrAmbiguous.
func (c *Client) Offering(ctx context.Context, catalogID string) (Offering, error) {
	found, err := c.Offerings(ctx, catalogID)
	switch {
	case err != nil:
		return Offering{}, err
	case len(found) == 0:
		return Offering{}, fmt.Errorf("service offering with the catalog id %q: %w", catalogID, ErrNotFound)
	case len(found) > 1:
		return Offering{}, fmt.Errorf("service offerings with the catalog id %q: %w", catalogID, ErrAmbiguous)
	}
	return found[0], nil
}

// Plans are the plans of the offering of a catalog id, those that its broker no longer offers included; none if the offering
// isn't there, those of all if several brokers have it.
func (c *Client) Plans(ctx context.Context, offeringCatalogID string) ([]Plan, error) {
	offerings, err := c.Offerings(ctx, offeringCatalogID)
	if err != nil {
		return nil, err
	}
	guids := make([]string, 0, len(offerings))
	for _, offering := range offerings {
		guids = append(guids, offering.GUID)
	}
	return c.OfferingPlans(ctx, guids...)
}

// OfferingPlans are the plans of offerings by their guids, otherwise like Plans.
func (c *Client) OfferingPlans(ctx context.Context, offeringGUIDs ...string) ([]Plan, error) {
	if len(offeringGUIDs) == 0 { // an empty filter chooses all
		return nil, nil
	}
	options := client.NewServicePlanListOptions()
	options.ServiceOfferingGUIDs = filter(offeringGUIDs...)
	return all(ctx, c, "/v3/service_plans", query(options), newPlan)
}

func newPlan(theirs resource.ServicePlan) Plan {
	return Plan{
		GUID: theirs.GUID, Name: theirs.Name, CatalogID: theirs.BrokerCatalog.ID, MaintenanceVersion: theirs.MaintenanceInfo.Version,
		OfferingGUID: guidOf(&theirs.Relationships.ServiceOffering), VisibilityType: theirs.VisibilityType, Available: theirs.Available,
	}
}
