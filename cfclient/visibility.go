package cfclient

import (
	"context"

	"github.com/cloudfoundry/go-cfclient/v3/resource"
)

// The types of a plan's visibility (V3 API, "Service plan visibility").
const (
	VisibilityAdmin        = "admin"        // nobody but administrators
	VisibilityPublic       = "public"       // everybody
	VisibilityOrganization = "organization" // the members of some organizations
	VisibilitySpace        = "space"        // the members of the space that a space-scoped broker belongs to
)

// Visibility says who may see and use a plan.
type Visibility struct {
	Type          string
	Organizations []Organization // with VisibilityOrganization; names are only told, never needed
}

// Visibility asks who may use a plan.
func (c *Client) Visibility(ctx context.Context, planGUID string) (Visibility, error) {
	at, err := segment("service plan", planGUID)
	if err != nil {
		return Visibility{}, err
	}
	found, err := c.api.ServicePlansVisibility.Get(ctx, at)
	if err == nil && found.Type == "" {
		err = errForeignAnswer
	}
	if err != nil {
		return Visibility{}, fact(err)
	}
	visibility := Visibility{Type: found.Type}
	for _, org := range found.Organizations {
		told := Organization{GUID: org.GUID}
		if org.Name != nil {
			told.Name = *org.Name
		}
		visibility.Organizations = append(visibility.Organizations, told)
	}
	return visibility, nil
}

// SetVisibility replaces who may use a plan, in one step: the organizations that are given are all that have it then.
func (c *Client) SetVisibility(ctx context.Context, planGUID string, visibility Visibility) error {
	at, err := segment("service plan", planGUID)
	if err != nil {
		return err
	}
	_, err = c.api.ServicePlansVisibility.Update(ctx, at, theirs(visibility.Type, visibility.Organizations))
	return fact(err)
}

// AddOrganizations gives a plan to organizations beside those that have it. A plan of another visibility type is an
// organization's plan afterwards, and that to these alone: a public one is then hidden from all others.
func (c *Client) AddOrganizations(ctx context.Context, planGUID string, organizations ...Organization) error {
	at, err := segment("service plan", planGUID)
	if err != nil || len(organizations) == 0 {
		return err
	}
	_, err = c.api.ServicePlansVisibility.Apply(ctx, at, theirs(VisibilityOrganization, organizations))
	return fact(err)
}

func theirs(visibilityType string, organizations []Organization) *resource.ServicePlanVisibility {
	visibility := &resource.ServicePlanVisibility{Type: visibilityType}
	for _, org := range organizations {
		visibility.Organizations = append(visibility.Organizations, resource.ServicePlanVisibilityRelation{GUID: org.GUID})
	}
	return visibility
}
