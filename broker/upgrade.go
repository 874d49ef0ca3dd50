package broker

import (
	"context"
	"encoding/json"
	"log/slog"
)

// Maintenance is what an operator's upgrade or recreation of one instance says.
type Maintenance struct {
	PlanID  string
	Context json.RawMessage // the platform's; may be empty
	// Force makes an upgrade redeploy an instance that is up to date.
	Force bool
}

// Upgrade brings an instance to what is configured now (management API, operation_type=upgrade). The operation string is
// empty if the instance is up to date.
func (b *Broker) Upgrade(ctx context.Context, instanceID string, m Maintenance) (operation string, err error) {
	return b.maintain(ctx, instanceID, OperationUpgrade, m, b.upgrade)
}

func (b *Broker) upgrade(ctx context.Context, d deployment) (operation string, err error) {
	done, err := b.redeploy(ctx, d)
	return done.operation, err
}

// maintain is what an operator's operations have in common: the plan, the instance's lock, and what failures mean.
func (b *Broker) maintain(ctx context.Context, instanceID string, operation OperationType, m Maintenance, do func(context.Context, deployment) (string, error)) (data string, err error) {
	ctx, cancel := b.detached(about(ctx, instanceID, slog.String("plan_id", m.PlanID), slog.String("operation", string(operation))))
	defer cancel()
	defer b.unlessBegun(operation, m.PlanID, b.Now(), &err)
	d, refusal := b.admitMaintenance(instanceID, operation, m)
	if refusal != nil {
		return "", refusal
	}
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	if refusal != nil {
		return "", refusal
	}
	defer unlock()
	data, err = do(ctx, d)
	if err != nil {
		failure := b.failed(ctx, instanceID, operation, err)
		if failure.Kind == NotFound { // whoever named the instance found it in a list
			failure.Kind = Gone
		}
		return "", failure
	}
	return data, nil
}

// admitMaintenance is what the request alone can tell. That it names no plan of the catalog is a failure of whoever
// keeps the list of instances, and told as such.
func (b *Broker) admitMaintenance(instanceID string, operation OperationType, m Maintenance) (deployment, *Error) {
	if m.PlanID == "" {
		return deployment{}, refuse(Internal, "no plan ID provided in the request: plan_id must be the instance's plan")
	}
	plan := b.offering.plans[m.PlanID]
	if plan == nil {
		return deployment{}, refuse(Internal, "plan %s does not exist: it is not in the catalog of service %q", m.PlanID, b.offering.Name)
	}
	context, refusal := objectOf(m.Context)
	if refusal != nil {
		context = noParameters
	}
	parameters, err := json.Marshal(map[string]json.RawMessage{"context": context})
	if err != nil {
		return deployment{}, &Error{Kind: Internal, Message: "The request could not be passed on to the service", Cause: err}
	}
	var said place
	_ = json.Unmarshal(context, &said) // what it doesn't say in the usual form isn't known
	return deployment{
		operation: operation, instanceID: instanceID, plan: plan, previousPlan: plan, parameters: parameters,
		partContext: context, spaceGUID: said.SpaceGUID, unlessCurrent: !m.Force, planListed: true,
	}, nil
}

// correctPlan keeps an operator's upgrade from carrying out a change of plan that failed: a list of what is remembered, which can't
// tell how each operation ended, has the instance in the plan that was asked for.
func (b *Broker) correctPlan(d *deployment) {
	known := d.before.record
	if !d.planListed || known == nil || known.PlanID != d.plan.ID || d.agreed.PlanID == d.plan.ID {
		return
	}
	if agreed := b.offering.plans[d.agreed.PlanID]; agreed != nil {
		d.plan, d.previousPlan = agreed, agreed
	}
}
