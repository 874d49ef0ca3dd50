package devdirector

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Seed says which deployments to make out of nothing: finished ones, without tasks.
type Seed struct {
	// Count deployments, named Prefix and a number from 1 on; default prefix "seeded-".
	Count  int
	Prefix string
	// Manifest of each, with SeedName where its name belongs; default a small one.
	Manifest string
}

// SeedName stands for the deployment's name in a Seed's manifest.
const SeedName = "((deployment_name))"

const defaultSeedManifest = `name: ` + SeedName + `
releases: [{name: seeded, version: "1"}]
stemcells: [{alias: default, os: ubuntu-jammy, version: "1"}]
update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000-60000, update_watch_time: 1000-60000}
instance_groups:
- name: server
  azs: [z1]
  instances: 1
  vm_type: small
  stemcell: default
  networks: [{name: default}]
  jobs: [{name: server, release: seeded}]
`

// seedTemplate is what all deployments of one Seed have in common.
type seedTemplate struct {
	text    string
	parsed  *manifest
	first   int // the address before the first one
	each    int // addresses a deployment
	created time.Time
	make    func(group manifestGroup, index int) *instance
}

// seed is all that a seeded deployment has of its own, until it is changed: 50 000 of them are to take no room.
type seed struct {
	template *seedTemplate
	number   int
}

func (s *seed) manifest(name string) string {
	return strings.ReplaceAll(s.template.text, SeedName, name)
}

// instances are always the same ones for one seed.
func (s *seed) instances() []*instance {
	var list []*instance
	address := s.template.first + s.number*s.template.each
	for _, group := range s.template.parsed.Groups {
		for index := range group.count {
			address++
			i := s.template.make(group, index)
			i.ID = s.uuid("instance", group.Name, index)
			if !i.Errand {
				i.IPs, i.CID = []string{addressNumber(address)}, "vm-"+s.uuid("vm", group.Name, index)
				i.AgentID, i.Created = s.uuid("agent", group.Name, index), s.template.created
			}
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, compareInstances)
	return list
}

func (s *seed) uuid(what, group string, index int) string {
	b := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %s %d", what, s.template.first, s.number, group, index))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Seed makes finished deployments, cheaply. They have no tasks and no links; a name that is taken is left alone.
func (d *Director) Seed(s Seed) error {
	s.Prefix, s.Manifest = cmp.Or(s.Prefix, "seeded-"), cmp.Or(s.Manifest, defaultSeedManifest)
	tree, bad := readManifest([]byte(strings.ReplaceAll(s.Manifest, SeedName, "name")))
	if bad != nil {
		return fmt.Errorf("manifest to seed with: %s", bad.Description)
	}
	m, cause := newManifest(tree)
	if cause != nil {
		return fmt.Errorf("manifest to seed with: %s", cause.Message)
	}
	d.enter()
	defer d.leave()
	w := &d.world
	stemcells, cause := w.findStemcells(m)
	if cause != nil {
		return fmt.Errorf("manifest to seed with: %s", cause.Message)
	}
	template := &seedTemplate{text: s.Manifest, parsed: m, first: w.nextAddress, created: w.now}
	template.make = func(group manifestGroup, index int) *instance {
		i := &instance{
			Group: group.Name, Index: index, State: instanceStarted, VMType: group.VMType,
			Stemcell: stemcells[group.Stemcell], Errand: group.isErrand(),
		}
		if len(group.AZs) > 0 {
			i.AZ = group.AZs[index%len(group.AZs)]
		}
		return i
	}
	for _, group := range m.Groups {
		template.each += group.count
	}
	w.nextAddress += s.Count * template.each
	w.addSeeds(s, template, sortedStemcells(stemcells))
	return nil
}

func (w *world) addSeeds(s Seed, template *seedTemplate, stemcells []nameVersion) {
	configs := w.configs.currentIDs("cloud")
	w.ordered = slices.Grow(w.ordered, s.Count)
	for number := range s.Count {
		dep := &deployment{
			Name: s.Prefix + itoa(number+1), Deployed: true, Releases: template.parsed.Releases, Stemcells: stemcells,
			CloudConfigs: configs, seed: &seed{template, number},
		}
		if w.deployments[dep.Name] != nil {
			continue
		}
		w.deployments[dep.Name] = dep
		w.ordered = append(w.ordered, dep)
		if w.store != nil {
			dep.grow()
			w.keepDeployment(dep)
		}
	}
	slices.SortFunc(w.ordered, func(a, b *deployment) int { return cmp.Compare(a.Name, b.Name) })
}
