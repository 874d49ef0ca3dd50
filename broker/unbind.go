package broker

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
)

// unwantedBinding is an unbind as it was admitted.
type unwantedBinding struct {
	bindingName
	plan    *plan           // nil if it has left the catalog
	request json.RawMessage // as the adapter gets it
}

// Unbind takes credentials back (OSB 2.17, DELETE …/service_bindings/:id). As for Deprovision, the plan may have left the
// catalog. A bind that is still at work is stopped.
func (b *Broker) Unbind(ctx context.Context, instanceID, bindingID string, details domain.UnbindDetails, asyncAllowed bool) (answer domain.UnbindSpec, err error) {
	defer b.atOnce(OperationUnbind, details.PlanID, b.Now(), &answer.IsAsync, &err)
	ctx = about(ctx, instanceID, slog.String("binding_id", bindingID), slog.String("plan_id", details.PlanID))

	if refusal := b.offering.offers(details.ServiceID); refusal != nil {
		return domain.UnbindSpec{}, refusal
	}
	unwanted := unwantedBinding{bindingName: bindingName{instanceID, bindingID}, plan: b.offering.plans[details.PlanID]}
	if unwanted.request, err = json.Marshal(details); err != nil {
		return domain.UnbindSpec{}, b.failed(ctx, instanceID, OperationUnbind, err)
	}
	later := unwanted.plan.later(asyncAllowed)
	switch run := b.runs.of(unwanted.bindingName); {
	case run == nil:
	case run.Type == OperationUnbind && later:
		return domain.UnbindSpec{IsAsync: true, OperationData: run.handedOut()}, nil
	case run.Type == OperationUnbind || !stopped(ctx, run):
		return domain.UnbindSpec{}, bindingBusy()
	}
	if later {
		return b.unbindLater(ctx, unwanted)
	}
	return domain.UnbindSpec{}, b.unbindNow(ctx, unwanted)
}

// stopped ends a run and waits for that.
func stopped(ctx context.Context, run *bindingRun) bool {
	run.stop(errUnbound)
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	select {
	case <-run.over:
		return true
	case <-ctx.Done():
		return false
	}
}

// unbindNow takes the credentials back while the platform waits.
func (b *Broker) unbindNow(ctx context.Context, unwanted unwantedBinding) error {
	unlock, refusal := b.bindingTurn(ctx, unwanted.instanceID)
	if refusal != nil {
		return refusal
	}
	defer unlock()
	defer b.ongoing.atBinding(OperationUnbind)()
	ctx, cancel := b.detached(ctx)
	defer cancel()

	facts, err := b.unbindFacts(ctx, unwanted)
	if err == nil {
		err = b.Adapter.DeleteBinding(ctx, facts)
	}
	if failure := b.unbound(ctx, unwanted.bindingName, err); failure != nil {
		return failure
	}
	b.Logger.InfoContext(ctx, "unbind.done")
	b.audit(ctx, OperationUnbind, unwanted.instanceID)
	return nil
}

// unbindLater begins to take the credentials back.
func (b *Broker) unbindLater(ctx context.Context, unwanted unwantedBinding) (domain.UnbindSpec, error) {
	name := unwanted.bindingName
	facts, err := b.unbindFacts(ctx, unwanted)
	if err != nil {
		return domain.UnbindSpec{}, b.unbound(ctx, name, err)
	}
	known, err := b.readBinding(ctx, name)
	if err != nil {
		return domain.UnbindSpec{}, b.failed(ctx, name.instanceID, OperationUnbind, err)
	}
	switch {
	case known == nil:
		known = &knownBinding{}
	case known.Operation.Type == OperationUnbind && known.Operation.goesOn(): // another broker is at it
		return domain.UnbindSpec{IsAsync: true, OperationData: known.Operation.handedOut()}, nil
	}
	ctx, run := b.newRun(ctx, OperationUnbind, unwanted.plan, "")
	if first := b.runs.begin(name, run); first != run {
		run.stop(nil)
		return domain.UnbindSpec{}, bindingBusy()
	}
	known.Operation = run.bindingOperation
	if err := b.kept.write(ctx, name, *known); err != nil {
		b.runs.end(name, run, run.ended(refuse(Unavailable, "it could not be begun")))
		return domain.UnbindSpec{}, b.failed(ctx, name.instanceID, OperationUnbind, err)
	}
	b.audit(ctx, OperationUnbind, name.instanceID)
	go b.carryOut(ctx, name, run, func(ctx context.Context, waited bool) (err error) {
		if waited {
			facts, err = b.unbindFacts(ctx, unwanted)
		}
		if err == nil {
			err = b.Adapter.DeleteBinding(ctx, facts)
		}
		failure := b.unbound(ctx, name, err)
		if failure == nil || failure.Kind == Gone { // what is not there is taken back
			return nil
		}
		return failure
	})
	return domain.UnbindSpec{IsAsync: true, OperationData: run.handedOut()}, nil
}

func (b *Broker) unbindFacts(ctx context.Context, unwanted unwantedBinding) (adapterclient.BindingRequest, error) {
	facts, err := b.bindingRequest(ctx, unwanted.instanceID, unwanted.plan)
	facts.BindingID, facts.RequestParameters = unwanted.bindingID, unwanted.request
	return facts, err
}

// unbound words how an unbind ended. With the instance its bindings are gone, too; and what is gone leaves nothing behind, though
// there may be credentials that nobody else knows any more.
func (b *Broker) unbound(ctx context.Context, name bindingName, err error) *Error {
	var failure *Error
	if err != nil {
		failure = b.bindFailed(ctx, name.instanceID, OperationUnbind, err)
		if failure.Kind == NotFound {
			failure.Kind = Gone
		}
	}
	if failure == nil || failure.Kind == Gone {
		if err := b.forgetBinding(ctx, name); err != nil {
			return b.failed(ctx, name.instanceID, OperationUnbind, err)
		}
	}
	return failure
}
