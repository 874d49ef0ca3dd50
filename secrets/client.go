package secrets

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"code.cloudfoundry.org/credhub-cli/credhub"

	"github.com/on-demand-broker/odb/httpclient"
)

const (
	defaultTimeout = 30 * time.Second

	maxConnections     = 32
	maxIdleConnections = 8
	idleTimeout        = 60 * time.Second
	handshakeTimeout   = 30 * time.Second
	maxResponseHeaders = 64 << 10
	maxBody            = 16 << 20 // of one answer; a credential has 64 kB at most, a list of names may be long
)

// Options say where a CredHub is and who calls.
type Options struct {
	URL string // https://host:port
	// CACerts are PEM texts. If any holds a certificate, only these are trusted, for CredHub and its UAA; else the
	// system's. Empty texts are passed over.
	CACerts []string

	ClientID, ClientSecret string // a client of the UAA whose address CredHub's GET /info tells

	Timeout   time.Duration // of one call with all its requests and tries, the token included; 30 s if 0
	UserAgent string        // "odb" if empty
	// Observe is told of each exchange, those with the UAA too; nil for nobody.
	Observe func(httpclient.Exchange)
}

// Client is one process's way to one CredHub: one connection pool, one token session. It is safe for concurrent use.
type Client struct {
	url       string
	transport *http.Transport   // whose connections are ours
	way       http.RoundTripper // by which requests go
	session   *session
	timeout   time.Duration
	userAgent string
	version   atomic.Pointer[string] // of the server; nil: to be asked for
}

// New makes a client. It does no I/O; errors say what is wrong with the options, without repeating secrets.
func New(options Options) (*Client, error) {
	if os.Getenv("CREDHUB_DEBUG") == "true" {
		return nil, errors.New("CREDHUB_DEBUG is true in the environment, which makes CredHub's client library print every secret: unset it")
	}
	target, err := url.Parse(options.URL)
	if err != nil || target.Scheme != "https" || target.Hostname() == "" || target.User != nil {
		return nil, errors.New("the CredHub URL must be https://host:port, without credentials")
	}
	if options.ClientID == "" {
		return nil, errors.New("the CredHub client has no id")
	}
	pool, err := certPool(options.CACerts)
	if err != nil {
		return nil, err
	}
	address := "https://" + target.Host
	transport, err := newTransport(address, pool)
	if err != nil {
		return nil, err
	}
	c := &Client{
		url: address, transport: transport, way: httpclient.Outgoing(transport, options.Observe),
		timeout: options.Timeout, userAgent: options.UserAgent,
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.userAgent == "" {
		c.userAgent = "odb"
	}
	c.session = newSession(c, options.ClientID, options.ClientSecret)
	return c, nil
}

// certPool holds exactly the given certificates; nil, which stands for the system's, if there is none.
func certPool(texts []string) (*x509.CertPool, error) {
	var pool *x509.CertPool
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			continue
		}
		if pool == nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM([]byte(text)) {
			return nil, fmt.Errorf("CA certificate %d of %d for CredHub: no certificate in PEM form", i+1, len(texts))
		}
	}
	return pool, nil
}

// newTransport takes the library's (TLS 1.2 or newer, verification always on, the usual proxy variables, CREDHUB_PROXY),
// trusts what the options say instead of the system's certificates and more, and bounds its pool.
func newTransport(address string, pool *x509.CertPool) (*http.Transport, error) {
	library, err := credhub.New(address)
	if err != nil {
		return nil, errors.New("the CredHub URL can't be used")
	}
	theirs := library.Client().Transport
	transport, ok := theirs.(*http.Transport)
	if !ok || transport.TLSClientConfig == nil || transport.TLSClientConfig.InsecureSkipVerify {
		return nil, fmt.Errorf("CredHub's client library has an unexpected transport %T", theirs)
	}
	transport.TLSClientConfig.RootCAs = pool
	transport.TLSHandshakeTimeout = handshakeTimeout
	transport.MaxConnsPerHost = maxConnections
	transport.MaxIdleConnsPerHost = maxIdleConnections
	transport.IdleConnTimeout = idleTimeout
	transport.MaxResponseHeaderBytes = maxResponseHeaders
	return transport, nil
}

// Reachable returns nil if CredHub answers, whoever asks.
func (c *Client) Reachable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	_, err := c.info(ctx)
	return err
}

// Check tells whether CredHub answers and its UAA accepts the client: what a process may want to know at its start.
func (c *Client) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	_, err := c.session.token(ctx, "")
	return err
}
