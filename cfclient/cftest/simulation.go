package cftest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Outcome says what becomes of operations of simulated brokers.
type Outcome struct {
	// Instance, by GUID, and Operation (create, update or delete) select operations; "" is any.
	Instance, Operation string
	// Times is how often it holds; 0: always.
	Times int

	// Status, if set, is answered at once: the broker refuses. Else the operation is accepted, and fails later if Fails.
	Status int
	Fails  bool
	// Description is the broker's reason.
	Description string
	// Duration, if not 0, is how long the operation takes.
	Duration time.Duration
}

// simulation is what simulated brokers do. It has a lock of its own: jobs use it without the world's.
type simulation struct {
	mu       sync.Mutex
	duration time.Duration
	outcomes []*Outcome
	running  map[string]simulated
	next     int
}

type simulated struct {
	ends        time.Time
	fails       bool
	description string
}

// AddOutcome adds an outcome; of several that fit an operation the one that was added first counts.
func (c *CloudController) AddOutcome(o Outcome) {
	s := &c.world.simulation
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes = append(s.outcomes, &o)
}

// SetOperationDuration changes how long operations of simulated brokers take that begin from now on.
func (c *CloudController) SetOperationDuration(d time.Duration) {
	s := &c.world.simulation
	s.mu.Lock()
	defer s.mu.Unlock()
	s.duration = d
}

var operationKinds = map[string]string{verbProvision: typeCreate, verbUpdate: typeUpdate, verbDeprovision: typeDelete}

// answer is what the simulated broker says.
func (s *simulation) answer(r osbRequest) osbAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, changes := operationKinds[r.verb]
	switch {
	case changes:
		return s.begin(kind, strings.TrimPrefix(r.path, "/v2/service_instances/"))
	case r.verb == verbLastOperation:
		return s.stands(r.query.Get("operation"))
	case r.verb == verbBind:
		return osbAnswer{status: http.StatusCreated, osbFields: osbFields{Credentials: []byte(`{"uri":"simulated://u:p@10.0.0.1"}`)}}
	}
	return osbAnswer{status: http.StatusOK}
}

func (s *simulation) begin(kind, instance string) osbAnswer {
	o := s.outcome(kind, instance)
	if o.Status != 0 {
		return osbAnswer{status: o.Status, osbFields: osbFields{Description: o.Description}}
	}
	duration := s.duration
	if o.Duration != 0 {
		duration = o.Duration
	}
	if duration == 0 && !o.Fails {
		return osbAnswer{status: http.StatusOK}
	}
	s.next++
	operation := "simulated-" + strconv.Itoa(s.next)
	if s.running == nil {
		s.running = map[string]simulated{}
	}
	s.running[operation] = simulated{ends: time.Now().Add(duration), fails: o.Fails, description: o.Description}
	return osbAnswer{status: http.StatusAccepted, osbFields: osbFields{Operation: operation}}
}

func (s *simulation) outcome(kind, instance string) Outcome {
	at := slices.IndexFunc(s.outcomes, func(o *Outcome) bool {
		return (o.Instance == "" || o.Instance == instance) && (o.Operation == "" || o.Operation == kind)
	})
	if at < 0 {
		return Outcome{}
	}
	found := s.outcomes[at]
	if found.Times > 0 {
		found.Times--
		if found.Times == 0 {
			s.outcomes = slices.Delete(s.outcomes, at, at+1)
		}
	}
	return *found
}

// stands tells how an operation stands; it is forgotten when its end has been told.
func (s *simulation) stands(operation string) osbAnswer {
	a := osbAnswer{status: http.StatusOK, osbFields: osbFields{State: stateInProgress}}
	found := s.running[operation]
	if time.Now().Before(found.ends) {
		return a
	}
	delete(s.running, operation)
	a.State, a.Description = stateSucceeded, found.description
	if found.fails {
		a.State = stateFailed
	}
	return a
}
