package broker

import (
	"context"

	"github.com/on-demand-broker/odb/boshclient"
)

// terms are what an instance was asked to be: what an update changes, and one that fails leaves as it was.
type terms struct {
	PlanID             string `json:"plan_id"`
	ParametersDigest   string `json:"parameters_digest,omitempty"` // of those that were sent last
	MaintenanceVersion string `json:"maintenance_version,omitempty"`
	// Parameters is the name by which all that was sent is kept; empty if it isn't known. See keepParameters.
	Parameters string `json:"parameters,omitempty"`
}

// inQuestion tells whether it matters how the last operation ended.
func (r record) inQuestion() bool { return r.Before != nil && *r.Before != r.terms }

// endBy tells how the last operation ended by what is remembered and the manifest that is deployed; cannotTell if they don't.
func (r record) endBy(manifest string) action {
	return endByRecord(r.Operation.asOperation(), &r.Operation, true, boshclient.Deployment{Manifest: manifest})
}

// termsAfter are the terms that hold if the last operation ended that way. In doubt it did what it was to do.
func (r record) termsAfter(end action) terms {
	if end == fail && r.Before != nil {
		return *r.Before
	}
	return r.terms
}

// settled is the record for what comes next, which no longer depends on how the last operation ended.
func (r record) settled(agreed terms) record {
	if r.terms = agreed; r.Before != nil || r.Operation.Type == OperationCreate {
		r.Before = &agreed
	}
	return r
}

// agreed are the terms that hold for an instance on which nothing goes on; nil if nothing is remembered of it. The Director is
// asked only where the deployed manifest doesn't tell.
func (b *Broker) agreed(ctx context.Context, instanceID string, known *record, manifest string) (*terms, error) {
	if known == nil {
		return nil, nil
	}
	if !known.inQuestion() {
		return &known.terms, nil
	}
	end := known.endBy(manifest)
	if end == cannotTell {
		begun, err := b.begun(ctx, instanceID, known.Operation)
		if err != nil {
			return nil, err
		}
		end = begun.action
	}
	hold := known.termsAfter(end)
	return &hold, nil
}

// mayBeOf tells whether a plan may be the instance's, as far as is remembered and the deployed manifest tells. After a change that
// failed it may be either: platforms keep the plan before, and the deployment may have changed in part. So it is while the change
// goes on.
func (r record) mayBeOf(planID, manifest string) bool {
	switch {
	case planID == r.PlanID:
		return true
	case r.Before != nil:
		return planID == r.Before.PlanID && r.endBy(manifest) != succeed
	case r.Operation.Type == OperationUpdate: // remembered by a broker that didn't say what was before
		return r.endBy(manifest) != succeed
	default:
		return r.Operation.Type != OperationCreate
	}
}

// termsOf are those that a deploy is to make. What it doesn't say stays.
func (b *Broker) termsOf(d deployment) terms {
	var wanted terms
	if d.agreed != nil {
		wanted = *d.agreed
	}
	wanted.PlanID = d.plan.ID
	wanted.MaintenanceVersion = versionOf(b.offering.maintenanceInfo(d.plan))
	if d.asked != nil {
		wanted.ParametersDigest, wanted.Parameters = digest(d.instanceID, d.asked), d.parametersName
	}
	return wanted
}

// termsBefore are those that hold again if a deploy fails; nil at creation, or if nobody knows. Of an instance that isn't
// remembered the platform knows the plan.
func (d deployment) termsBefore() *terms {
	switch {
	case d.operation == OperationCreate || (d.agreed == nil && d.movesFrom != nil && *d.movesFrom == ""):
		return nil
	case d.agreed != nil:
		return d.agreed
	default:
		return &terms{PlanID: d.previousPlan.ID}
	}
}
