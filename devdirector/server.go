package devdirector

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// request is one request on its way through the Director.
type request struct {
	http   *http.Request
	path   string
	params []string
	query  url.Values
	body   []byte
	user   *identity
}

// param is the n-th :name segment of the route's pattern.
func (q *request) param(n int) string { return q.params[n] }

// flag tells whether a query parameter is "true".
func (q *request) flag(name string) bool { return q.query.Get(name) == "true" }

const (
	htmlType  = "text/html;charset=utf-8"
	jsonType  = "application/json"
	plainType = "text/plain;charset=utf-8"
)

// response is an answer before it is written. The zero content type is text/html, which the Director uses for nearly
// everything, JSON too.
type response struct {
	status       int
	contentType  string
	body         []byte
	task         int // redirect to this task
	contentRange string
	modified     time.Time // Last-Modified, if it isn't zero
	cascade      bool      // "no such route" within the Director
	outside      bool      // answered before authentication: no WWW-Authenticate
	// render, if set, makes the body after the world is unlocked, from what the handler copied.
	render func() []byte
}

// apiError is what the Director tells in JSON when it refuses.
type apiError struct {
	Code        int    `json:"code"`
	Description string `json:"description"`
}

func refuse(status, code int, description string) response {
	return response{status: status, body: encode(apiError{code, description})}
}

func ok(v any) response { return response{status: http.StatusOK, body: encode(v)} }
func okJSON(v any) response {
	return response{status: http.StatusOK, body: encode(v), contentType: jsonType}
}

func text(status int, body string) response { return response{status: status, body: []byte(body)} }

func noContent() response { return response{status: http.StatusNoContent} }

func redirectTo(t *task) response { return response{task: t.ID} }

func endpointNotFound(path string) response {
	return response{status: http.StatusNotFound, body: []byte("Endpoint '" + path + "' not found."), cascade: true}
}

// encode is JSON as Ruby writes it: no HTML escapes, no newline at the end.
func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // only types of this package are encoded, and they can be
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// serve is the whole way of a request.
func (d *Director) serve(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if d.options.Control && strings.HasPrefix(path, controlPrefix) {
		d.control(w, r)
		return
	}
	found := d.routes.find(r.Method, path)
	d.stats.request(found.route)
	d.wait(r.Context(), time.Duration(d.latency.Load()))
	answer := d.answer(found, w, r)
	if answer == nil {
		return
	}
	if d.broken.Load() {
		answer = &response{status: http.StatusInternalServerError}
	}
	answer.write(w, r, d.options.RedirectStatus)
}

// answer handles a request, and lets the fault happen that is meant for it, before or after. It is nil if there is
// nothing to be answered any more.
func (d *Director) answer(found match, w http.ResponseWriter, r *http.Request) *response {
	fault := d.faults.match(r.Method, r.URL.EscapedPath())
	if fault == nil {
		return d.handle(found, r)
	}
	var handled *response
	if fault.handlesFirst() {
		handled = d.handle(found, r)
	}
	holdBody(r)
	instead, over := d.inflict(fault, w, r, handled)
	switch {
	case over:
		return nil
	case instead != nil:
		return instead
	case handled != nil:
		return handled
	}
	return d.handle(found, r)
}

// holdBody reads the body to its end, for whoever reads it later: only then does the server notice that a client
// goes.
func holdBody(r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyMaximum))
	if err == nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
}

func notAuthorized(path string) response {
	return text(http.StatusUnauthorized, "Not authorized: '"+path+"'\n")
}

// handle finds out what to answer.
func (d *Director) handle(found match, r *http.Request) *response {
	if !found.known {
		return &response{
			status: http.StatusNotFound, contentType: "text/plain", cascade: true, outside: true,
			body: []byte("Not Found: " + r.URL.EscapedPath()),
		}
	}
	q := &request{http: r, path: r.URL.EscapedPath(), params: found.params, user: d.authenticate(r)}
	open := found.route != nil && found.route.access == openAccess
	if q.user == nil && !open {
		return pointerTo(notAuthorized(q.path))
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, bodyMaximum))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return &response{status: http.StatusRequestEntityTooLarge, outside: true}
		}
		return &response{status: http.StatusBadRequest, outside: true}
	}
	q.body = body
	q.query = r.URL.Query()
	route := found.route
	if route == nil || !route.accepts(r.Header.Get("Content-Type")) {
		return pointerTo(endpointNotFound(q.path))
	}
	answer := d.run(route, q)
	if answer.render != nil {
		answer.body = answer.render()
	}
	return &answer
}

// run calls the route's handler, with its deployment if it is about one.
func (d *Director) run(route *route, q *request) response {
	if route.deployment == nil {
		if refusal := d.permit(q.user, route.access, nil); refusal != nil {
			return *refusal
		}
		return route.handle(d, q)
	}
	d.enter()
	defer d.leave()
	deployment, found := d.world.deployments[q.param(0)]
	if !found {
		return noDeployment(q.param(0))
	}
	if refusal := d.permit(q.user, route.access, deployment.Teams); refusal != nil {
		return *refusal
	}
	return route.deployment(d, q, deployment)
}

func (a *response) write(w http.ResponseWriter, r *http.Request, redirectStatus int) {
	h := w.Header()
	if !a.outside {
		h.Set("WWW-Authenticate", `Basic realm="BOSH Director"`)
	}
	h.Set("Server", "nginx")
	h.Set("X-Content-Type-Options", "nosniff")
	if !a.modified.IsZero() {
		h.Set("Last-Modified", a.modified.UTC().Format(http.TimeFormat))
	}
	if a.task != 0 {
		a.status = http.StatusFound
		if r.Method != http.MethodGet {
			a.status = redirectStatus
		}
		h.Set("Location", location(r, a.task))
	}
	if a.cascade {
		h.Set("X-Cascade", "pass")
	}
	if a.contentRange != "" {
		h.Set("Content-Range", a.contentRange)
	}
	if a.status != http.StatusNoContent {
		contentType := a.contentType
		if contentType == "" {
			contentType = htmlType
			h.Set("X-Xss-Protection", "1; mode=block")
			h.Set("X-Frame-Options", "SAMEORIGIN")
		}
		h.Set("Content-Type", contentType)
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that is gone is no fault of ours
}

// location is absolute, from the Host header, as the Director builds it.
func location(r *http.Request, task int) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/tasks/" + strconv.Itoa(task)
}

// mediaType is the content type without its parameters.
func mediaType(header string) string {
	if !strings.Contains(header, ";") {
		return header
	}
	parsed, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return parsed
}
