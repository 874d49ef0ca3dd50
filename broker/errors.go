package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/secrets"
	"github.com/on-demand-broker/odb/uaaclients"
)

// Kind is what a refusal or a failure means to the platform. The server maps it to a status.
type Kind int

// The kinds, each with the OSB 2.17 status that it ends as.
const (
	Internal                Kind = iota // 500: something failed that the user can't help
	BadRequest                          // 400: the request can't be right
	NotFound                            // 404: there is no such instance
	Gone                                // 410: what was to be deleted is not there
	AlreadyExists                       // 409: it is there already, with attributes that may differ
	AsyncRequired                       // 422 AsyncRequired
	Concurrency                         // 422 ConcurrencyError: another operation is under way
	MaintenanceInfoConflict             // 422 MaintenanceInfoConflict
	RequiresApp                         // 422 RequiresApp
	PlanChangeNotSupported              // 422 PlanChangeNotSupported
	Refused                             // 422: not in the instance's present state
	Unsafe                              // 422: it might take from somebody what is in use
	NotImplemented                      // 404: a verb of OSB that this broker doesn't offer
	Unavailable                         // 503: ask again later; nothing was changed, or it can't be told
)

// Error is a refusal or failure of a verb.
type Error struct {
	Kind Kind
	// Message is for the user of the platform. It is empty when only the status speaks.
	Message string
	// Cause is for the operator: it goes to the log, and to the user only if the operator wants
	// expose_operational_errors. It is nil for plain refusals.
	Cause error
}

func (e *Error) Error() string {
	switch {
	case e.Cause == nil:
		return e.Message
	case e.Message == "":
		return e.Cause.Error()
	default:
		return e.Message + ": " + e.Cause.Error()
	}
}

func (e *Error) Unwrap() error { return e.Cause }

func refuse(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// incident is what an operator needs to find a failure again. It is told to the user instead of the cause.
type incident struct {
	service, instanceID, requestID string
	taskID                         int
	operation                      OperationType
}

func (i incident) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "The request could not be completed. Please contact your operations team with this information: "+
		"service: %s, service-instance-guid: %s, broker-request-id: %s", i.service, i.instanceID, i.requestID)
	if i.taskID != 0 {
		fmt.Fprintf(&text, ", task-id: %d", i.taskID)
	}
	if i.operation != "" {
		fmt.Fprintf(&text, ", operation: %s", i.operation)
	}
	return text.String()
}

func (b *Broker) incident(ctx context.Context, instanceID string, operation OperationType) incident {
	return incident{service: b.offering.Name, instanceID: instanceID, requestID: RequestFrom(ctx).ID, operation: operation}
}

// failed gives a fact from below its meaning: an adapter's words are the user's, a Director that is away means
// "later", the rest is an incident.
func (b *Broker) failed(ctx context.Context, instanceID string, operation OperationType, cause error) *Error {
	var known *Error
	if errors.As(cause, &known) {
		return known
	}
	var exit *adapterclient.ExitError
	if errors.As(cause, &exit) && !errors.Is(cause, adapterclient.ErrNotImplemented) && exit.UserMessage != "" {
		return &Error{Kind: Internal, Message: exit.UserMessage, Cause: cause}
	}
	if isUnavailable(cause) {
		return &Error{Kind: Unavailable, Message: fmt.Sprintf("Currently unable to %s the service instance, please try again later", verbOf(operation)), Cause: cause}
	}
	return &Error{Kind: Internal, Message: b.incident(ctx, instanceID, operation).String(), Cause: cause}
}

func isUnavailable(err error) bool {
	var director *boshclient.Unavailable
	var credhub *secrets.Unavailable
	var uaa *uaaclients.Unavailable
	return errors.As(err, &director) || errors.As(err, &credhub) || errors.As(err, &uaa)
}

func verbOf(operation OperationType) string {
	switch operation {
	case OperationBind:
		return "bind to"
	case OperationUnbind:
		return "unbind from"
	case OperationForceDelete:
		return "delete"
	case "":
		return "look at"
	default:
		return string(operation)
	}
}
