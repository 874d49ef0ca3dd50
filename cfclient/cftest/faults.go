package cftest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Fault lets requests to the API or to the UAA go wrong.
type Fault struct {
	// Match is a regular expression for the method, path and query as they were sent:
	// "PATCH /v3/service_instances/", "POST /oauth/token", "GET .*per_page=1(&|$)".
	Match string
	// Skip lets so many requests that match pass first; Times is for how many after that the fault holds, 0: always.
	Skip, Times int

	// Delay comes before all else; a long one hangs until the client goes or the Cloud Controller is closed. A fault with
	// nothing but a delay is answered as usual then.
	Delay time.Duration
	// Status is answered instead, with Body; "" is what Cloud Foundry says with that status. RetryAfter, in whole
	// seconds, is told in the header of that name.
	Status     int
	Body       string
	RetryAfter time.Duration
	// Cut closes the connection unanswered.
	Cut bool
	// AfterHandling: what was asked is done, and only the answer is lost: to Status, or cut in the middle by Cut.
	AfterHandling bool
}

// ErrFault is what AddFault answers for a fault that can't be.
var ErrFault = errors.New("not a fault")

type activeFault struct {
	Fault
	match      *regexp.Regexp
	skip, left int
}

type faultList struct {
	mu     sync.Mutex
	active []*activeFault
}

// AddFault adds a fault; of several that match a request the one that was added first counts.
func (c *CloudController) AddFault(f Fault) error {
	match, err := regexp.Compile(f.Match)
	if err != nil {
		return fmt.Errorf("%w: match: %w", ErrFault, err)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("%w: status %d", ErrFault, f.Status)
	}
	if f.Status == 0 && !f.Cut && f.Delay == 0 {
		return fmt.Errorf("%w: nothing goes wrong: set Delay, Status or Cut", ErrFault)
	}
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	c.faults.active = append(c.faults.active, &activeFault{Fault: f, match: match, skip: f.Skip, left: f.Times})
	return nil
}

// ClearFaults ends all faults; what they hold already is held on.
func (c *CloudController) ClearFaults() {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	c.faults.active = nil
}

// next finds the fault of a request, nil for none.
func (l *faultList) next(r *http.Request) *Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, f := range l.active {
		if !f.match.MatchString(r.Method + " " + r.RequestURI) {
			continue
		}
		if f.skip > 0 {
			f.skip--
			continue
		}
		if f.Times > 0 {
			f.left--
			if f.left == 0 {
				l.active = slices.Delete(l.active, n, n+1)
			}
		}
		return &f.Fault
	}
	return nil
}

// withFaults lets happen what is meant to go wrong before, after or instead of next.
func (c *CloudController) withFaults(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := c.faults.next(r)
		if fault == nil {
			next.ServeHTTP(w, r)
			return
		}
		holdBody(r)
		if !c.sleep(r.Context(), fault.Delay) {
			panic(http.ErrAbortHandler)
		}
		handled := &recorder{header: http.Header{}}
		if fault.AfterHandling {
			next.ServeHTTP(handled, r)
		}
		switch {
		case fault.Status != 0:
			fault.write(w)
		case fault.Cut && fault.AfterHandling:
			handled.writeHalf(w)
			panic(http.ErrAbortHandler)
		case fault.Cut:
			panic(http.ErrAbortHandler)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

const bodyMaximum = 4 << 20

// holdBody reads the body to its end, for whoever reads it later: only then does the server notice that a client
// goes.
func holdBody(r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyMaximum))
	if err == nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
}

// write answers with the fault's status, in Cloud Controller's words, or for a 502 to 504 in its router's.
func (f *Fault) write(w http.ResponseWriter) {
	body, contentType := f.Body, jsonType
	if body == "" {
		switch f.Status {
		case http.StatusUnauthorized:
			body = string(encode(invalidToken().body))
		case http.StatusTooManyRequests:
			body = string(encode(errorsView{Errors: []apiError{{"Rate Limit Exceeded", "CF-RateLimitExceeded", 10013}}}))
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			contentType = "text/plain; charset=utf-8"
			body = strconv.Itoa(f.Status) + " " + http.StatusText(f.Status) + ": Registered endpoint failed to handle the request.\n"
		default:
			body = string(encode(errorsView{Errors: []apiError{unknownError}}))
		}
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(body)) // a client that is gone is no fault of ours
}

// recorder keeps an answer that is to be lost.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// writeHalf sends half of the answer; one without a body is not sent at all.
func (r *recorder) writeHalf(w http.ResponseWriter) {
	if r.body.Len() == 0 {
		return
	}
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(r.body.Len()))
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes()[:r.body.Len()/2]) // the client is to be cut off anyway
	_ = http.NewResponseController(w).Flush()       // as above
}
