package config

import "strings"

// ServiceDeployment is what service instances are made of.
type ServiceDeployment struct {
	Releases         []Release  `yaml:"releases"`
	Stemcells        []Stemcell `yaml:"stemcells"`
	legacyDeployment `yaml:",inline"`
}

// Release is a BOSH release with the jobs that instances take from it.
type Release struct {
	Name    string   `yaml:"name"`
	Version string   `yaml:"version"`
	Jobs    []string `yaml:"jobs"`
}

// Stemcell is a BOSH stemcell; the name is for those that share an OS.
type Stemcell struct {
	OS      string `yaml:"os"`
	Version string `yaml:"version"`
	Name    string `yaml:"name"`
}

type legacyDeployment struct {
	LegacyStemcell Stemcell `yaml:"stemcell"`
}

func (d *ServiceDeployment) fold(at section) {
	single := d.LegacyStemcell
	d.legacyDeployment = legacyDeployment{}
	at = at.key("stemcell")
	switch {
	case single == Stemcell{}:
	case len(d.Stemcells) > 0:
		at.warn("stands beside stemcells, and only the latter count", "keep stemcells")
	default:
		at.notice("is the deprecated spelling of stemcells", "use stemcells, a list")
		d.Stemcells = []Stemcell{single}
	}
}

const exactly = "give an exact version: what is deployed must not change by itself"

func floating(version string) bool { return strings.HasSuffix(version, "latest") }

func (d ServiceDeployment) check(at section) {
	releases, stemcells := at.key("releases"), at.key("stemcells")
	releases.need(Warning, len(d.Releases) > 0, "list the BOSH releases that service instances are made of")
	for i, release := range d.Releases {
		release.check(releases.item(i))
	}
	stemcells.need(Warning, len(d.Stemcells) > 0, "list the stemcells that service instances run on")
	for i, stemcell := range d.Stemcells {
		stemcell.check(stemcells.item(i))
	}
}

func (r Release) check(at section) {
	at.key("name").need(Warning, r.Name != "", "give the release's name")
	at.key("version").need(Warning, r.Version != "", "give the release's exact version")
	if floating(r.Version) {
		at.key("version").refuse("is a floating version", exactly)
	}
	at.key("jobs").need(Warning, len(r.Jobs) > 0, "list the release's jobs that instances use")
}

func (s Stemcell) check(at section) {
	at.key("os").need(Warning, s.OS != "", "give the stemcell's operating system, like ubuntu-jammy")
	at.key("version").need(Warning, s.Version != "", "give the stemcell's exact version")
	if floating(s.Version) {
		// The existing broker has let this pass whenever no template stood in front of it.
		at.key("version").warn("is a floating version", exactly)
	}
}
