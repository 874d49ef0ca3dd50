package companions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// RepairingBroker is what is asked of the broker about one instance that doesn't fit together (mgmtclient).
type RepairingBroker interface {
	Findings(ctx context.Context, id, platform string) (mgmtclient.Findings, error)
	Repair(ctx context.Context, r mgmtclient.Repair) (mgmtclient.Repaired, error)
	LastOperation(ctx context.Context, id, operationData string) (mgmtclient.LastOperation, error)
}

// RepairingPlatform is what is asked of Cloud Foundry about it (cfclient).
type RepairingPlatform interface {
	InstanceFinder
	PurgeInstance(ctx context.Context, guid string) error
}

// Diagnosis is what each one knows of an instance, the platform included, and what doesn't fit together.
type Diagnosis struct {
	mgmtclient.Findings
	// CloudFoundry is nil if it wasn't asked or doesn't know the instance.
	CloudFoundry *PlatformFindings `json:"cloud_foundry"`
}

// PlatformFindings are what Cloud Foundry has of an instance.
type PlatformFindings struct {
	Name          string        `json:"name"`
	SpaceGUID     string        `json:"space_guid"`
	LastOperation PlatformState `json:"last_operation"`
}

// PlatformState is what Cloud Foundry last did with an instance.
type PlatformState struct {
	Type        string    `json:"type"`
	State       string    `json:"state"`
	Description string    `json:"description"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// PlatformWaits is the code of the finding that Cloud Foundry waits for an operation that nobody carries out.
const PlatformWaits = "platform_waits"

// platformPolls is after how long Cloud Foundry has surely asked for the end of an operation.
const platformPolls = 5 * time.Minute

// Patient is one instance, and who can tell of it.
type Patient struct {
	ID       string
	Broker   RepairingBroker
	Platform RepairingPlatform // nil if there is none to ask
	// Said is what the caller knows of the platform, where there is none to ask: mgmtclient.PlatformKnows, PlatformDoesNot, or empty.
	Said string
}

// Diagnose asks everybody, and changes nothing.
func (p Patient) Diagnose(ctx context.Context) (Diagnosis, error) {
	found, knows, err := p.askPlatform(ctx)
	if err != nil {
		return Diagnosis{}, err
	}
	findings, err := p.Broker.Findings(ctx, p.ID, knows)
	if err != nil {
		return Diagnosis{}, fmt.Errorf("asking the broker: %w", err)
	}
	d := Diagnosis{Findings: findings}
	if found == nil {
		return d, nil
	}
	d.CloudFoundry = &PlatformFindings{Name: found.Name, SpaceGUID: found.SpaceGUID, LastOperation: PlatformState(found.LastOperation)}
	if waits(found.LastOperation, findings) {
		d.Findings.Findings = append(d.Findings.Findings, mgmtclient.Finding{
			Code:        PlatformWaits,
			Description: fmt.Sprintf("Cloud Foundry says that the %s is in progress, and nobody carries one out", found.LastOperation.Type),
			Step:        "wait until Cloud Foundry's patience is at its end (a week, if not set otherwise), or purge the instance there if it is of no use",
		})
	}
	return d, nil
}

// askPlatform asks Cloud Foundry; found is nil if it has no such instance. knows is the answer in the management API's words.
func (p Patient) askPlatform(ctx context.Context) (found *cfclient.Instance, knows string, err error) {
	if p.Platform == nil {
		return nil, p.Said, nil
	}
	instance, err := p.Platform.Instance(ctx, p.ID)
	switch {
	case errors.Is(err, cfclient.ErrNotFound):
		return nil, mgmtclient.PlatformDoesNot, nil
	case err != nil:
		return nil, "", fmt.Errorf("asking Cloud Foundry: %w", err)
	}
	return &instance, mgmtclient.PlatformKnows, nil
}

// waits tells whether Cloud Foundry waits in vain. It asks once a minute, so that an operation that has just ended is none.
func waits(last cfclient.LastOperation, f mgmtclient.Findings) bool {
	return last.Running() && time.Since(last.UpdatedAt) > platformPolls && len(f.Director.Tasks) == 0 && !has(f, "operation_running", "operation_stuck")
}

func has(f mgmtclient.Findings, codes ...string) bool {
	return slices.ContainsFunc(f.Findings, func(finding mgmtclient.Finding) bool { return slices.Contains(codes, finding.Code) })
}
