package uaatest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
)

// Fault lets the next request of its kind go wrong, once.
type Fault struct {
	Request string // method and path, e.g. "POST /oauth/clients"

	// One of these. Nothing set: the connection is cut unanswered.
	Status int  // is answered, with Header and Body
	Hang   bool // nothing happens until the client goes or the server closes
	Lost   bool // the request is served, but the connection is cut before the answer

	Header http.Header
	Body   string
}

// Fail adds a fault.
func (s *Server) Fail(fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault)
}

func (s *Server) nextFault(request string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.faults, func(f *Fault) bool { return f.Request == request })
	if at < 0 {
		return nil
	}
	fault := s.faults[at]
	s.faults = slices.Delete(s.faults, at, at+1)
	return fault
}

func (s *Server) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := s.nextFault(r.Method + " " + r.URL.Path)
		switch {
		case fault == nil:
			next.ServeHTTP(w, r)
		case fault.Status != 0:
			maps.Copy(w.Header(), fault.Header)
			w.WriteHeader(fault.Status)
			_, _ = w.Write([]byte(fault.Body)) // a client that is gone is no fault of ours
		case fault.Hang:
			select {
			case <-r.Context().Done():
			case <-s.hung:
			}
			panic(http.ErrAbortHandler)
		case fault.Lost:
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			panic(http.ErrAbortHandler)
		}
	})
}
