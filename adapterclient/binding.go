package adapterclient

import (
	"context"
	"encoding/json"
)

// BindingRequest is the input of create-binding and of delete-binding.
type BindingRequest struct {
	BindingID string
	// Topology maps instance groups to their IPs; nil is passed as {}.
	Topology map[string][]string
	// Manifest is the deployed manifest's YAML.
	Manifest string
	// RequestParameters is a JSON object; nil is passed as {}.
	RequestParameters json.RawMessage
	// Secrets maps references in the manifest to values; nil is passed as null: the broker resolves none.
	Secrets map[string]string
	// DNSAddresses maps the names of the plan's binding_with_dns to addresses; nil is passed as {}.
	DNSAddresses map[string]string
}

// CreateBinding asks the adapter for credentials. The facts ErrBindingExists and ErrAppGUIDMissing belong to this verb.
// Errors: as of GenerateManifest.
func (c *Client) CreateBinding(ctx context.Context, request BindingRequest) (Binding, error) {
	invocation, err := request.invocation(ctx, VerbCreateBinding, c.useStdin)
	if err != nil {
		return Binding{}, err
	}
	output, err := c.run(ctx, invocation)
	if err != nil {
		return Binding{}, err
	}
	return parseBinding(output)
}

// DeleteBinding asks the adapter to take credentials back. What it prints on success has no meaning, only its size can be
// a fault. The fact ErrBindingNotFound belongs to this verb. Errors: as of GenerateManifest.
func (c *Client) DeleteBinding(ctx context.Context, request BindingRequest) error {
	invocation, err := request.invocation(ctx, VerbDeleteBinding, c.useStdin)
	if err != nil {
		return err
	}
	_, err = c.run(ctx, invocation)
	return err
}

func (r BindingRequest) invocation(ctx context.Context, verb string, useStdin bool) (invocation, error) {
	texts := jsonTexts{verb: verb}
	input := bindingInput{
		BindingID:         r.BindingID,
		BOSHVMs:           texts.of("bosh_vms", emptyIfNil(r.Topology)),
		Manifest:          r.Manifest,
		RequestParameters: objectOrEmpty(r.RequestParameters),
		Secrets:           texts.of("secrets", r.Secrets),
		DNSAddresses:      texts.of("dns_addresses", emptyIfNil(r.DNSAddresses)),
	}
	if texts.err != nil {
		return invocation{}, texts.err
	}
	if !useStdin {
		return asArguments(verb, input.BindingID, input.BOSHVMs, input.Manifest, input.RequestParameters), nil
	}
	if verb == VerbDeleteBinding {
		return onStdin(ctx, verb, stdinInput{DeleteBinding: input})
	}
	return onStdin(ctx, verb, stdinInput{CreateBinding: input})
}
