package tile_test

import (
	"os"
	"path"
	"regexp"
	"testing"

	"gopkg.in/yaml.v3"
)

// tile is what a tile says, in whichever of the two formats.
type tile struct {
	serviceBroker bool
	releases      map[string]string // versions by name
	blueprints    []blueprint
	inForms       []string // references
	postDeploy    []errand
	preDelete     []errand
	// jobs are those of the release on-demand-service-broker, with the manifest of each.
	jobs     map[string]string
	consumes map[string]string
	foreign  map[string]string // other jobs' releases
}

type blueprint struct {
	Name, Type   string
	Configurable bool
	Default      any
	Options      []option `yaml:"option_templates"`
}

type option struct {
	Name       string
	Value      string                            `yaml:"select_value"`
	Properties []blueprint                       `yaml:"property_blueprints"`
	Manifests  []struct{ Name, Manifest string } `yaml:"named_manifests"`
}

type errand struct {
	Name    string
	Default any `yaml:"run_default"`
}

const ours = "on-demand-service-broker"

func decode(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// field is one of a form in the metadata, with those below it.
type field struct {
	Reference string
	Options   []field `yaml:"selector_property_inputs"`
	Fields    []field `yaml:"property_inputs"`
}

func (f field) references() []string {
	all := []string{f.Reference}
	for _, inner := range append(f.Options, f.Fields...) {
		all = append(all, inner.references()...)
	}
	return all
}

// handMade reads the metadata.
func handMade(t *testing.T) tile {
	t.Helper()
	var m struct {
		ServiceBroker bool `yaml:"service_broker"`
		Releases      []struct{ Name, Version string }
		Blueprints    []blueprint                      `yaml:"property_blueprints"`
		Forms         []field                          `yaml:"form_types"`
		PostDeploy    []errand                         `yaml:"post_deploy_errands"`
		PreDelete     []errand                         `yaml:"pre_delete_errands"`
		JobTypes      []struct{ Templates []template } `yaml:"job_types"`
	}
	decode(t, "metadata.yml", &m)
	made := newTile()
	made.serviceBroker, made.blueprints, made.postDeploy, made.preDelete = m.ServiceBroker, m.Blueprints, m.PostDeploy, m.PreDelete
	for _, release := range m.Releases {
		made.releases[release.Name] = release.Version
	}
	for _, form := range m.Forms {
		for _, f := range form.Fields {
			made.inForms = append(made.inForms, f.references()...)
		}
	}
	for _, job := range m.JobTypes {
		for _, template := range job.Templates {
			made.add(template, template.Manifest)
		}
	}
	return made
}

type template struct{ Name, Release, Manifest, Consumes string }

func newTile() tile {
	return tile{releases: map[string]string{}, jobs: map[string]string{}, consumes: map[string]string{}, foreign: map[string]string{}}
}

func (t tile) add(job template, manifest string) {
	if job.Release != ours {
		t.foreign[job.Name] = job.Release
		return
	}
	t.jobs[job.Name], t.consumes[job.Name] = manifest, job.Consumes
}

var tarball = regexp.MustCompile(`^(.+?)-(\d[\d.]*)\.tgz$`)

// generated reads what the Tile Generator is given.
func generated(t *testing.T) tile {
	t.Helper()
	var m struct {
		ServiceBroker bool `yaml:"service_broker"`
		Packages      []struct {
			Path string
			Jobs []struct {
				Name        string
				PostDeploy  bool `yaml:"post_deploy"`
				PreDelete   bool `yaml:"pre_delete"`
				PostDefault any  `yaml:"run_post_deploy_errand_default"`
				PreDefault  any  `yaml:"run_pre_delete_errand_default"`
				Templates   []template
				Properties  yaml.Node
			}
		}
		Forms []struct{ Properties []blueprint }
	}
	decode(t, "tile.yml", &m)
	made := newTile()
	made.serviceBroker = m.ServiceBroker
	for _, p := range m.Packages {
		if found := tarball.FindStringSubmatch(path.Base(p.Path)); found != nil {
			made.releases[found[1]] = found[2]
		}
		for _, job := range p.Jobs {
			manifest, err := yaml.Marshal(&job.Properties)
			if err != nil {
				t.Fatal(err)
			}
			for _, template := range job.Templates {
				made.add(template, string(manifest))
			}
			if job.PostDeploy {
				made.postDeploy = append(made.postDeploy, errand{job.Name, job.PostDefault})
			}
			if job.PreDelete {
				made.preDelete = append(made.preDelete, errand{job.Name, job.PreDefault})
			}
		}
	}
	for _, form := range m.Forms {
		for _, b := range form.Properties {
			made.blueprints = append(made.blueprints, b)
			made.inForms = append(made.inForms, b.references()...)
		}
	}
	return made
}

// references are the names by which a form refers to a property, its options and what is below them.
func (b blueprint) references() []string {
	name := ".properties." + b.Name
	all := []string{name}
	for _, o := range b.Options {
		all = append(all, name+"."+o.Name)
		for _, inner := range o.Properties {
			all = append(all, name+"."+o.Name+"."+inner.Name)
		}
	}
	return all
}

// bothFormats runs a test with each of the two.
func bothFormats(t *testing.T, test func(t *testing.T, made tile)) {
	for name, read := range map[string]func(*testing.T) tile{"metadata.yml": handMade, "tile.yml": generated} {
		t.Run(name, func(t *testing.T) { test(t, read(t)) })
	}
}
