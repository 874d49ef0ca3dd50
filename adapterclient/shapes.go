package adapterclient

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// ServiceDeployment names the deployment and the releases and stemcells to build it from. It marshals to the
// protocol's service_deployment.
type ServiceDeployment struct {
	DeploymentName string     `json:"deployment_name"`
	Releases       []Release  `json:"releases"`
	Stemcells      []Stemcell `json:"stemcells"`
}

// Release is a BOSH release with the jobs that the adapter may take from it.
type Release struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Jobs    []string `json:"jobs"`
}

// Stemcell is a BOSH stemcell; Name is needed only where several stemcells share an OS.
type Stemcell struct {
	Name    string `json:"stemcell_name,omitempty"`
	OS      string `json:"stemcell_os"`
	Version string `json:"stemcell_version"`
}

// Plan is what the protocol tells an adapter of a plan. Its name, id and quotas are not part of it.
type Plan struct {
	// Properties are the offering's global properties overlaid with the plan's; nil marshals to {}.
	Properties       map[string]any
	LifecycleErrands LifecycleErrands
	InstanceGroups   []InstanceGroup
	Update           *Update
}

// LifecycleErrands marshals to {} when there are none.
type LifecycleErrands struct {
	PostDeploy []Errand `json:"post_deploy,omitempty"`
	PreDelete  []Errand `json:"pre_delete,omitempty"`
}

// Errand names an errand and, for a colocated one, where it runs.
type Errand struct {
	Name      string   `json:"name,omitempty"`
	Instances []string `json:"instances,omitempty"`
}

// InstanceGroup is an instance group of a plan. Extra holds the keys that the broker doesn't know; they follow the
// known ones, in order, and can't replace them.
type InstanceGroup struct {
	Name               string
	VMType             string
	VMExtensions       []string
	PersistentDiskType string
	Instances          int
	Networks           []string
	AZs                []string
	Lifecycle          string
	MigratedFrom       []MigratedFrom
	Extra              map[string]any
}

// MigratedFrom names an instance group's earlier name.
type MigratedFrom struct {
	Name string `json:"name"`
}

// Update is a plan's BOSH update block. MaxInFlight is an int or a percentage such as "10%"; nil marshals to 0.
type Update struct {
	Canaries                      int    `json:"canaries"`
	CanaryWatchTime               string `json:"canary_watch_time"`
	UpdateWatchTime               string `json:"update_watch_time"`
	MaxInFlight                   any    `json:"max_in_flight"`
	Serial                        *bool  `json:"serial,omitempty"`
	InitialDeployAZUpdateStrategy string `json:"initial_deploy_az_update_strategy,omitempty"`
}

// MarshalJSON writes the protocol's plan object.
func (p Plan) MarshalJSON() ([]byte, error) {
	properties := p.Properties
	if properties == nil {
		properties = map[string]any{}
	}
	return json.Marshal(struct {
		Properties       map[string]any   `json:"properties"`
		LifecycleErrands LifecycleErrands `json:"lifecycle_errands"`
		InstanceGroups   []InstanceGroup  `json:"instance_groups"`
		Update           *Update          `json:"update,omitempty"`
	}{properties, p.LifecycleErrands, p.InstanceGroups, p.Update})
}

// MarshalJSON writes the protocol's update object.
func (u Update) MarshalJSON() ([]byte, error) {
	type plain Update
	if u.MaxInFlight == nil {
		u.MaxInFlight = 0
	}
	return json.Marshal(plain(u))
}

// wireInstanceGroup has the protocol's keys in the protocol's order.
type wireInstanceGroup struct {
	Name               string         `json:"name"`
	VMType             string         `json:"vm_type"`
	VMExtensions       []string       `json:"vm_extensions,omitempty"`
	PersistentDiskType string         `json:"persistent_disk_type,omitempty"`
	Instances          int            `json:"instances"`
	Networks           []string       `json:"networks"`
	AZs                []string       `json:"azs"`
	Lifecycle          string         `json:"lifecycle,omitempty"`
	MigratedFrom       []MigratedFrom `json:"migrated_from,omitempty"`
}

// MarshalJSON writes the known keys first and then those of Extra.
func (g InstanceGroup) MarshalJSON() ([]byte, error) {
	known, err := json.Marshal(wireInstanceGroup{
		Name: g.Name, VMType: g.VMType, VMExtensions: g.VMExtensions, PersistentDiskType: g.PersistentDiskType,
		Instances: g.Instances, Networks: g.Networks, AZs: g.AZs, Lifecycle: g.Lifecycle, MigratedFrom: g.MigratedFrom,
	})
	if err != nil || len(g.Extra) == 0 {
		return known, err
	}
	object := known[:len(known)-1]
	for _, key := range slices.Sorted(maps.Keys(g.Extra)) {
		if isInstanceGroupKey(key) {
			continue
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(g.Extra[key])
		if err != nil {
			return nil, fmt.Errorf("instance group %s: key %s: %w", g.Name, key, err)
		}
		object = append(append(append(append(object, ','), name...), ':'), value...)
	}
	return append(object, '}'), nil
}

func isInstanceGroupKey(key string) bool {
	switch key {
	case "name", "vm_type", "vm_extensions", "persistent_disk_type", "instances", "networks", "azs", "lifecycle",
		"migrated_from":
		return true
	}
	return false
}
