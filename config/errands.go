package config

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// LifecycleErrands run after each deploy and before the deletion of an instance, one after another.
type LifecycleErrands struct {
	PostDeploy []Errand `yaml:"post_deploy"`
	PreDelete  []Errand `yaml:"pre_delete"`
}

// Errand is a BOSH errand.
type Errand struct {
	Name string `yaml:"name"`
	// Instances are those to run on, each GROUP or GROUP/INSTANCE; empty means all that have the errand.
	Instances []string `yaml:"instances"`
	// Disabled entries are gone from a Config that was loaded.
	Disabled Disabled `yaml:"disabled"`
}

// Disabled switches a list entry off. Tiles write it as text as well.
type Disabled bool

func (e *LifecycleErrands) check(at section) {
	if e == nil {
		return
	}
	checkErrands(at.key("post_deploy"), e.PostDeploy)
	checkErrands(at.key("pre_delete"), e.PreDelete)
}

func checkErrands(at section, errands []Errand) {
	for i, errand := range errands {
		if at.item(i).isNull() {
			continue
		}
		at.item(i).key("name").need(Warning, errand.Name != "", "give the errand's name")
		for j, instance := range errand.Instances {
			group, id, one := strings.Cut(instance, "/")
			if group == "" || one && (id == "" || strings.Contains(id, "/")) {
				at.item(i).key("instances").item(j).refuse("is not an instance group or one of its instances", "write GROUP or GROUP/INSTANCE")
			}
		}
	}
}

// settled drops what is disabled or null, and the whole if nothing remains.
func (e *LifecycleErrands) settled(at section) *LifecycleErrands {
	if e == nil {
		return nil
	}
	enabled := func(at section, errands []Errand) (kept []Errand) {
		for i, errand := range errands {
			if !at.item(i).isNull() && !bool(errand.Disabled) {
				kept = append(kept, errand)
			}
		}
		return kept
	}
	settled := LifecycleErrands{PostDeploy: enabled(at.key("post_deploy"), e.PostDeploy), PreDelete: enabled(at.key("pre_delete"), e.PreDelete)}
	if len(settled.PostDeploy)+len(settled.PreDelete) == 0 {
		return nil
	}
	return &settled
}

// decode takes what the BOSH template took. The existing broker doesn't read the key at all, so nothing that stands
// there is a reason not to start.
func (d *Disabled) decode(n *yaml.Node, at section) {
	switch resolve(n) {
	case true, "true":
		*d = true
	case false, "false":
		*d = false
	default:
		at.warn("is neither true nor false, and the errand runs", "give true or false")
	}
}
