package broker

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
)

// later tells whether an operation on a binding of the plan goes on after the request. A platform that doesn't accept that has it
// done while it waits.
func (p *plan) later(asyncAllowed bool) bool { return p != nil && p.Binding.Async && asyncAllowed }

// bindLater begins to make the binding.
func (b *Broker) bindLater(ctx context.Context, wanted wantedBinding) (domain.Binding, error) {
	known, facts, err := b.gather(ctx, wanted)
	if err != nil {
		return domain.Binding{}, err
	}
	verdict := judgeBind(known, wanted.digest)
	if answer, err, done := b.answered(wanted, known, verdict, true); done {
		return answer, err
	}
	ctx, run := b.newRun(ctx, OperationBind, wanted.plan, wanted.digest)
	if first := b.runs.begin(wanted.bindingName, run); first != run {
		run.stop(nil)
		return meanwhile(first, wanted, true)
	}
	wanted.operation = run.bindingOperation
	pending := wanted.known()
	if err := b.kept.write(ctx, wanted.bindingName, pending); err != nil {
		b.runs.end(wanted.bindingName, run, run.ended(refuse(Unavailable, "it could not be begun")))
		return domain.Binding{}, err
	}
	b.audit(ctx, OperationBind, wanted.instanceID)
	go b.carryOut(ctx, wanted.bindingName, run, func(ctx context.Context, waited bool) error {
		return b.bindInTurn(ctx, wanted, facts, waited, verdict == newBinding)
	})
	return domain.Binding{IsAsync: true, OperationData: run.handedOut()}, nil
}

// bindInTurn makes the binding. What was read of the deployment may be old if others had their turn before.
func (b *Broker) bindInTurn(ctx context.Context, wanted wantedBinding, facts adapterclient.BindingRequest, waited, isNew bool) error {
	if waited {
		var err error
		if facts, err = b.bindingRequest(ctx, wanted.instanceID, wanted.plan); err != nil {
			return err
		}
		facts.BindingID, facts.RequestParameters = wanted.bindingID, wanted.request
	}
	_, err := b.makeBinding(ctx, wanted, facts, isNew)
	return err
}

// meanwhile answers a bind while this process is at the binding.
func meanwhile(run *bindingRun, wanted wantedBinding, asyncAllowed bool) (domain.Binding, error) {
	switch {
	case run.Type != OperationBind:
		return domain.Binding{}, bindingBusy()
	case run.digest != wanted.digest:
		return domain.Binding{}, otherAttributes(wanted)
	case !asyncAllowed:
		return domain.Binding{}, bindingBusy()
	default:
		return domain.Binding{IsAsync: true, OperationData: run.handedOut()}, nil
	}
}

// answered is the answer to a bind for which nothing is to be made.
func (b *Broker) answered(wanted wantedBinding, known *knownBinding, verdict bindVerdict, asyncAllowed bool) (answer domain.Binding, err error, done bool) {
	switch {
	case verdict == otherBinding:
		return domain.Binding{}, otherAttributes(wanted), true
	case verdict == sameBinding:
		return again(*known.Answer), nil, true
	case verdict == sameGoesOn && asyncAllowed:
		return domain.Binding{IsAsync: true, OperationData: known.Operation.handedOut()}, nil, true
	case verdict == sameGoesOn || verdict == busyBinding:
		return domain.Binding{}, bindingBusy(), true
	default:
		return domain.Binding{}, nil, false
	}
}

func otherAttributes(wanted wantedBinding) *Error {
	return refuse(AlreadyExists, "Binding %s already exists with other attributes", wanted.bindingID)
}

func bindingBusy() *Error {
	return refuse(Concurrency, "Another operation on the binding is in progress. Please try again later.")
}
