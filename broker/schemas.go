package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/schemas"
)

// SchemaGenerator is the part of the adapter that describes the parameters of a plan.
type SchemaGenerator interface {
	GeneratePlanSchemas(ctx context.Context, plan adapterclient.Plan) (adapterclient.PlanSchemas, error)
}

// Schemas are the JSON schemas of the plans' parameters, by plan id. Nil ones allow everything and are not in the catalog.
type Schemas map[string]planSchemas

// planSchemas are those of one plan, by the operation whose parameters they describe. An upgrade has no parameters.
type planSchemas map[OperationType]*schemas.Schema

// SchemaError says that one of the schemas that the adapter gave for a plan can't be used.
type SchemaError struct {
	// Plan is the plan's name.
	Plan string
	// Schema is where the adapter's answer has it, as in service_instance.create.parameters.
	Schema string
	// Cause is a *schemas.Unusable.
	Cause error
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("plan %q: the service adapter's schema %s can't be used: %s", e.Plan, e.Schema, e.Cause)
}

func (e *SchemaError) Unwrap() error { return e.Cause }

// maxGenerations is how many plans the adapter is asked for at a time.
const maxGenerations = 4

// GenerateSchemas asks the adapter once for the schemas of every plan. What is wrong with any of them is in the error, as
// are the adapter's failures; errors.As finds *SchemaError and the facts of adapterclient.
func GenerateSchemas(ctx context.Context, generator SchemaGenerator, catalog config.ServiceCatalog) (Schemas, error) {
	offering, err := newOffering(catalog, false)
	if err != nil {
		return nil, err
	}
	answers := make([]planSchemas, len(catalog.Plans))
	failures := make([]error, len(catalog.Plans))
	turns := make(chan struct{}, maxGenerations)
	var requests []func(context.Context) error
	for i, p := range catalog.Plans {
		requests = append(requests, func(ctx context.Context) error {
			turns <- struct{}{}
			defer func() { <-turns }()
			answers[i], failures[i] = generatePlanSchemas(ctx, generator, offering.plans[p.ID])
			return nil
		})
	}
	if err := sideBySide(ctx, requests...); err != nil {
		return nil, err
	}
	if err := generationFailure(failures); err != nil {
		return nil, err
	}
	byPlan := Schemas{}
	for i, p := range catalog.Plans {
		byPlan[p.ID] = answers[i]
	}
	return byPlan, nil
}

// generationFailure is everything that went wrong. An adapter without the command is told of once, not for each plan.
func generationFailure(failures []error) error {
	lacking := func(err error) bool { return errors.Is(err, adapterclient.ErrNotImplemented) }
	if slices.ContainsFunc(failures, lacking) {
		once := fmt.Errorf("broker.enable_plan_schemas is true, but the service adapter does not implement %s: set it to false, or use an adapter that does: %w",
			adapterclient.VerbGeneratePlanSchemas, adapterclient.ErrNotImplemented)
		failures = append(slices.DeleteFunc(failures, lacking), once)
	}
	return errors.Join(failures...)
}

func generatePlanSchemas(ctx context.Context, generator SchemaGenerator, p *plan) (planSchemas, error) {
	given, err := generator.GeneratePlanSchemas(ctx, p.adapter)
	if err != nil {
		return nil, fmt.Errorf("plan %q: asking the service adapter for its schemas: %w", p.Name, err)
	}
	compiled := planSchemas{}
	var problems []error
	for _, one := range []struct {
		operation OperationType
		path      string
		text      json.RawMessage
	}{
		{OperationCreate, "service_instance.create.parameters", given.InstanceCreate},
		{OperationUpdate, "service_instance.update.parameters", given.InstanceUpdate},
		{OperationBind, "service_binding.create.parameters", given.BindingCreate},
	} {
		if compiled[one.operation], err = schemas.Compile(one.text); err != nil {
			problems = append(problems, &SchemaError{Plan: p.Name, Schema: one.path, Cause: err})
		}
	}
	return compiled, errors.Join(problems...)
}

// parameters are the user's as an object that the plan's schema for the operation allows.
func (s Schemas) parameters(p *plan, operation OperationType, raw json.RawMessage) (json.RawMessage, *Error) {
	parameters, refusal := objectOf(raw)
	if refusal == nil {
		refusal = s.check(p, operation, parameters)
	}
	return parameters, refusal
}

// check refuses parameters that break the plan's schema for the operation, with all that is wrong and none of their values.
func (s Schemas) check(p *plan, operation OperationType, parameters json.RawMessage) *Error {
	schema := s[p.ID][operation]
	if schema == nil {
		return nil
	}
	if found := schema.Violations(parameters); len(found) > 0 {
		return refuse(BadRequest, "parameters are not valid: %s", strings.Join(found, "; "))
	}
	return nil
}

// osb are the plan's schemas as the catalog tells them (OSB 2.17, Schemas Object); nil if there are none.
func (s Schemas) osb(planID string) *domain.ServiceSchemas {
	ofPlan := s[planID]
	if ofPlan == nil {
		return nil
	}
	return &domain.ServiceSchemas{
		Instance: domain.ServiceInstanceSchema{
			Create: domain.Schema{Parameters: ofPlan[OperationCreate].Document},
			Update: domain.Schema{Parameters: ofPlan[OperationUpdate].Document},
		},
		Binding: domain.ServiceBindingSchema{Create: domain.Schema{Parameters: ofPlan[OperationBind].Document}},
	}
}
