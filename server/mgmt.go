package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"github.com/on-demand-broker/odb/broker"
)

// Management is what operators and their errands ask of the broker under /mgmt. It is no part of OSB: there is no version
// header, and statuses and bodies are those that the errands of old expect.
type Management interface {
	ListInstances(ctx context.Context, filter map[string]string) ([]broker.Instance, error)
	Upgrade(ctx context.Context, instanceID string, m broker.Maintenance) (operation string, err error)
	Recreate(ctx context.Context, instanceID string, m broker.Maintenance) (operation string, err error)
	Metrics(ctx context.Context) ([]broker.Metric, error)
	InstanceDetails(ctx context.Context, instanceID, planID string) (broker.InstanceDetails, error)
	PendingChanges(ctx context.Context, instanceID, planID string) (broker.PendingChanges, error)
	Cancel(ctx context.Context, instanceID string) ([]broker.RunningTask, error)
}

// management serves /mgmt.
type management struct{ options Options }

func managementRoutes(options Options) http.Handler {
	m := management{options}
	router := newRouter()
	router.Get("/mgmt/service_instances", m.list("list-instances", func(r *http.Request) (any, error) {
		return options.Broker.ListInstances(r.Context(), filterOf(r.URL.Query()))
	}))
	m.cleanUpRoutes(router)
	router.Get("/mgmt/metrics", m.list("metrics", func(r *http.Request) (any, error) {
		return options.Broker.Metrics(r.Context())
	}))
	router.Patch("/mgmt/service_instances/{id}", m.maintain)
	router.Get("/mgmt/service_instances/{id}", m.one("instance-details", http.StatusOK, func(r *http.Request, id string) (any, error) {
		return options.Broker.InstanceDetails(r.Context(), id, r.URL.Query().Get("plan_id"))
	}))
	router.Get("/mgmt/service_instances/{id}/pending_changes", m.one("pending-changes", http.StatusOK, func(r *http.Request, id string) (any, error) {
		return options.Broker.PendingChanges(r.Context(), id, r.URL.Query().Get("plan_id"))
	}))
	router.Post("/mgmt/service_instances/{id}/cancel", m.one("cancel", http.StatusAccepted, func(r *http.Request, id string) (any, error) {
		tasks, err := options.Broker.Cancel(r.Context(), id)
		return map[string]any{"tasks": tasks}, err
	}))
	return router
}

// filterOf is the query with the first value of each parameter.
func filterOf(query url.Values) map[string]string {
	filter := make(map[string]string, len(query))
	for name := range query {
		filter[name] = query.Get(name)
	}
	return filter
}

// list answers with a list; of a failure the status says it all.
func (m management) list(verb string, ask func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := ask(r)
		if err != nil {
			known := understood(r.Context(), err)
			status := http.StatusInternalServerError
			if errors.Is(err, broker.ErrNotRegistered) {
				status = http.StatusServiceUnavailable
			}
			logFailure(r.Context(), m.options.Logger, verb, status, known)
			w.WriteHeader(status)
			return
		}
		writeJSON(w, http.StatusOK, body)
	}
}

// one answers about one instance.
func (m management) one(verb string, status int, ask func(r *http.Request, id string) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, ok := instanceID(w, r)
		if !ok {
			return
		}
		m.answer(verb, func(r *http.Request) (int, any, error) {
			body, err := ask(r, id)
			return status, body, err
		})(w, r)
	}
}

// maintain starts an operator's operation on one instance.
func (m management) maintain(w http.ResponseWriter, r *http.Request) {
	verb := r.URL.Query().Get("operation_type")
	start := map[string]func(context.Context, string, broker.Maintenance) (string, error){
		"upgrade": m.options.Broker.Upgrade, "recreate": m.options.Broker.Recreate,
	}[verb]
	if start == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	id, ok := instanceID(w, r)
	if !ok {
		return
	}
	var body struct {
		PlanID  string          `json:"plan_id"`
		Context json.RawMessage `json:"context"`
	}
	if text, err := readBody(w, r); err != nil || json.Unmarshal(text, &body) != nil {
		writeError(w, http.StatusUnprocessableEntity, "Error in request body. Invalid JSON")
		return
	}
	operation, err := start(r.Context(), id, broker.Maintenance{PlanID: body.PlanID, Context: body.Context, Force: r.URL.Query().Get("force") == "true"})
	switch {
	case err != nil:
		m.fail(w, r, verb, err)
	case operation == "":
		w.WriteHeader(http.StatusNoContent)
	default:
		writeJSON(w, http.StatusAccepted, json.RawMessage(operation))
	}
}

// instanceID is the one in the path, if it can be one.
func instanceID(w http.ResponseWriter, r *http.Request) (string, bool) {
	id, err := url.PathUnescape(chi.URLParam(r, "id"))
	if err == nil {
		err = checkID("service instance id", id, broker.MaxInstanceIDLength)
	}
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
	}
	return id, err == nil
}

// managementStatuses says how each kind of error ends under /mgmt. What isn't listed is a failure. The errands of old know no 503,
// and fail as they do of a 500; those of today wait until the Director is there again.
var managementStatuses = map[broker.Kind]struct {
	status int
	empty  bool // the status says it all
}{
	broker.BadRequest:  {status: http.StatusBadRequest},
	broker.NotFound:    {status: http.StatusNotFound},
	broker.Gone:        {status: http.StatusGone, empty: true},
	broker.Concurrency: {status: http.StatusConflict, empty: true},
	broker.Unsafe:      {status: http.StatusUnprocessableEntity},
	broker.Unavailable: {status: http.StatusServiceUnavailable},
}

// fail is the one mapping from an error to status and body under /mgmt.
func (m management) fail(w http.ResponseWriter, r *http.Request, verb string, err error) {
	known := understood(r.Context(), err)
	outcome, listed := managementStatuses[known.Kind]
	if !listed {
		outcome.status = http.StatusInternalServerError
	}
	logFailure(r.Context(), m.options.Logger, verb, outcome.status, known)
	if outcome.empty {
		w.WriteHeader(outcome.status)
		return
	}
	writeError(w, outcome.status, description(known, m.options.ExposeOperationalErrors))
}
