package broker

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// Unbind takes credentials back (OSB 2.17, DELETE …/service_bindings/:id). As for Deprovision, the plan may have left the
// catalog.
func (b *Broker) Unbind(ctx context.Context, instanceID, bindingID string, details domain.UnbindDetails, _ bool) (domain.UnbindSpec, error) {
	ctx = about(ctx, instanceID, slog.String("binding_id", bindingID), slog.String("plan_id", details.PlanID))

	if refusal := b.offering.offers(details.ServiceID); refusal != nil {
		return domain.UnbindSpec{}, refusal
	}
	parameters, err := json.Marshal(details)
	if err != nil {
		return domain.UnbindSpec{}, b.failed(ctx, instanceID, OperationUnbind, err)
	}
	unlock, refusal := b.bindingTurn(ctx, instanceID)
	if refusal != nil {
		return domain.UnbindSpec{}, refusal
	}
	defer unlock()
	ctx, cancel := b.detached(ctx)
	defer cancel()

	facts, err := b.bindingRequest(ctx, instanceID, b.offering.plans[details.PlanID])
	if err == nil {
		facts.BindingID, facts.RequestParameters = bindingID, parameters
		err = b.Adapter.DeleteBinding(ctx, facts)
	}
	var failure *Error
	if err != nil {
		failure = b.bindFailed(ctx, instanceID, OperationUnbind, err)
		if failure.Kind == NotFound { // with the instance its bindings are gone
			failure.Kind = Gone
		}
	}
	if failure == nil || failure.Kind == Gone { // there may be credentials of a binding that nobody else knows any more
		if err := b.forgetBinding(ctx, bindingName{instanceID, bindingID}); err != nil {
			return domain.UnbindSpec{}, b.failed(ctx, instanceID, OperationUnbind, err)
		}
	}
	if failure != nil {
		return domain.UnbindSpec{}, failure
	}
	b.Logger.InfoContext(ctx, "unbind.done")
	return domain.UnbindSpec{}, nil
}
