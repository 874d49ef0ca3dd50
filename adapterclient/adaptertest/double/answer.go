package main

import (
	"encoding/json"
	"fmt"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
)

func (r request) answer(steering adaptertest.Steering) (string, error) {
	switch r.verb {
	case "generate-manifest":
		return r.manifestAnswer(steering)
	case "dashboard-url":
		return jsonText(map[string]any{"dashboard_url": "https://dashboard.example/" + r.instanceID})
	case "create-binding":
		return jsonText(map[string]any{"credentials": map[string]any{
			"binding_id":    r.bindingID,
			"deployment":    r.deployment,
			"topology":      r.topology,
			"dns_addresses": r.dnsAddresses,
		}})
	case "generate-plan-schemas":
		return jsonText(map[string]any{
			"service_instance": map[string]any{"create": anyParameters(), "update": anyParameters()},
			"service_binding":  map[string]any{"create": anyParameters()},
		})
	}
	return "", nil // delete-binding has nothing to say
}

func (r request) manifestAnswer(steering adaptertest.Steering) (string, error) {
	text := steering.Manifest
	if text == "" {
		var err error
		if text, err = r.defaultManifest(); err != nil {
			return "", err
		}
	}
	if r.positional {
		return text, nil
	}
	return jsonText(map[string]any{
		"manifest": text, "secrets": steering.Secrets, "configs": steering.Configs, "labels": steering.Labels,
	})
}

func anyParameters() map[string]any {
	return map[string]any{"parameters": map[string]any{
		"$schema":    "http://json-schema.org/draft-04/schema#",
		"type":       "object",
		"properties": map[string]any{"size": map[string]any{"type": "integer", "minimum": 1}},
	}}
}

func jsonText(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("writing the answer: %w", err)
	}
	return string(text), nil
}
