package cftest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// scriptedBroker is the broker that the recorded Cloud Controller had: it answers as it did, and keeps what it
// is sent.
type scriptedBroker struct {
	server  *httptest.Server
	catalog string

	mu       sync.Mutex
	received []received
	version  string // of every plan's maintenance info
	empty    bool   // no services in the catalog
	stuck    bool   // operations go on until it isn't
	refusal  string // the next PUT, PATCH or DELETE is refused with this description, and
	status   int    // this status
	failure  string // the next last operation that is polled has failed with this description
}

type received struct {
	method, path, query string
	header              http.Header
	body                string
}

const recordedPassword = "cap-pass"

func startScriptedBroker(t *testing.T, catalog string) *scriptedBroker {
	b := &scriptedBroker{catalog: catalog, version: "1.0.0"}
	b.server = httptest.NewServer(b)
	t.Cleanup(b.server.Close)
	return b
}

// set changes what the broker does.
func (b *scriptedBroker) set(change func(*scriptedBroker)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

// find is what the broker was sent to a path with a method, in order.
func (b *scriptedBroker) find(method, path string) []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.received), func(r received) bool { return r.method != method || r.path != path })
}

func (b *scriptedBroker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body that is cut off is missed in the comparison
	b.mu.Lock()
	defer b.mu.Unlock()
	b.received = append(b.received, received{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), string(body)})
	w.Header().Set("Content-Type", "application/json")
	status, answer := b.answer(r)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer) // as above
}

func (b *scriptedBroker) answer(r *http.Request) (status int, body string) {
	_, password, _ := r.BasicAuth()
	changes := r.Method != http.MethodGet
	switch {
	case password != recordedPassword:
		return http.StatusUnauthorized, `{}`
	case r.URL.Path == "/v2/catalog" && b.empty:
		return http.StatusOK, `{"services":[]}`
	case r.URL.Path == "/v2/catalog":
		return http.StatusOK, strings.ReplaceAll(b.catalog, "1.0.0", b.version)
	case changes && b.refusal != "":
		description := b.refusal
		b.refusal = ""
		return b.status, `{"description":"` + description + `"}`
	case strings.HasSuffix(r.URL.Path, "/last_operation"):
		return http.StatusOK, b.lastOperation()
	case strings.Contains(r.URL.Path, "/service_bindings/") && r.Method == http.MethodPut:
		return http.StatusCreated, `{"credentials":{"uri":"cap://u:p@10.0.0.1:1234/x","username":"u"}}`
	case strings.Contains(r.URL.Path, "/service_bindings/"):
		return http.StatusOK, `{}`
	case r.Method == http.MethodDelete:
		return http.StatusAccepted, `{"operation":"op-delete"}`
	}
	guid := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	return http.StatusAccepted, `{"operation":"op-create-33","dashboard_url":"http://dash.test/` + guid + `"}`
}

func (b *scriptedBroker) lastOperation() string {
	switch {
	case b.stuck:
		return `{"state":"in progress","description":"Updating instance (1 of 2)"}`
	case b.failure != "":
		description := b.failure
		b.failure = ""
		return `{"state":"failed","description":"` + description + `"}`
	}
	return `{"state":"succeeded","description":"done"}`
}
