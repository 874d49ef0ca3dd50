package cftest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// CloudController is a Cloud Controller that runs, with its UAA.
type CloudController struct {
	options Options
	api     *httptest.Server
	url     string // of the API
	uaa     *httptest.Server
	tokens  *tokenIssuer
	faults  faultList
	stats   stats
	brokers *http.Client // towards the brokers
	gate    gate

	running sync.WaitGroup // jobs, and what outlives them
	ctx     context.Context
	cancel  context.CancelFunc

	mu    sync.Mutex
	world world
}

// ErrBrokerCACert is what Start answers for a BrokerCACert without a certificate in it.
var ErrBrokerCACert = errors.New("BrokerCACert holds no PEM certificate")

// Start starts a Cloud Controller and its UAA on free ports of the loopback interface.
func Start(options Options) (*CloudController, error) {
	options = options.withDefaults()
	c := &CloudController{options: options, tokens: newTokenIssuer(options)}
	trusted := &tls.Config{MinVersion: tls.VersionTLS12}
	if options.BrokerCACert != "" {
		trusted.RootCAs = x509.NewCertPool()
		if !trusted.RootCAs.AppendCertsFromPEM([]byte(options.BrokerCACert)) {
			return nil, ErrBrokerCACert
		}
	}
	c.brokers = &http.Client{
		Timeout:       options.BrokerTimeout,
		Transport:     &http.Transport{TLSClientConfig: trusted, MaxIdleConnsPerHost: 100, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.gate.open()
	c.stats.reset()
	c.world = newWorld(options.OperationDuration)
	c.uaa = c.serve(c.uaaAPI())
	c.tokens.issuer = c.uaa.URL + "/oauth/token"
	c.api = c.serve(c.routes())
	c.url = c.api.URL
	return c, nil
}

func (c *CloudController) serve(handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that don't trust it, or are cut off, are no news
	if c.options.PlainHTTP {
		server.Start()
	} else {
		server.StartTLS()
	}
	return server
}

// Close ends the jobs where they are and stops the servers; requests that a fault holds are let go.
func (c *CloudController) Close() {
	c.cancel()
	c.api.Close()
	c.uaa.Close()
	c.running.Wait()
	c.brokers.CloseIdleConnections()
}

// URL is where the API answers.
func (c *CloudController) URL() string { return c.url }

// UAAURL is where the UAA answers, as the root document tells, too.
func (c *CloudController) UAAURL() string { return c.uaa.URL }

// CACert is the PEM certificate to trust for both; "" with PlainHTTP.
func (c *CloudController) CACert() string {
	certificate := c.api.Certificate()
	if certificate == nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
}

// ExpireTokens makes every access token issued so far an invalid one; refresh tokens stay good.
func (c *CloudController) ExpireTokens() { c.tokens.changeKey() }

// locked runs f while nothing else reads or changes the world.
func (c *CloudController) locked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// sleep waits, and tells whether it wasn't interrupted by the end of ctx or of the Cloud Controller.
func (c *CloudController) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil && c.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	return false
}
