package boshclient_test

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

// standIn is a TLS server in a Director's place, which remembers what it was asked.
type standIn struct {
	*httptest.Server
	connections atomic.Int64
	mu          sync.Mutex
	requests    []seen
}

// seen is a request as it arrived.
type seen struct {
	method, path string // path as escaped on the wire
	query        map[string][]string
	header       http.Header
	body         string
}

func (s seen) String() string { return s.method + " " + s.path }

func newStandIn(handle http.HandlerFunc, adjust ...func(*httptest.Server)) *standIn {
	s := &standIn{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		s.requests = append(s.requests, seen{r.Method, r.URL.EscapedPath(), r.URL.Query(), r.Header.Clone(), string(body)})
		s.mu.Unlock()
		handle(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	for _, change := range adjust {
		change(s.Server)
	}
	s.StartTLS()
	DeferCleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *standIn) seen() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.requests...)
}

// asked lists the requests as "METHOD /path".
func (s *standIn) asked() []string {
	var asked []string
	for _, request := range s.seen() {
		asked = append(asked, request.String())
	}
	return asked
}

func (s *standIn) ca() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

// client makes a client with basic auth, or as changed.
func (s *standIn) client(change ...func(*boshclient.Options)) *boshclient.Client {
	options := boshclient.Options{URL: s.URL, CACert: s.ca(), Username: "admin", Password: "pa$$word", Timeout: 10 * time.Second}
	for _, f := range change {
		f(&options)
	}
	client, err := boshclient.New(options)
	Expect(err).NotTo(HaveOccurred())
	boshclient.HurryUp(client)
	DeferCleanup(client.Close)
	return client
}

func timeout(d time.Duration) func(*boshclient.Options) {
	return func(o *boshclient.Options) { o.Timeout = d }
}

func withClient(o *boshclient.Options) {
	o.Username, o.Password, o.ClientID, o.ClientSecret = "", "", "broker", "client-s3cret"
}

// answering answers everything alike.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// redirecting answers as the Director does when it has made a task.
func redirecting(status int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
}

// cut closes the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// hang answers nothing until the client goes away.
func hang(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler) // an empty answer could still arrive before the connection is closed
}

// inTurn gives each request the next handler, the last one for all that follow.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var next atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		handlers[min(int(next.Add(1))-1, len(handlers)-1)](w, r)
	}
}

// byRoute chooses by "METHOD /path"; what isn't listed fails the client's expectations with a 418.
func byRoute(routes map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if handle := routes[r.Method+" "+r.URL.EscapedPath()]; handle != nil {
			handle(w, r)
			return
		}
		http.Error(w, fmt.Sprintf("the test expects no %s %s", r.Method, r.URL), http.StatusTeapot)
	}
}

const taskDone = `{"id":3,"state":"done","description":"create deployment","timestamp":1795425105,"started_at":1795425083,"result":"/deployments/si-a","user":"admin","deployment":"si-a","context_id":"ctx-create-1"}`
