package cftest

import (
	"net/http"
	"strings"
)

// access is who may use a route.
type access int

const (
	open   access = iota // anybody, without a token
	reads                // who has any of Cloud Controller's scopes
	writes               // admins
)

type route struct {
	method, path string
	access       access
	handle       func(*CloudController, *request) response
}

func (r route) name() string { return strings.TrimSpace(r.method + " " + r.path) }

func (r route) permits(user identity) bool {
	if r.access == writes {
		return user.has(scopeAdmin)
	}
	return user.has(scopeAdmin, scopeAdminReadOnly, scopeGlobalAuditor, scopeRead)
}

// routeTable is the part of the API that is modelled.
func routeTable() []route {
	return []route{
		{"GET", "/{$}", open, (*CloudController).root},
		{"GET", "/v3/info", open, (*CloudController).info},
		{"GET", "/v2/info", open, (*CloudController).infoV2},
		{"GET", "/v3/jobs/{guid}", reads, (*CloudController).showJob},

		{"GET", "/v3/organizations", reads, (*CloudController).listOrganizations},
		{"GET", "/v3/organizations/{guid}", reads, (*CloudController).showOrganization},
		{"GET", "/v3/spaces", reads, (*CloudController).listSpaces},
		{"GET", "/v3/spaces/{guid}", reads, (*CloudController).showSpace},

		{"GET", "/v3/service_brokers", reads, (*CloudController).listBrokers},
		{"POST", "/v3/service_brokers", writes, (*CloudController).createBroker},
		{"GET", "/v3/service_brokers/{guid}", reads, (*CloudController).showBroker},
		{"PATCH", "/v3/service_brokers/{guid}", writes, (*CloudController).updateBroker},
		{"DELETE", "/v3/service_brokers/{guid}", writes, (*CloudController).deleteBroker},
		{"GET", "/v3/service_offerings", reads, (*CloudController).listOfferings},
		{"GET", "/v3/service_offerings/{guid}", reads, (*CloudController).showOffering},
		{"DELETE", "/v3/service_offerings/{guid}", writes, (*CloudController).deleteOffering},
		{"GET", "/v3/service_plans", reads, (*CloudController).listPlans},
		{"GET", "/v3/service_plans/{guid}", reads, (*CloudController).showPlan},
		{"GET", "/v3/service_plans/{guid}/visibility", reads, (*CloudController).showVisibility},
		{"PATCH", "/v3/service_plans/{guid}/visibility", writes, (*CloudController).replaceVisibility},
		{"POST", "/v3/service_plans/{guid}/visibility", writes, (*CloudController).extendVisibility},
		{"DELETE", "/v3/service_plans/{guid}/visibility/{organization}", writes, (*CloudController).reduceVisibility},

		{"GET", "/v3/service_instances", reads, (*CloudController).listInstances},
		{"POST", "/v3/service_instances", writes, (*CloudController).createInstance},
		{"GET", "/v3/service_instances/{guid}", reads, (*CloudController).showInstance},
		{"PATCH", "/v3/service_instances/{guid}", writes, (*CloudController).updateInstance},
		{"DELETE", "/v3/service_instances/{guid}", writes, (*CloudController).deleteInstance},
		{"GET", "/v3/service_instances/{guid}/relationships/shared_spaces", reads, (*CloudController).listSharedSpaces},
		{"POST", "/v3/service_instances/{guid}/relationships/shared_spaces", writes, (*CloudController).shareInstance},
		{"GET", "/v3/service_instances/{guid}/relationships/shared_spaces/usage_summary", reads, (*CloudController).showSharedUsage},
		{"DELETE", "/v3/service_instances/{guid}/relationships/shared_spaces/{space}", writes, (*CloudController).unshareInstance},

		{"GET", "/v3/service_credential_bindings", reads, (*CloudController).listCredentialBindings},
		{"POST", "/v3/service_credential_bindings", writes, (*CloudController).createCredentialBinding},
		{"GET", "/v3/service_credential_bindings/{guid}", reads, (*CloudController).showCredentialBinding},
		{"GET", "/v3/service_credential_bindings/{guid}/details", reads, (*CloudController).showCredentials},
		{"DELETE", "/v3/service_credential_bindings/{guid}", writes, (*CloudController).deleteCredentialBinding},
		{"GET", "/v3/service_route_bindings", reads, (*CloudController).listRouteBindings},
		{"GET", "/v3/service_route_bindings/{guid}", reads, (*CloudController).showRouteBinding},
		{"DELETE", "/v3/service_route_bindings/{guid}", writes, (*CloudController).deleteRouteBinding},
	}
}

// routes is the whole API. HEAD is answered as GET, and a slash at the end of a path doesn't count.
func (c *CloudController) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routeTable() {
		mux.Handle(r.name(), c.handle(r))
	}
	other := c.handle(route{method: otherRoute, access: open, handle: (*CloudController).unknown})
	mux.Handle("/", other)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if trimmed := strings.TrimRight(r.URL.Path, "/"); trimmed != "" {
			r.URL.Path, r.URL.RawPath = trimmed, ""
		}
		mux.ServeHTTP(w, r)
	})
}

// unknown answers what is no route: in the words of v3, or in those of v2 outside.
func (c *CloudController) unknown(q *request) response {
	if strings.HasPrefix(q.http.URL.Path, "/v3/") {
		return unknownRequest()
	}
	return response{status: http.StatusNotFound, cascade: true, body: map[string]any{
		"description": "Unknown request", "error_code": "CF-NotFound", "code": 10000,
	}}
}
