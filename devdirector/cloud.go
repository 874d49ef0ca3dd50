package devdirector

import (
	"fmt"
	"net/netip"
	"slices"

	"gopkg.in/yaml.v3"
)

// cloud is what all current cloud configs say together.
type cloud struct {
	AZs          []named        `yaml:"azs"`
	VMTypes      []named        `yaml:"vm_types"`
	VMExtensions []named        `yaml:"vm_extensions"`
	DiskTypes    []named        `yaml:"disk_types"`
	Networks     []cloudNetwork `yaml:"networks"`
}

type named struct {
	Name            string    `yaml:"name"`
	CloudProperties yaml.Node `yaml:"cloud_properties"`
}

type cloudNetwork struct {
	Name    string        `yaml:"name"`
	Type    string        `yaml:"type"`
	Subnets []cloudSubnet `yaml:"subnets"`
}

type cloudSubnet struct {
	AZ  string   `yaml:"az"`
	AZs []string `yaml:"azs"`
}

func parseCloud(text string) (cloud, error) {
	var c cloud
	err := yaml.Unmarshal([]byte(text), &c)
	return c, err
}

func (c *cloud) merge(other cloud) {
	c.AZs = append(c.AZs, other.AZs...)
	c.VMTypes = append(c.VMTypes, other.VMTypes...)
	c.VMExtensions = append(c.VMExtensions, other.VMExtensions...)
	c.DiskTypes = append(c.DiskTypes, other.DiskTypes...)
	c.Networks = append(c.Networks, other.Networks...)
}

func hasName(list []named, name string) bool {
	return slices.ContainsFunc(list, func(n named) bool { return n.Name == name })
}

func (c *cloud) network(name string) *cloudNetwork {
	at := slices.IndexFunc(c.Networks, func(n cloudNetwork) bool { return n.Name == name })
	if at < 0 {
		return nil
	}
	return &c.Networks[at]
}

func (n *cloudNetwork) covers(az string) bool {
	return slices.ContainsFunc(n.Subnets, func(s cloudSubnet) bool {
		return s.AZ == az || slices.Contains(s.AZs, az)
	})
}

// checkCloud compares the manifest with the cloud configs, if the Director was given one to be strict about.
func (w *world) checkCloud(m *manifest) *TaskError {
	if w.options.CloudConfig == "" {
		return nil
	}
	c := w.configs.cloud()
	for _, group := range m.Groups {
		if cause := c.checkGroup(group); cause != nil {
			return cause
		}
	}
	return nil
}

func (c *cloud) checkGroup(g manifestGroup) *TaskError {
	unknown := func(code int, what, name string) *TaskError {
		return &TaskError{code, fmt.Sprintf("Instance group '%s' references an unknown %s '%s'", g.Name, what, name)}
	}
	for _, n := range g.Networks {
		network := c.network(n.Name)
		if network == nil {
			return unknown(150001, "network", n.Name)
		}
		for _, az := range g.AZs {
			if len(network.Subnets) > 0 && !network.covers(az) {
				return &TaskError{150006, fmt.Sprintf("Instance group '%s' must specify availability zone that matches availability zones of network '%s'", g.Name, n.Name)}
			}
		}
	}
	if g.VMType != "" && !hasName(c.VMTypes, g.VMType) {
		return unknown(140004, "vm type", g.VMType)
	}
	for _, extension := range g.VMExtensions {
		if !hasName(c.VMExtensions, extension) {
			return unknown(140013, "vm extension", extension)
		}
	}
	if g.Disk != "" && !hasName(c.DiskTypes, g.Disk) {
		return unknown(140012, "disk type", g.Disk)
	}
	return nil
}

// isDynamic tells whether the IaaS gives out the network's addresses, so that the Director doesn't know them.
func (w *world) isDynamic(network string) bool {
	if slices.Contains(w.options.DynamicNetworks, network) {
		return true
	}
	c := w.configs.cloud()
	found := c.network(network)
	return found != nil && found.Type == "dynamic"
}

// address hands out the next free address, from 10.244.0.2 on.
func (w *world) address() string {
	w.nextAddress++
	return addressNumber(w.nextAddress)
}

func addressNumber(n int) string {
	n += 244<<16 + 1
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String()
}
