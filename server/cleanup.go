package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/on-demand-broker/odb/broker"
)

// CleanUp is what operators ask of the broker under /mgmt about what doesn't fit together.
type CleanUp interface {
	OrphanDeployments(ctx context.Context, grace time.Duration) ([]broker.OrphanDeployment, error)
	Orphans(ctx context.Context, grace time.Duration) (broker.Orphans, error)
	RemoveOrphan(ctx context.Context, instanceID string, r broker.Removal) (operation string, err error)
	InstanceFindings(ctx context.Context, instanceID string, said broker.Knowledge) (broker.Findings, error)
	Repair(ctx context.Context, instanceID string, r broker.Repair) (broker.Repaired, error)
}

func (m management) cleanUpRoutes(router chi.Router) {
	b := m.options.Broker
	router.Get("/mgmt/orphan_deployments", func(w http.ResponseWriter, r *http.Request) {
		grace, err := graceOf(r.URL.Query().Get("grace"), 0)
		if err != nil {
			m.fail(w, r, "list-orphans", err)
			return
		}
		m.list("list-orphans", func(r *http.Request) (any, error) { return b.OrphanDeployments(r.Context(), grace) })(w, r)
	})
	router.Get("/mgmt/orphans", m.answer("orphans", func(r *http.Request) (int, any, error) {
		grace, err := graceOf(r.URL.Query().Get("grace"), broker.DefaultGrace)
		if err != nil {
			return 0, nil, err
		}
		found, err := b.Orphans(r.Context(), grace)
		return http.StatusOK, found, err
	}))
	router.Delete("/mgmt/orphan_deployments/{name}", m.answer("delete-orphan", m.removeOrphan))
	router.Get("/mgmt/service_instances/{id}/findings", m.one("findings", http.StatusOK, func(r *http.Request, id string) (any, error) {
		said, err := broker.ParseKnowledge(r.URL.Query().Get("platform"))
		if err != nil {
			return nil, err
		}
		return b.InstanceFindings(r.Context(), id, said)
	}))
	router.Post("/mgmt/service_instances/{id}/repair", m.repair)
}

func (m management) removeOrphan(r *http.Request) (int, any, error) {
	name, err := url.PathUnescape(chi.URLParam(r, "name"))
	id, isInstances := strings.CutPrefix(name, broker.DeploymentPrefix)
	if err == nil && !isInstances {
		err = errors.New("the deployment's name must be that of a service instance, " + broker.DeploymentPrefix + "ID")
	}
	if err == nil {
		err = checkID("service instance id", id, broker.MaxInstanceIDLength)
	}
	if err != nil {
		return 0, nil, badRequest(err)
	}
	query := r.URL.Query()
	removal, err := removalOf(query.Get("platform"), query.Get("grace"), query.Get("force") == "true")
	if err != nil {
		return 0, nil, err
	}
	operation, err := m.options.Broker.RemoveOrphan(r.Context(), id, removal)
	return http.StatusAccepted, json.RawMessage(operation), err
}

// repair answers 202 if it began an operation.
func (m management) repair(w http.ResponseWriter, r *http.Request) {
	id, ok := instanceID(w, r)
	if !ok {
		return
	}
	var body struct {
		Apply    []string `json:"apply"`
		All      bool     `json:"all"`
		Platform string   `json:"platform"`
		Force    bool     `json:"force"`
		Grace    string   `json:"grace"`
	}
	if text, err := readBody(w, r); err != nil || json.Unmarshal(text, &body) != nil {
		writeError(w, http.StatusUnprocessableEntity, "Error in request body. Invalid JSON")
		return
	}
	m.answer("repair", func(r *http.Request) (int, any, error) {
		removal, err := removalOf(body.Platform, body.Grace, body.Force)
		if err != nil {
			return 0, nil, err
		}
		done, err := m.options.Broker.Repair(r.Context(), id, broker.Repair{Apply: body.Apply, All: body.All, Removal: removal})
		if len(done.Operation) > 0 {
			return http.StatusAccepted, done, err
		}
		return http.StatusOK, done, err
	})(w, r)
}

func removalOf(platform, grace string, force bool) (broker.Removal, error) {
	said, err := broker.ParseKnowledge(platform)
	if err != nil {
		return broker.Removal{}, err
	}
	removal := broker.Removal{Platform: said, Force: force}
	removal.Grace, err = graceOf(grace, broker.DefaultGrace)
	return removal, err
}

// graceOf reads how long something is left alone after its last change.
func graceOf(text string, otherwise time.Duration) (time.Duration, error) {
	if text == "" {
		return otherwise, nil
	}
	grace, err := time.ParseDuration(text)
	if err != nil || grace < 0 {
		return 0, badRequest(errors.New("grace must be a time like 15m, 36h or 0s"))
	}
	return grace, nil
}

func badRequest(err error) error {
	return &broker.Error{Kind: broker.BadRequest, Message: err.Error()}
}

// answer answers with what was asked for, or with what went wrong.
func (m management) answer(verb string, ask func(*http.Request) (status int, body any, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, body, err := ask(r)
		if err != nil {
			m.fail(w, r, verb, err)
			return
		}
		writeJSON(w, status, body)
	}
}
