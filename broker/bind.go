package broker

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
)

// wantedBinding is a bind as it was admitted.
type wantedBinding struct {
	bindingName
	plan    *plan
	request json.RawMessage // as the adapter gets it
	own     json.RawMessage // the same without a predecessor, for bindings to follow this one; nil if none may
	actor   string          // who may read the credentials in the platform's CredHub; empty if they aren't kept there
	digest  string          // of all that was asked for
	// operation makes it after the request; none if that waits.
	operation bindingOperation
}

// known is what is to be known of the binding while it is made.
func (w wantedBinding) known() knownBinding {
	return knownBinding{PlanID: w.plan.ID, Digest: w.digest, Request: w.own, Operation: w.operation}
}

// madeAs is what is to be known of it then.
func (w wantedBinding) madeAs(made adapterclient.Binding) knownBinding {
	known := w.known()
	known.Answer = &made
	if w.later() {
		known.Operation = w.operation.ended(nil)
	}
	return known
}

// later tells whether the request is over while the binding is made.
func (w wantedBinding) later() bool { return w.operation.ID != "" }

// Bind makes credentials for an instance (OSB 2.17, PUT …/service_bindings/:id), in the request itself or, if the plan says so
// and the platform accepts it, afterwards.
func (b *Broker) Bind(ctx context.Context, instanceID, bindingID string, details domain.BindDetails, asyncAllowed bool) (answer domain.Binding, err error) {
	defer b.atOnce(OperationBind, details.PlanID, b.Now(), &answer.IsAsync, &err)
	ctx = about(ctx, instanceID, slog.String("binding_id", bindingID), slog.String("plan_id", details.PlanID))
	b.checkOriginator(ctx, details.RawContext)
	wanted, err := b.admitBind(ctx, bindingName{instanceID, bindingID}, details)
	if err != nil {
		return domain.Binding{}, b.failed(ctx, instanceID, OperationBind, err)
	}
	return b.bind(ctx, wanted, asyncAllowed)
}

// bind makes what was admitted, now or later.
func (b *Broker) bind(ctx context.Context, wanted wantedBinding, asyncAllowed bool) (answer domain.Binding, err error) {
	later := wanted.plan.later(asyncAllowed)
	switch run := b.runs.of(wanted.bindingName); {
	case run != nil:
		answer, err = meanwhile(run, wanted, later)
	case later:
		answer, err = b.bindLater(ctx, wanted)
	default:
		answer, err = b.bindNow(ctx, wanted)
	}
	if err != nil {
		return domain.Binding{}, b.bindFailed(ctx, wanted.instanceID, OperationBind, err)
	}
	return answer, nil
}

// admitBind is what the request alone can tell.
func (b *Broker) admitBind(ctx context.Context, name bindingName, details domain.BindDetails) (wantedBinding, error) {
	wanted := wantedBinding{bindingName: name}
	plan, parameters, refusal := b.bindable(details)
	if refusal != nil {
		return wanted, refusal
	}
	wanted.plan = plan
	if wanted.actor, refusal = b.credentialsActor(details); refusal != nil {
		return wanted, refusal
	}
	wanted.digest = bindDigest(name.instanceID, details, parameters)
	var err error
	wanted.request, err = requestParameters(ctx, details, parameters)
	if plan.Binding.Rotatable {
		wanted.own = wanted.request
	}
	return wanted, err
}

// bindNow makes the binding while the platform waits.
func (b *Broker) bindNow(ctx context.Context, wanted wantedBinding) (domain.Binding, error) {
	unlock, refusal := b.bindingTurn(ctx, wanted.instanceID)
	if refusal != nil {
		return domain.Binding{}, refusal
	}
	defer unlock()
	defer b.ongoing.atBinding(OperationBind)()
	ctx, cancel := b.detached(ctx)
	defer cancel()

	known, facts, err := b.gather(ctx, wanted)
	if err != nil {
		return domain.Binding{}, err
	}
	verdict := judgeBind(known, wanted.digest)
	if answer, err, done := b.answered(wanted, known, verdict, false); done {
		return answer, err
	}
	made, err := b.makeBinding(ctx, wanted, facts, verdict == newBinding)
	if err != nil {
		return domain.Binding{}, err
	}
	b.Logger.InfoContext(ctx, "bind.done")
	b.audit(ctx, OperationBind, wanted.instanceID)
	if verdict == sameUnanswered {
		return again(made), nil
	}
	return osbBinding(made), nil
}

// gather reads what is known of the binding and what the adapter must know of the deployment, both at once. A new binding has to be
// of the instance's plan.
func (b *Broker) gather(ctx context.Context, wanted wantedBinding) (known *knownBinding, facts adapterclient.BindingRequest, err error) {
	name := deploymentName(wanted.instanceID)
	var remembered *record
	sure := b.planHints.get(name).allows(wanted.plan.ID)
	err = sideBySide(ctx,
		func(ctx context.Context) (err error) {
			facts, err = b.bindingRequest(ctx, wanted.instanceID, wanted.plan)
			return err
		},
		func(ctx context.Context) (err error) {
			known, err = b.readBinding(ctx, wanted.bindingName)
			return err
		},
		func(ctx context.Context) (err error) {
			if !sure {
				remembered, err = b.readRecord(ctx, name)
			}
			return err
		},
	)
	facts.BindingID, facts.RequestParameters = wanted.bindingID, wanted.request
	if err == nil && !sure && judgeBind(known, wanted.digest) == newBinding {
		err = b.mustBeOfPlan(wanted, remembered, facts.Manifest)
	}
	return known, facts, err
}

// makeBinding has the adapter make the binding and keeps what is to be known of it. If a new one can't be kept there is none: the
// adapter takes it back.
func (b *Broker) makeBinding(ctx context.Context, wanted wantedBinding, facts adapterclient.BindingRequest, isNew bool) (adapterclient.Binding, error) {
	made, err := b.Adapter.CreateBinding(ctx, facts)
	if err != nil {
		return adapterclient.Binding{}, err
	}
	if err = b.stillWanted(ctx, wanted); err == nil {
		err = b.keepCredentials(ctx, wanted, &made)
	}
	if err == nil {
		err = b.kept.write(ctx, wanted.bindingName, wanted.madeAs(made))
	}
	if err != nil && isNew {
		b.takeBack(ctx, wanted, facts)
	}
	return made, err
}

// stillWanted looks whether another broker has taken the binding back while it was being made.
func (b *Broker) stillWanted(ctx context.Context, wanted wantedBinding) error {
	if !b.Switches.SideBySide || !wanted.later() {
		return nil
	}
	known, err := b.kept.read(ctx, wanted.bindingName)
	if err == nil && (known == nil || known.Operation.ID != wanted.operation.ID) {
		err = &Error{Kind: Concurrency, Message: errUnbound.Error(), Cause: errUnbound}
	}
	return err
}

// takeBack leaves nothing of a binding that nobody will be told of. The adapter is asked as a platform's unbind would ask it.
func (b *Broker) takeBack(ctx context.Context, wanted wantedBinding, facts adapterclient.BindingRequest) {
	var err error
	facts.RequestParameters, err = json.Marshal(domain.UnbindDetails{ServiceID: b.offering.ID, PlanID: wanted.plan.ID})
	if err == nil {
		err = b.Adapter.DeleteBinding(ctx, facts)
	}
	if errors.Is(err, adapterclient.ErrBindingNotFound) {
		err = nil
	}
	if err = errors.Join(err, b.forgetBinding(ctx, wanted.bindingName)); err != nil {
		b.Logger.ErrorContext(ctx, "bind.not-taken-back", slog.String("error", err.Error()))
	}
}

// maxBindingWait is how long a binding waits for others of its instance. Platforms give up after a minute.
const maxBindingWait = 50 * time.Second

// bindingTurn waits until no other binding of the instance is being made. Who hangs up loses the turn.
func (b *Broker) bindingTurn(ctx context.Context, instanceID string) (unlock func(), refusal *Error) {
	ctx, cancel := context.WithTimeout(ctx, maxBindingWait)
	defer cancel()
	unlock, err := b.bindings.wait(ctx, instanceID)
	if err != nil {
		return nil, &Error{Kind: Concurrency, Message: "Other bindings of your service instance are being made. Please try again later.", Cause: err}
	}
	return unlock, nil
}

// bindable finds the plan and checks what is asked of it.
func (b *Broker) bindable(details domain.BindDetails) (*plan, json.RawMessage, *Error) {
	plan, refusal := b.offering.plan(details.ServiceID, details.PlanID)
	if refusal != nil {
		return nil, nil, refusal
	}
	if !b.offering.IsBindable(plan.Plan) {
		return nil, nil, refuse(BadRequest, "plan %q is not bindable", plan.Name)
	}
	if details.BindResource != nil && details.BindResource.BackupAgent && !b.Switches.SupportBackupAgentBinding {
		return nil, nil, refuse(Refused, "Backup agent bindings are not supported by this service")
	}
	parameters, refusal := b.Schemas.parameters(plan, OperationBind, details.RawParameters)
	return plan, parameters, refusal
}

// bindFailed gives the adapter's exit codes for bindings their meaning (adapter protocol: exit codes).
func (b *Broker) bindFailed(ctx context.Context, instanceID string, operation OperationType, cause error) *Error {
	kind, fallback := Internal, ""
	switch {
	case errors.Is(cause, adapterclient.ErrBindingExists):
		kind, fallback = AlreadyExists, "The binding already exists"
	case errors.Is(cause, adapterclient.ErrAppGUIDMissing):
		kind, fallback = RequiresApp, "This service supports generation of credentials through binding an application only"
	case errors.Is(cause, adapterclient.ErrBindingNotFound):
		kind, fallback = Gone, "The binding does not exist"
	default:
		return b.failed(ctx, instanceID, operation, cause)
	}
	var exit *adapterclient.ExitError
	if errors.As(cause, &exit) && exit.UserMessage != "" {
		fallback = exit.UserMessage
	}
	return &Error{Kind: kind, Message: fallback, Cause: cause}
}
