package credhubtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
)

// Fail makes requests fail from now on.
func (c *CredHub) Fail(fault Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, &fault)
}

// Heal ends all faults.
func (c *CredHub) Heal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = nil
}

// Requests lists those that arrived, in the order of their arrival.
func (c *CredHub) Requests() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// ForgetRequests empties the list.
func (c *CredHub) ForgetRequests() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = nil
}

type nameKey struct{}

// named notes what a request is about.
func named(r *http.Request, name string) {
	if kept, ok := r.Context().Value(nameKey{}).(*string); ok {
		*kept = name
	}
}

func (c *CredHub) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var name string
		r = r.WithContext(context.WithValue(r.Context(), nameKey{}, &name))
		index, fault := c.arrived(r)
		recorder := httptest.NewRecorder()
		if fault == nil || fault.After {
			next.ServeHTTP(recorder, r)
		}
		c.answered(index, name, recorder.Code)
		switch {
		case fault == nil:
			for key, values := range recorder.Header() {
				w.Header()[key] = values
			}
			w.WriteHeader(recorder.Code)
			_, _ = w.Write(recorder.Body.Bytes())
		case fault.Hang:
			_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the client has gone
			select {
			case <-r.Context().Done():
			case <-c.stopped:
			}
			panic(http.ErrAbortHandler) // to return would be to answer 200
		default:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(fault.Status)
			_, _ = io.WriteString(w, fault.Body)
		}
	})
}

// arrived lists the request and picks its fault.
func (c *CredHub) arrived(r *http.Request) (index int, fault *Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, Request{Method: r.Method, Path: r.URL.Path, Name: r.URL.Query().Get("name")})
	i := slices.IndexFunc(c.faults, func(f *Fault) bool {
		return (f.Method == "" || f.Method == r.Method) && (f.Path == "" || f.Path == r.URL.Path)
	})
	if i >= 0 {
		fault = c.faults[i]
		if fault.Times == 1 {
			c.faults = slices.Delete(c.faults, i, i+1)
		}
		fault.Times--
	}
	return len(c.requests) - 1, fault
}

func (c *CredHub) answered(index int, name string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if index >= len(c.requests) { // the list was emptied meanwhile
		return
	}
	c.requests[index].Status = status
	if name != "" {
		c.requests[index].Name = name
	}
}
