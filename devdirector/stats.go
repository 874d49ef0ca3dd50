package devdirector

import (
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// Stats count what a Director was asked since its start or the last ResetStats.
type Stats struct {
	// Requests by route, as "GET /deployments/:name"; "other" are those to no route.
	Requests map[string]int `json:"requests"`
	// TotalRequests is their sum; requests to /_dev and to the UAA don't count.
	TotalRequests int `json:"total_requests"`
	// Tasks created, by kind.
	Tasks map[Kind]int `json:"tasks"`
	// TotalTasks is their sum.
	TotalTasks int `json:"total_tasks"`
	// Connections that were opened to the Director.
	Connections int `json:"connections"`
	// Tokens that the UAA was asked for.
	Tokens int `json:"tokens"`
}

const otherRoute = "other"

type stats struct {
	connections atomic.Int64
	tokens      atomic.Int64

	mu       sync.Mutex
	requests map[string]int
	tasks    map[Kind]int
}

func (s *stats) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.tasks = map[string]int{}, map[Kind]int{}
	s.connections.Store(0)
	s.tokens.Store(0)
}

func (s *stats) request(r *route) {
	name := otherRoute
	if r != nil {
		name = r.name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[name]++
}

func (s *stats) task(kind Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks[kind]++
}

func (s *stats) token() { s.tokens.Add(1) }

func (s *stats) connection(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.connections.Add(1)
	}
}

// Stats returns the counts so far.
func (d *Director) Stats() Stats {
	s := &d.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Stats{
		Requests: maps.Clone(s.requests), Tasks: maps.Clone(s.tasks),
		Connections: int(s.connections.Load()), Tokens: int(s.tokens.Load()),
	}
	for _, n := range out.Requests {
		out.TotalRequests += n
	}
	for _, n := range out.Tasks {
		out.TotalTasks += n
	}
	return out
}

// ResetStats sets all counts to zero.
func (d *Director) ResetStats() { d.stats.reset() }
