package broker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Finding is something about an instance that doesn't fit together.
type Finding struct {
	Code        string `json:"code"` // one of the constants, which stay what they are
	Description string `json:"description"`
	Step        string `json:"step"`     // what mends it
	Mendable    bool   `json:"mendable"` // Repair does
}

// The codes of findings.
const (
	OperationRunning           = "operation_running"
	OtherService               = "other_service"
	OperationStuck             = "operation_stuck"
	OrphanFound                = "orphan"
	CreateFailed               = "create_failed"
	DeploymentMissing          = "deployment_missing"
	RecordMissing              = "record_missing"
	RecordUnreadable           = "record_unreadable"
	UAAClientMissing           = "uaa_client_missing"
	LeftoverConfigs            = "leftover_configs"
	LeftoverSecrets            = "leftover_secrets"
	LeftoverBindingCredentials = "leftover_binding_credentials"
	LeftoverUAAClient          = "leftover_uaa_client"
)

// FindingCodes are all of them, in the order in which findings are listed and mended.
func FindingCodes() []string {
	codes := []string{OperationRunning, OtherService, OperationStuck, OrphanFound, CreateFailed, DeploymentMissing, RecordMissing, RecordUnreadable, UAAClientMissing}
	for _, place := range leftovers() {
		codes = append(codes, place.code)
	}
	return codes
}

// findings compares what each one says of the instance. It is to be read with the platform's knowledge set.
func (f facts) findings(serviceID string, remembers bool, now time.Time) []Finding {
	removable := f.platform == PlatformDoesNot && (f.isOurs(serviceID) || f.said == PlatformDoesNot)
	if others := f.isOthers(serviceID); others != "" && (f.configs.record != nil || f.deployment == Missing || removable) {
		return []Finding{{Code: OtherService, Description: others, Step: "nothing here: ask the broker of that service; a config that can't be read goes with bosh delete-config"}}
	}
	if runs := f.busy(); runs != "" {
		return []Finding{{Code: OperationRunning, Description: runs, Step: "wait for its end, or cancel it, and look again: until then the rest can't be judged"}}
	}
	found := f.stuck(now)
	switch {
	case f.deployment == Missing:
		return append(found, f.withoutDeployment(removable)...)
	case f.platform == PlatformDoesNot:
		return append(found, Finding{Code: OrphanFound, Mendable: removable,
			Description: fmt.Sprintf("there is a deployment (%s), and the platform doesn't know the instance", strings.ReplaceAll(string(f.deployment), "_", " ")),
			Step:        "delete the deployment with all that belongs to it, after its pre-delete errands, as far as its plan is remembered" + unlessSaid(removable)})
	}
	return append(found, f.inUse(remembers)...)
}

// stuck finds an operation that would be waited for in vain.
func (f facts) stuck(now time.Time) []Finding {
	known := f.configs.record
	if f.deployment == Missing || known == nil || !known.Operation.unfinished() || (f.standing != nil && f.standing.State != stateUnknown) || now.Sub(known.Operation.StartedAt) < lateArrival {
		return nil
	}
	return []Finding{{Code: OperationStuck, Mendable: true,
		Description: fmt.Sprintf("the %s of %s is remembered as unfinished, and the Director has no task of it", operationNouns[known.Operation.Type], known.Operation.StartedAt.Format(time.RFC3339)),
		Step:        "remember how it ended, as far as what is deployed tells, and otherwise that it failed, so that nobody goes on with it"}}
}

// withoutDeployment finds what is left where there is no deployment.
func (f facts) withoutDeployment(removable bool) (found []Finding) {
	if f.platform == PlatformKnows {
		had := ""
		if has := f.has(); len(has) > 0 {
			had = "; left are " + strings.Join(has, ", ")
		}
		return []Finding{{Code: DeploymentMissing, Description: "the platform knows the instance, and there is no deployment" + had,
			Step: "delete it on the platform: the broker answers that it is gone, and removes what is left"}}
	}
	for _, place := range leftovers() {
		names := place.names(f)
		if len(names) == 0 {
			continue
		}
		found = append(found, Finding{Code: place.code, Mendable: removable,
			Description: fmt.Sprintf("there is no deployment, but %s: %s", place.what, strings.Join(names, ", ")), Step: "remove what is left" + unlessSaid(removable)})
	}
	return found
}

// unlessSaid is what a step needs that isn't safe yet.
func unlessSaid(removable bool) string {
	if removable {
		return ""
	}
	return ", if the platform knows the instance as nobody's: say platform=" + string(PlatformDoesNot)
}

// inUse finds what is wrong with an instance that the platform may be using: nothing of it is ever removed.
func (f facts) inUse(remembers bool) (found []Finding) {
	const upgrade = "upgrade it once"
	if f.deployment == NeverDeployed {
		return []Finding{{Code: CreateFailed, Description: "its first deploy has never succeeded" + f.lastResult(),
			Step: "delete it on the platform; if that fails there for good, purge it there, and repair it with platform=" + string(PlatformDoesNot)}}
	}
	switch {
	case f.configs.text != "" && f.configs.record == nil:
		found = append(found, Finding{Code: RecordUnreadable, Description: "what is remembered of it can't be read", Step: upgrade + ", and it is remembered anew"})
	case remembers && f.configs.record == nil:
		found = append(found, Finding{Code: RecordMissing, Description: "the Director doesn't remember it for this broker: it was made by an earlier one, or its config was deleted", Step: upgrade + ", and it is remembered"})
	}
	if known := f.configs.record; known != nil && known.UAAClient && f.client.asked && !f.client.found {
		found = append(found, Finding{Code: UAAClientMissing, Description: "it has had a client in the platform's UAA, which is gone", Step: upgrade + ", and a new one is made"})
	}
	return found
}

// lastResult says how the last task ended.
func (f facts) lastResult() string {
	if f.lastTask == nil {
		return ""
	}
	return fmt.Sprintf(" (task %d: %s)", f.lastTask.ID, f.lastTask.State)
}

// Findings are what each one knows of an instance, and what doesn't fit together, in the form of the management API.
type Findings struct {
	InstanceID     string           `json:"service_instance_id"`
	DeploymentName string           `json:"deployment_name"`
	Platform       string           `json:"platform"` // known, unknown or unasked
	Director       DirectorFindings `json:"director"`
	CredHub        CredHubFindings  `json:"credhub"`
	UAA            UAAFindings      `json:"uaa"`
	Findings       []Finding        `json:"findings"`
}

// DirectorFindings are what the Director has of an instance.
type DirectorFindings struct {
	Deployment DeploymentState `json:"deployment"`
	Tasks      []RunningTask   `json:"tasks"`
	LastTask   *EndedTask      `json:"last_task"` // null if there is none, or it runs
	Configs    []string        `json:"configs"`   // their types
	Record     *RecordFindings `json:"record"`    // null if there is none that can be read
}

// EndedTask is a task that the Director has ended.
type EndedTask struct {
	ID          int       `json:"id"`
	State       string    `json:"state"`
	Description string    `json:"description"`
	EndedAt     time.Time `json:"ended_at"`
}

// RecordFindings are what is remembered of an instance.
type RecordFindings struct {
	ServiceID string             `json:"service_id"`
	PlanID    string             `json:"plan_id"`
	CreatedAt time.Time          `json:"created_at"`
	UpdatedAt time.Time          `json:"updated_at"`
	Operation *RecordedOperation `json:"operation"`
}

// CredHubFindings are the names of what the CredHubs hold. They aren't asked where none is configured.
type CredHubFindings struct {
	Asked              bool     `json:"asked"`
	Secrets            []string `json:"secrets"`
	BindingCredentials []string `json:"binding_credentials"`
	Problem            string   `json:"problem,omitempty"`
}

// UAAFindings are what the platform's UAA holds. It isn't asked where the broker has no access to it.
type UAAFindings struct {
	Asked   bool   `json:"asked"`
	Client  bool   `json:"client"`
	Problem string `json:"problem,omitempty"`
}

// InstanceFindings tells what is known of an instance, and changes nothing (management API, GET …/findings). Of an instance
// that nobody knows there is nothing to tell, which is no error.
func (b *Broker) InstanceFindings(ctx context.Context, instanceID string, said Knowledge) (Findings, error) {
	ctx = about(ctx, instanceID)
	f, err := b.lookWithPlatform(ctx, instanceID, said)
	if err != nil {
		return Findings{}, b.failed(ctx, instanceID, "", err)
	}
	told := Findings{
		InstanceID: instanceID, DeploymentName: deploymentName(instanceID), Platform: string(f.platform), Director: f.director(),
		CredHub: CredHubFindings{
			Asked: f.credentials.asked, Secrets: f.secretNames(), BindingCredentials: f.bindingNames(), Problem: b.problem(ctx, "credhub", f.credentials.err),
		},
		UAA:      UAAFindings{Asked: f.client.asked, Client: f.client.found, Problem: b.problem(ctx, "uaa", f.client.err)},
		Findings: b.findings(f),
	}
	if f.platform == PlatformUnasked {
		told.Platform = "unasked"
	}
	return told, nil
}

func (b *Broker) findings(f facts) []Finding {
	return append([]Finding{}, f.findings(b.offering.ID, !b.Switches.DisableBOSHConfigs, b.Now())...)
}

// problem is what an answer tells of a failure whose words are somebody else's; those are in the log.
func (b *Broker) problem(ctx context.Context, whose string, err error) string {
	if err == nil {
		return ""
	}
	b.Logger.WarnContext(ctx, "findings.incomplete", slog.String("not_asked", whose), slog.String("error", err.Error()))
	return "it can't be asked now: the broker's log has the reason, broker-request-id " + RequestFrom(ctx).ID
}

func (f facts) director() DirectorFindings {
	d := DirectorFindings{Deployment: f.deployment, Tasks: runningTasks(f.tasks), Configs: f.configs.types()}
	if last := f.lastTask; last != nil && last.Ended() {
		d.LastTask = &EndedTask{ID: last.ID, State: last.State, Description: last.Description, EndedAt: last.UpdatedAt.UTC()}
	}
	if known := f.configs.record; known != nil {
		d.Record = &RecordFindings{ServiceID: known.ServiceID, PlanID: known.PlanID, CreatedAt: known.CreatedAt, UpdatedAt: known.UpdatedAt, Operation: f.standing}
	}
	return d
}
