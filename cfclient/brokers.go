package cfclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
)

// Broker is a service broker as it is registered.
type Broker struct{ GUID, Name, URL string }

// BrokerRegistration is what Cloud Foundry needs to know of a broker.
type BrokerRegistration struct{ Name, URL, Username, Password string }

// Broker finds a broker by its name. Beyond the usual errors there is ErrNotFound.
func (c *Client) Broker(ctx context.Context, name string) (Broker, error) {
	options := client.NewServiceBrokerListOptions()
	options.Names = filter(name)
	var found []Broker
	var err error
	if name != "" { // an empty filter chooses all
		found, err = all(ctx, c, "/v3/service_brokers", query(options), func(b resource.ServiceBroker) Broker {
			return Broker{GUID: b.GUID, Name: b.Name, URL: b.URL}
		})
	}
	switch {
	case err != nil:
		return Broker{}, err
	case len(found) == 0:
		return Broker{}, fmt.Errorf("service broker %q: %w", name, ErrNotFound)
	}
	return found[0], nil
}

// CreateBroker registers a broker and waits until Cloud Foundry has read its catalog. If that fails (*JobFailed), the broker
// is there all the same, with nothing to offer: UpdateBroker is the way on.
func (c *Client) CreateBroker(ctx context.Context, r BrokerRegistration) (Warnings, error) {
	job, err := c.api.ServiceBrokers.Create(ctx, resource.NewServiceBrokerCreate(r.Name, r.URL, r.Username, r.Password))
	return c.finished(ctx, job, err)
}

// UpdateBroker changes all of a registration and waits until Cloud Foundry has read the catalog anew. While another change of
// the broker runs, it waits for its turn.
func (c *Client) UpdateBroker(ctx context.Context, guid string, r BrokerRegistration) (Warnings, error) {
	at, err := segment("service broker", guid)
	if err != nil {
		return nil, err
	}
	changed := resource.NewServiceBrokerUpdate().WithName(r.Name).WithURL(r.URL).WithCredentials(r.Username, r.Password)
	return c.inTurn(ctx, func() (string, error) {
		job, _, err := c.api.ServiceBrokers.Update(ctx, at, changed)
		return job, err
	})
}

// DeleteBroker removes a registration and waits for it, and for its turn as UpdateBroker does. One with instances is
// refused.
func (c *Client) DeleteBroker(ctx context.Context, guid string) (Warnings, error) {
	at, err := segment("service broker", guid)
	if err != nil {
		return nil, err
	}
	return c.inTurn(ctx, func() (string, error) { return c.api.ServiceBrokers.Delete(ctx, at) })
}

// inTurn asks for a change of a broker until no other one is in its way, for some minutes at the most.
func (c *Client) inTurn(ctx context.Context, change func() (job string, err error)) (Warnings, error) {
	pause, began := c.waits.firstPoll, time.Now()
	for {
		job, err := change()
		if err == nil || !errors.Is(fact(err), ErrBusy) || time.Since(began) > c.waits.busy || !sleep(ctx, pause) {
			return c.finished(ctx, job, err)
		}
		pause = c.waits.next(pause)
	}
}
