package adapterclient

import (
	"context"
	"encoding/json"
)

// PlanSchemas is the output of generate-plan-schemas: the JSON schemas of a plan's parameters, each as the adapter gave it
// and nil if it gave none. Whether they are usable is for the caller to say.
type PlanSchemas struct {
	InstanceCreate json.RawMessage
	InstanceUpdate json.RawMessage
	BindingCreate  json.RawMessage
}

// GeneratePlanSchemas asks the adapter for the schemas of a plan's parameters. Errors: as of GenerateManifest.
func (c *Client) GeneratePlanSchemas(ctx context.Context, plan Plan) (PlanSchemas, error) {
	invocation, err := planSchemasInvocation(ctx, plan, c.useStdin)
	if err != nil {
		return PlanSchemas{}, err
	}
	output, err := c.run(ctx, invocation)
	if err != nil {
		return PlanSchemas{}, err
	}
	return parsePlanSchemas(output)
}

func planSchemasInvocation(ctx context.Context, plan Plan, useStdin bool) (invocation, error) {
	texts := jsonTexts{verb: VerbGeneratePlanSchemas}
	input := generatePlanSchemasInput{Plan: texts.of("plan", plan)}
	if texts.err != nil {
		return invocation{}, texts.err
	}
	if useStdin {
		return onStdin(ctx, VerbGeneratePlanSchemas, stdinInput{GeneratePlanSchemas: input})
	}
	return asArguments(VerbGeneratePlanSchemas, "--plan-json", input.Plan), nil
}

func parsePlanSchemas(output []byte) (PlanSchemas, error) {
	type operation struct {
		Parameters json.RawMessage `json:"parameters"`
	}
	var schemas struct {
		ServiceInstance struct {
			Create operation `json:"create"`
			Update operation `json:"update"`
		} `json:"service_instance"`
		ServiceBinding struct {
			Create operation `json:"create"`
		} `json:"service_binding"`
	}
	if err := parseOutput(VerbGeneratePlanSchemas, output, &schemas); err != nil {
		return PlanSchemas{}, err
	}
	return PlanSchemas{
		InstanceCreate: schemas.ServiceInstance.Create.Parameters,
		InstanceUpdate: schemas.ServiceInstance.Update.Parameters,
		BindingCreate:  schemas.ServiceBinding.Create.Parameters,
	}, nil
}
