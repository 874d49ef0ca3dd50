package boshclient

import (
	"context"
	"net/http"
	"net/url"
)

// Deployment is a deployment's manifest as last deployed with success, byte for byte.
type Deployment struct {
	Name         string
	Manifest     string
	BeingCreated bool // no deploy has succeeded yet: the first one runs, or failed; there is no manifest
}

// DeploymentSummary is a line of the list of deployments.
type DeploymentSummary struct {
	Name  string   `json:"name"`
	Teams []string `json:"teams"`
}

// Deploy is a manifest to deploy; its name is in the manifest.
type Deploy struct {
	Manifest  string
	ContextID string // at most 64 characters; empty for none
}

// DeleteDeployment is a deployment to delete.
type DeleteDeployment struct {
	Name      string
	ContextID string // at most 64 characters; empty for none
	Force     bool   // go on although agents or the CPI fail; VMs may leak
}

// Recreate is a deployment whose VMs are to be made anew.
type Recreate struct {
	Name      string
	ContextID string // at most 64 characters; empty for none
}

// Deploy submits a manifest and returns the task's id. The Director checks it at once only as far as that it is a YAML
// hash with a name (*Rejected); all else fails in the task.
func (c *Client) Deploy(ctx context.Context, d Deploy) (taskID int, err error) {
	return c.submit(ctx, request{
		method: http.MethodPost, path: "/deployments",
		contentType: yamlType, contextID: d.ContextID, body: []byte(d.Manifest),
	})
}

// DeleteDeployment submits a deletion and returns the task's id; ErrNotFound if there is no such deployment.
func (c *Client) DeleteDeployment(ctx context.Context, d DeleteDeployment) (taskID int, err error) {
	path, err := deploymentPath(d.Name)
	if err != nil {
		return 0, err
	}
	r := request{method: http.MethodDelete, path: path, contextID: d.ContextID}
	if d.Force {
		r.query = url.Values{"force": {"true"}}
	}
	return c.submit(ctx, r)
}

// Recreate submits the recreation of all VMs, unresponsive ones too, and returns the task's id.
func (c *Client) Recreate(ctx context.Context, d Recreate) (taskID int, err error) {
	path, err := deploymentPath(d.Name)
	if err != nil {
		return 0, err
	}
	return c.submit(ctx, request{
		method: http.MethodPut, path: path + "/jobs/*", query: url.Values{"state": {"recreate"}, "fix": {"true"}},
		contentType: yamlType, contextID: d.ContextID, body: []byte{},
	})
}

// Deployment gives a deployment's manifest; ErrNotFound if there is no such deployment.
func (c *Client) Deployment(ctx context.Context, name string) (Deployment, error) {
	path, err := deploymentPath(name)
	if err != nil {
		return Deployment{}, err
	}
	var body struct {
		Manifest *string `json:"manifest"`
	}
	if err := c.read(ctx, path, nil, &body); err != nil {
		return Deployment{}, err
	}
	return Deployment{Name: name, Manifest: text(body.Manifest), BeingCreated: body.Manifest == nil}, nil
}

// Deployments lists the deployments that we may see, those being created too. It asks for names and teams only, since
// the Director takes long to collect the rest.
func (c *Client) Deployments(ctx context.Context) ([]DeploymentSummary, error) {
	query := url.Values{
		"exclude_configs": {"true"}, "exclude_releases": {"true"}, "exclude_stemcells": {"true"}, "exclude_lock": {"true"},
	}
	var list []DeploymentSummary
	err := c.read(ctx, "/deployments", query, &list)
	return list, err
}

func deploymentPath(name string) (string, error) {
	escaped, err := segment("deployment", name)
	return "/deployments/" + escaped, err
}
