package broker

import (
	"context"
	"log/slog"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// LastBindingOperation is what brokerapi knows of PollBinding.
func (b *Broker) LastBindingOperation(ctx context.Context, instanceID, bindingID string, details domain.PollDetails) (domain.LastOperation, error) {
	polled, err := b.PollBinding(ctx, instanceID, bindingID, details)
	return polled.LastOperation, err
}

// PollBinding tells how an operation on a binding stands (OSB 2.17, GET …/service_bindings/:id/last_operation).
func (b *Broker) PollBinding(ctx context.Context, instanceID, bindingID string, details domain.PollDetails) (Polled, error) {
	o, err := b.askedOfBinding(ctx, instanceID, bindingID, details.OperationData)
	if err != nil {
		return Polled{}, err
	}
	polled := Polled{LastOperation: told(o)}
	if o.goesOn() {
		polled.RetryAfter = pollAgainAfter(b.Now().Sub(o.Until.Add(-maxBindingOperation)), leastBetweenBindingPolls)
	}
	return polled, nil
}

// askedOfBinding finds the operation that a poll asks about, or the binding's last.
func (b *Broker) askedOfBinding(ctx context.Context, instanceID, bindingID, data string) (bindingOperation, error) {
	ctx = about(ctx, instanceID, slog.String("binding_id", bindingID))
	var asked bindingCursor
	if data != "" {
		var err error
		if asked, err = decodeBindingCursor(data); err != nil {
			return bindingOperation{}, &Error{Kind: BadRequest, Message: err.Error()}
		}
	}
	name := bindingName{instanceID, bindingID}
	if run := b.runs.of(name); run != nil && (asked.ID == "" || asked.ID == run.ID) {
		return run.bindingOperation, nil
	}
	if over := b.runs.over.get(asked.ID); asked.ID != "" && over.ID == asked.ID {
		return over, nil
	}
	known, err := b.readBinding(ctx, name)
	if err != nil {
		return bindingOperation{}, b.failed(ctx, instanceID, "", err)
	}
	operation, found := lookUpOperation(asked, known, b.BindingNotes != nil, b.process)
	if !found {
		return bindingOperation{}, refuse(NotFound, "Binding %s of service instance %s does not exist", bindingID, instanceID)
	}
	return operation, nil
}

// lookUpOperation finds how an operation stands that this process is not at, and hasn't ended, from what is known of the binding.
// lasting says that what is known outlives processes.
func lookUpOperation(asked bindingCursor, known *knownBinding, lasting bool, process string) (o bindingOperation, found bool) {
	ended := func(state domain.LastOperationState, description string) (bindingOperation, bool) {
		return bindingOperation{Type: asked.Operation, State: state, Description: description}, true
	}
	switch {
	case known != nil && known.Operation.Type == "" && asked.ID == "": // it was made in the request
		return bindingOperation{Type: OperationBind, State: domain.Succeeded}, true
	case known != nil && (asked.ID == "" || known.Operation.ID == asked.ID):
		return known.Operation, true
	case asked.ID == "":
		return o, false
	case asked.Operation == OperationUnbind && lasting: // its end is that nothing is known of it
		return ended(domain.Succeeded, "")
	case known != nil:
		return ended(domain.Failed, "another operation on the binding has begun since")
	case asked.Process != process && !lasting:
		return ended(domain.Failed, ErrStopped.Error())
	default:
		return o, false
	}
}

// told words an operation for the platform.
func told(o bindingOperation) domain.LastOperation {
	noun := map[OperationType]string{OperationBind: "Binding", OperationUnbind: "Unbinding"}[o.Type]
	switch o.State {
	case domain.InProgress:
		return domain.LastOperation{State: o.State, Description: noun + " in progress"}
	case domain.Succeeded:
		return domain.LastOperation{State: o.State, Description: noun + " completed"}
	default:
		return domain.LastOperation{State: domain.Failed, Description: noun + " failed: " + o.Description}
	}
}
