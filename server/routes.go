package server

import (
	"strings"
	"time"
)

// Served is a request that was answered.
type Served struct {
	// Route is the path with its ids left out, or "other".
	Route, Method string
	Status        int
	Took          time.Duration
}

// routes are all paths that something is at; what begins with a colon stands for any one segment.
var routes = [][]string{
	segments("/healthz"),
	segments("/readyz"),
	segments("/metrics"),
	segments("/v2/catalog"),
	segments("/v2/service_instances/:instance_id"),
	segments("/v2/service_instances/:instance_id/last_operation"),
	segments("/v2/service_instances/:instance_id/service_bindings/:binding_id"),
	segments("/v2/service_instances/:instance_id/service_bindings/:binding_id/last_operation"),
	segments("/mgmt/service_instances"),
	segments("/mgmt/service_instances/:instance_id"),
	segments("/mgmt/service_instances/:instance_id/pending_changes"),
	segments("/mgmt/service_instances/:instance_id/cancel"),
	segments("/mgmt/service_instances/:instance_id/findings"),
	segments("/mgmt/service_instances/:instance_id/repair"),
	segments("/mgmt/metrics"),
	segments("/mgmt/orphans"),
	segments("/mgmt/orphan_deployments"),
	segments("/mgmt/orphan_deployments/:deployment"),
}

func segments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// routeOf is the route of an escaped path.
func routeOf(path string) string {
	given := segments(path)
	for _, route := range routes {
		if fits(route, given) {
			return "/" + strings.Join(route, "/")
		}
	}
	return "other"
}

func fits(route, given []string) bool {
	if len(route) != len(given) {
		return false
	}
	for i, segment := range route {
		if !strings.HasPrefix(segment, ":") && segment != given[i] {
			return false
		}
	}
	return true
}
