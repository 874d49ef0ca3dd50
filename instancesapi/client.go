// Package instancesapi asks the operator's own list of service instances, for platforms other than Cloud Foundry
// (broker.yml: service_instances_api). It is one GET of a JSON list. It knows nothing of brokers or deployments.
package instancesapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/on-demand-broker/odb/httpclient"
)

const (
	defaultTimeout = 30 * time.Second
	maxBody        = 64 << 20
)

// Options say where the list is, and who asks.
type Options struct {
	URL                string        // http or https; its own query is kept
	CACert             string        // PEM, trusted beside the system's; may be empty
	SkipVerify         bool          // trust any certificate
	Username, Password string        // both empty for no authentication
	Timeout            time.Duration // of one request with its answer; 30 s if 0
	UserAgent          string
	// Observe is told of each exchange; nil for nobody.
	Observe func(httpclient.Exchange)
}

// Instance is a service instance as the list has it.
type Instance struct {
	ID        string `json:"service_instance_id"`
	PlanID    string `json:"plan_id"`
	SpaceGUID string `json:"space_guid"` // may be missing
}

// Client asks one list. It is safe for concurrent use.
type Client struct {
	options Options
	url     *url.URL
	http    *http.Client
}

// New makes a client. It asks nothing; errors say what is wrong with the options, without repeating secrets.
func New(options Options) (*Client, error) {
	at, err := url.Parse(options.URL)
	if err != nil || at.Host == "" || (at.Scheme != "https" && at.Scheme != "http") {
		return nil, errors.New("URL: it must be like https://instances.example.com/list")
	}
	if at.User != nil {
		return nil, errors.New("URL: it must not carry credentials")
	}
	transport, err := httpclient.NewTransport(httpclient.Options{CACert: options.CACert, SkipVerify: options.SkipVerify})
	if err != nil {
		return nil, fmt.Errorf("root CA certificate: %w", err)
	}
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	return &Client{options: options, url: at, http: &http.Client{Timeout: options.Timeout, Transport: httpclient.Outgoing(transport, options.Observe)}}, nil
}

// List gets the instances. The filter is passed on as query parameters, whatever it says.
func (c *Client) List(ctx context.Context, filter map[string]string) ([]Instance, error) {
	at := *c.url
	query := at.Query()
	for name, value := range filter {
		query.Set(name, value)
	}
	if len(filter) > 0 { // else the query stays as the operator wrote it
		at.RawQuery = query.Encode()
	}
	body, err := c.get(ctx, at.String())
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", c.url.Redacted(), err)
	}
	var instances []Instance
	if err := json.Unmarshal(body, &instances); err != nil {
		return nil, fmt.Errorf("GET %s: the answer is not a list of instances: %w", c.url.Redacted(), err)
	}
	for i, instance := range instances {
		if instance.ID == "" {
			return nil, fmt.Errorf("GET %s: entry %d of the list has no service_instance_id", c.url.Redacted(), i)
		}
	}
	return instances, nil
}

func (c *Client) get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if c.options.Username != "" || c.options.Password != "" {
		request.SetBasicAuth(c.options.Username, c.options.Password)
	}
	request.Header.Set("Accept", "application/json")
	if c.options.UserAgent != "" {
		request.Header.Set("User-Agent", c.options.UserAgent)
	}
	response, err := c.http.Do(request)
	if err != nil {
		var outer *url.Error // it repeats the URL, query included
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer's status is %d, not 200", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxBody:
		return nil, fmt.Errorf("the answer has more than %d bytes", maxBody)
	}
	return body, nil
}
