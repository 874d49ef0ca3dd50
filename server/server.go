package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/broker"
)

// Broker is what is served.
type Broker interface {
	domain.ServiceBroker
	Reading
	Rotating
	Management
	CleanUp
	Readiness(ctx context.Context) broker.Readiness
	// Run does what isn't anybody's request, until Stop.
	Run()
	// Stop ends work that outlives its request, and Run.
	Stop()
}

// Options are what a server is made of.
type Options struct {
	// Address is host:port to listen on; an empty host means all interfaces, port 0 a free one.
	Address string
	// CertFile and KeyFile are PEM files; with them the server speaks HTTPS only.
	CertFile, KeyFile string
	// Credentials are those of /v2 and /mgmt.
	Credentials []Credential
	// ExposeOperationalErrors lets users see what is otherwise only in the log.
	ExposeOperationalErrors bool
	// ShutdownTimeout is how long requests may go on after Run's context ended.
	ShutdownTimeout time.Duration
	Logger          *slog.Logger
	Broker          Broker
	// Metrics answers GET /metrics, which takes the same credentials.
	Metrics http.Handler
	// Observe is told of each request that was answered; nil for nobody.
	Observe func(Served)
}

// Limits of a connection. There is none on the time a handler takes: what a verb waits for (Director requests, adapter
// runs) has its own deadline.
const (
	readHeaderTimeout = 10 * time.Second
	readBodyTimeout   = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	maxBodyBytes      = 2 << 20
)

// Server serves one broker on one address.
type Server struct {
	options  Options // those that it was made with
	current  atomic.Pointer[serving]
	http     *http.Server
	listener net.Listener
}

// serving is what requests and connections find that come now.
type serving struct {
	handler         http.Handler
	certificate     *tls.Certificate // nil without HTTPS
	shutdownTimeout time.Duration
}

// New returns a server that doesn't listen yet. It fails if certificate and key can't be used.
func New(options Options) (*Server, error) {
	s := &Server{options: options}
	if err := s.Reconfigure(options); err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.current.Load().handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(options.Logger.Handler(), slog.LevelDebug), // handshakes that fail and the like
	}
	if s.secure() {
		s.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.current.Load().certificate, nil
		}}
	}
	return s, nil
}

// Reconfigure serves with other options what comes from now on, and reads certificate and key anew. Requests that are under
// way end with the options that they began with. The address stays, as does whether HTTPS is spoken. If certificate and key
// can't be used it fails, and nothing changes.
func (s *Server) Reconfigure(options Options) error {
	next := &serving{handler: newHandler(options), shutdownTimeout: options.ShutdownTimeout}
	if s.secure() {
		certificate, err := tls.LoadX509KeyPair(options.CertFile, options.KeyFile)
		if err != nil {
			return fmt.Errorf("broker.tls: %w", err)
		}
		next.certificate = &certificate
		if before := s.current.Load(); before != nil && !before.certificate.Leaf.Equal(certificate.Leaf) {
			options.Logger.Info("server.certificate-replaced", slog.Time("not_after", certificate.Leaf.NotAfter))
		}
	}
	s.current.Store(next)
	return nil
}

// Listen takes the address. From here on connections are accepted, and served once Run runs.
func (s *Server) Listen() error {
	listener, err := net.Listen("tcp", s.options.Address)
	if err != nil {
		return fmt.Errorf("listening on %s (broker.host and broker.port): %w", s.options.Address, err)
	}
	s.listener = listener
	return nil
}

// secure tells whether the server speaks HTTPS. (net/http fills TLSConfig in by itself, so that one doesn't tell.)
func (s *Server) secure() bool { return s.options.CertFile != "" }

// URL is where the server is reached, after Listen.
func (s *Server) URL() string {
	scheme := "http"
	if s.secure() {
		scheme = "https"
	}
	return scheme + "://" + s.listener.Addr().String()
}

// Run serves until ctx ends, then lets requests finish within the shutdown time. What still runs after that is cut, which
// is logged and no error: tasks go on in the Director, and the platform asks again.
func (s *Server) Run(ctx context.Context) error {
	var background sync.WaitGroup
	background.Go(s.options.Broker.Run)
	defer background.Wait()
	failed := make(chan error, 1)
	go func() { failed <- s.serve() }()
	select {
	case err := <-failed:
		s.options.Broker.Stop()
		return err
	case <-ctx.Done():
	}
	patience := s.current.Load().shutdownTimeout
	s.options.Logger.Info("server.stopping", slog.String("within", patience.String()))
	limit, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.http.Shutdown(limit); err != nil {
		s.options.Logger.Error("server.requests-cut", slog.String("error", err.Error()))
		s.http.Close()
	}
	s.options.Broker.Stop()
	s.options.Logger.Info("server.stopped")
	return nil
}

func (s *Server) serve() error {
	var err error
	if s.secure() {
		err = s.http.ServeTLS(s.listener, "", "")
	} else {
		err = s.http.Serve(s.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
