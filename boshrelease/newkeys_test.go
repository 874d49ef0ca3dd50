package boshrelease_test

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/config"
)

// opaque holds what the operator gives to adapters, under keys of no meaning here.
const opaque = "service_catalog.global_properties"

// What a broker.yml can say, a property can say, too: the example has every key, the full deployment every property.
func TestEveryKeyOfTheConfigurationCanBeSet(t *testing.T) {
	deployments, err := all()
	if err != nil {
		t.Fatal(err)
	}
	rendered := map[string]any{}
	if err := yaml.Unmarshal([]byte(deployments["deployments/full"].rendered["broker"].Files["config/broker.yml"]), &rendered); err != nil {
		t.Fatal(err)
	}
	example := map[string]any{}
	if err := yaml.Unmarshal(config.Example(), &example); err != nil {
		t.Fatal(err)
	}
	for _, key := range missing(example, rendered, "") {
		t.Errorf("%s of broker.yml is not rendered for testdata/deployments/full.yml: there is no property for it, or the deployment doesn't give it", key)
	}
}

// missing are the paths of keys that one tree has and the other hasn't, down to what isn't a map.
func missing(tree, in map[string]any, path string) (keys []string) {
	for key, value := range tree {
		at := strings.TrimPrefix(path+"."+key, ".")
		other, there := in[key]
		branch, isMap := value.(map[string]any)
		switch {
		case !there:
			keys = append(keys, at)
		case isMap && at != opaque:
			otherBranch, _ := other.(map[string]any)
			keys = append(keys, missing(branch, otherBranch, at)...)
		}
	}
	return keys
}
