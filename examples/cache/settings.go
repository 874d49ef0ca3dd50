package main

import (
	"crypto/rand"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/pivotal-cf/on-demand-services-sdk/bosh"
	"gopkg.in/yaml.v2"
)

// propertiesKey is the key below which the job's properties stand.
const propertiesKey = "cache"

// cacheProperties are the job's properties. Requested is what users asked for in this and earlier requests: it has to
// be told apart from what came of the plan, or a change of plan would change nothing.
type cacheProperties struct {
	Port      int    `yaml:"port"`
	Password  string `yaml:"password"`
	settings  `yaml:",inline"`
	Requested settings `yaml:"requested"`
}

// settings are what users and plans can choose; a zero value stands for no choice.
type settings struct {
	MaxMemoryMB    int    `yaml:"max_memory_mb,omitempty"`
	EvictionPolicy string `yaml:"eviction_policy,omitempty"`
}

const (
	maxMemoryParameter      = "max_memory_mb"
	evictionPolicyParameter = "eviction_policy"
	leastMemoryMB           = 16
	mostMemoryMB            = 65536
)

func settingNames() []string { return []string{evictionPolicyParameter, maxMemoryParameter} }

func evictionPolicies() []string {
	return []string{"noeviction", "allkeys-lru", "allkeys-lfu", "volatile-lru", "volatile-ttl"}
}

func defaults() settings { return settings{MaxMemoryMB: 256, EvictionPolicy: "noeviction"} }

// or fills in what is not chosen from a lower authority.
func (s settings) or(lower settings) settings {
	if s.MaxMemoryMB == 0 {
		s.MaxMemoryMB = lower.MaxMemoryMB
	}
	if s.EvictionPolicy == "" {
		s.EvictionPolicy = lower.EvictionPolicy
	}
	return s
}

// overlaidWith checks parameters and puts them over the settings. Its errors are texts for users.
func (s settings) overlaidWith(parameters map[string]interface{}) (settings, error) {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		value := parameters[name]
		switch name {
		case maxMemoryParameter:
			memory, whole := wholeNumber(value)
			if !whole || memory < leastMemoryMB || memory > mostMemoryMB {
				return s, fmt.Errorf("%s must be a whole number from %d to %d", name, leastMemoryMB, mostMemoryMB)
			}
			s.MaxMemoryMB = memory
		case evictionPolicyParameter:
			policy, _ := value.(string)
			if !slices.Contains(evictionPolicies(), policy) {
				return s, fmt.Errorf("%s must be one of %s", name, strings.Join(evictionPolicies(), ", "))
			}
			s.EvictionPolicy = policy
		default:
			return s, fmt.Errorf("unknown parameter %q; known ones are %s", name, strings.Join(settingNames(), ", "))
		}
	}
	return s, nil
}

// planSettings are those of a plan's properties that are settings; a plan may have others.
func planSettings(properties map[string]interface{}) map[string]interface{} {
	chosen := map[string]interface{}{}
	for _, name := range settingNames() {
		if value, given := properties[name]; given {
			chosen[name] = value
		}
	}
	return chosen
}

// wholeNumber reads a JSON number, which the SDK hands over as a float64.
func wholeNumber(value interface{}) (int, bool) {
	number, ok := value.(float64)
	if !ok || number != math.Trunc(number) || math.Abs(number) > math.MaxInt32 {
		return 0, false
	}
	return int(number), true
}

// readProperties finds the job's properties in a manifest that this adapter made; nil if there is no manifest.
func readProperties(manifest *bosh.BoshManifest) (*cacheProperties, error) {
	if manifest == nil {
		return nil, nil
	}
	for _, group := range manifest.InstanceGroups {
		for _, deployed := range group.Jobs {
			if deployed.Name != job {
				continue
			}
			text, err := yaml.Marshal(deployed.Properties[propertiesKey])
			if err != nil {
				return nil, fmt.Errorf("reading the properties of job %s: %w", job, err)
			}
			var properties cacheProperties
			if err := yaml.Unmarshal(text, &properties); err != nil {
				return nil, fmt.Errorf("the properties of job %s have another form than this adapter gives them", job)
			}
			return &properties, nil
		}
	}
	return nil, fmt.Errorf("the deployed manifest has no job %s", job)
}

func randomPassword() (string, error) { return rand.Text(), nil }
