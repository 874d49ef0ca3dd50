package mgmtclient

import (
	"context"
	"net/http"
	"net/url"
)

// The operations that can be started, and the states that they have.
const (
	Upgrade  = "upgrade"
	Recreate = "recreate"

	InProgress = "in progress"
	Succeeded  = "succeeded"
	Failed     = "failed"
	Unknown    = "unknown" // the Director has no task of it
)

// Start is the wish for an operation on one instance.
type Start struct {
	InstanceID    string
	PlanID        string // of the catalog
	OperationType string // Upgrade or Recreate
	SpaceGUID     string // may be empty
	Force         bool   // redeploy what is up to date
}

// Started is what came of it.
type Started struct {
	// UpToDate says that there was nothing to do.
	UpToDate bool
	// OperationData is what LastOperation asks about.
	OperationData string
	TaskID        int // of the Director; 0 if there is none yet
}

// Start starts an operation. It is ErrBusy, ErrGone, ErrNotFound, Unavailable – in which case it may have been started, see
// there – or Rejected. It is never asked for twice if the first time may have arrived.
func (c *Client) Start(ctx context.Context, s Start) (Started, error) {
	query := url.Values{"operation_type": {s.OperationType}}
	if s.Force {
		query.Set("force", "true")
	}
	place := map[string]string{}
	if s.SpaceGUID != "" {
		place["space_guid"] = s.SpaceGUID
	}
	e := exchange{
		method: http.MethodPatch, path: instancePath(s.InstanceID, "", "") + "?" + query.Encode(), once: true,
		body: map[string]any{"plan_id": s.PlanID, "context": place},
	}
	return c.begin(ctx, e)
}

// begin asks for an operation.
func (c *Client) begin(ctx context.Context, e exchange) (Started, error) {
	answer, err := c.ask(ctx, e)
	if err != nil {
		return Started{}, err
	}
	if answer.status == http.StatusNoContent {
		return Started{UpToDate: true}, nil
	}
	var operation struct {
		BoshTaskID int
	}
	if err := e.read(answer.body, &operation); err != nil {
		return Started{}, err
	}
	return Started{OperationData: string(answer.body), TaskID: operation.BoshTaskID}, nil
}

// LastOperation is how an operation stands (OSB 2.17).
type LastOperation struct {
	State       string `json:"state"` // InProgress, Succeeded or Failed
	Description string `json:"description"`
}

// LastOperation asks how the operation stands that Start started. ErrGone if the instance has gone meanwhile.
func (c *Client) LastOperation(ctx context.Context, id, operationData string) (LastOperation, error) {
	path := "/v2/service_instances/" + url.PathEscape(id) + "/last_operation?" + url.Values{"operation": {operationData}}.Encode()
	return get[LastOperation](ctx, c, path)
}
