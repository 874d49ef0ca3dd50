package boshclient

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// linkCleanUpLimit bounds what a caller waits for the clean-up after its own ctx has ended.
const linkCleanUpLimit = 10 * time.Second

// LinkAddress is a wish for the BOSH DNS address of an instance group.
type LinkAddress struct {
	Deployment    string
	InstanceGroup string
	Provider      string   // the link provider's name; it must be shared
	AZs           []string // only instances in these; empty for all
	Status        string   // default, healthy, unhealthy or all; empty leaves it to the Director
}

// LinkLeft is the error when the link made for an address could not be deleted. The address is returned with it and is
// good; the link is harmless and goes with the deployment.
type LinkLeft struct {
	Deployment string
	LinkID     string // empty if the Director didn't say whether it made the link
	Cause      error
}

func (l *LinkLeft) Error() string {
	return fmt.Sprintf("link %q of deployment %s is left in the Director: %v", l.LinkID, l.Deployment, l.Cause)
}

func (l *LinkLeft) Unwrap() error { return l.Cause }

// LinkAddress finds the shared provider (ErrNoLinkProvider if there is none), links an external consumer to it, asks for
// the address, and deletes the link again, whatever fails and even if the ctx has ended. The consumer's name is new each
// time: POST /links is idempotent by name, and two callers sharing a link would delete it under each other's hands.
func (c *Client) LinkAddress(ctx context.Context, wish LinkAddress) (address string, err error) {
	provider, err := c.linkProvider(ctx, wish)
	if err != nil {
		return "", err
	}
	consumer := "odb-" + rand.Text()
	link, err := c.createLink(ctx, provider, consumer)
	if err != nil {
		return "", errors.Join(err, c.removeUncertainLink(ctx, wish, provider, consumer, err))
	}
	address, err = c.linkAddress(ctx, wish, link)
	return address, errors.Join(err, c.removeLink(ctx, wish, link))
}

func (c *Client) linkProvider(ctx context.Context, wish LinkAddress) (id string, err error) {
	var providers []struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Shared bool   `json:"shared"`
		Owner  struct {
			Info struct {
				InstanceGroup string `json:"instance_group"`
			} `json:"info"`
		} `json:"owner_object"`
	}
	if err := c.read(ctx, "/link_providers", url.Values{"deployment": {wish.Deployment}}, &providers); err != nil {
		return "", err
	}
	for _, provider := range providers {
		if provider.Shared && provider.Name == wish.Provider && provider.Owner.Info.InstanceGroup == wish.InstanceGroup {
			return provider.ID, nil
		}
	}
	return "", fmt.Errorf("%w: %q of instance group %q in deployment %s", ErrNoLinkProvider, wish.Provider, wish.InstanceGroup, wish.Deployment)
}

// createLink may be repeated: the Director makes one link per provider and consumer name.
func (c *Client) createLink(ctx context.Context, provider, consumer string) (id string, err error) {
	var create struct {
		Provider string `json:"link_provider_id"`
		Consumer struct {
			Owner struct {
				Name string `json:"name"`
				Type string `json:"type"`
			} `json:"owner_object"`
		} `json:"link_consumer"`
	}
	create.Provider, create.Consumer.Owner.Name, create.Consumer.Owner.Type = provider, consumer, "external"
	body, err := json.Marshal(create)
	if err != nil {
		return "", fmt.Errorf("link to provider %s: %w", provider, err)
	}
	r := request{method: http.MethodPost, path: "/links", contentType: jsonType, body: body, safe: true}
	var link struct {
		ID string `json:"id"`
	}
	if err := c.exchange(ctx, r, &link, http.StatusOK, http.StatusCreated); err != nil {
		return "", err
	}
	if link.ID == "" {
		return "", &Unavailable{Op: r.op(), Status: http.StatusOK, Sent: true, Cause: errors.New("no link id in the answer")}
	}
	return link.ID, nil
}

func (c *Client) linkAddress(ctx context.Context, wish LinkAddress, link string) (string, error) {
	query := url.Values{"link_id": {link}}
	if len(wish.AZs) > 0 {
		query["azs[]"] = wish.AZs
	}
	if wish.Status != "" {
		query.Set("status", wish.Status)
	}
	var body struct {
		Address string `json:"address"`
	}
	err := c.read(ctx, "/link_address", query, &body)
	return body.Address, err
}

func (c *Client) removeLink(ctx context.Context, wish LinkAddress, link string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), linkCleanUpLimit)
	defer cancel()
	return c.deleteLink(ctx, wish, link)
}

// removeUncertainLink deletes a link of which only the request is known to have gone out: asking for the same link again
// tells its id.
func (c *Client) removeUncertainLink(ctx context.Context, wish LinkAddress, provider, consumer string, failure error) error {
	var away *Unavailable
	if !errors.As(failure, &away) || !away.Sent {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), linkCleanUpLimit)
	defer cancel()
	link, err := c.createLink(ctx, provider, consumer)
	if err != nil {
		return &LinkLeft{Deployment: wish.Deployment, Cause: err}
	}
	return c.deleteLink(ctx, wish, link)
}

// deleteLink may be repeated; a link that is gone already is as good.
func (c *Client) deleteLink(ctx context.Context, wish LinkAddress, link string) error {
	escaped, err := segment("link", link)
	if err == nil {
		r := request{method: http.MethodDelete, path: "/links/" + escaped, safe: true}
		err = c.exchange(ctx, r, nil, http.StatusNoContent, http.StatusOK)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return &LinkLeft{Deployment: wish.Deployment, LinkID: link, Cause: err}
	}
	return nil
}
