package cfclient

import (
	"context"
	"fmt"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
)

// Organization is an organization.
type Organization struct{ GUID, Name string }

// Space is a space, with the name of its organization.
type Space struct{ GUID, Name, Org string }

// Organization finds one by its name. Beyond the usual errors there is ErrNotFound.
func (c *Client) Organization(ctx context.Context, name string) (Organization, error) {
	found, err := c.organizations(ctx, name)
	if err != nil {
		return Organization{}, err
	}
	if len(found) == 0 {
		return Organization{}, fmt.Errorf("organization %q: %w", name, ErrNotFound)
	}
	return found[0], nil
}

// Organizations are all organizations.
func (c *Client) Organizations(ctx context.Context) ([]Organization, error) {
	return all(ctx, c, "/v3/organizations", query(client.NewOrganizationListOptions()), newOrganization)
}

// organizations are those of the name, which is one at the most: names are unique.
func (c *Client) organizations(ctx context.Context, name string) ([]Organization, error) {
	if name == "" { // an empty filter chooses all
		return nil, nil
	}
	options := client.NewOrganizationListOptions()
	options.Names = filter(name)
	return all(ctx, c, "/v3/organizations", query(options), newOrganization)
}

func newOrganization(theirs resource.Organization) Organization {
	return Organization{GUID: theirs.GUID, Name: theirs.Name}
}

// spaces are the guids of the spaces of the name, in one organization or in all.
func (c *Client) spaces(ctx context.Context, name string, organizations client.Filter) ([]string, error) {
	options := client.NewSpaceListOptions()
	options.Names, options.OrganizationGUIDs = filter(name), organizations
	return all(ctx, c, "/v3/spaces", query(options), func(s resource.Space) string { return s.GUID })
}

// spacesByGUID are spaces with their names.
func (c *Client) spacesByGUID(ctx context.Context, guids []string) ([]Space, error) {
	if len(guids) == 0 {
		return nil, nil
	}
	options := client.NewSpaceListOptions()
	options.GUIDs = filter(guids...)
	options.Include = resource.SpaceIncludeOrganization
	var spaces []Space
	for page, err := range pages(ctx, c, "/v3/spaces", query(options), func(s resource.Space) resource.Space { return s }) {
		if err != nil {
			return nil, err
		}
		names := map[string]string{}
		for _, org := range page.included.Organizations {
			names[org.GUID] = org.Name
		}
		for _, s := range page.elements {
			spaces = append(spaces, Space{GUID: s.GUID, Name: s.Name, Org: names[guidOf(s.Relationships.Organization)]})
		}
	}
	return spaces, nil
}
