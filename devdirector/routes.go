package devdirector

import (
	"net/http"
	"net/url"
	"strings"
)

// access is what a route asks of the user.
type access int

const (
	openAccess  access = iota // nobody needs to log in
	readAccess                // bosh.read, or a role in the team that owns the object
	adminAccess               // bosh.admin, or admin of the team that owns the object
	listAccess                // bosh.read, or any team: the list shows what is the user's
	makeAccess                // bosh.admin, or admin of any team: what is made becomes the team's
)

const (
	yamlBody = "text/yaml"
	jsonBody = "application/json"
)

// route is one endpoint. Exactly one of handle and deployment is set; deployment runs with the world locked and the
// deployment of the path's first parameter.
type route struct {
	method, pattern string
	body            string // media type that the endpoint insists on
	access          access
	handle          func(*Director, *request) response
	deployment      func(*Director, *request, *deployment) response

	name     string // method and pattern, as in Stats
	segments []string
}

func (r *route) accepts(contentType string) bool {
	return r.body == "" || mediaType(contentType) == r.body
}

func endpoints() []*route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []*route{
		{method: get, pattern: "/info", access: openAccess, handle: (*Director).info},

		{method: get, pattern: "/deployments", access: listAccess, handle: (*Director).listDeployments},
		{method: post, pattern: "/deployments", access: makeAccess, body: yamlBody, handle: (*Director).createDeployment},
		{method: get, pattern: "/deployments/:name", access: readAccess, deployment: (*Director).showDeployment},
		{method: del, pattern: "/deployments/:name", access: adminAccess, deployment: (*Director).deleteDeployment},
		{method: get, pattern: "/deployments/:name/vms", access: readAccess, deployment: (*Director).listVMs},
		{method: get, pattern: "/deployments/:name/instances", access: readAccess, deployment: (*Director).listInstances},
		{method: get, pattern: "/deployments/:name/variables", access: readAccess, deployment: (*Director).listVariables},
		{method: get, pattern: "/deployments/:name/certificate_expiry", access: readAccess, deployment: (*Director).listCertificates},
		{method: get, pattern: "/deployments/:name/errands", access: readAccess, deployment: (*Director).listErrands},
		{method: post, pattern: "/deployments/:name/errands/:errand/runs", access: adminAccess, body: jsonBody, deployment: (*Director).runErrand},
		{method: post, pattern: "/deployments/:name/diff", access: makeAccess, body: yamlBody, handle: (*Director).diffDeployment},
		{method: post, pattern: "/deployments/:name/instance_groups/:group/:id/actions/:action", access: adminAccess, deployment: (*Director).actOnInstance},
		{method: post, pattern: "/deployments/:name/scans", access: adminAccess, body: jsonBody, deployment: (*Director).scanProblems},
		{method: get, pattern: "/deployments/:name/problems", access: adminAccess, deployment: (*Director).listProblems},
		{method: post, pattern: "/deployments/:name/ssh", access: adminAccess, body: jsonBody, deployment: (*Director).setUpSSH},
		{method: get, pattern: "/deployments/:name/jobs/:job/:instance/logs", access: adminAccess, deployment: (*Director).fetchLogs},
		{method: put, pattern: "/deployments/:name/jobs/:job", access: adminAccess, body: yamlBody, deployment: (*Director).changeJobState},
		{method: put, pattern: "/deployments/:name/jobs/:job/:instance", access: adminAccess, body: yamlBody, deployment: (*Director).changeJobState},

		{method: get, pattern: "/tasks", access: listAccess, handle: (*Director).listTasks},
		{method: get, pattern: "/tasks/:id", access: listAccess, handle: (*Director).showTask},
		{method: get, pattern: "/tasks/:id/output", access: listAccess, handle: (*Director).taskOutput},
		{method: del, pattern: "/task/:id", access: listAccess, handle: (*Director).cancelTask},
		{method: post, pattern: "/tasks/cancel", access: makeAccess, body: jsonBody, handle: (*Director).cancelTasks},
		{method: get, pattern: "/locks", access: readAccess, handle: (*Director).listLocks},

		{method: get, pattern: "/configs", access: listAccess, handle: (*Director).listConfigs},
		{method: post, pattern: "/configs", access: makeAccess, body: jsonBody, handle: (*Director).createConfig},
		{method: del, pattern: "/configs", access: makeAccess, handle: (*Director).deleteConfigs},
		{method: post, pattern: "/configs/diff", access: makeAccess, body: jsonBody, handle: (*Director).diffConfigs},
		{method: get, pattern: "/configs/:id", access: listAccess, handle: (*Director).showConfig},
		{method: del, pattern: "/configs/:id", access: makeAccess, handle: (*Director).deleteConfigByID},
		{method: get, pattern: "/deployment_configs", access: listAccess, handle: (*Director).listDeploymentConfigs},
		{method: get, pattern: "/cloud_configs", access: readAccess, handle: listOldConfigs("cloud")},
		{method: post, pattern: "/cloud_configs", access: adminAccess, body: yamlBody, handle: updateOldConfig("cloud")},
		{method: post, pattern: "/cloud_configs/diff", access: adminAccess, body: yamlBody, handle: diffOldConfig("cloud")},
		{method: get, pattern: "/runtime_configs", access: readAccess, handle: listOldConfigs("runtime")},
		{method: post, pattern: "/runtime_configs", access: adminAccess, body: yamlBody, handle: updateOldConfig("runtime")},
		{method: post, pattern: "/runtime_configs/diff", access: adminAccess, body: yamlBody, handle: diffOldConfig("runtime")},

		{method: get, pattern: "/link_providers", access: listAccess, handle: (*Director).listLinkProviders},
		{method: get, pattern: "/link_consumers", access: listAccess, handle: (*Director).listLinkConsumers},
		{method: get, pattern: "/links", access: listAccess, handle: (*Director).listLinks},
		{method: post, pattern: "/links", access: makeAccess, body: jsonBody, handle: (*Director).createLink},
		{method: del, pattern: "/links/:id", access: makeAccess, handle: (*Director).deleteLink},
		{method: get, pattern: "/link_address", access: listAccess, handle: (*Director).linkAddress},

		{method: get, pattern: "/events", access: listAccess, handle: (*Director).listEvents},
		{method: post, pattern: "/events", access: adminAccess, body: jsonBody, handle: (*Director).createEvent},
		{method: get, pattern: "/events/:id", access: readAccess, handle: (*Director).showEvent},

		{method: get, pattern: "/deployed_variables/:variable", access: readAccess, handle: (*Director).deployedVariable},
		{method: get, pattern: "/releases", access: listAccess, handle: (*Director).listReleases},
		{method: get, pattern: "/stemcells", access: listAccess, handle: (*Director).listStemcells},
		{method: get, pattern: "/disks", access: adminAccess, handle: (*Director).listDisks},
		{method: post, pattern: "/cleanup", access: adminAccess, body: jsonBody, handle: (*Director).cleanUp},
		{method: put, pattern: "/resurrection", access: adminAccess, body: jsonBody, handle: (*Director).setResurrection},
	}
}

// routeTable finds routes by the first segment of their path.
type routeTable struct {
	byTop map[string][]*route
	all   []*route
}

func buildRoutes() routeTable {
	t := routeTable{byTop: map[string][]*route{}, all: endpoints()}
	for _, r := range t.all {
		r.name = r.method + " " + r.pattern
		r.segments = strings.Split(r.pattern[1:], "/")
		t.byTop[r.segments[0]] = append(t.byTop[r.segments[0]], r)
	}
	return t
}

// match is what a path led to: known, if the Director has anything under its first segment.
type match struct {
	known  bool
	route  *route
	params []string
}

// find looks up a route. A path may end in a slash, as for Sinatra.
func (t *routeTable) find(method, path string) match {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	top, _, _ := strings.Cut(path, "/")
	routes, known := t.byTop[top]
	if !known {
		return match{}
	}
	segments := strings.Split(path, "/")
	for _, r := range routes {
		if r.method != method || len(r.segments) != len(segments) {
			continue
		}
		if params, fits := fit(r.segments, segments); fits {
			return match{known: true, route: r, params: params}
		}
	}
	return match{known: true}
}

func fit(pattern, segments []string) (params []string, fits bool) {
	for i, want := range pattern {
		if want[0] != ':' {
			if want != segments[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(segments[i])
		if err != nil || value == "" {
			return nil, false
		}
		params = append(params, value)
	}
	return params, true
}
