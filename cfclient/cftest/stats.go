package cftest

import (
	"maps"
	"sync"
)

// Stats count what a Cloud Controller was asked, and what it asked its brokers, since its start or the last
// ResetStats.
type Stats struct {
	// Requests by route, as "GET /v3/service_instances/{guid}"; "other" are those to no route.
	Requests map[string]int
	// Total is their sum; requests to the UAA don't count.
	Total int
	// Tokens that the UAA was asked for.
	Tokens int
	// ToBrokers are the requests sent to brokers, simulated ones too, by what they ask for: catalog, provision,
	// update, deprovision, bind, unbind, fetch binding, last operation.
	ToBrokers map[string]int
}

const otherRoute = "other"

type stats struct {
	mu        sync.Mutex
	requests  map[string]int
	toBrokers map[string]int
	tokens    int
}

func (s *stats) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.toBrokers, s.tokens = map[string]int{}, map[string]int{}, 0
}

func (s *stats) request(route string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[route]++
}

func (s *stats) toBroker(verb string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.toBrokers[verb]++
}

func (s *stats) token() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens++
}

// Stats returns the counts so far.
func (c *CloudController) Stats() Stats {
	c.stats.mu.Lock()
	defer c.stats.mu.Unlock()
	out := Stats{Requests: maps.Clone(c.stats.requests), ToBrokers: maps.Clone(c.stats.toBrokers), Tokens: c.stats.tokens}
	for _, n := range out.Requests {
		out.Total += n
	}
	return out
}

// ResetStats sets all counts to zero.
func (c *CloudController) ResetStats() { c.stats.reset() }
