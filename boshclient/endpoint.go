package boshclient

import (
	"slices"
	"strings"
	"time"

	"github.com/on-demand-broker/odb/httpclient"
)

// Asked is one exchange with the Director, or with its UAA.
type Asked struct {
	Method string
	// Endpoint is the path with all names and ids left out, one of few: /deployments/:x/instances.
	Endpoint string
	Status   int           // 0 if there was no answer
	Took     time.Duration // until the answer's head was there
}

// told is what an exchange is told as; nil if nobody wants to know.
func told(observe func(Asked)) func(httpclient.Exchange) {
	if observe == nil {
		return nil
	}
	return func(e httpclient.Exchange) {
		observe(Asked{Method: e.Method, Endpoint: endpointOf(e.Path), Status: e.Status, Took: e.Took})
	}
}

// endpointOf leaves out of a path whatever isn't one of the API's own words. (A UAA may be below a path of its own.)
func endpointOf(path string) string {
	if strings.HasSuffix(path, "/oauth/token") {
		return "/oauth/token"
	}
	words := []string{"info", "deployments", "instances", "vms", "variables", "errands", "runs", "diff", "jobs", "tasks", "task",
		"output", "configs", "links", "link_address", "link_providers", "events"}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, part := range parts {
		if !slices.Contains(words, part) || (i > 0 && parts[i-1] == "errands") || (i == 1 && parts[0] == "deployments") {
			parts[i] = ":x"
		}
	}
	return "/" + strings.Join(parts, "/")
}
