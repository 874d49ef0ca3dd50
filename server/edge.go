package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/pivotal-cf/brokerapi/v11/domain"
	"github.com/pivotal-cf/brokerapi/v11/domain/apiresponses"

	"github.com/on-demand-broker/odb/broker"
)

// edge serves the broker's verbs to brokerapi, which looks at the outermost type of an error only: each error passes
// toResponse.
type edge struct{ options Options }

// mapped passes a verb's result on and maps its error.
func mapped[T any](ctx context.Context, e *edge, verb string) func(T, error) (T, error) {
	return func(result T, err error) (T, error) {
		if err != nil {
			err = e.toResponse(ctx, verb, err)
		}
		return result, err
	}
}

func (e *edge) Services(ctx context.Context) ([]domain.Service, error) {
	return mapped[[]domain.Service](ctx, e, "catalog")(e.options.Broker.Services(ctx))
}

func (e *edge) Provision(ctx context.Context, instanceID string, details domain.ProvisionDetails, asyncAllowed bool) (domain.ProvisionedServiceSpec, error) {
	// OSB 2.17 requires both still (row C4), though they are deprecated and the context says more.
	for _, required := range []struct{ name, value string }{{"organization_guid", details.OrganizationGUID}, {"space_guid", details.SpaceGUID}} {
		if required.value == "" {
			return domain.ProvisionedServiceSpec{}, e.toResponse(ctx, "provision", badRequest(errors.New(required.name+" missing")))
		}
	}
	return mapped[domain.ProvisionedServiceSpec](ctx, e, "provision")(e.options.Broker.Provision(ctx, instanceID, details, asyncAllowed))
}

func (e *edge) Deprovision(ctx context.Context, instanceID string, details domain.DeprovisionDetails, asyncAllowed bool) (domain.DeprovisionServiceSpec, error) {
	return mapped[domain.DeprovisionServiceSpec](ctx, e, "deprovision")(e.options.Broker.Deprovision(ctx, instanceID, details, asyncAllowed))
}

func (e *edge) GetInstance(ctx context.Context, instanceID string, details domain.FetchInstanceDetails) (domain.GetInstanceDetailsSpec, error) {
	return mapped[domain.GetInstanceDetailsSpec](ctx, e, "get-instance")(e.options.Broker.GetInstance(ctx, instanceID, details))
}

func (e *edge) Update(ctx context.Context, instanceID string, details domain.UpdateDetails, asyncAllowed bool) (domain.UpdateServiceSpec, error) {
	return mapped[domain.UpdateServiceSpec](ctx, e, "update")(e.options.Broker.Update(ctx, instanceID, details, asyncAllowed))
}

func (e *edge) LastOperation(ctx context.Context, instanceID string, details domain.PollDetails) (domain.LastOperation, error) {
	return mapped[domain.LastOperation](ctx, e, "last-operation")(e.options.Broker.LastOperation(ctx, instanceID, details))
}

func (e *edge) Bind(ctx context.Context, instanceID, bindingID string, details domain.BindDetails, asyncAllowed bool) (domain.Binding, error) {
	return mapped[domain.Binding](ctx, e, "bind")(e.options.Broker.Bind(ctx, instanceID, bindingID, details, asyncAllowed))
}

func (e *edge) Unbind(ctx context.Context, instanceID, bindingID string, details domain.UnbindDetails, asyncAllowed bool) (domain.UnbindSpec, error) {
	return mapped[domain.UnbindSpec](ctx, e, "unbind")(e.options.Broker.Unbind(ctx, instanceID, bindingID, details, asyncAllowed))
}

func (e *edge) GetBinding(ctx context.Context, instanceID, bindingID string, details domain.FetchBindingDetails) (domain.GetBindingSpec, error) {
	return mapped[domain.GetBindingSpec](ctx, e, "get-binding")(e.options.Broker.GetBinding(ctx, instanceID, bindingID, details))
}

func (e *edge) LastBindingOperation(ctx context.Context, instanceID, bindingID string, details domain.PollDetails) (domain.LastOperation, error) {
	return mapped[domain.LastOperation](ctx, e, "last-binding-operation")(e.options.Broker.LastBindingOperation(ctx, instanceID, bindingID, details))
}

// statuses says how each kind of error ends (OSB 2.17, Service Broker Errors).
var statuses = map[broker.Kind]struct {
	status int
	key    string
	empty  bool // the status says it all
}{
	broker.Internal:                {status: http.StatusInternalServerError},
	broker.BadRequest:              {status: http.StatusBadRequest},
	broker.NotFound:                {status: http.StatusNotFound},
	broker.Gone:                    {status: http.StatusGone, empty: true},
	broker.AlreadyExists:           {status: http.StatusConflict},
	broker.AsyncRequired:           {status: http.StatusUnprocessableEntity, key: "AsyncRequired"},
	broker.Concurrency:             {status: http.StatusUnprocessableEntity, key: "ConcurrencyError"},
	broker.MaintenanceInfoConflict: {status: http.StatusUnprocessableEntity, key: "MaintenanceInfoConflict"},
	broker.RequiresApp:             {status: http.StatusUnprocessableEntity, key: "RequiresApp"},
	broker.PlanChangeNotSupported:  {status: http.StatusUnprocessableEntity, key: "PlanChangeNotSupported"},
	broker.Refused:                 {status: http.StatusUnprocessableEntity},
	broker.Unsafe:                  {status: http.StatusUnprocessableEntity},
	broker.NotImplemented:          {status: http.StatusNotFound},
	broker.Unavailable:             {status: http.StatusServiceUnavailable},
}

// toResponse is the one mapping from an error to status and body. What it doesn't know it doesn't show: the text might
// hold anything.
func (e *edge) toResponse(ctx context.Context, verb string, err error) *apiresponses.FailureResponse {
	known := understood(ctx, err)
	outcome := statuses[known.Kind]
	logFailure(ctx, e.options.Logger, verb, outcome.status, known)

	response := apiresponses.NewFailureResponseBuilder(errors.New(description(known, e.options.ExposeOperationalErrors)), outcome.status, verb)
	if outcome.key != "" {
		response = response.WithErrorKey(outcome.key)
	}
	if outcome.empty {
		response = response.WithEmptyResponse()
	}
	return response.Build()
}

// understood is an error as one that the broker knows: what it doesn't know is a failure.
func understood(ctx context.Context, err error) *broker.Error {
	known := &broker.Error{Kind: broker.Internal, Message: unknownFailure(broker.RequestFrom(ctx).ID), Cause: err}
	errors.As(err, &known)
	return known
}

// description is what the user may read of an error.
func description(known *broker.Error, exposeCause bool) string {
	if exposeCause && known.Cause != nil {
		return known.Message + " - error-message: " + known.Cause.Error()
	}
	return known.Message
}

func logFailure(ctx context.Context, logger *slog.Logger, verb string, status int, err *broker.Error) {
	level, event := slog.LevelInfo, verb+".refused"
	if status >= http.StatusInternalServerError {
		level, event = slog.LevelError, verb+".failed"
	}
	logger.LogAttrs(ctx, level, event, slog.Int("status", status), slog.String("error", err.Error()))
}

// unknownFailure is what a user is told of a failure nobody foresaw.
func unknownFailure(requestID string) string {
	return "The request could not be completed. Please contact your operations team with this information: broker-request-id: " + requestID
}
