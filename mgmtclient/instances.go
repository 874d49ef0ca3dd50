package mgmtclient

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"time"
)

// Instance is a service instance as the platform knows it.
type Instance struct {
	ID        string `json:"service_instance_id"`
	PlanID    string `json:"plan_id"`    // of the catalog
	SpaceGUID string `json:"space_guid"` // may be empty
}

// InstanceDetails is all that the broker can tell of one instance.
type InstanceDetails struct {
	Instance
	PlanName              string     `json:"plan_name"`
	Deployment            string     `json:"deployment"`
	Created               bool       `json:"created"` // a deploy has succeeded
	DashboardURL          string     `json:"dashboard_url"`
	MaintenanceVersion    string     `json:"maintenance_version"` // as deployed last
	Tasks                 []Task     `json:"tasks"`
	LastOperation         *Operation `json:"last_operation"`  // nil if none is remembered
	PendingChanges        *bool      `json:"pending_changes"` // nil if that can't be told now
	PendingChangesUnknown string     `json:"pending_changes_unknown"`
}

// Operation is the last operation that the broker began.
type Operation struct {
	Type      string    `json:"type"`
	State     string    `json:"state"` // as OSB calls it, or "unknown"
	StartedAt time.Time `json:"started_at"`
}

// Task is one that the Director has not ended.
type Task struct {
	ID          int        `json:"id"`
	State       string     `json:"state"`
	Description string     `json:"description"`
	User        string     `json:"user"`
	StartedAt   *time.Time `json:"started_at"` // nil while it waits for a worker
}

// PendingChanges is what an upgrade would change.
type PendingChanges struct {
	InstanceID string     `json:"service_instance_id"`
	Pending    bool       `json:"pending_changes"`
	Reasons    []string   `json:"reasons"`
	Diff       []DiffLine `json:"diff"` // values of properties redacted
}

// DiffLine is a line of YAML, and what became of it.
type DiffLine struct {
	Line   string `json:"line"`
	Change string `json:"change"` // added or removed; empty for a line that only gives the place
}

// Instances lists those of the broker's offering. What the filter may say is up to the source of the list; with Cloud Foundry
// it is cf_org and cf_space.
func (c *Client) Instances(ctx context.Context, filter map[string]string) ([]Instance, error) {
	path := "/mgmt/service_instances"
	if len(filter) > 0 {
		query := url.Values{}
		for name, value := range filter {
			query.Set(name, value)
		}
		path += "?" + query.Encode()
	}
	var instances []Instance
	_, err := c.ask(ctx, exchange{method: http.MethodGet, path: path, stream: func(body io.Reader) (err error) {
		instances, err = readInstances(body)
		return err
	}})
	return instances, err
}

// readInstances reads a list one by one, since there may be tens of thousands, of a few plans in a few spaces.
func readInstances(body io.Reader) (instances []Instance, err error) {
	decoder := json.NewDecoder(body)
	open, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if open == nil { // null, the predecessor's way to say none
		return nil, nil
	}
	if open != json.Delim('[') {
		return nil, &json.UnmarshalTypeError{Value: fmt.Sprintf("%v", open), Type: reflect.TypeFor[[]Instance](), Offset: decoder.InputOffset()}
	}
	known := map[string]string{}
	same := func(text string) string {
		if _, is := known[text]; !is {
			known[text] = text
		}
		return known[text]
	}
	for decoder.More() {
		var instance Instance
		if err := decoder.Decode(&instance); err != nil {
			return nil, err
		}
		instance.PlanID, instance.SpaceGUID = same(instance.PlanID), same(instance.SpaceGUID)
		instances = append(instances, instance)
	}
	_, err = decoder.Token()
	return instances, err
}

// Instance tells of one instance. planID is needed only where the broker doesn't know the plan. ErrNotFound if there is no
// deployment – or the broker is the predecessor, which tells of none.
func (c *Client) Instance(ctx context.Context, id, planID string) (InstanceDetails, error) {
	return get[InstanceDetails](ctx, c, instancePath(id, "", planID))
}

// Pending tells what an upgrade of the instance would change; planID as for Instance. ErrBusy while an operation runs.
func (c *Client) Pending(ctx context.Context, id, planID string) (PendingChanges, error) {
	return get[PendingChanges](ctx, c, instancePath(id, "/pending_changes", planID))
}

// Cancel asks for all tasks of the instance to be cancelled, and lists them.
func (c *Client) Cancel(ctx context.Context, id string) ([]Task, error) {
	cancelled, err := askFor[struct {
		Tasks []Task `json:"tasks"`
	}](ctx, c, exchange{method: http.MethodPost, path: instancePath(id, "/cancel", "")})
	return cancelled.Tasks, err
}

func instancePath(id, below, planID string) string {
	path := "/mgmt/service_instances/" + url.PathEscape(id) + below
	if planID != "" {
		path += "?" + url.Values{"plan_id": {planID}}.Encode()
	}
	return path
}
