// Package httpclient builds the transport that clients of other people's HTTP APIs share: whom it trusts, how long it
// waits for a connection, how many it keeps. What is asked, how often and what an answer means is its users' matter. It
// knows no room beside it.
package httpclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// An idle connection is closed by us before a router or a load balancer in between does it (theirs wait a minute or
	// more), so that a request that must not be sent twice seldom meets that moment.
	idleTimeout           = 30 * time.Second
	defaultMaxConnections = 16
	maxResponseHeaders    = 64 << 10 // bytes
)

// ErrBadCA says that a CA certificate holds no certificate.
var ErrBadCA = errors.New("no readable PEM certificate in it")

// Options say whom to trust, and how many connections there may be.
type Options struct {
	CACert         string // PEM, one or several, trusted beside the system's; may be empty
	SkipVerify     bool   // trust any certificate
	MaxConnections int    // to one host, all of which may stay open; 16 if 0
}

// NewTransport makes a transport: TLS 1.2 or newer, the usual proxy variables (HTTPS_PROXY, NO_PROXY), HTTP/2 where it is
// spoken. It sets no time limit on requests. The error is ErrBadCA, or that the system's certificates can't be read.
func NewTransport(options Options) (*http.Transport, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: options.SkipVerify}
	if options.CACert != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("the system's CA certificates: %w", err)
		}
		if !pool.AppendCertsFromPEM([]byte(options.CACert)) {
			return nil, ErrBadCA
		}
		trust.RootCAs = pool
	}
	if options.MaxConnections <= 0 {
		options.MaxConnections = defaultMaxConnections
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:        trust,
		TLSHandshakeTimeout:    dialTimeout,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        options.MaxConnections,
		MaxIdleConnsPerHost:    options.MaxConnections,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxResponseHeaders,
	}, nil
}
