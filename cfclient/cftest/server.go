package cftest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// request is one request on its way through Cloud Controller.
type request struct {
	http *http.Request
	id   string // X-Vcap-Request-Id of the answer
	user identity
	body []byte
}

func (q *request) param(name string) string { return q.http.PathValue(name) }
func (q *request) guid() string             { return q.http.PathValue("guid") }

// seesAll tells whether the caller may read everything.
func (q *request) seesAll() bool {
	return q.user.has(scopeAdmin, scopeAdminReadOnly, scopeGlobalAuditor)
}

const jsonType = "application/json; charset=utf-8"

// response is an answer before it is written.
type response struct {
	status   int
	body     any // nil: none
	location string
	cascade  bool
}

// apiError is one error of a refusal or of a job.
type apiError struct {
	Detail string `json:"detail"`
	Title  string `json:"title"`
	Code   int    `json:"code"`
}

type errorsView struct {
	Errors []apiError `json:"errors"`
}

var unknownError = apiError{"An unknown error occurred.", "UnknownError", 10001}

func ok(body any) response { return response{status: http.StatusOK, body: body} }
func noContent() response  { return response{status: http.StatusNoContent} }

func refuse(status int, e apiError) response {
	return response{status: status, body: errorsView{Errors: []apiError{e}}}
}

func notFound(what string) response {
	return refuse(http.StatusNotFound, apiError{what + " not found", "CF-ResourceNotFound", 10010})
}

func unprocessable(detail string) response {
	return refuse(http.StatusUnprocessableEntity, apiError{detail, "CF-UnprocessableEntity", 10008})
}

func badRequest(detail string) response {
	return refuse(http.StatusBadRequest, apiError{"Bad request: " + detail, "CF-BadRequest", 1004})
}

func notAuthenticated() response {
	return refuse(http.StatusUnauthorized, apiError{"Authentication error", "CF-NotAuthenticated", 10002})
}

func invalidToken() response {
	return refuse(http.StatusUnauthorized, apiError{"Invalid Auth Token", "CF-InvalidAuthToken", 1000})
}

func notAuthorized() response {
	return refuse(http.StatusForbidden, apiError{"You are not authorized to perform the requested action", "CF-NotAuthorized", 10003})
}

func unknownRequest() response {
	return refuse(http.StatusNotFound, apiError{"Unknown request", "CF-NotFound", 10000})
}

// encode is JSON as Cloud Controller writes it: & as \u0026, no newline at the end.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // only types of this package and what was read as JSON are encoded, and they can be
	}
	return text
}

// handle is the whole way of a request to a route of the API: faults, latency, authentication, the route's handler
// under the lock, the answer.
func (c *CloudController) handle(r route) http.Handler {
	answered := http.HandlerFunc(func(w http.ResponseWriter, h *http.Request) {
		q := &request{http: h, id: uuid.NewString()}
		if given := h.Header.Get("X-Vcap-Request-Id"); given != "" {
			q.id = given + "::" + q.id
		}
		c.answer(r, q).write(w, q)
	})
	faulty := c.withFaults(answered)
	return http.HandlerFunc(func(w http.ResponseWriter, h *http.Request) {
		c.stats.request(r.name())
		if !c.sleep(h.Context(), c.options.Latency) {
			panic(http.ErrAbortHandler)
		}
		faulty.ServeHTTP(w, h)
	})
}

func (c *CloudController) answer(r route, q *request) response {
	refusal := c.authenticate(q)
	switch {
	case r.access == open: // but who asks is told in the answer
	case refusal != nil:
		return *refusal
	case !r.permits(q.user):
		return notAuthorized()
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, q.http.Body, bodyMaximum))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return refuse(http.StatusRequestEntityTooLarge, apiError{"The request is too large", "CF-RequestTooLarge", 0})
		}
		return badRequest("the body can't be read")
	}
	q.body = body
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.handle(c, q)
}

// authenticate finds out who asks.
func (c *CloudController) authenticate(q *request) *response {
	kind, token, _ := strings.Cut(q.http.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "bearer") {
		refusal := notAuthenticated()
		return &refusal
	}
	user, valid := c.tokens.identity(token)
	if !valid {
		refusal := invalidToken()
		return &refusal
	}
	q.user = user
	return nil
}

// write sends the answer; lists are written one resource at a time.
func (a response) write(w http.ResponseWriter, q *request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Vcap-Request-Id", q.id)
	if q.user.guid != "" {
		h.Set("X-User-Guid", q.user.guid)
	}
	if a.location != "" {
		h.Set("Location", a.location)
		h.Set("Content-Type", "text/html")
	}
	if a.cascade {
		h.Set("X-Cascade", "pass")
	}
	if a.body != nil {
		h.Set("Content-Type", jsonType)
	}
	w.WriteHeader(a.status)
	if a.body == nil || q.http.Method == http.MethodHead {
		return
	}
	out := bufio.NewWriterSize(w, 32<<10)
	if many, is := a.body.(*list); is {
		many.write(out)
	} else {
		_, _ = out.Write(encode(a.body))
	}
	_ = out.Flush() // a client that is gone is no fault of ours
}

// readBody is the body as Cloud Controller sees it: what is no JSON object is an unknown field.
func (q *request) readBody() map[string]any {
	return parseBody(q.http.Header.Get("Content-Type"), q.body)
}

func parseBody(contentType string, body []byte) map[string]any {
	fields := map[string]any{}
	if len(bytes.TrimSpace(body)) == 0 {
		return fields
	}
	if strings.HasPrefix(contentType, "application/x-www-form-urlencoded") {
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return map[string]any{"_json": nil}
		}
		for key := range values {
			fields[key] = values.Get(key)
		}
		return fields
	}
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return map[string]any{"_json": nil}
	}
	return fields
}
