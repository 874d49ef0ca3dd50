package mgmtclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Orphans are what is there of instances that the platform doesn't know.
type Orphans struct {
	Grace   string         `json:"grace"` // how long what changed is left alone
	Orphans []Orphan       `json:"orphans"`
	Spared  []SparedOrphan `json:"spared"` // may not be removed, or not yet
}

// Orphan is one of them. Without a deployment it is what was left of an instance.
type Orphan struct {
	InstanceID     string     `json:"service_instance_id"`
	DeploymentName string     `json:"deployment_name"`
	PlanID         string     `json:"plan_id,omitempty"` // empty if nobody knows it
	Has            []string   `json:"has"`
	Ours           bool       `json:"ours"`                 // something shows that it is this service's
	ChangedAt      *time.Time `json:"changed_at,omitempty"` // nil if nothing tells
}

// SparedOrphan is one with what speaks against its removal.
type SparedOrphan struct {
	Orphan
	Why         string `json:"why"`
	Description string `json:"description"`
}

// Orphans lists them, but for those that changed within the grace time; the broker's own if it is nil. The predecessor has
// no such list: ErrNotFound.
func (c *Client) Orphans(ctx context.Context, grace *time.Duration) (Orphans, error) {
	path := "/mgmt/orphans"
	if grace != nil {
		path += "?" + url.Values{"grace": {grace.String()}}.Encode()
	}
	return get[Orphans](ctx, c, path)
}

// OrphanDeployment is a deployment whose instance the platform doesn't know.
type OrphanDeployment struct {
	DeploymentName string `json:"deployment_name"`
}

// OrphanDeployments lists them, never nil, as the predecessor's errand does.
func (c *Client) OrphanDeployments(ctx context.Context) ([]OrphanDeployment, error) {
	orphans, err := get[[]OrphanDeployment](ctx, c, "/mgmt/orphan_deployments")
	if err == nil && orphans == nil { // the predecessor's way to say none
		orphans = []OrphanDeployment{}
	}
	return orphans, err
}

// What may be said of the platform in a Removal.
const (
	PlatformKnows   = "known"
	PlatformDoesNot = "unknown"
)

// Removal is on what terms something of an instance may be removed.
type Removal struct {
	Platform string         // PlatformKnows, PlatformDoesNot, or empty if the caller can't tell
	Grace    *time.Duration // nil for the broker's own
	Force    bool           // also if pre-delete errands fail, and even if BOSH leaves VMs behind
}

// RemoveOrphan removes an orphan with all that belongs to it. It is ErrGone when there is no deployment (any more), and what was
// left besides is removed; ErrBusy while an operation runs; Rejected with the reason if it may not be removed.
func (c *Client) RemoveOrphan(ctx context.Context, deployment string, r Removal) (Started, error) {
	query := url.Values{}
	if r.Platform != "" {
		query.Set("platform", r.Platform)
	}
	if r.Grace != nil {
		query.Set("grace", r.Grace.String())
	}
	if r.Force {
		query.Set("force", "true")
	}
	return c.begin(ctx, exchange{method: http.MethodDelete, path: "/mgmt/orphan_deployments/" + url.PathEscape(deployment) + "?" + query.Encode()})
}
