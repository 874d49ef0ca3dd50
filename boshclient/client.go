package boshclient

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cloudfoundry/bosh-cli/v7/director"
	"github.com/cloudfoundry/bosh-utils/httpclient"

	ours "github.com/on-demand-broker/odb/httpclient"
)

const (
	defaultTimeout   = 30 * time.Second
	defaultBodyLimit = 64 << 20

	// One pool for Director and UAA, each at most this many connections, all of which may stay open: a returned
	// connection is never closed for want of room, so 128 callers cause no churn and no growth.
	maxConnections = 128
	// Shorter than nginx's 75 seconds, so that it is us who close an idle connection and a submission seldom meets one
	// that the Director is just closing.
	idleTimeout        = 60 * time.Second
	maxResponseHeaders = 64 << 10
)

// Options say where the Director is and who calls. Exactly one kind of credentials must be given.
type Options struct {
	URL    string // as bosh-cli takes it: https://host:port or host:port, port 25555 unless given; always spoken as https
	CACert string // PEM; when set, only these are trusted, for the Director and its UAA; else the system's

	Username, Password     string // a user of the Director's own
	ClientID, ClientSecret string // a client of the Director's UAA, whose address GET /info tells

	Timeout   time.Duration // of one Director request with all its tries, and of one token request; 30 s if 0
	BodyLimit int64         // bytes of one answer; 64 MiB if 0
	UserAgent string        // "odb" if empty
	// Observe is told of each exchange, the UAA's too; nil for nobody.
	Observe func(Asked)
}

// Client is one process's way to one Director: one connection pool, one token session. It is safe for concurrent use.
type Client struct {
	base       string // https://host:port
	username   string
	password   string
	tokens     *tokenSession     // nil with basic auth
	transport  *http.Transport   // whose connections are ours
	way        http.RoundTripper // by which requests go
	timeout    time.Duration
	pause      time.Duration // before a second try
	bodyLimit  int64
	userAgent  string
	lastAnswer atomic.Int64 // Unix nanoseconds; 0 = never
}

// New makes a client. It does no I/O; errors say what is wrong with the options, without repeating secrets.
func New(options Options) (*Client, error) {
	base, pool, err := endpoint(options)
	if err != nil {
		return nil, err
	}
	if (options.Username == "") == (options.ClientID == "") {
		return nil, errors.New("BOSH credentials: give either a username or a UAA client id")
	}
	transport, err := newTransport(pool)
	if err != nil {
		return nil, err
	}
	c := &Client{
		base: base, username: options.Username, password: options.Password,
		transport: transport, way: ours.Outgoing(transport, told(options.Observe)),
		timeout: options.Timeout, pause: defaultPause, bodyLimit: options.BodyLimit, userAgent: options.UserAgent,
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.bodyLimit <= 0 {
		c.bodyLimit = defaultBodyLimit
	}
	if c.userAgent == "" {
		c.userAgent = "odb"
	}
	if options.ClientID != "" {
		grant := &clientGrant{client: c, id: options.ClientID, secret: options.ClientSecret}
		c.tokens = &tokenSession{fetch: grant.token, timeout: c.timeout, now: time.Now}
	}
	return c, nil
}

// endpoint reads the URL and the CA with bosh-cli's rules. Its error texts repeat the whole URL, so a URL with
// credentials or one that can't be read is reported in our own words.
func endpoint(options Options) (string, *x509.CertPool, error) {
	if parsed, err := url.Parse(options.URL); err == nil && parsed.User != nil {
		return "", nil, errors.New("BOSH URL: it must not carry credentials")
	}
	config, err := director.NewConfigFromURL(options.URL)
	if err != nil {
		return "", nil, errors.New("BOSH URL: it must be https://host:port (the port may be left out)")
	}
	config.CACert = options.CACert
	if err := config.Validate(); err != nil {
		return "", nil, fmt.Errorf("BOSH URL or root CA certificate: %w", err)
	}
	pool, err := config.CACertPool()
	if err != nil {
		return "", nil, fmt.Errorf("BOSH root CA certificate: %w", err)
	}
	return "https://" + net.JoinHostPort(config.Host, strconv.Itoa(config.Port)), pool, nil
}

// newTransport takes bosh-utils' (TLS 1.2 or newer, BOSH_ALL_PROXY, HTTPS_PROXY, verification always on) and bounds its
// pool. HTTP/1.1 only, as the Director's nginx is configured. It is used without an http.Client, since a redirect is an
// answer here, which names the task: following it would cost a request and could send the token elsewhere.
func newTransport(pool *x509.CertPool) (*http.Transport, error) {
	theirs := httpclient.CreateKeepAliveDefaultClient(pool).Transport
	transport, ok := theirs.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("bosh-utils' HTTP client has an unexpected transport %T", theirs)
	}
	transport.MaxConnsPerHost = maxConnections
	transport.MaxIdleConnsPerHost = maxConnections
	transport.IdleConnTimeout = idleTimeout
	transport.MaxResponseHeaderBytes = maxResponseHeaders
	transport.DisableCompression = true // answers are small or rare; unpacking would cost more than the bytes
	return transport, nil
}

// LastAnswer is when the Director last answered anything (a refusal counts, a gateway's 502, 503 or 504 does not); the
// zero time if it never has.
func (c *Client) LastAnswer() time.Time {
	at := c.lastAnswer.Load()
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(0, at)
}

// Close drops the idle connections. Requests under way are not disturbed.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
