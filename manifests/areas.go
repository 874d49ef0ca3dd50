package manifests

import "strings"

// area is a part of a manifest whose keys BOSH defines. It says of each key how values are compared and whether
// they may be shown. What isn't named here is compared exactly and never shown, so that a key which BOSH invents
// tomorrow is neither overlooked nor leaked.
type area uint8

const (
	areaUnknown    area = iota // properties, env, options, and every key that isn't named here
	areaDeployment             // the manifest's root
	areaRelease
	areaStemcell
	areaInstanceGroup
	areaJob
	areaVariable
	areaAddon
	areaPlacement // include and exclude of an addon
	areaReference // things that are mostly a name: networks, disks, migrated_from, custom_provider_definitions
	areaSettings  // update, features, vm_resources: plain values only
	areaLinks     // consumes and provides: link name → link
	areaLink
	areaTags
)

// rule is what an area says of one key. The zero rule is for keys that aren't known.
type rule struct {
	area  area // of the mapping below, or of each mapping in the list below
	text  bool // BOSH wants text here: a number means its text
	shown bool // scalars may be shown

	// optional keys mean the same absent, null or as an empty collection: the BOSH manifest structs of the adapters'
	// SDK leave empty things out. Where it isn't set, null and absent differ: a job may see the difference, and a
	// link set to null is cut where an absent one is found by type.
	optional bool
}

// ignoresUpdate is true where `update` is only about how to roll out, not about what is deployed.
func (a area) ignoresUpdate() bool { return a == areaDeployment || a == areaInstanceGroup }

func (a area) rule(key scalar) rule {
	if key.kind != textKind {
		return rule{}
	}
	name := key.text
	switch a {
	case areaUnknown:
		return rule{}
	case areaLinks:
		return rule{area: areaLink, shown: !soundsSecret(name)}
	case areaLink:
		return linkRule(name)
	case areaTags:
		return rule{shown: !soundsSecret(name)}
	case areaSettings:
		return rule{shown: !soundsSecret(name), optional: true}
	}
	if below := a.below(name); below != areaUnknown {
		return rule{area: below, optional: true}
	}
	switch {
	case a.textKey(name):
		return rule{text: true, shown: true, optional: true}
	case a == areaInstanceGroup && (name == "instances" || name == "persistent_disk"):
		return rule{shown: true, optional: true}
	case name == "properties" || name == "env" || name == "options":
		return rule{optional: true}
	default:
		return rule{}
	}
}

// soundsSecret judges keys that people choose: their values may be shown unless the key speaks of a secret.
func soundsSecret(name string) bool {
	lower := strings.ToLower(name)
	for _, word := range []string{"pass", "pwd", "secret", "token", "key", "cred", "cert", "private", "pem", "auth", "salt", "propert"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

func linkRule(name string) rule {
	switch name {
	case "from", "as", "deployment", "network", "shared", "ip_addresses":
		return rule{shown: true}
	default:
		return rule{}
	}
}

// below is the area under a key that holds mappings.
func (a area) below(name string) area {
	switch a {
	case areaDeployment:
		switch name {
		case "releases":
			return areaRelease
		case "stemcells":
			return areaStemcell
		case "instance_groups":
			return areaInstanceGroup
		case "variables":
			return areaVariable
		case "addons":
			return areaAddon
		case "update", "features":
			return areaSettings
		case "tags":
			return areaTags
		}
	case areaInstanceGroup:
		switch name {
		case "jobs":
			return areaJob
		case "networks", "persistent_disks", "migrated_from":
			return areaReference
		case "update", "vm_resources":
			return areaSettings
		}
	case areaJob:
		switch name {
		case "consumes", "provides":
			return areaLinks
		case "custom_provider_definitions":
			return areaReference
		}
	case areaVariable:
		if name == "consumes" {
			return areaLinks
		}
	case areaAddon:
		switch name {
		case "jobs":
			return areaJob
		case "include", "exclude":
			return areaPlacement
		}
	case areaPlacement:
		switch name {
		case "stemcell":
			return areaStemcell
		case "jobs":
			return areaJob
		}
	}
	return areaUnknown
}

// textKey is true for the keys of an area that hold text or a list of texts.
func (a area) textKey(name string) bool {
	switch a {
	case areaDeployment, areaAddon:
		return name == "name"
	case areaRelease:
		return name == "name" || name == "version" || name == "sha1"
	case areaStemcell:
		return name == "name" || name == "alias" || name == "os" || name == "version"
	case areaInstanceGroup:
		switch name {
		case "name", "lifecycle", "vm_type", "vm_extensions", "stemcell", "persistent_disk_type", "azs":
			return true
		}
	case areaJob:
		return name == "name" || name == "release"
	case areaVariable:
		return name == "name" || name == "type" || name == "update_mode"
	case areaPlacement:
		switch name {
		case "deployments", "instance_groups", "networks", "teams", "azs", "lifecycle":
			return true
		}
	case areaReference:
		switch name {
		case "name", "type", "az", "static_ips", "default":
			return true
		}
	}
	return false
}
