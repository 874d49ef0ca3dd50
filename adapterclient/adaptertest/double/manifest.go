package main

import (
	"fmt"
	"maps"

	"gopkg.in/yaml.v3"
)

// manifest is the BOSH manifest that the double writes, in the order in which authors write theirs.
type manifest struct {
	Name           string          `yaml:"name"`
	Releases       []release       `yaml:"releases"`
	Stemcells      []stemcell      `yaml:"stemcells"`
	InstanceGroups []instanceGroup `yaml:"instance_groups"`
	Update         map[string]any  `yaml:"update"`
}

type release struct {
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
}

type stemcell struct {
	Alias   string `yaml:"alias"`
	Name    string `yaml:"name,omitempty"`
	OS      string `yaml:"os"`
	Version string `yaml:"version"`
}

type instanceGroup struct {
	Name               string              `yaml:"name"`
	Lifecycle          string              `yaml:"lifecycle,omitempty"`
	Instances          int                 `yaml:"instances"`
	AZs                []string            `yaml:"azs"`
	Jobs               []job               `yaml:"jobs"`
	VMType             string              `yaml:"vm_type"`
	VMExtensions       []string            `yaml:"vm_extensions,omitempty"`
	Stemcell           string              `yaml:"stemcell"`
	PersistentDiskType string              `yaml:"persistent_disk_type,omitempty"`
	Networks           []network           `yaml:"networks"`
	MigratedFrom       []map[string]string `yaml:"migrated_from,omitempty"`
}

type job struct {
	Name       string     `yaml:"name"`
	Release    string     `yaml:"release"`
	Properties properties `yaml:"properties"`
}

// properties of a job are where the double keeps what the user asked for.
type properties struct {
	Plan       map[string]any `yaml:"plan"`
	Parameters map[string]any `yaml:"parameters"`
}

type network struct {
	Name string `yaml:"name"`
}

func readManifest(text string) (*manifest, error) {
	if text == "" {
		return nil, nil
	}
	var manifest manifest
	if err := yaml.Unmarshal([]byte(text), &manifest); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	return &manifest, nil
}

// defaultManifest has each of the plan's groups with every job of the releases. A parameter of the request goes before
// one in the previous manifest, as the protocol tells adapters.
func (r request) defaultManifest() (string, error) {
	parameters := r.previous.parameters()
	maps.Copy(parameters, r.parameters)
	made := manifest{Name: r.deployment, Update: r.plan.Update}
	if made.Update == nil {
		made.Update = map[string]any{
			"canaries": 1, "max_in_flight": 1, "canary_watch_time": "1000-30000", "update_watch_time": "1000-30000",
		}
	}
	var jobs []job
	for _, offered := range r.serviceDeployment.Releases {
		made.Releases = append(made.Releases, release{offered.Name, offered.Version})
		for _, name := range offered.Jobs {
			jobs = append(jobs, job{name, offered.Name, properties{r.plan.Properties, parameters}})
		}
	}
	for i, offered := range r.serviceDeployment.Stemcells {
		made.Stemcells = append(made.Stemcells, stemcell{alias(i), offered.Name, offered.OS, offered.Version})
	}
	for _, group := range r.plan.InstanceGroups {
		wanted := instanceGroup{
			Name: group.Name, Lifecycle: group.Lifecycle, Instances: group.Instances, AZs: group.AZs, Jobs: jobs,
			VMType: group.VMType, VMExtensions: group.VMExtensions, Stemcell: alias(0),
			PersistentDiskType: group.PersistentDiskType, MigratedFrom: group.MigratedFrom,
		}
		for _, name := range group.Networks {
			wanted.Networks = append(wanted.Networks, network{name})
		}
		made.InstanceGroups = append(made.InstanceGroups, wanted)
	}
	text, err := yaml.Marshal(made)
	if err != nil {
		return "", fmt.Errorf("writing the manifest: %w", err)
	}
	return string(text), nil
}

// parameters are those in the first job that there is; every job has the same.
func (m *manifest) parameters() map[string]any {
	found := map[string]any{}
	if m == nil || len(m.InstanceGroups) == 0 || len(m.InstanceGroups[0].Jobs) == 0 {
		return found
	}
	maps.Copy(found, m.InstanceGroups[0].Jobs[0].Properties.Parameters)
	return found
}

func alias(index int) string {
	if index == 0 {
		return "default"
	}
	return fmt.Sprintf("stemcell-%d", index)
}
