package server

import (
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
)

func TestRouteOf(t *testing.T) {
	for path, want := range map[string]string{
		"/metrics":                   "/metrics",
		"/v2/catalog":                "/v2/catalog",
		"/v2/service_instances/6f7b": "/v2/service_instances/:instance_id",
		"/v2/service_instances/a%2Fb/service_bindings/c":               "/v2/service_instances/:instance_id/service_bindings/:binding_id",
		"/v2/service_instances/a/service_bindings/b/last_operation":    "/v2/service_instances/:instance_id/service_bindings/:binding_id/last_operation",
		"/mgmt/orphan_deployments/service-instance_6f7b":               "/mgmt/orphan_deployments/:deployment",
		"/v2/service_instances/a/service_bindings/b/last_operation/:x": "other",
		"/v2/service_instances/a/anything":                             "other",
		"/":                                                            "other",
		"":                                                             "other",
	} {
		if got := routeOf(path); got != want {
			t.Errorf("%s: %s, not %s", path, got, want)
		}
	}
}

// What something is at, is counted by its own name.
func TestEveryRouteIsCountedByItsName(t *testing.T) {
	options := Options{Logger: slog.New(slog.DiscardHandler)}
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	for _, handler := range []http.Handler{osbRoutes(options), managementRoutes(options)} {
		err := chi.Walk(handler.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			path := placeholder.ReplaceAllString(route, "x")
			if routeOf(path) == "other" {
				t.Errorf("%s %s is counted as other", method, route)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, route := range routes {
		path := "/" + strings.Join(route, "/")
		if routeOf(path) != path {
			t.Errorf("%s is shadowed by %s", path, routeOf(path))
		}
	}
}
