package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/broker"
)

// Reading are those questions of platforms whose answers OSB 2.17 has more to say in than brokerapi.
type Reading interface {
	Poll(ctx context.Context, instanceID string, details domain.PollDetails) (broker.Polled, error)
	PollBinding(ctx context.Context, instanceID, bindingID string, details domain.PollDetails) (broker.Polled, error)
	Fetch(ctx context.Context, instanceID string) (broker.Fetched, error)
}

// readingRoutes take the place of brokerapi's handlers for the same paths.
func (e *edge) readingRoutes(router chi.Router) {
	router.Get("/v2/catalog", e.catalog)
	router.Get("/v2/service_instances/{instance_id}/last_operation", e.lastOperation)
	router.Get("/v2/service_instances/{instance_id}/service_bindings/{binding_id}/last_operation", e.lastBindingOperation)
	router.Get("/v2/service_instances/{instance_id}", e.instance)
}

// instance says which maintenance_info it has, too (row D6). The plan that a platform believes in changes nothing (D7).
func (e *edge) instance(w http.ResponseWriter, r *http.Request) {
	fetched, err := e.options.Broker.Fetch(r.Context(), chi.URLParam(r, "instance_id"))
	if err != nil {
		e.fail(w, r, "get-instance", err)
		return
	}
	type version struct {
		Version string `json:"version"`
	}
	body := struct {
		ServiceID       string                   `json:"service_id"`
		PlanID          string                   `json:"plan_id,omitempty"`
		DashboardURL    string                   `json:"dashboard_url,omitempty"`
		Metadata        *domain.InstanceMetadata `json:"metadata,omitempty"`
		Parameters      json.RawMessage          `json:"parameters,omitempty"`
		MaintenanceInfo *version                 `json:"maintenance_info,omitempty"`
	}{ServiceID: fetched.ServiceID, PlanID: fetched.PlanID, DashboardURL: fetched.DashboardURL, Parameters: fetched.Parameters}
	if len(fetched.Labels) > 0 {
		body.Metadata = &domain.InstanceMetadata{Labels: fetched.Labels}
	}
	if fetched.MaintenanceVersion != "" {
		body.MaintenanceInfo = &version{fetched.MaintenanceVersion}
	}
	writeJSON(w, http.StatusOK, body)
}

// lastOperation says more of what failed, and when to ask again (rows E19, F11 and F12).
func (e *edge) lastOperation(w http.ResponseWriter, r *http.Request) {
	polled, err := e.options.Broker.Poll(r.Context(), chi.URLParam(r, "instance_id"), pollDetails(r))
	if err != nil {
		e.fail(w, r, "last-operation", err)
		return
	}
	writePolled(w, polled)
}

// lastBindingOperation says when to ask again (row H23).
func (e *edge) lastBindingOperation(w http.ResponseWriter, r *http.Request) {
	polled, err := e.options.Broker.PollBinding(r.Context(), chi.URLParam(r, "instance_id"), chi.URLParam(r, "binding_id"), pollDetails(r))
	if err != nil {
		e.fail(w, r, "last-binding-operation", err)
		return
	}
	writePolled(w, polled)
}

func pollDetails(r *http.Request) domain.PollDetails {
	query := r.URL.Query()
	return domain.PollDetails{ServiceID: query.Get("service_id"), PlanID: query.Get("plan_id"), OperationData: query.Get("operation")}
}

func writePolled(w http.ResponseWriter, polled broker.Polled) {
	if polled.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(polled.RetryAfter/time.Second)))
	}
	writeJSON(w, http.StatusOK, struct {
		State            domain.LastOperationState `json:"state"`
		Description      string                    `json:"description,omitempty"`
		InstanceUsable   *bool                     `json:"instance_usable,omitempty"`
		UpdateRepeatable *bool                     `json:"update_repeatable,omitempty"`
	}{polled.State, polled.Description, polled.InstanceUsable, polled.UpdateRepeatable})
}

// fail answers with an error as brokerapi's handlers do.
func (e *edge) fail(w http.ResponseWriter, r *http.Request, verb string, err error) {
	response := e.toResponse(r.Context(), verb, err)
	writeJSON(w, response.ValidatedStatusCode(nil), response.ErrorResponse())
}
