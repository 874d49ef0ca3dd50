package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
)

// InstanceDetails is all that the broker can tell an operator of one instance, in the form of the management API.
type InstanceDetails struct {
	ID                 string             `json:"service_instance_id"`
	PlanID             string             `json:"plan_id,omitempty"` // missing if nobody knows it
	PlanName           string             `json:"plan_name,omitempty"`
	SpaceGUID          string             `json:"space_guid,omitempty"`
	Deployment         string             `json:"deployment"`
	Created            bool               `json:"created"` // a deploy has succeeded
	DashboardURL       string             `json:"dashboard_url,omitempty"`
	MaintenanceVersion string             `json:"maintenance_version,omitempty"` // as deployed last
	Tasks              []RunningTask      `json:"tasks"`
	LastOperation      *RecordedOperation `json:"last_operation,omitempty"` // missing if none is remembered
	// PendingChanges tells whether an upgrade would change anything; null, with the reason, if that can't be told now.
	PendingChanges        *bool  `json:"pending_changes"`
	PendingChangesUnknown string `json:"pending_changes_unknown,omitempty"`
}

// RecordedOperation is the last operation that the broker began.
type RecordedOperation struct {
	Type      OperationType `json:"type"`
	State     string        `json:"state"` // as OSB calls it; "unknown" once the Director has forgotten the tasks
	StartedAt time.Time     `json:"started_at"`
}

// InstanceDetails tells about one instance. planID is needed only for instances whose plan the broker doesn't know.
func (b *Broker) InstanceDetails(ctx context.Context, instanceID, planID string) (InstanceDetails, error) {
	ctx, cancel := b.detached(about(ctx, instanceID)) // the broker waits for the adapter when it is stopped
	defer cancel()
	details, err := b.instanceDetails(ctx, instanceID, planID)
	if err != nil {
		return InstanceDetails{}, b.failed(ctx, instanceID, "", err)
	}
	if len(details.Tasks) > 0 {
		details.PendingChangesUnknown = "a task is running"
		return details, nil
	}
	changes, err := b.lookAhead(ctx, instanceID, details.PlanID)
	if err != nil {
		failure := b.failed(ctx, instanceID, "", err)
		b.Logger.WarnContext(ctx, "instance.pending-changes-unknown", slog.String("error", failure.Error()))
		details.PendingChangesUnknown = failure.Message
		return details, nil
	}
	pending := len(changes.Reasons) > 0
	details.PendingChanges = &pending
	return details, nil
}

// instanceDetails are all but the pending changes.
func (b *Broker) instanceDetails(ctx context.Context, instanceID, planID string) (InstanceDetails, error) {
	name := deploymentName(instanceID)
	details := InstanceDetails{ID: instanceID, Deployment: name}
	var deployed boshclient.Deployment
	var tasks []boshclient.Task
	var configs instanceConfigs
	err := sideBySide(ctx,
		func(ctx context.Context) (err error) {
			deployed, err = b.Deployments.Deployment(ctx, name)
			return err
		},
		func(ctx context.Context) (err error) {
			tasks, err = b.Tasks.TasksInProgress(ctx, name)
			return err
		},
		func(ctx context.Context) (err error) {
			configs, err = b.readConfigs(ctx, name)
			return err
		},
	)
	switch {
	case errors.Is(err, boshclient.ErrNotFound):
		return details, refuse(NotFound, "Service instance %s does not exist", instanceID)
	case err != nil:
		return details, fmt.Errorf("reading deployment %s: %w", name, err)
	}
	details.Created, details.Tasks = !deployed.BeingCreated, runningTasks(tasks)
	agreed, err := b.agreed(ctx, instanceID, configs.record, deployed.Manifest)
	if err != nil {
		return details, err
	}
	if known := configs.record; known != nil {
		details.SpaceGUID, details.DashboardURL, details.MaintenanceVersion = known.place().SpaceGUID, known.DashboardURL, agreed.MaintenanceVersion
		if details.LastOperation, err = b.recordedOperation(ctx, instanceID, known.Operation); err != nil {
			return details, err
		}
	}
	if details.PlanID, err = b.planOf(ctx, instanceID, planID, agreed); err != nil {
		return details, err
	}
	if plan := b.offering.plans[details.PlanID]; plan != nil {
		details.PlanName = plan.Name
	}
	return details, nil
}

// recordedOperation tells how an operation stands, without taking it any further.
func (b *Broker) recordedOperation(ctx context.Context, instanceID string, recorded recordedOperation) (*RecordedOperation, error) {
	told := &RecordedOperation{Type: recorded.Type, StartedAt: recorded.StartedAt}
	begun, err := b.begun(ctx, instanceID, recorded)
	if err != nil {
		return nil, err
	}
	switch begun.action {
	case wait, start:
		told.State = string(domain.InProgress)
	case succeed:
		told.State = string(domain.Succeeded)
	case fail:
		told.State = string(domain.Failed)
	default:
		told.State = stateUnknown
	}
	return told, nil
}
