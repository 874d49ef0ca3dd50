package mgmtclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Findings are what each one knows of an instance, and what doesn't fit together.
type Findings struct {
	InstanceID     string           `json:"service_instance_id"`
	DeploymentName string           `json:"deployment_name"`
	Platform       string           `json:"platform"` // known, unknown or unasked
	Director       DirectorFindings `json:"director"`
	CredHub        CredHubFindings  `json:"credhub"`
	UAA            UAAFindings      `json:"uaa"`
	Findings       []Finding        `json:"findings"`
}

// Finding is something that doesn't fit together.
type Finding struct {
	Code        string `json:"code"`
	Description string `json:"description"`
	Step        string `json:"step"`     // what mends it
	Mendable    bool   `json:"mendable"` // Repair does
}

// DirectorFindings are what the Director has of an instance.
type DirectorFindings struct {
	Deployment string          `json:"deployment"` // deployed, never_deployed, missing
	Tasks      []Task          `json:"tasks"`
	LastTask   *EndedTask      `json:"last_task"` // nil if there is none, or it runs
	Configs    []string        `json:"configs"`   // their types
	Record     *RecordFindings `json:"record"`    // nil if there is none that can be read
}

// EndedTask is a task that the Director has ended.
type EndedTask struct {
	ID          int       `json:"id"`
	State       string    `json:"state"`
	Description string    `json:"description"`
	EndedAt     time.Time `json:"ended_at"`
}

// RecordFindings are what the broker remembers of an instance.
type RecordFindings struct {
	ServiceID string     `json:"service_id"`
	PlanID    string     `json:"plan_id"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	Operation *Operation `json:"operation"`
}

// CredHubFindings are the names of what the CredHubs hold.
type CredHubFindings struct {
	Asked              bool     `json:"asked"`
	Secrets            []string `json:"secrets"`
	BindingCredentials []string `json:"binding_credentials"`
	Problem            string   `json:"problem,omitempty"`
}

// UAAFindings are what the platform's UAA holds.
type UAAFindings struct {
	Asked   bool   `json:"asked"`
	Client  bool   `json:"client"`
	Problem string `json:"problem,omitempty"`
}

// Findings asks what is known of an instance; platform is what the caller knows of the platform, or empty.
func (c *Client) Findings(ctx context.Context, id, platform string) (Findings, error) {
	path := instancePath(id, "/findings", "")
	if platform != "" {
		path += "?" + url.Values{"platform": {platform}}.Encode()
	}
	return get[Findings](ctx, c, path)
}

// Repair is the wish to mend findings: those of the codes, or all that can be mended if there are none.
type Repair struct {
	InstanceID string
	Codes      []string
	Removal
}

// Repaired is what came of it.
type Repaired struct {
	Mended  []Mended  `json:"mended"`
	Skipped []Skipped `json:"skipped"`
	// Operation was begun, and is what LastOperation asks about; empty if there is none.
	Operation json.RawMessage `json:"operation,omitempty"`
}

// Mended is a finding that is no more.
type Mended struct {
	Code string `json:"code"`
	Done string `json:"done"`
}

// Skipped is a finding that was left as it is.
type Skipped struct {
	Code string `json:"code"`
	Why  string `json:"why"`
}

// Repair mends findings. ErrBusy while an operation begins.
func (c *Client) Repair(ctx context.Context, r Repair) (Repaired, error) {
	body := map[string]any{"apply": r.Codes, "all": len(r.Codes) == 0, "platform": r.Platform, "force": r.Force}
	if r.Grace != nil {
		body["grace"] = r.Grace.String()
	}
	return askFor[Repaired](ctx, c, exchange{method: http.MethodPost, path: instancePath(r.InstanceID, "/repair", ""), body: body, once: true})
}
