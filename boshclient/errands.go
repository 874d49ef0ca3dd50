package boshclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// RunErrand is an errand to run.
type RunErrand struct {
	Deployment string
	Errand     string   // an errand job's name, or the name of a lifecycle-errand instance group
	Instances  []string // "group" or "group/id"; empty means all that have it
	ContextID  string   // at most 64 characters; empty for none
}

type errandInstance struct {
	Group string `json:"group"`
	ID    string `json:"id,omitempty"`
}

// RunErrand submits an errand run and returns the task's id. An unknown errand or instance is accepted and fails in the
// task; a task that is done says nothing about the errand's exit code, its result does.
func (c *Client) RunErrand(ctx context.Context, run RunErrand) (taskID int, err error) {
	path, err := deploymentPath(run.Deployment)
	if err != nil {
		return 0, err
	}
	errand, err := segment("errand", run.Errand)
	if err != nil {
		return 0, err
	}
	instances, err := errandInstances(run.Instances)
	if err != nil {
		return 0, err
	}
	body, err := json.Marshal(struct {
		KeepAlive   bool             `json:"keep-alive"`
		WhenChanged bool             `json:"when-changed"`
		Instances   []errandInstance `json:"instances,omitempty"`
	}{Instances: instances})
	if err != nil {
		return 0, fmt.Errorf("errand %s: %w", run.Errand, err)
	}
	return c.submit(ctx, request{
		method: http.MethodPost, path: path + "/errands/" + errand + "/runs",
		contentType: jsonType, contextID: run.ContextID, body: body,
	})
}

func errandInstances(slugs []string) ([]errandInstance, error) {
	var instances []errandInstance
	for _, slug := range slugs {
		group, id, hasID := strings.Cut(slug, "/")
		if group == "" || (hasID && id == "") || strings.Contains(id, "/") {
			return nil, fmt.Errorf("%q names no instances: it must be GROUP or GROUP/ID", slug)
		}
		instances = append(instances, errandInstance{Group: group, ID: id})
	}
	return instances, nil
}
