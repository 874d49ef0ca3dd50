package config

import "slices"

// InstanceGroup is one of a plan's, with what the operator chose for it.
type InstanceGroup struct {
	Name               string         `yaml:"name"`
	VMType             string         `yaml:"vm_type"`
	VMExtensions       []string       `yaml:"vm_extensions"`
	PersistentDiskType string         `yaml:"persistent_disk_type"`
	Instances          int            `yaml:"instances"`
	Networks           []string       `yaml:"networks"`
	AZs                []string       `yaml:"azs"`
	Lifecycle          string         `yaml:"lifecycle"` // service or errand; empty means service
	MigratedFrom       []MigratedFrom `yaml:"migrated_from"`
	// Extra holds the keys that this broker doesn't know, to be forwarded unread.
	Extra map[string]any `yaml:",inline" slips:"warn"`
}

// MigratedFrom is an instance group that this one was once.
type MigratedFrom struct {
	Name string `yaml:"name"`
}

func (g InstanceGroup) check(at section) {
	at.key("name").need(Warning, g.Name != "", "give the instance group's name")
	at.key("vm_type").need(Warning, g.VMType != "", "give the VM type from the cloud config")
	at.key("networks").need(Warning, len(g.Networks) > 0, "list the networks from the cloud config")
	at.key("azs").need(Warning, len(g.AZs) > 0, "list the availability zones from the cloud config")
	instances := at.key("instances")
	switch {
	case g.Instances < 0:
		instances.warn("is negative", "give a number from 1")
	case g.Instances == 0 && !instances.given():
		instances.need(Warning, false, "give the number of instances")
	case g.Instances == 0:
		instances.notice("is 0, which adapters made with the public SDK refuse", "give a number from 1")
	}
	if g.Lifecycle != "" && !slices.Contains(lifecycles(), g.Lifecycle) {
		at.key("lifecycle").warn("is no lifecycle that BOSH knows", "use "+oneOfThese(lifecycles()))
	}
}

func lifecycles() []string { return []string{"service", "errand"} }

// settle drops the blank extensions that tiles leave for options switched off.
func (g *InstanceGroup) settle() {
	g.VMExtensions = slices.DeleteFunc(g.VMExtensions, func(extension string) bool { return extension == "" })
}
