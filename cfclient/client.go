package cfclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/config"

	"github.com/on-demand-broker/odb/httpclient"
)

const (
	defaultTimeout   = 30 * time.Second
	defaultUserAgent = "odb"
	// passwordClient is the UAA client, without a secret, that users log in through.
	passwordClient = "cf"
	maxConnections = 64
	// noTimeout: the library's own limit would cover all tries and all waiting; ours is one try's, and the caller's ctx.
	noTimeout = 10 * 365 * 24 * time.Hour
	// neverEnding is an unsigned token that ends in the year 9999 ({"exp":253402300799}). The library wants to see a token
	// before it does anything, and its own session would ask without a ctx, share state without a lock and try a request
	// again after every 401. The exchange below it puts the true token in this one's place.
	neverEnding = "e30.eyJleHAiOjI1MzQwMjMwMDc5OX0.e30"
)

// Options say where Cloud Foundry is and who calls. Credentials are a client's, or a user's, whose client is "cf" unless
// another one is given.
type Options struct {
	URL                 string // of the API, http or https
	CACert              string // PEM, trusted beside the system's for the API and its UAA; may be empty
	SkipTLSVerification bool   // trust any certificate
	UAAURL              string // where tokens are; the API's root document tells it if empty

	ClientID, ClientSecret string
	Username, Password     string

	Timeout   time.Duration // of each try of a request with its answer; 30 s if 0
	UserAgent string        // "odb" if empty
	Logger    *slog.Logger  // gets each request at debug level, without queries, headers and bodies; nil for none
	// Observe is told of each exchange, those with the UAA too; nil for nobody.
	Observe func(httpclient.Exchange)
}

// Client is one process's way to one Cloud Foundry: one connection pool, one token session. It is safe for concurrent use.
//
// Reads are tried again when they meet a 5xx, a cut connection or a rate limit; writes only if nothing can have come of
// the first try. A Retry-After is waited for unless the ctx ends before it. All errors but those of New and of arguments
// are *Unavailable, *Rejected or *JobFailed, and errors.Is finds ErrNotFound, ErrBusy, ErrUnauthorized and ErrForbidden.
type Client struct {
	api      *client.Client
	exchange *exchange
	waits    waits
}

// New makes a client. It does no I/O but reading the system's certificates; errors say what is wrong with the options,
// without repeating secrets.
func New(options Options) (*Client, error) {
	base, err := address("URL of Cloud Foundry", options.URL)
	if err != nil {
		return nil, err
	}
	grant, err := newGrant(options)
	if err != nil {
		return nil, err
	}
	transport, err := httpclient.NewTransport(httpclient.Options{
		CACert: options.CACert, SkipVerify: options.SkipTLSVerification, MaxConnections: maxConnections,
	})
	if errors.Is(err, httpclient.ErrBadCA) {
		return nil, fmt.Errorf("CA certificate for Cloud Foundry: %w", err)
	}
	if err != nil {
		return nil, err
	}
	e := newExchange(options, base, transport)
	e.session = newSession(grant, e)
	configured, err := config.New(base.String(),
		config.AuthTokenURL(base.String(), base.String()), // else the library asks for them at once
		config.Token(neverEnding, ""),
		config.HttpClient(&http.Client{Transport: e}),
		config.RequestTimeout(noTimeout),
		config.UserAgent(e.userAgent),
	)
	if err != nil {
		return nil, fmt.Errorf("client of Cloud Foundry: %w", err)
	}
	api, err := client.New(configured)
	if err != nil {
		return nil, fmt.Errorf("client of Cloud Foundry: %w", err)
	}
	return &Client{api: api, exchange: e, waits: usualWaits()}, nil
}

// address reads a URL of ours. Its error doesn't repeat the URL, which may hold a password.
func address(what, given string) (*url.URL, error) {
	at, err := url.Parse(strings.TrimRight(given, "/"))
	if err != nil || at.Host == "" || (at.Scheme != "https" && at.Scheme != "http") {
		return nil, fmt.Errorf("%s: it must be like https://api.example.com", what)
	}
	if at.User != nil {
		return nil, fmt.Errorf("%s: it must not carry credentials", what)
	}
	return &url.URL{Scheme: at.Scheme, Host: at.Host, Path: at.Path}, nil
}

// Info is what Cloud Foundry tells of itself without credentials.
type Info struct {
	APIVersion string // of the v3 API, e.g. "3.130.0"
	UAAURL     string
}

// Info asks the API's root document. Beyond the usual errors there is ErrNoV3.
func (c *Client) Info(ctx context.Context) (Info, error) { return c.exchange.root(ctx) }

// Reachable returns nil if Cloud Foundry answers, whoever asks.
func (c *Client) Reachable(ctx context.Context) error {
	_, err := c.Info(ctx)
	return err
}

// Close drops the idle connections. Requests under way are not disturbed.
func (c *Client) Close() { c.exchange.transport.CloseIdleConnections() }

// fact takes the fact out of what the library and net/http have wrapped around it. What no try of ours has failed with is an
// answer that the library could not read.
func fact(err error) error {
	var rejected *Rejected
	var away *Unavailable
	switch {
	case err == nil:
		return nil
	case errors.As(err, &away):
		return away
	case errors.As(err, &rejected):
		return rejected
	}
	if !errors.Is(err, errForeignAnswer) {
		err = fmt.Errorf("%w: %w", errForeignAnswer, err)
	}
	return &Unavailable{Op: "reading an answer", sent: true, Cause: err}
}

// segment escapes a guid for use as one path segment, which the library doesn't. Those that a server would read as another
// path are refused: DELETE /v3/service_instances/ is not what a caller without a guid means.
func segment(what, guid string) (string, error) {
	if guid == "" || guid == "." || guid == ".." {
		return "", fmt.Errorf("%q can't be the guid of a %s", guid, what)
	}
	return url.PathEscape(guid), nil
}
