package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/manifests"
	"github.com/on-demand-broker/odb/secrets"
)

// Update starts an instance's update, or its upgrade if the maintenance version is all that changes (OSB 2.17,
// PATCH /v2/service_instances/:id).
func (b *Broker) Update(ctx context.Context, instanceID string, details domain.UpdateDetails, asyncAllowed bool) (spec domain.UpdateServiceSpec, err error) {
	ctx, cancel := b.detached(about(ctx, instanceID, slog.String("plan_id", details.PlanID)))
	defer cancel()
	operation := OperationUpdate // as long as it isn't known to be an upgrade
	defer func(since time.Time) { b.unlessBegun(operation, details.PlanID, since, &err) }(b.Now())
	b.checkOriginator(ctx, details.RawContext)

	details, err = b.withPlan(ctx, instanceID, details)
	if err != nil {
		return domain.UpdateServiceSpec{}, b.failed(ctx, instanceID, OperationUpdate, err)
	}
	if b.changesContextAlone(details) {
		switch done, err := b.updateContext(ctx, instanceID, details); {
		case err != nil:
			return domain.UpdateServiceSpec{}, b.failed(ctx, instanceID, OperationUpdate, err)
		case done:
			b.audit(ctx, OperationUpdate, instanceID)
			return domain.UpdateServiceSpec{}, nil
		}
	}
	d, refusal := b.admitUpdate(ctx, instanceID, details, asyncAllowed)
	if refusal != nil {
		return domain.UpdateServiceSpec{}, refusal
	}
	operation = d.operation
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	if refusal != nil {
		return domain.UpdateServiceSpec{}, refusal
	}
	defer unlock()

	done, err := b.redeploy(ctx, d)
	if err != nil {
		return domain.UpdateServiceSpec{}, b.failed(ctx, instanceID, d.operation, err)
	}
	return domain.UpdateServiceSpec{
		IsAsync:       true,
		DashboardURL:  done.dashboardURL,
		OperationData: done.operation,
		Metadata:      domain.InstanceMetadata{Labels: done.labels},
	}, nil
}

// admitUpdate is what the request alone can tell: the plans, and whether it is an update or an upgrade.
func (b *Broker) admitUpdate(ctx context.Context, instanceID string, details domain.UpdateDetails, asyncAllowed bool) (deployment, *Error) {
	target, previous, refusal := b.plansOf(details)
	if refusal != nil {
		return deployment{}, refusal
	}
	if !asyncAllowed {
		return deployment{}, asyncRequired()
	}
	parameters, refusal := objectOf(details.RawParameters)
	if refusal != nil {
		return deployment{}, refusal
	}
	operation, refusal := b.offering.decide(change{
		target: target, previous: previous, parameters: !isEmptyObject(parameters),
		requested: details.MaintenanceInfo, before: details.PreviousValues.MaintenanceInfo,
	})
	if refusal != nil {
		return deployment{}, refusal
	}
	if refusal = b.Schemas.check(target, operation, parameters); refusal != nil {
		return deployment{}, refusal
	}
	if previous == nil {
		previous = target
	}
	d := deployment{
		operation: operation, instanceID: instanceID, plan: target, previousPlan: previous, context: details.RawContext,
		request: requestDigest(instanceID, target.ID, details),
	}
	if len(details.RawParameters) > 0 { // absent means unchanged
		d.asked = parameters
	}
	if operation == OperationUpdate && details.PlanID != "" && details.PlanID != details.PreviousValues.PlanID {
		d.movesFrom = &details.PreviousValues.PlanID
	}
	var err error
	if d.parameters, err = adapterParameters(ctx, operation, details, parameters); err != nil {
		return deployment{}, &Error{Kind: Internal, Message: "The request could not be passed on to the service", Cause: err}
	}
	return d, nil
}

// adapterParameters are what the adapter gets: of an upgrade the context alone, as the user asked for nothing.
func adapterParameters(ctx context.Context, operation OperationType, details domain.UpdateDetails, parameters json.RawMessage) (json.RawMessage, error) {
	if operation != OperationUpgrade {
		return requestParameters(ctx, details, parameters)
	}
	context, refusal := objectOf(details.RawContext)
	if refusal != nil {
		context = noParameters
	}
	return json.Marshal(map[string]json.RawMessage{"context": context})
}

// withPlan completes a PATCH that names no plan at all, neither plan_id nor the one before: OSB lets a platform leave out both,
// and what is remembered tells.
func (b *Broker) withPlan(ctx context.Context, instanceID string, details domain.UpdateDetails) (domain.UpdateDetails, error) {
	if details.PlanID != "" || details.PreviousValues.PlanID != "" || details.ServiceID != b.offering.ID {
		return details, nil
	}
	known, err := b.readRecord(ctx, deploymentName(instanceID))
	if err != nil {
		return details, err
	}
	manifest := ""
	if known != nil && known.inQuestion() {
		deployed, err := b.Deployments.Deployment(ctx, deploymentName(instanceID))
		if err != nil && !errors.Is(err, boshclient.ErrNotFound) { // which Update will find
			return details, fmt.Errorf("reading deployment %s: %w", deploymentName(instanceID), err)
		}
		manifest = deployed.Manifest
	}
	agreed, err := b.agreed(ctx, instanceID, known, manifest)
	if err == nil {
		details.PreviousValues.PlanID, err = b.planOf(ctx, instanceID, "", agreed)
	}
	return details, err
}

// plansOf finds the plan that is asked for and the one before. OSB lets a platform leave plan_id out when the plan
// stays: then previous_values tell it.
func (b *Broker) plansOf(details domain.UpdateDetails) (target, previous *plan, refusal *Error) {
	if refusal = b.offering.offers(details.ServiceID); refusal != nil {
		return nil, nil, refusal
	}
	targetID, previousID := details.PlanID, details.PreviousValues.PlanID
	if targetID == "" {
		if targetID = previousID; targetID == "" {
			return nil, nil, refuse(BadRequest, "plan_id is missing, and so is previous_values.plan_id, and nothing is remembered of the instance: send one of them")
		}
	}
	if target, refusal = b.offering.plan(details.ServiceID, targetID); refusal != nil {
		return nil, nil, refusal
	}
	if previousID == "" || previousID == targetID {
		return target, target, nil
	}
	if previous = b.offering.plans[previousID]; previous == nil {
		return nil, nil, refuse(BadRequest, "previous_values.plan_id %q is not a plan of service %q: see the catalog", previousID, b.offering.Name)
	}
	if !b.offering.CanChange(previous.Plan) {
		return nil, nil, refuse(PlanChangeNotSupported, "The plan of this service instance can't be changed")
	}
	return target, previous, nil
}

// redeploy is what comes under the instance's lock: the facts, the check for pending changes, the deploy.
func (b *Broker) redeploy(ctx context.Context, d deployment) (submitted, error) {
	deployed, err := b.readDeployed(ctx, &d)
	if err != nil {
		return b.begunAlready(ctx, d, err)
	}
	b.correctPlan(&d)
	if d.operation == OperationUpdate && !b.Switches.SkipCheckForPendingChanges {
		if err := b.mustHaveNoPendingChanges(ctx, d, deployed); err != nil {
			return submitted{}, err
		}
	}
	return b.deploy(ctx, d)
}

// readDeployed asks the Director for what the adapter must know of the present state, all at once.
func (b *Broker) readDeployed(ctx context.Context, d *deployment) (manifest string, err error) {
	name := d.name()
	var variables []secrets.Variable
	deployed, err := b.readInstance(ctx, d, func(ctx context.Context) (err error) {
		variables, err = b.variables(ctx, name)
		return err
	})
	if err != nil {
		return "", err
	}
	d.previousManifest = deployed.Manifest
	if d.agreed, err = b.agreed(ctx, d.instanceID, d.before.record, deployed.Manifest); err != nil {
		return "", err
	}
	d.secrets, err = b.resolve(ctx, name, deployed.Manifest, variables)
	return deployed.Manifest, err
}

// readInstance asks for the instance and what is remembered of it, and for whatever else is wanted, all at once. It refuses
// one that isn't there, never came up, or is being worked on.
func (b *Broker) readInstance(ctx context.Context, d *deployment, alsoWanted ...func(context.Context) error) (deployed boshclient.Deployment, err error) {
	name := d.name()
	err = sideBySide(ctx, append(alsoWanted,
		func(ctx context.Context) error { return b.mustBeIdle(ctx, name) },
		func(ctx context.Context) (err error) {
			if d.before, err = b.readConfigs(ctx, name); err != nil {
				return err
			}
			return b.mustBeFinished(ctx, d.instanceID, d.before.record)
		},
		func(ctx context.Context) (err error) {
			deployed, err = b.Deployments.Deployment(ctx, name)
			return err
		},
	)...)
	switch {
	case errors.Is(err, boshclient.ErrNotFound):
		return deployed, refuse(NotFound, "Service instance %s does not exist", d.instanceID)
	case err != nil:
		return deployed, fmt.Errorf("reading deployment %s: %w", name, err)
	case deployed.BeingCreated:
		// No task runs and there is no manifest: the first deploy failed. There is nothing to update from.
		return deployed, refuse(Refused, "Service instance %s was not created successfully: delete it and create it anew", d.instanceID)
	}
	return deployed, nil
}

// mustHaveNoPendingChanges refuses an update by a user that would bring along what the operator changed and has not
// rolled out: the manifest is generated anew for the plan as it was, and must be the deployed one.
func (b *Broker) mustHaveNoPendingChanges(ctx context.Context, d deployment, deployedText string) error {
	unchanged := d
	unchanged.plan = d.previousPlan
	unchanged.parameters = noParameters
	regenerated, err := b.fresh(ctx, unchanged)
	if err != nil {
		return err
	}
	pending, err := manifests.PendingChange(regenerated.Manifest, deployedText)
	switch {
	case err != nil: // the Director has deployed it, but nobody can tell what would change
		return fmt.Errorf("comparing the manifests of %s: %w", d.name(), err)
	case pending == "":
		return nil
	}
	b.Logger.WarnContext(ctx, "update.pending-changes", slog.String("deployment", d.name()), slog.String("diff", pending))
	return refuse(Refused, "Service cannot be updated at this time, please try again later or contact your operator for more information: there are changes to the service that have not been applied to this instance")
}
