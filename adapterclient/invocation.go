package adapterclient

import (
	"context"
	"encoding/json"
	"fmt"
)

// invocation is everything that one run of the adapter receives.
type invocation struct {
	verb string
	// args follow the executable's name; the verb is the first.
	args []string
	// stdin is nil in positional mode.
	stdin []byte
}

// stdinInput is the one object that the adapter reads in stdin mode. The five sections of verbs are always there, those of
// other verbs with empty strings: adapters may rely on it.
type stdinInput struct {
	GenerateManifest    generateManifestInput    `json:"generate_manifest"`
	DashboardURL        dashboardURLInput        `json:"dashboard_url"`
	CreateBinding       bindingInput             `json:"create_binding"`
	DeleteBinding       bindingInput             `json:"delete_binding"`
	GeneratePlanSchemas generatePlanSchemasInput `json:"generate_plan_schemas"`
	// OriginatingIdentity is missing if nobody said who asks. Adapters that don't know it pass it over.
	OriginatingIdentity *originatingIdentityInput `json:"originating_identity,omitempty"`
}

// Every field below is a text; most of them are JSON or YAML themselves.

type generateManifestInput struct {
	ServiceDeployment string `json:"service_deployment"`
	Plan              string `json:"plan"`
	PreviousPlan      string `json:"previous_plan"`
	PreviousManifest  string `json:"previous_manifest"`
	RequestParameters string `json:"request_parameters"`
	PreviousSecrets   string `json:"previous_secrets"`
	PreviousConfigs   string `json:"previous_configs"`
	UAAClient         string `json:"uaa_client"`
}

type dashboardURLInput struct {
	InstanceID string `json:"instance_id"`
	Plan       string `json:"plan"`
	Manifest   string `json:"manifest"`
}

type bindingInput struct {
	BindingID         string `json:"binding_id"`
	BOSHVMs           string `json:"bosh_vms"`
	Manifest          string `json:"manifest"`
	RequestParameters string `json:"request_parameters"`
	Secrets           string `json:"secrets"`
	DNSAddresses      string `json:"dns_addresses"`
}

type generatePlanSchemasInput struct {
	Plan string `json:"plan"`
}

type originatingIdentityInput struct {
	Platform string `json:"platform"`
	Value    string `json:"value"`
}

// onStdin makes the invocation of a verb in stdin mode: no argument but the verb, and one JSON line.
func onStdin(ctx context.Context, verb string, input stdinInput) (invocation, error) {
	input.OriginatingIdentity = originatingIdentityFrom(ctx)
	line, err := json.Marshal(input)
	if err != nil {
		return invocation{}, fmt.Errorf("service adapter: writing the input of %s: %w", verb, err)
	}
	return invocation{verb: verb, args: []string{verb}, stdin: append(line, '\n')}, nil
}

// asArguments makes the invocation of a verb in positional mode.
func asArguments(verb string, args ...string) invocation {
	return invocation{verb: verb, args: append([]string{verb}, args...)}
}

// jsonTexts collects the inner JSON texts of an input, so that one check suffices for all of them.
type jsonTexts struct {
	verb string
	err  error
}

func (t *jsonTexts) of(field string, value any) string {
	text, err := json.Marshal(value)
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("service adapter: writing %s for %s: %w", field, t.verb, err)
	}
	return string(text)
}

// objectOrEmpty is the text of an object that the protocol never leaves out.
func objectOrEmpty(object json.RawMessage) string {
	if len(object) == 0 {
		return "{}"
	}
	return string(object)
}

func emptyIfNil[M ~map[string]V, V any](object M) M {
	if object == nil {
		return M{}
	}
	return object
}
