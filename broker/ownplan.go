package broker

import (
	"context"
	"slices"
)

// planHint is what this process knows of the plans that may be an instance's, so that a bind need not ask for what is remembered.
// By itself it refuses nothing: another broker may know better.
type planHint struct {
	anyPlan bool // nothing is remembered of the instance
	plans   []string
}

func (h planHint) allows(planID string) bool { return h.anyPlan || slices.Contains(h.plans, planID) }

// hintPlans notes the plans that may be an instance's.
func (m *memory) hintPlans(deployment string, hint planHint) {
	m.planHints.change(deployment, func(planHint) planHint { return hint })
}

// readRecord reads what is remembered of an instance; nil if nothing is, or nobody may know.
func (b *Broker) readRecord(ctx context.Context, deployment string) (*record, error) {
	configs, err := b.readConfigs(ctx, deployment)
	if forbidden(err) {
		return nil, nil
	}
	return configs.record, err
}

// mustBeOfPlan refuses a bind that names another plan than the instance's (OSB 2.17, Binding), or an instance of another service,
// by what is remembered. Of an instance that isn't, any plan may be the one.
func (b *Broker) mustBeOfPlan(wanted wantedBinding, known *record, manifest string) error {
	name := deploymentName(wanted.instanceID)
	switch {
	case known == nil:
		b.hintPlans(name, planHint{anyPlan: true})
		return nil
	case known.ServiceID != b.offering.ID:
		return refuse(BadRequest, "service instance %s is not one of service %q", wanted.instanceID, b.offering.Name)
	case known.mayBeOf(wanted.plan.ID, manifest):
		b.hintPlans(name, planHint{plans: []string{known.PlanID, wanted.plan.ID}})
		return nil
	default:
		b.hintPlans(name, planHint{plans: []string{known.PlanID}})
		return refuse(BadRequest, "plan_id %q is not the plan of service instance %s, which is %q", wanted.plan.ID, wanted.instanceID, known.PlanID)
	}
}
