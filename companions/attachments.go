package companions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
)

// Unbinder is what is asked of Cloud Foundry about what is attached to an instance (cfclient).
type Unbinder interface {
	Bindings(ctx context.Context, instanceGUID string) ([]cfclient.Binding, error)
	DeleteBinding(ctx context.Context, guid string) error
	RouteBindings(ctx context.Context, instanceGUID string) ([]cfclient.RouteBinding, error)
	DeleteRouteBinding(ctx context.Context, guid string) error
	SharedSpaces(ctx context.Context, instanceGUID string) ([]cfclient.Space, error)
	Unshare(ctx context.Context, instanceGUID, spaceGUID string) error
}

// unbindingTakes is how long one unbinding may take, asynchronous ones included.
const unbindingTakes = 30 * time.Minute

// attachments are what has to go before an instance can.
type attachments struct {
	bindings []cfclient.Binding
	routes   []cfclient.RouteBinding
	spaces   []cfclient.Space
}

// attachedTo asks for them. Unless that is wanted thoroughly, it doesn't ask for bindings of what had none when all were listed
// (Cloud Foundry removes with the instance what was bound since), nor for what the offering doesn't allow: it may have once.
func (d *Deletion) attachedTo(ctx context.Context, id string, thoroughly bool) (found attachments, err error) {
	if _, bound := d.doomed.bound[id]; bound || thoroughly {
		if found.bindings, err = d.platform.Bindings(ctx, id); err != nil {
			return found, err
		}
	}
	if d.doomed.Offering.ForRoutes || thoroughly {
		if found.routes, err = d.platform.RouteBindings(ctx, id); err != nil {
			return found, err
		}
	}
	if d.doomed.Offering.Shareable || thoroughly {
		found.spaces, err = d.platform.SharedSpaces(ctx, id)
	}
	return found, err
}

// detach removes what is attached to an instance, one after the other. Bindings go before shares: with a share Cloud Foundry
// would begin to remove the bindings of its space by itself.
func (d *Deletion) detach(ctx context.Context, id string, thoroughly bool) error {
	found, err := d.attachedTo(ctx, id, thoroughly)
	if err != nil {
		return err
	}
	for _, binding := range found.bindings {
		if err := d.unbind(ctx, id, binding); err != nil {
			return fmt.Errorf("unbinding %s: %w", bindingText(binding), err)
		}
	}
	for _, route := range found.routes {
		err := limited(ctx, func(ctx context.Context) error { return d.platform.DeleteRouteBinding(ctx, route.GUID) })
		if err != nil {
			return fmt.Errorf("unbinding route %s: %w", route.RouteGUID, err)
		}
	}
	for _, space := range found.spaces {
		if err := d.platform.Unshare(ctx, id, space.GUID); err != nil {
			return fmt.Errorf("ending the share with space %s/%s: %w", space.Org, space.Name, err)
		}
	}
	return nil
}

func bindingText(binding cfclient.Binding) string {
	if binding.Type == cfclient.BindingKey {
		return "service key " + binding.Name
	}
	return "app " + binding.AppGUID
}

// limited gives an unbinding its time.
func limited(ctx context.Context, unbind func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, unbindingTakes)
	defer cancel()
	return unbind(ctx)
}

// unbind deletes a binding. Why that fails later on the broker's side, only the binding tells.
func (d *Deletion) unbind(ctx context.Context, id string, binding cfclient.Binding) error {
	failure := limited(ctx, func(ctx context.Context) error { return d.platform.DeleteBinding(ctx, binding.GUID) })
	var failed *cfclient.JobFailed
	if !errors.As(failure, &failed) || !failed.ReasonElsewhere() {
		return failure
	}
	now, err := d.platform.Bindings(ctx, id)
	if err != nil {
		return failure // it has failed, whoever can't be asked why
	}
	for _, one := range now {
		if one.GUID == binding.GUID && one.LastOperation.Description != "" {
			return fmt.Errorf("%s (%w)", one.LastOperation.Description, failure)
		}
	}
	return failure
}

// Attached is what the deletion of an instance would take away with it.
type Attached struct {
	Apps   int `json:"apps"`
	Keys   int `json:"keys"`
	Routes int `json:"routes"`
	Shares int `json:"shares"` // spaces that it is shared with
}

// Attached counts what is attached to an instance; zero for one that is gone.
func (d *Deletion) Attached(ctx context.Context, id string) (Attached, error) {
	found, err := d.attachedTo(ctx, id, true)
	if err != nil {
		if errors.Is(err, cfclient.ErrNotFound) {
			return Attached{}, nil
		}
		return Attached{}, err
	}
	told := Attached{Routes: len(found.routes), Shares: len(found.spaces)}
	for _, binding := range found.bindings {
		if binding.Type == cfclient.BindingKey {
			told.Keys++
		} else {
			told.Apps++
		}
	}
	return told, nil
}
