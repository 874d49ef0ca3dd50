package manifests

import "strings"

// area is a part of a manifest whose keys BOSH defines. It says of each key how values are compared and whether
// they may be shown. What isn't named here is compared exactly and never shown, so that a key which BOSH invents
// tomorrow is neither overlooked nor leaked.
type area uint8

const (
	unknown    area = iota // properties, env, options, and every key that isn't named here
	deployment             // the manifest's root
	release
	stemcell
	instanceGroup
	job
	variable
	addon
	placement // include and exclude of an addon
	reference // things that are mostly a name: networks, disks, migrated_from, custom_provider_definitions
	settings  // update, features, vm_resources: plain values only
	links     // consumes and provides: link name → link
	link
	tags
)

// rule is what an area says of one key.
type rule struct {
	area  area // of the mapping below, or of each mapping in the list below
	text  bool // BOSH wants text here: a number means its text
	shown bool // scalars may be shown
}

// forgiving areas treat a key that is absent, null or an empty collection alike, as the BOSH manifest structs of the
// adapters' SDK do when they leave empty things out. Elsewhere null and absent differ: a job may see the
// difference, and a link set to null is cut where an absent one is found by type.
func (a area) forgiving() bool {
	return a != unknown && a != links && a != link && a != tags
}

// ignoresUpdate is true where `update` is only about how to roll out, not about what is deployed.
func (a area) ignoresUpdate() bool { return a == deployment || a == instanceGroup }

func (a area) rule(key scalar) rule {
	if key.kind != text {
		return rule{}
	}
	name := key.text
	switch a {
	case unknown:
		return rule{}
	case links:
		return rule{area: link, shown: !soundsSecret(name)}
	case link:
		return linkRule(name)
	case tags, settings:
		return rule{shown: !soundsSecret(name)}
	}
	if below := a.below(name); below != unknown {
		return rule{area: below}
	}
	if a.textKey(name) {
		return rule{text: true, shown: true}
	}
	if a == instanceGroup && (name == "instances" || name == "persistent_disk") {
		return rule{shown: true}
	}
	return rule{}
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
	case deployment:
		switch name {
		case "releases":
			return release
		case "stemcells":
			return stemcell
		case "instance_groups":
			return instanceGroup
		case "variables":
			return variable
		case "addons":
			return addon
		case "update", "features":
			return settings
		case "tags":
			return tags
		}
	case instanceGroup:
		switch name {
		case "jobs":
			return job
		case "networks", "persistent_disks", "migrated_from":
			return reference
		case "update", "vm_resources":
			return settings
		}
	case job:
		switch name {
		case "consumes", "provides":
			return links
		case "custom_provider_definitions":
			return reference
		}
	case variable:
		if name == "consumes" {
			return links
		}
	case addon:
		switch name {
		case "jobs":
			return job
		case "include", "exclude":
			return placement
		}
	case placement:
		switch name {
		case "stemcell":
			return stemcell
		case "jobs":
			return job
		}
	}
	return unknown
}

// textKey is true for the keys of an area that hold text or a list of texts.
func (a area) textKey(name string) bool {
	switch a {
	case deployment, addon:
		return name == "name"
	case release:
		return name == "name" || name == "version" || name == "sha1"
	case stemcell:
		return name == "name" || name == "alias" || name == "os" || name == "version"
	case instanceGroup:
		switch name {
		case "name", "lifecycle", "vm_type", "vm_extensions", "stemcell", "persistent_disk_type", "azs":
			return true
		}
	case job:
		return name == "name" || name == "release"
	case variable:
		return name == "name" || name == "type" || name == "update_mode"
	case placement:
		switch name {
		case "deployments", "instance_groups", "networks", "teams", "azs", "lifecycle":
			return true
		}
	case reference:
		switch name {
		case "name", "type", "az", "static_ips", "default":
			return true
		}
	}
	return false
}
