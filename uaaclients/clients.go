package uaaclients

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	uaa "github.com/cloudfoundry-community/go-uaa"

	"github.com/on-demand-broker/odb/httpclient"
)

const defaultTimeout = 30 * time.Second

// Options say where Cloud Foundry's UAA is, who calls, and what clients to make.
type Options struct {
	URL        string // http or https; https if there is no scheme
	CACerts    string // PEM, trusted beside the system's; may be empty
	SkipVerify bool   // trust any certificate

	ClientID, ClientSecret string        // the broker's own client, with clients.read and clients.write, or clients.admin
	Timeout                time.Duration // of each request; 30 s if 0

	Definition Definition
	// Observe is told of each exchange; nil for nobody.
	Observe func(httpclient.Exchange)
}

// Clients manages the clients of the instances. It is safe for concurrent use; calls for one instance must not overlap.
type Clients struct {
	url        string
	id, secret string
	timeout    time.Duration
	definition Definition
	transport  *http.Transport   // whose connections are ours
	way        http.RoundTripper // by which requests go
	session    session
}

// New makes the manager. It asks nothing of UAA (with CACerts it reads the system's certificates); errors say what is wrong
// with the options, without repeating secrets.
func New(options Options) (*Clients, error) {
	target, err := uaa.BuildTargetURL(options.URL)
	if err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http" {
		return nil, errors.New("UAA URL: it must be like https://uaa.example.com")
	}
	if target.User != nil {
		return nil, errors.New("UAA URL: it must not carry credentials")
	}
	if options.ClientID == "" || options.ClientSecret == "" {
		return nil, errors.New("UAA credentials: a client id and a client secret are needed")
	}
	transport, err := httpclient.NewTransport(httpclient.Options{CACert: options.CACerts, SkipVerify: options.SkipVerify})
	if err != nil {
		return nil, fmt.Errorf("CA certificate for UAA: %w", err)
	}
	c := &Clients{
		url: (&url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path}).String(),
		id:  options.ClientID, secret: options.ClientSecret,
		timeout: options.Timeout, definition: options.Definition, transport: transport,
		way: httpclient.Outgoing(transport, options.Observe),
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	return c, nil
}

// Wanted tells whether the operator wants a client for each instance. If not, Delete is for what is left of a definition
// that was there once, and nothing else is of use.
func (c *Clients) Wanted() bool { return c.definition.Given() }

// Create makes the instance's client and returns it as an adapter sees it, with its secret, which is told this once.
// Redirect URIs are a placeholder until Update.
//
// A client that is there already is what a failed or lost attempt left behind: nobody knows its secret. It is deleted and
// made anew, rather than given a new secret, because that takes no right beyond clients.write and leaves nothing of an
// older definition. Create is therefore for instances that are not deployed, and for those that Find has no client for.
// A client that isn't an instance's (see ours) is left alone, and UAA's refusal stands.
func (c *Clients) Create(ctx context.Context, instance Instance) (map[string]string, error) {
	client, err := c.definition.created(instance)
	if err != nil {
		return nil, fmt.Errorf("creating the UAA client of instance %s: %w", instance.ID, err)
	}
	made, err := c.post(ctx, client)
	if errors.Is(err, errExists) {
		if err = c.Delete(ctx, instance.ID); err == nil {
			made, err = c.post(ctx, client)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("creating the UAA client of instance %s: %w", instance.ID, err)
	}
	return shown(made, client.ClientSecret), nil
}

func (c *Clients) post(ctx context.Context, client uaa.Client) (made *uaa.Client, err error) {
	err = c.ask(ctx, client, func(api *uaa.API) error {
		made, err = api.CreateClient(client)
		return err
	})
	return made, err
}

// Find returns the instance's client as an adapter sees it, its secret "", since UAA doesn't tell it; nil if the instance
// has no client.
func (c *Clients) Find(ctx context.Context, instanceID string) (map[string]string, error) {
	found, err := c.get(ctx, instanceID)
	switch {
	case errors.Is(err, errNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("finding the UAA client of instance %s: %w", instanceID, err)
	}
	return shown(found, ""), nil
}

func (c *Clients) get(ctx context.Context, instanceID string) (found *uaa.Client, err error) {
	err = c.ask(ctx, uaa.Client{ClientID: instanceID}, func(api *uaa.API) error {
		found, err = api.GetClient(instanceID)
		return err
	})
	if err == nil && !ours(found) {
		return nil, errNotFound
	}
	return found, err
}

// Update brings the instance's client to the present definition. redirectURI is the dashboard's address; if it is empty,
// the client keeps the redirect URI that it has. The secret stays, and so does the name if none is configured.
func (c *Clients) Update(ctx context.Context, instance Instance, redirectURI string) error {
	if err := c.update(ctx, instance, redirectURI); err != nil {
		return fmt.Errorf("updating the UAA client of instance %s: %w", instance.ID, err)
	}
	return nil
}

func (c *Clients) update(ctx context.Context, instance Instance, redirectURI string) error {
	if redirectURI == "" && c.definition.redirects() {
		// The grant types may be new: then there is none to keep, and UAA would refuse them.
		existing, err := c.get(ctx, instance.ID)
		if err != nil {
			return err
		}
		if len(existing.RedirectURI) == 0 {
			redirectURI = placeholderRedirect
		}
	}
	client := c.definition.updated(instance, redirectURI)
	return c.ask(ctx, client, func(api *uaa.API) error {
		_, err := api.UpdateClient(client)
		return err
	})
}

// Delete removes the instance's client. That there is none is fine.
func (c *Clients) Delete(ctx context.Context, instanceID string) error {
	var err error
	if !guid.MatchString(instanceID) { // the id doesn't tell whose client it is
		_, err = c.get(ctx, instanceID)
	}
	if err == nil {
		err = c.ask(ctx, uaa.Client{ClientID: instanceID}, func(api *uaa.API) error {
			_, err := api.DeleteClient(instanceID)
			return err
		})
	}
	if err != nil && !errors.Is(err, errNotFound) {
		return fmt.Errorf("deleting the UAA client of instance %s: %w", instanceID, err)
	}
	return nil
}

// ask sends one request about a client, and once more with a new token if UAA refuses the one it had granted: tokens are
// revoked when the broker's client changes, or forgotten with UAA's keys.
func (c *Clients) ask(ctx context.Context, about uaa.Client, request func(*uaa.API) error) error {
	// go-uaa makes the id a part of the path and then simplifies that path.
	if id := about.ClientID; id == "" || id == "." || id == ".." || strings.Contains(id, "/") {
		return fmt.Errorf("%q can't be the id of a UAA client", id)
	}
	refused := ""
	for {
		token, err := c.token(ctx, refused)
		if err != nil {
			return err
		}
		status, err := c.send(ctx, token, about.ClientSecret, request)
		if status != http.StatusUnauthorized || refused != "" {
			return err
		}
		refused = token
	}
}

func (c *Clients) send(ctx context.Context, token, secret string, request func(*uaa.API) error) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	e := &exchange{ctx: ctx, base: c.way, token: token, secrets: []string{secret}}
	err = e.run(c.url, uaa.WithNoAuthentication(), request)
	return e.status, err
}

// Reachable returns nil if UAA answers, whoever asks.
func (c *Clients) Reachable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("UAA: %w", err)
	}
	e := &exchange{ctx: ctx, base: c.way}
	if _, err := e.RoundTrip(request); err != nil {
		return &Unavailable{Op: e.op, Status: e.status, Cause: err}
	}
	if e.routerAnswer || e.status >= http.StatusInternalServerError {
		return &Unavailable{Op: e.op, Status: e.status, Cause: errForeignAnswer}
	}
	return nil
}

// Close drops the idle connections. Requests under way are not disturbed.
func (c *Clients) Close() { c.transport.CloseIdleConnections() }
