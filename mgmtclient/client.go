package mgmtclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/on-demand-broker/odb/httpclient"
)

const (
	defaultTimeout = 30 * time.Second
	// Bulk operations ask for many instances at once.
	maxConnections = 64
)

// Options say where the broker is, and who asks.
type Options struct {
	URL                 string // http or https, as in https://10.0.0.7:8080
	Username, Password  string
	CACert              string // PEM, trusted beside the system's; may be empty
	SkipTLSVerification bool
	// Timeout is for one request with its answer; 30 s if 0.
	Timeout time.Duration
	// Patience is how long an unreachable broker is asked again, since it may be restarting; 0 for not at all.
	Patience  time.Duration
	UserAgent string
}

// Client asks one broker. It is safe for concurrent use.
type Client struct {
	options Options
	base    *url.URL
	http    *http.Client
}

// New makes a client. It asks nothing; errors say what is wrong with the options, without repeating secrets.
func New(options Options) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(options.URL, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, errors.New("the broker's URL must be like https://10.0.0.7:8080")
	}
	if base.User != nil {
		return nil, errors.New("the broker's URL must not carry credentials")
	}
	transport, err := httpclient.NewTransport(httpclient.Options{
		CACert: options.CACert, SkipVerify: options.SkipTLSVerification, MaxConnections: maxConnections,
	})
	if err != nil {
		return nil, fmt.Errorf("the broker's CA certificate: %w", err)
	}
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	return &Client{options: options, base: base, http: &http.Client{
		Timeout:       options.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     transport,
	}}, nil
}
