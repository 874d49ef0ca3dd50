package broker

import (
	"context"
	"encoding/json"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// Fetched is an instance as platforms may be told of it (OSB 2.17, Fetching a Service Instance): after an update that failed as it
// was before.
type Fetched struct {
	ServiceID, PlanID  string
	DashboardURL       string
	Labels             map[string]any
	MaintenanceVersion string          // as deployed last; empty if the plan had none
	Parameters         json.RawMessage // an object; nil if they aren't known
}

// GetInstance is what brokerapi knows of Fetch.
func (b *Broker) GetInstance(ctx context.Context, instanceID string, _ domain.FetchInstanceDetails) (domain.GetInstanceDetailsSpec, error) {
	fetched, err := b.Fetch(ctx, instanceID)
	details := domain.GetInstanceDetailsSpec{
		ServiceID: fetched.ServiceID, PlanID: fetched.PlanID, DashboardURL: fetched.DashboardURL, Metadata: domain.InstanceMetadata{Labels: fetched.Labels},
	}
	if fetched.Parameters != nil {
		details.Parameters = fetched.Parameters
	}
	return details, err
}

// Fetch tells of an instance, where the catalog offers it. There is none until its creation has succeeded, and it can't be told
// about while it is changed (OSB 2.17, GET /v2/service_instances/:id).
func (b *Broker) Fetch(ctx context.Context, instanceID string) (Fetched, error) {
	if !b.offering.InstancesRetrievable {
		return Fetched{}, refuse(NotImplemented, "This service does not offer to fetch service instances")
	}
	ctx, cancel := b.detached(about(ctx, instanceID))
	defer cancel()
	fetched, err := b.fetch(ctx, instanceID)
	if err != nil {
		return Fetched{}, b.failed(ctx, instanceID, "", err)
	}
	return fetched, nil
}

func (b *Broker) fetch(ctx context.Context, instanceID string) (Fetched, error) {
	there, err := b.lookFor(ctx, instanceID)
	if err != nil {
		return Fetched{}, err
	}
	known, err := b.readRecord(ctx, deploymentName(instanceID))
	if err != nil {
		return Fetched{}, err
	}
	if !there.deployed || there.beingCreated {
		return Fetched{}, refuse(NotFound, "Service instance %s does not exist", instanceID)
	}
	if known == nil { // made by the predecessor, and not touched since
		if len(there.tasks) > 0 {
			return Fetched{}, operationInProgress()
		}
		return Fetched{ServiceID: b.offering.ID}, nil
	}
	begun, err := b.begun(ctx, instanceID, known.Operation)
	creates := known.Operation.Type == OperationCreate
	switch {
	case err != nil:
		return Fetched{}, err
	case creates && (begun.goesOn() || begun.action == fail):
		return Fetched{}, refuse(NotFound, "Service instance %s was not created yet, or not successfully", instanceID)
	case begun.goesOn() || len(there.tasks) > 0:
		return Fetched{}, operationInProgress()
	}
	end := begun.action
	if end == cannotTell {
		end = known.endBy(there.manifest)
	}
	agreed := known.termsAfter(end)
	parameters, err := b.tellParameters(ctx, instanceID, agreed.Parameters)
	return Fetched{
		ServiceID: known.ServiceID, PlanID: agreed.PlanID, DashboardURL: known.DashboardURL, Labels: known.Labels,
		MaintenanceVersion: agreed.MaintenanceVersion, Parameters: parameters,
	}, err
}
