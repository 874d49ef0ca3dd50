// Package credhubtest is a CredHub for tests: its HTTP API and its UAA's token endpoint over HTTPS, in one process. It is
// written after CredHub's API documentation and answers as CredHub 2 does (or 1.9, if told so); that it answers rightly is
// judged by CredHub's own client library, which the tests point at it.
package credhubtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// Options say what a CredHub is like.
type Options struct {
	// Version is the server's; default 2.12.74. A CredHub 1 tells it in GET /info and has the first permissions API.
	Version string
	// Clients of the UAA by id; default: one, {"odb", "odb-s3cret"}, which may do everything.
	Clients map[string]Client
	// TokenLifetime on the clock; default 12 h.
	TokenLifetime time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
	// ObjectsOnly makes the type json refuse everything but objects.
	ObjectsOnly bool
}

// Client is a client of the UAA.
type Client struct {
	Secret string
	Scopes []string // credhub.read, credhub.write
	Paths  []string // where it has every permission: a credential's name, or PATH/*
}

// CredHub is a running one. Its methods are safe for concurrent use.
type CredHub struct {
	URL       string // of CredHub
	UAAURL    string
	CACert    string // PEM, of the authority that CredHub's certificate is from
	UAACACert string // PEM, of the other one, that the UAA's certificate is from

	options      Options
	credhub, uaa *httptest.Server
	stopped      chan struct{} // closed: requests that hang end
	stop         sync.Once

	mu          sync.Mutex
	version     string
	tokens      map[string]token
	credentials map[string]*credential // by lower-case name
	permissions []permission
	faults      []*Fault
	requests    []Request
	serial      int
}

// Request is one that arrived, at CredHub or at its UAA.
type Request struct {
	Method, Path string // "PUT", "/api/v1/data"
	Name         string // of the credential or path that it is about; "" if it names none
	Status       int    // of the answer; 0 while there is none
}

// Fault is something that goes wrong with requests that match.
type Fault struct {
	Method, Path string // empty: any; the path without the query
	Times        int    // how many requests; 0: all
	Status       int    // the answer's
	Body         string // the answer's
	Hang         bool   // no answer until the client gives up
	After        bool   // the request is carried out, then the answer is replaced
}

// Start serves until Close.
func Start(options Options) *CredHub {
	if options.Version == "" {
		options.Version = "2.12.74"
	}
	if options.Clients == nil {
		options.Clients = map[string]Client{"odb": {Secret: "odb-s3cret", Scopes: []string{"credhub.read", "credhub.write"}, Paths: []string{"/*"}}}
	}
	if options.TokenLifetime == 0 {
		options.TokenLifetime = 12 * time.Hour
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	c := &CredHub{
		options: options, version: options.Version, stopped: make(chan struct{}),
		tokens: map[string]token{}, credentials: map[string]*credential{},
	}
	for id, client := range options.Clients {
		for _, path := range client.Paths {
			c.permit(path, "uaa-client:"+id, everything)
		}
	}
	c.uaa, c.UAACACert = serveTLS(c.faulty(c.uaaAPI()))
	c.credhub, c.CACert = serveTLS(c.faulty(c.api()))
	c.URL, c.UAAURL = c.credhub.URL, c.uaa.URL
	return c
}

// Close stops it, if it isn't stopped already.
func (c *CredHub) Close() {
	c.stop.Do(func() {
		close(c.stopped)
		c.credhub.Close()
		c.uaa.Close()
	})
}

// Upgrade makes it one of another version.
func (c *CredHub) Upgrade(version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
}

// isFirst is for holders of the lock.
func (c *CredHub) isFirst() bool { return strings.HasPrefix(c.version, "1.") }

func (c *CredHub) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /info", c.info)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, map[string]string{"status": "UP"}) })
	mux.HandleFunc("GET /version", c.authorized("credhub.read", func(w http.ResponseWriter, _ *http.Request, _ string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		answer(w, 200, map[string]string{"version": c.version})
	}))
	mux.HandleFunc("PUT /api/v1/data", c.authorized("credhub.write", c.set))
	mux.HandleFunc("GET /api/v1/data", c.authorized("credhub.read", c.getOrFind))
	mux.HandleFunc("GET /api/v1/data/{id}", c.authorized("credhub.read", c.getVersion))
	mux.HandleFunc("DELETE /api/v1/data", c.authorized("credhub.write", c.delete))
	mux.HandleFunc("POST /api/v1/permissions", c.authorized("credhub.write", c.addFirstPermissions))
	mux.HandleFunc("POST /api/v2/permissions", c.authorized("credhub.write", c.addPermission))
	mux.HandleFunc("GET /api/v2/permissions", c.authorized("credhub.read", c.findPermission))
	return mux
}

func (c *CredHub) info(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	app := map[string]string{"name": "CredHub"}
	if c.isFirst() {
		app["version"] = c.version
	}
	answer(w, 200, map[string]any{"auth-server": map[string]string{"url": c.UAAURL}, "app": app})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that went away doesn't matter here
}

func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}
