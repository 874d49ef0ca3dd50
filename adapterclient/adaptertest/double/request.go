package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// request is a call's input as far as the default behaviour needs it.
type request struct {
	verb       string
	positional bool
	deployment string
	instanceID string
	bindingID  string

	serviceDeployment serviceDeployment
	plan              plan
	parameters        tree
	previous          *manifest
	// topology and dnsAddresses are passed through unread.
	topology     json.RawMessage
	dnsAddresses json.RawMessage
}

type serviceDeployment struct {
	Name     string `json:"deployment_name"`
	Releases []struct {
		Name    string   `json:"name"`
		Version string   `json:"version"`
		Jobs    []string `json:"jobs"`
	} `json:"releases"`
	Stemcells []struct {
		Name    string `json:"stemcell_name"`
		OS      string `json:"stemcell_os"`
		Version string `json:"stemcell_version"`
	} `json:"stemcells"`
}

type plan struct {
	Properties     tree `json:"properties"`
	InstanceGroups []struct {
		Name               string              `json:"name"`
		VMType             string              `json:"vm_type"`
		VMExtensions       []string            `json:"vm_extensions"`
		PersistentDiskType string              `json:"persistent_disk_type"`
		Instances          int                 `json:"instances"`
		Networks           []string            `json:"networks"`
		AZs                []string            `json:"azs"`
		Lifecycle          string              `json:"lifecycle"`
		MigratedFrom       []map[string]string `json:"migrated_from"`
	} `json:"instance_groups"`
	Update tree `json:"update"`
}

// sections are the verbs' names on stdin; positions are the fields' names in the order of the positional protocol.
var (
	sections = map[string]string{
		"generate-manifest":     "generate_manifest",
		"dashboard-url":         "dashboard_url",
		"create-binding":        "create_binding",
		"delete-binding":        "delete_binding",
		"generate-plan-schemas": "generate_plan_schemas",
	}
	positions = map[string][]string{
		"generate-manifest":     {"service_deployment", "plan", "request_parameters", "previous_manifest", "previous_plan"},
		"dashboard-url":         {"instance_id", "plan", "manifest"},
		"create-binding":        {"binding_id", "bosh_vms", "manifest", "request_parameters"},
		"delete-binding":        {"binding_id", "bosh_vms", "manifest", "request_parameters"},
		"generate-plan-schemas": {"--plan-json", "plan"},
	}
)

func readRequest(verb string, args []string, stdin []byte) (request, error) {
	if sections[verb] == "" {
		return request{}, fmt.Errorf("unknown verb %q", verb)
	}
	request := request{verb: verb, positional: len(args) > 0}
	fields, err := fieldsOf(verb, args, stdin)
	if err != nil {
		return request, err
	}
	var body struct {
		Parameters tree `json:"parameters"`
	}
	for field, into := range map[string]any{
		"service_deployment": &request.serviceDeployment,
		"plan":               &request.plan,
		"request_parameters": &body,
		"bosh_vms":           &request.topology,
		"dns_addresses":      &request.dnsAddresses,
	} {
		if fields[field] == "" {
			continue
		}
		if err := json.Unmarshal([]byte(fields[field]), into); err != nil {
			return request, fmt.Errorf("%s: %w", field, err)
		}
	}
	request.parameters = body.Parameters
	request.bindingID = fields["binding_id"]
	if request.previous, err = readManifest(fields["previous_manifest"] + fields["manifest"]); err != nil {
		return request, err
	}
	request.identify(fields["instance_id"])
	return request, nil
}

// fieldsOf returns the call's fields by their names on stdin, whichever the mode. Without any input it returns none.
func fieldsOf(verb string, args []string, stdin []byte) (map[string]string, error) {
	if len(args) > 0 {
		names := positions[verb]
		if len(args) != len(names) {
			return nil, fmt.Errorf("%s got %d arguments instead of %d", verb, len(args), len(names))
		}
		fields := map[string]string{}
		for i, name := range names {
			fields[name] = args[i]
		}
		return fields, nil
	}
	if len(stdin) == 0 {
		return map[string]string{}, nil
	}
	var input map[string]map[string]string
	if err := json.Unmarshal(stdin, &input); err != nil {
		return nil, fmt.Errorf("stdin: %w", err)
	}
	return input[sections[verb]], nil
}

// identify finds out which deployment and instance the call is about, from what the verb is given of them.
func (r *request) identify(instanceID string) {
	const prefix = "service-instance_"
	switch {
	case instanceID != "":
		r.instanceID, r.deployment = instanceID, prefix+instanceID
		return
	case r.serviceDeployment.Name != "":
		r.deployment = r.serviceDeployment.Name
	case r.previous != nil:
		r.deployment = r.previous.Name
	}
	r.instanceID = strings.TrimPrefix(r.deployment, prefix)
}
