package devdirector

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Director is a running development Director. All its methods may be called at any time, from any goroutine.
type Director struct {
	options    Options
	identities map[string]*identity
	tokens     *tokenIssuer
	certs      *certificates
	listener   net.Listener
	server     *http.Server
	uaa        *uaaServer
	routes     routeTable
	stats      stats
	faults     faultList
	closed     chan struct{}
	closeOnce  sync.Once
	closeErr   error
	latency    atomic.Int64
	broken     atomic.Bool // the state folder can't be written to any more

	mu    sync.Mutex
	world world
}

// Start starts a Director. It listens when Start returns; Close ends it.
func Start(o Options) (*Director, error) {
	if err := o.setDefaults(); err != nil {
		return nil, fmt.Errorf("development Director: %w", err)
	}
	d := &Director{
		options:    o,
		identities: map[string]*identity{},
		closed:     make(chan struct{}),
		routes:     buildRoutes(),
	}
	d.faults.changed = make(chan struct{})
	d.stats.reset()
	d.SetLatency(o.Latency)
	for name, user := range o.Users {
		d.identities[name] = newIdentity(name, user.Password, user.Scopes, o.UUID)
	}
	if err := d.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("development Director: %w", err), d.Close())
	}
	return d, nil
}

func (d *Director) start() error {
	if err := d.openWorld(); err != nil {
		return err
	}
	if d.options.TLS || d.options.UAA != nil {
		certs, err := loadCertificates(d.options.StateDir)
		if err != nil {
			return err
		}
		d.certs = certs
	}
	if d.options.UAA != nil {
		if err := d.startUAA(); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", d.options.Address)
	if err != nil {
		return err
	}
	d.listener = listener
	d.server = newServer(http.HandlerFunc(d.serve), d.stats.connection)
	serveInBackground(d.server, listener, d.tlsConfig())
	return nil
}

func (d *Director) tlsConfig() *tls.Config {
	if !d.options.TLS {
		return nil
	}
	return d.certs.serverConfig()
}

// newServer returns a server with the time limits of the Director's nginx, HTTP/1.1 only as there.
func newServer(handler http.Handler, state func(net.Conn, http.ConnState)) *http.Server {
	return &http.Server{
		Handler:           handler,
		ConnState:         state,
		ReadHeaderTimeout: time.Minute,
		IdleTimeout:       75 * time.Second,
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){},
		ErrorLog:          log.New(io.Discard, "", 0),
	}
}

func serveInBackground(server *http.Server, listener net.Listener, config *tls.Config) {
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	go func() { _ = server.Serve(listener) }()
}

// URL is where the Director answers, without a trailing slash.
func (d *Director) URL() string {
	scheme := "http"
	if d.options.TLS {
		scheme = "https"
	}
	return scheme + "://" + d.listener.Addr().String()
}

// Name is the Director's name, as in /info.
func (d *Director) Name() string { return d.options.Name }

// CACert is the PEM of the certificate authority behind the Director's (and its UAA's) certificate; "" without TLS.
func (d *Director) CACert() string {
	if d.certs == nil {
		return ""
	}
	return d.certs.caPEM
}

// Close ends the Director at once, requests in flight included. What it keeps in StateDir stays.
func (d *Director) Close() error {
	d.closeOnce.Do(func() {
		close(d.closed)
		if d.server != nil {
			d.closeErr = d.server.Close()
		}
		if d.uaa != nil {
			d.closeErr = errors.Join(d.closeErr, d.uaa.server.Close())
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.closeErr = errors.Join(d.closeErr, d.world.store.close())
	})
	return d.closeErr
}

// enter locks the world and brings it to now; the caller leaves.
func (d *Director) enter() {
	now := d.options.Clock.Now()
	d.mu.Lock()
	d.world.advance(now)
}

// wait waits d of real time, or less if ctx ends or the Director is closed.
func (d *Director) wait(ctx context.Context, delay time.Duration) {
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-d.closed:
	}
}
