package main

import (
	"fmt"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
	"gopkg.in/yaml.v2"
)

const securityGroupsProperty = "security_groups"

// vmExtension puts the VMs into security groups. It comes to the Director in a cloud config of the instance's own.
type vmExtension struct {
	Name            string          `yaml:"name"`
	CloudProperties cloudProperties `yaml:"cloud_properties"`
}

type cloudProperties struct {
	SecurityGroups []string `yaml:"security_groups"`
}

// newExtension is the plan's; nil if it asks for no security groups. Cloud configs hold for all deployments, so its name
// begins with the instance's.
func newExtension(deployment string, plan serviceadapter.Plan) (*vmExtension, error) {
	given, is := plan.Properties[securityGroupsProperty]
	if !is {
		return nil, nil
	}
	list, _ := given.([]interface{})
	extension := &vmExtension{Name: deployment + "-security-groups"}
	for _, item := range list {
		name, _ := item.(string)
		if name == "" {
			list = nil
			break
		}
		extension.CloudProperties.SecurityGroups = append(extension.CloudProperties.SecurityGroups, name)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("the plan's property %s must be a list of names", securityGroupsProperty)
	}
	return extension, nil
}

// configs are none without an extension: the broker removes the one that is there once the VMs no longer use it.
func (e *vmExtension) configs() (serviceadapter.BOSHConfigs, error) {
	if e == nil {
		return nil, nil
	}
	text, err := yaml.Marshal(map[string][]vmExtension{"vm_extensions": {*e}})
	if err != nil {
		return nil, fmt.Errorf("writing the cloud config: %w", err)
	}
	return serviceadapter.BOSHConfigs{"cloud": string(text)}, nil
}
