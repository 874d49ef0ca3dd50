package adapterclient

import (
	"context"
	"encoding/json"
)

// GenerateManifest is the input of generate-manifest. Nil maps and a nil PreviousPlan reach the adapter as null, which
// means something else than an empty map.
type GenerateManifest struct {
	ServiceDeployment ServiceDeployment
	Plan              Plan
	// PreviousPlan is nil when an instance is created.
	PreviousPlan *Plan
	// PreviousManifest is the deployed manifest's YAML, empty when an instance is created.
	PreviousManifest string
	// RequestParameters is a JSON object: the OSB request's body, as the protocol wants it; nil is passed as {}.
	RequestParameters json.RawMessage
	// PreviousSecrets maps references, with their double parentheses, to values.
	PreviousSecrets map[string]string
	// PreviousConfigs maps config types to YAML.
	PreviousConfigs map[string]string
	UAAClient       map[string]string
}

// GeneratedManifest is the output of generate-manifest. In positional mode only Manifest can be set.
type GeneratedManifest struct {
	// Manifest is YAML that nobody has read yet.
	Manifest string
	// Secrets maps the names in ((odb_secret:NAME)) to values: JSON strings or objects.
	Secrets map[string]json.RawMessage
	// Configs maps config types to YAML.
	Configs map[string]string
	// Labels go into the OSB response's metadata.
	Labels map[string]json.RawMessage
}

// GenerateManifest asks the adapter for a deployment's manifest. Errors: *ExitError, *StartError, *OutputError,
// ErrTimeout, or the context's.
func (c *Client) GenerateManifest(ctx context.Context, request GenerateManifest) (GeneratedManifest, error) {
	invocation, err := request.invocation(ctx, c.useStdin)
	if err != nil {
		return GeneratedManifest{}, err
	}
	output, err := c.run(ctx, invocation)
	if err != nil {
		return GeneratedManifest{}, err
	}
	if !c.useStdin {
		return GeneratedManifest{Manifest: string(output)}, nil
	}
	return parseGeneratedManifest(output)
}

func (r GenerateManifest) invocation(ctx context.Context, useStdin bool) (invocation, error) {
	texts := jsonTexts{verb: VerbGenerateManifest}
	input := generateManifestInput{
		ServiceDeployment: texts.of("service_deployment", r.ServiceDeployment),
		Plan:              texts.of("plan", r.Plan),
		PreviousPlan:      texts.of("previous_plan", r.PreviousPlan),
		PreviousManifest:  r.PreviousManifest,
		RequestParameters: objectOrEmpty(r.RequestParameters),
		PreviousSecrets:   texts.of("previous_secrets", r.PreviousSecrets),
		PreviousConfigs:   texts.of("previous_configs", r.PreviousConfigs),
		UAAClient:         texts.of("uaa_client", r.UAAClient),
	}
	if texts.err != nil {
		return invocation{}, texts.err
	}
	if useStdin {
		return onStdin(ctx, VerbGenerateManifest, stdinInput{GenerateManifest: input})
	}
	return asArguments(VerbGenerateManifest,
		input.ServiceDeployment, input.Plan, input.RequestParameters, input.PreviousManifest, input.PreviousPlan), nil
}

func parseGeneratedManifest(output []byte) (GeneratedManifest, error) {
	var generated struct {
		Manifest string                     `json:"manifest"`
		Secrets  map[string]json.RawMessage `json:"secrets"`
		Configs  map[string]string          `json:"configs"`
		Labels   map[string]json.RawMessage `json:"labels"`
	}
	if err := parseOutput(VerbGenerateManifest, output, &generated); err != nil {
		return GeneratedManifest{}, err
	}
	return GeneratedManifest(generated), nil
}
