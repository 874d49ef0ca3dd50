package main

import "github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"

// schemas tell the platform which parameters there are, so that it can ask for them and refuse wrong ones early. The
// platforms want draft-04.
type schemas struct{}

func (schemas) GeneratePlanSchema(serviceadapter.GeneratePlanSchemaParams) (serviceadapter.PlanSchema, error) {
	instance := serviceadapter.JSONSchemas{Parameters: object(map[string]interface{}{
		maxMemoryParameter: map[string]interface{}{
			"type": "integer", "minimum": leastMemoryMB, "maximum": mostMemoryMB,
			"description": "How much memory a node may use for entries, in MB",
		},
		evictionPolicyParameter: map[string]interface{}{
			"type": "string", "enum": evictionPolicies(),
			"description": "What to drop when the memory is used up",
		},
	})}
	binding := serviceadapter.JSONSchemas{Parameters: object(map[string]interface{}{})}
	return serviceadapter.PlanSchema{
		ServiceInstance: serviceadapter.ServiceInstanceSchema{Create: instance, Update: instance},
		ServiceBinding:  serviceadapter.ServiceBindingSchema{Create: binding},
	}, nil
}

func object(properties map[string]interface{}) map[string]interface{} {
	return map[string]interface{}{
		"$schema":              "http://json-schema.org/draft-04/schema#",
		"type":                 "object",
		"additionalProperties": false,
		"properties":           properties,
	}
}
