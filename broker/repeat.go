package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
)

// presence is what the Director has of an instance.
type presence struct {
	deployed     bool // there is a deployment
	manifest     string
	beingCreated bool // of which no deploy has succeeded
	tasks        []boshclient.Task
}

func (p presence) nothing() bool { return !p.deployed && len(p.tasks) == 0 }

// lookFor asks for tasks at work on the instance, and then for the deployment: asked for in that order, what a task has made by the time
// it ended is seen, and neither is missed.
func (b *Broker) lookFor(ctx context.Context, instanceID string) (there presence, err error) {
	name := deploymentName(instanceID)
	if there.tasks, err = b.tasksInProgress(ctx, name); err != nil {
		return there, err
	}
	switch found, err := b.Deployments.Deployment(ctx, name); {
	case errors.Is(err, boshclient.ErrNotFound):
		return there, nil
	case err != nil:
		return there, fmt.Errorf("looking for deployment %s: %w", name, err)
	default:
		there.deployed, there.beingCreated, there.manifest = true, found.BeingCreated, found.Manifest
		return there, nil
	}
}

// repeated answers a PUT of an instance that is there already, or is being made (OSB 2.17, Provisioning): the same one again
// gets the answer of the first, another one a conflict. An instance that isn't remembered can't be told to be the same.
func (b *Broker) repeated(ctx context.Context, d deployment, there presence) (domain.ProvisionedServiceSpec, error) {
	var none domain.ProvisionedServiceSpec
	known, err := b.readRecord(ctx, d.name())
	if err != nil {
		return none, err
	}
	switch {
	case known == nil && there.deployed:
		return none, refuse(AlreadyExists, "Service instance %s already exists", d.instanceID)
	case known == nil:
		return none, operationInProgress()
	}
	agreed, err := b.agreed(ctx, d.instanceID, known, there.manifest)
	if err != nil {
		return none, err
	}
	if difference := b.difference(d, known.settled(*agreed)); difference != "" {
		return none, refuse(AlreadyExists, "Service instance %s already exists with %s", d.instanceID, difference)
	}
	begun, err := b.begun(ctx, d.instanceID, known.Operation)
	if err != nil {
		return none, err
	}
	same := domain.ProvisionedServiceSpec{DashboardURL: known.DashboardURL, Metadata: domain.InstanceMetadata{Labels: known.Labels}}
	creating := known.Operation.Type == OperationCreate
	switch {
	case creating && begun.goesOn() && begun.told:
		same.IsAsync = true
		same.OperationData, err = begun.operation.handedOut()
		return same, err
	case begun.goesOn() || len(there.tasks) > 0:
		return none, operationInProgress()
	case there.beingCreated || !there.deployed || (creating && begun.action == fail):
		return none, refuse(AlreadyExists, "Service instance %s was not created successfully: delete it and create it anew", d.instanceID)
	case known.Operation.asOperation().deletes():
		return none, refuse(AlreadyExists, "Service instance %s was to be deleted, which failed: delete it again", d.instanceID)
	}
	same.AlreadyExists = true
	return same, nil
}

// begunOperation is one that was begun before, and how it stands.
type begunOperation struct {
	action
	operation Operation // as it was handed out
	told      bool      // it can be told how it was; not once the Director has forgotten its first task
}

// begun tells how a remembered operation stands, without taking it any further.
func (b *Broker) begun(ctx context.Context, instanceID string, recorded recordedOperation) (begunOperation, error) {
	switch recorded.State {
	case stateSucceeded:
		return begunOperation{action: succeed}, nil
	case stateFailed:
		return begunOperation{action: fail}, nil
	}
	return b.standing(ctx, instanceID, recorded.asOperation())
}

// standing tells how an operation stands, whose first task may not be known.
func (b *Broker) standing(ctx context.Context, instanceID string, o Operation) (begunOperation, error) {
	name := deploymentName(instanceID)
	attempts, err := b.attempts(ctx, instanceID, o)
	if err != nil {
		return begunOperation{}, err
	}
	found := begunOperation{action: next(o, name, attempts).action, operation: o, told: o.Cancels != ""}
	if found.told {
		return found, nil
	}
	first := o.steps()[0]
	o.BoshTaskID = 0 // told by its id, a deploy would be none but that
	for _, a := range attempts {
		known := found.operation.BoshTaskID
		if (known == 0 || a.ID < known) && first.isOf(o, name, a.Task) {
			found.operation.BoshTaskID = a.ID
		}
	}
	found.told = found.operation.BoshTaskID != 0
	return found, nil
}

// begunAlready answers a PATCH that was refused because the instance is being worked on: sent again while its own update
// runs, it gets that one's operation (OSB 2.17, Updating a Service Instance).
func (b *Broker) begunAlready(ctx context.Context, d deployment, refusal error) (submitted, error) {
	var known *Error
	if d.before.record == nil || d.request == "" || !errors.As(refusal, &known) || known.Kind != Concurrency {
		return submitted{}, refusal
	}
	if d.before.record.Operation.Request != d.request {
		return submitted{}, refusal
	}
	begun, err := b.begun(ctx, d.instanceID, d.before.record.Operation)
	switch {
	case err != nil:
		return submitted{}, err
	case !begun.goesOn() || !begun.told:
		return submitted{}, refusal
	}
	operation, err := begun.operation.handedOut()
	return submitted{operation: operation, dashboardURL: d.before.record.DashboardURL, labels: d.before.record.Labels}, err
}

// requestDigest tells PATCHes apart by all that they ask for, without telling what that is.
func requestDigest(instanceID, planID string, details domain.UpdateDetails) string {
	text, err := json.Marshal(struct {
		PlanID             string
		Parameters         json.RawMessage
		Context            json.RawMessage
		MaintenanceVersion string
	}{planID, details.RawParameters, details.RawContext, versionOf(details.MaintenanceInfo)})
	if err != nil {
		return "" // like no other
	}
	return digest(instanceID, text)
}

// difference says in what an instance differs from the one that is asked for; empty if it is the same. Parameters are
// compared by their digest, places by their ids: names and annotations may have changed since the first request.
func (b *Broker) difference(d deployment, known record) string {
	differs := func(asked, remembered string) bool { return asked != "" && remembered != "" && asked != remembered }
	switch {
	case known.ServiceID != b.offering.ID:
		return "another service"
	case known.PlanID != d.plan.ID:
		return "another plan"
	case known.ParametersDigest == "":
		return "parameters that nobody remembers"
	case known.ParametersDigest != digest(d.instanceID, d.asked):
		return "other parameters"
	case differs(d.organizationGUID, known.OrganizationGUID):
		return "another organization_guid"
	case differs(d.spaceGUID, known.SpaceGUID):
		return "another space_guid"
	}
	asked, remembered := placeIDs(d.context), placeIDs(known.Context)
	for _, key := range []string{"platform", "organization_guid", "space_guid", "clusterid", "namespace"} {
		if differs(asked[key], remembered[key]) {
			return "another " + key + " in its context"
		}
	}
	return ""
}

// placeIDs are the texts of a context, among them the ids of the place that the instance is in (OSB 2.17 profile, Context Object).
func placeIDs(context json.RawMessage) map[string]string {
	var members map[string]any
	_ = json.Unmarshal(context, &members) // what a context doesn't say in the usual form isn't known
	texts := map[string]string{}
	for key, value := range members {
		if text, ok := value.(string); ok {
			texts[key] = text
		}
	}
	return texts
}
