package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/pivotal-cf/brokerapi/v11/domain"
	"github.com/pivotal-cf/brokerapi/v11/domain/apiresponses"

	"github.com/on-demand-broker/odb/broker"
)

// Rotating makes bindings from earlier ones, of which brokerapi knows nothing.
type Rotating interface {
	Rotate(ctx context.Context, instanceID, bindingID string, r broker.Rotation, asyncAllowed bool) (domain.Binding, error)
	// IsRotatable tells whether bindings of a plan can be followed by others.
	IsRotatable(planID string) bool
}

// rotating takes the requests for a binding that name a predecessor (OSB 2.17, Binding Rotation), which have a body of their own.
func rotating(options Options) func(http.Handler) http.Handler {
	e := &edge{options}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			instanceID, bindingID, ofBinding := bindingOf(r.URL.Path)
			if !ofBinding || r.Method != http.MethodPut {
				next.ServeHTTP(w, r)
				return
			}
			rotation, err := rotationOf(broker.RequestFrom(r.Context()).Body)
			switch {
			case err != nil:
				writeError(w, http.StatusBadRequest, err.Error())
			case rotation.PredecessorID == "":
				next.ServeHTTP(w, r)
			default:
				made, err := e.options.Broker.Rotate(r.Context(), instanceID, bindingID, rotation, r.URL.Query().Get("accepts_incomplete") == "true")
				if err != nil {
					e.fail(w, r, "rotate", err)
					return
				}
				writeBinding(w, made)
			}
		})
	}
}

// bindingOf reads the ids from the path of a binding, which an earlier step has checked.
func bindingOf(path string) (instanceID, bindingID string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v2/service_instances/")
	if !ok {
		return "", "", false
	}
	segments := strings.Split(rest, "/")
	if len(segments) != 3 || segments[1] != "service_bindings" {
		return "", "", false
	}
	return segments[0], segments[2], true
}

// rotationOf reads the body as far as it matters here; there may be nothing but the predecessor in it.
func rotationOf(body []byte) (broker.Rotation, error) {
	var asked struct {
		Predecessor json.RawMessage `json:"predecessor_binding_id"`
		ServiceID   string          `json:"service_id"`
		PlanID      string          `json:"plan_id"`
	}
	_ = json.Unmarshal(body, &asked) // an earlier step has read it as what it must be
	rotation := broker.Rotation{ServiceID: asked.ServiceID, PlanID: asked.PlanID}
	if len(asked.Predecessor) == 0 || string(asked.Predecessor) == "null" {
		return rotation, nil
	}
	if json.Unmarshal(asked.Predecessor, &rotation.PredecessorID) != nil || rotation.PredecessorID == "" {
		return rotation, errors.New("predecessor_binding_id must be the id of a binding")
	}
	return rotation, checkID("predecessor_binding_id", rotation.PredecessorID, maxBindingIDLength)
}

// writeBinding answers as brokerapi's handler of bindings does.
func writeBinding(w http.ResponseWriter, made domain.Binding) {
	if made.IsAsync {
		writeJSON(w, http.StatusAccepted, apiresponses.AsyncBindResponse{OperationData: made.OperationData})
		return
	}
	status := http.StatusCreated
	if made.AlreadyExists {
		status = http.StatusOK
	}
	body := apiresponses.BindingResponse{
		Credentials: made.Credentials, SyslogDrainURL: made.SyslogDrainURL, RouteServiceURL: made.RouteServiceURL,
		BackupAgentURL: made.BackupAgentURL, Endpoints: made.Endpoints,
	}
	if !made.Metadata.IsEmpty() {
		body.Metadata = made.Metadata
	}
	writeJSON(w, status, body)
}
