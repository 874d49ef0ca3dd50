package boshclient

import "testing"

func TestEndpointOf(t *testing.T) {
	for path, want := range map[string]string{
		"/info":                                   "/info",
		"/deployments":                            "/deployments",
		"/deployments/service-instance_6f7b":      "/deployments/:x",
		"/deployments/tasks":                      "/deployments/:x",
		"/deployments/d/instances":                "/deployments/:x/instances",
		"/deployments/d/errands/smoke-tests/runs": "/deployments/:x/errands/:x/runs",
		"/deployments/d/errands/runs/runs":        "/deployments/:x/errands/:x/runs",
		"/deployments/d/jobs/*":                   "/deployments/:x/jobs/:x",
		"/tasks/4711/output":                      "/tasks/:x/output",
		"/task/4711":                              "/task/:x",
		"/configs/12":                             "/configs/:x",
		"/oauth/token":                            "/oauth/token",
		"/uaa/oauth/token":                        "/oauth/token",
		"/deployments/" + "a%2Fb" + "/variables":  "/deployments/:x/variables",
	} {
		if got := endpointOf(path); got != want {
			t.Errorf("%s: %s, not %s", path, got, want)
		}
	}
}
