package mgmtclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultTimeout = 30 * time.Second
	dialTimeout    = 10 * time.Second
	// The broker closes connections that are idle for two minutes.
	idleTimeout = 90 * time.Second
	// Bulk operations ask for many instances at once.
	maxIdleConnections = 64
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
	Logger    *slog.Logger // tells of requests that are sent again; none if nil
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
	trust := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: options.SkipTLSVerification}
	if options.CACert != "" {
		if trust.RootCAs, err = x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("the system's CA certificates: %w", err)
		}
		if !trust.RootCAs.AppendCertsFromPEM([]byte(options.CACert)) {
			return nil, errors.New("the broker's CA certificate: no readable PEM certificate in it")
		}
	}
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &Client{options: options, base: base, http: &http.Client{
		Timeout:       options.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSClientConfig:        trust,
			ForceAttemptHTTP2:      true,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    maxIdleConnections,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}}, nil
}
