package cfclient

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
)

// LastOperation is what Cloud Foundry last did, or does, with an instance or a binding.
type LastOperation struct {
	Type        string // create, update, delete
	State       string // initial, "in progress", succeeded, failed
	Description string
	UpdatedAt   time.Time
}

// The states of a last operation that decide something.
const (
	OperationInitial    = "initial"
	OperationInProgress = "in progress"
	OperationSucceeded  = "succeeded"
	OperationFailed     = "failed"
)

// Running tells whether the operation has not ended.
func (o LastOperation) Running() bool {
	return o.State == OperationInProgress || o.State == OperationInitial
}

// Instance is a service instance.
type Instance struct {
	GUID               string // the broker's instance id
	Name               string
	PlanGUID           string // Cloud Foundry's, not the catalog's
	SpaceGUID          string
	Org, Space         string // names; only in lists
	LastOperation      LastOperation
	MaintenanceVersion string // of its maintenance_info; "" if it has none
	UpgradeAvailable   bool   // its maintenance_info isn't its plan's
}

// InstanceFilter chooses instances: all conditions together. There must be a plan, since Cloud Foundry knows instances of
// everybody's; without one nothing is chosen.
type InstanceFilter struct {
	PlanGUIDs  []string
	Org, Space string // names; "" for any. A space without an organization is that space in every organization.
}

const instancesPath = "/v3/service_instances"

// Count counts the instances of the plans, in one request that lists nothing. Instances whose creation failed and those that
// are being created or deleted count.
func (c *Client) Count(ctx context.Context, planGUIDs ...string) (int, error) {
	if len(planGUIDs) == 0 {
		return 0, nil
	}
	options := client.NewServiceInstanceListOptions()
	options.ServicePlanGUIDs = filter(planGUIDs...)
	values := query(options)
	values.Set(client.PerPageField, "1")
	page, err := onePage(ctx, c, instancesPath, values, newInstance)
	return page.total, err
}

// Instances gives the instances that the filter chooses, 5 000 a request and oldest first; none if the organization or the
// space isn't there. It holds one page and the guids. It ends after the first error.
//
// Whatever is deleted meanwhile moves its successors to earlier pages, so that one may be missed. A list that has shrunk is
// therefore read again for those that were not given yet.
func (c *Client) Instances(ctx context.Context, chosen InstanceFilter) iter.Seq2[Instance, error] {
	return func(yield func(Instance, error) bool) {
		query, found, err := c.instancesQuery(ctx, chosen)
		if err != nil {
			yield(Instance{}, err)
		}
		if err != nil || !found {
			return
		}
		given := map[string]struct{}{}
		for again := true; again; {
			again, err = c.instancesOnce(ctx, query, given, func(i Instance) bool { return yield(i, nil) })
			if err != nil {
				yield(Instance{}, err)
				return
			}
		}
	}
}

// instancesOnce goes through the pages and gives what was not given before. It tells whether the list shrank on the way.
func (c *Client) instancesOnce(ctx context.Context, query url.Values, given map[string]struct{}, give func(Instance) bool) (shrank bool, err error) {
	largest := 0
	for page, err := range pages(ctx, c, instancesPath, query, newInstance) {
		if err != nil {
			return false, err
		}
		if page.total < largest {
			shrank = true
		}
		largest = max(largest, page.total)
		places := newPlaces(page.included)
		for _, instance := range page.elements {
			if _, known := given[instance.GUID]; known {
				continue
			}
			given[instance.GUID] = struct{}{}
			instance.Org, instance.Space = places.of(instance.SpaceGUID)
			if !give(instance) {
				return false, nil
			}
		}
	}
	return shrank, nil
}

// instancesQuery is the query for what is chosen; found is false if that can be nothing.
func (c *Client) instancesQuery(ctx context.Context, chosen InstanceFilter) (values url.Values, found bool, err error) {
	if len(chosen.PlanGUIDs) == 0 {
		return nil, false, nil
	}
	options := client.NewServiceInstanceListOptions()
	options.ServicePlanGUIDs = filter(chosen.PlanGUIDs...)
	options.OrderBy = "created_at"
	if chosen.Org != "" {
		orgs, err := c.organizations(ctx, chosen.Org)
		if err != nil || len(orgs) == 0 {
			return nil, false, err
		}
		options.OrganizationGUIDs = filter(orgs[0].GUID)
	}
	if chosen.Space != "" {
		spaces, err := c.spaces(ctx, chosen.Space, options.OrganizationGUIDs)
		if err != nil || len(spaces) == 0 {
			return nil, false, err
		}
		options.SpaceGUIDs = filter(spaces...)
	}
	values = query(options)
	values.Set("fields[space]", "guid,name,relationships.organization")
	values.Set("fields[space.organization]", "guid,name")
	return values, true, nil
}

// Instance asks for one instance. Beyond the usual errors there is ErrNotFound.
func (c *Client) Instance(ctx context.Context, guid string) (Instance, error) {
	at, err := segment("service instance", guid)
	if err != nil {
		return Instance{}, err
	}
	found, err := c.api.ServiceInstances.Get(ctx, at)
	if err == nil && found.GUID == "" {
		err = errForeignAnswer
	}
	if err != nil {
		return Instance{}, fact(err)
	}
	return newInstance(*found), nil
}

func newInstance(theirs resource.ServiceInstance) Instance {
	ours := Instance{
		GUID: theirs.GUID, Name: theirs.Name,
		PlanGUID: guidOf(theirs.Relationships.ServicePlan), SpaceGUID: guidOf(theirs.Relationships.Space),
		LastOperation: newLastOperation(theirs.LastOperation), UpgradeAvailable: theirs.UpgradeAvailable != nil && *theirs.UpgradeAvailable,
	}
	if theirs.MaintenanceInfo != nil {
		ours.MaintenanceVersion = theirs.MaintenanceInfo.Version
	}
	return ours
}

func newLastOperation(theirs resource.LastOperation) LastOperation {
	return LastOperation{Type: theirs.Type, State: theirs.State, Description: theirs.Description, UpdatedAt: theirs.UpdatedAt}
}

func guidOf(relationship *resource.ToOneRelationship) string {
	if relationship == nil || relationship.Data == nil {
		return ""
	}
	return relationship.Data.GUID
}

// places are the names of spaces and their organizations. Of a list of many thousands in a few places they keep each name once.
type places map[string]struct{ org, space string }

func newPlaces(told included) places {
	orgs := make(map[string]string, len(told.Organizations))
	for _, org := range told.Organizations {
		orgs[org.GUID] = org.Name
	}
	known := make(places, len(told.Spaces))
	for _, space := range told.Spaces {
		known[space.GUID] = struct{ org, space string }{orgs[space.Relationships.Organization.Data.GUID], space.Name}
	}
	return known
}

func (p places) of(spaceGUID string) (org, space string) { return p[spaceGUID].org, p[spaceGUID].space }
