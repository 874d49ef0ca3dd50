package cfclient

import (
	"context"
	"errors"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
)

// The types of a credential binding.
const (
	BindingApp = "app"
	BindingKey = "key" // a service key
)

const bindingsPath = "/v3/service_credential_bindings"

// Binding is a credential binding: an app's, or a service key.
type Binding struct {
	GUID          string
	Name          string // of a key; of an app's binding mostly ""
	Type          string // BindingApp, BindingKey
	AppGUID       string // "" for a key
	LastOperation LastOperation
}

// RouteBinding binds a route to an instance that is a route service.
type RouteBinding struct {
	GUID          string
	RouteGUID     string
	LastOperation LastOperation
}

// Bindings are the credential bindings of an instance, in its own space and in those it is shared with.
func (c *Client) Bindings(ctx context.Context, instanceGUID string) ([]Binding, error) {
	if _, err := segment("service instance", instanceGUID); err != nil { // an empty filter chooses all
		return nil, err
	}
	options := client.NewServiceCredentialBindingListOptions()
	options.ServiceInstanceGUIDs = filter(instanceGUID)
	return all(ctx, c, bindingsPath, query(options), func(b resource.ServiceCredentialBinding) Binding {
		binding := Binding{GUID: b.GUID, Type: b.Type, AppGUID: guidOf(b.Relationships.App), LastOperation: newLastOperation(b.LastOperation)}
		if b.Name != nil {
			binding.Name = *b.Name
		}
		return binding
	})
}

// BoundInstances are the guids of those instances of the plans that are bound to apps or have keys, in one list for all of them.
// What is bound or unbound while it is read may be missing.
func (c *Client) BoundInstances(ctx context.Context, planGUIDs ...string) (map[string]struct{}, error) {
	bound := map[string]struct{}{}
	if len(planGUIDs) == 0 { // an empty filter chooses all
		return bound, nil
	}
	options := client.NewServiceCredentialBindingListOptions()
	options.ServicePlanGUIDs = filter(planGUIDs...)
	instanceOf := func(b resource.ServiceCredentialBinding) string { return guidOf(b.Relationships.ServiceInstance) }
	for page, err := range pages(ctx, c, bindingsPath, query(options), instanceOf) {
		if err != nil {
			return nil, err
		}
		for _, instance := range page.elements {
			bound[instance] = struct{}{}
		}
	}
	return bound, nil
}

// DeleteBinding deletes a credential binding, through the broker, and waits for it. That it is gone already is fine.
func (c *Client) DeleteBinding(ctx context.Context, guid string) error {
	return c.unbind(ctx, guid, c.api.ServiceCredentialBindings.Delete)
}

// RouteBindings are the route bindings of an instance.
func (c *Client) RouteBindings(ctx context.Context, instanceGUID string) ([]RouteBinding, error) {
	if _, err := segment("service instance", instanceGUID); err != nil {
		return nil, err
	}
	options := client.NewServiceRouteBindingListOptions()
	options.ServiceInstanceGUIDs = filter(instanceGUID)
	return all(ctx, c, "/v3/service_route_bindings", query(options), func(b resource.ServiceRouteBinding) RouteBinding {
		return RouteBinding{GUID: b.GUID, RouteGUID: guidOf(&b.Relationships.Route), LastOperation: newLastOperation(b.LastOperation)}
	})
}

// DeleteRouteBinding deletes a route binding, through the broker, and waits for it. That it is gone already is fine.
func (c *Client) DeleteRouteBinding(ctx context.Context, guid string) error {
	return c.unbind(ctx, guid, c.api.ServiceRouteBindings.Delete)
}

func (c *Client) unbind(ctx context.Context, guid string, remove func(context.Context, string) (job string, err error)) error {
	at, err := segment("binding", guid)
	if err != nil {
		return err
	}
	job, err := remove(ctx, at)
	if _, err = c.finished(ctx, job, err); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// SharedSpaces are the spaces that an instance is shared with.
func (c *Client) SharedSpaces(ctx context.Context, instanceGUID string) ([]Space, error) {
	at, err := segment("service instance", instanceGUID)
	if err != nil {
		return nil, err
	}
	shared, err := c.api.ServiceInstances.GetSharedSpaceRelationships(ctx, at)
	if err != nil {
		return nil, fact(err)
	}
	guids := make([]string, 0, len(shared.Data))
	for _, space := range shared.Data {
		guids = append(guids, space.GUID)
	}
	return c.spacesByGUID(ctx, guids)
}

// Unshare ends the sharing of an instance with a space; bindings there are deleted by Cloud Foundry. That it isn't shared
// with it is fine.
func (c *Client) Unshare(ctx context.Context, instanceGUID, spaceGUID string) error {
	instance, err := segment("service instance", instanceGUID)
	if err != nil {
		return err
	}
	space, err := segment("space", spaceGUID)
	if err != nil {
		return err
	}
	if err = fact(c.api.ServiceInstances.UnShareWithSpace(ctx, instance, space)); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
