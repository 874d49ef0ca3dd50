package devdirector

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// manifest is what the Director reads of a deployment manifest.
type manifest struct {
	Name      string             `yaml:"name"`
	Releases  []nameVersion      `yaml:"releases"`
	Stemcells []manifestStemcell `yaml:"stemcells"`
	Groups    []manifestGroup    `yaml:"instance_groups"`
	Variables []manifestVariable `yaml:"variables"`
	Update    struct {
		Canaries string `yaml:"canaries"`
	} `yaml:"update"`

	tree *yaml.Node
}

type nameVersion struct {
	Name    string `yaml:"name" json:"name"`
	Version string `yaml:"version" json:"version"`
}

type manifestStemcell struct {
	Alias   string `yaml:"alias"`
	OS      string `yaml:"os"`
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
}

type manifestVariable struct {
	Name string `yaml:"name"`
}

type manifestGroup struct {
	Name         string            `yaml:"name"`
	Lifecycle    string            `yaml:"lifecycle"`
	AZs          []string          `yaml:"azs"`
	Instances    yaml.Node         `yaml:"instances"`
	VMType       string            `yaml:"vm_type"`
	VMExtensions []string          `yaml:"vm_extensions"`
	Disk         string            `yaml:"persistent_disk_type"`
	Stemcell     string            `yaml:"stemcell"`
	Networks     []manifestNetwork `yaml:"networks"`
	Jobs         []manifestJob     `yaml:"jobs"`
	MigratedFrom []struct {
		Name string `yaml:"name"`
	} `yaml:"migrated_from"`

	count int
}

func (g *manifestGroup) isErrand() bool { return g.Lifecycle == "errand" }

type manifestNetwork struct {
	Name      string   `yaml:"name"`
	StaticIPs []string `yaml:"static_ips"`
}

type manifestJob struct {
	Name       string               `yaml:"name"`
	Release    string               `yaml:"release"`
	Provides   map[string]yaml.Node `yaml:"provides"`
	Properties yaml.Node            `yaml:"properties"`
}

// The Director's codes for manifests that are wrong.
const (
	codeGeneric         = 100
	codeInvalidType     = 40000
	codeMissingProperty = 40001
	codeBadManifest     = 440001
)

// groupMaximum is how many instances a group may have: the addresses of a /20 network.
const groupMaximum = 4094

// readManifest does what the Director checks before it makes a task: the text is a YAML hash with a name.
func readManifest(body []byte) (*yaml.Node, *apiError) {
	var document yaml.Node
	err := yaml.Unmarshal(body, &document)
	if err == nil && bytes.ContainsRune(body, '*') {
		err = document.Decode(new(any)) // refuses aliases without end
	}
	if err != nil {
		return nil, &apiError{codeBadManifest, "Incorrect YAML structure of the uploaded manifest: #<Psych::SyntaxError: " + syntaxError(err) + ">"}
	}
	if len(document.Content) == 0 || document.Content[0].Tag == "!!null" {
		return nil, &apiError{codeBadManifest, "Manifest should not be empty"}
	}
	tree := document.Content[0]
	if tree.Kind != yaml.MappingNode {
		return nil, &apiError{codeBadManifest, "Manifest should be a hash"}
	}
	return tree, nil
}

func syntaxError(err error) string {
	return "(<unknown>): " + strings.TrimPrefix(err.Error(), "yaml: ")
}

// newManifest reads what a deploy needs of a manifest.
func newManifest(tree *yaml.Node) (*manifest, *TaskError) {
	for _, key := range []string{"releases", "stemcells", "update"} {
		if child(tree, key) == nil {
			return nil, missing(key, tree)
		}
	}
	m := &manifest{tree: tree}
	if err := tree.Decode(m); err != nil {
		return nil, &TaskError{codeInvalidType, "Property value did not match the required type: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	for i := range m.Groups {
		if cause := m.Groups[i].check(); cause != nil {
			return nil, cause
		}
	}
	return m, nil
}

// groupTree is an instance group as it was written, nil if there is none of the name.
func (m *manifest) groupTree(name string) *yaml.Node {
	groups := child(m.tree, "instance_groups")
	if groups == nil {
		return nil
	}
	for _, group := range groups.Content {
		if found := child(resolve(group), "name"); found != nil && found.Value == name {
			return resolve(group)
		}
	}
	return nil
}

func missing(key string, in *yaml.Node) *TaskError {
	return &TaskError{codeMissingProperty, fmt.Sprintf("Required property '%s' was not specified in object (%s)", key, rubyInspect(in))}
}

func (g *manifestGroup) check() *TaskError {
	if g.Instances.Kind == 0 {
		return &TaskError{codeMissingProperty, fmt.Sprintf("Required property 'instances' was not specified in object (%s)", rubyString(g.Name))}
	}
	count, err := strconv.Atoi(g.Instances.Value)
	if err != nil || g.Instances.Tag != "!!int" {
		return &TaskError{codeInvalidType, fmt.Sprintf("Property 'instances' value (%s) did not match the required type 'Integer'", rubyInspect(&g.Instances))}
	}
	if count > groupMaximum {
		return &TaskError{130010, fmt.Sprintf("Failed to reserve IP for '%s/%d' for manual network: no more available", g.Name, groupMaximum)}
	}
	g.count = max(count, 0) // the Director takes a negative count for none
	return nil
}

// checkUpload compares the manifest's references with what is uploaded and with the cloud config.
func (w *world) checkUpload(m *manifest) *TaskError {
	for _, group := range m.Groups {
		for _, job := range group.Jobs {
			if !slices.ContainsFunc(m.Releases, func(r nameVersion) bool { return r.Name == job.Release }) {
				return &TaskError{140002, fmt.Sprintf("Job '%s' (instance group '%s') references an unknown release '%s'", job.Name, group.Name, job.Release)}
			}
		}
	}
	for _, release := range m.Releases {
		if cause := w.checkRelease(release); cause != nil {
			return cause
		}
	}
	return w.checkCloud(m)
}

func (w *world) checkRelease(wanted nameVersion) *TaskError {
	if len(w.options.Releases) == 0 {
		return nil
	}
	named := false
	for _, r := range w.options.Releases {
		if r.Name == wanted.Name && r.Version == wanted.Version {
			return nil
		}
		named = named || r.Name == wanted.Name
	}
	if named {
		return &TaskError{30006, fmt.Sprintf("Release version '%s/%s' doesn't exist", wanted.Name, wanted.Version)}
	}
	return &TaskError{30005, fmt.Sprintf("Release '%s' doesn't exist", wanted.Name)}
}

// findStemcells returns the stemcells that the manifest means, by alias.
func (w *world) findStemcells(m *manifest) (map[string]nameVersion, *TaskError) {
	found := map[string]nameVersion{}
	for _, wanted := range m.Stemcells {
		stemcell, cause := w.findStemcell(wanted)
		if cause != nil {
			return nil, cause
		}
		found[wanted.Alias] = stemcell
	}
	return found, nil
}

func (w *world) findStemcell(wanted manifestStemcell) (nameVersion, *TaskError) {
	if len(w.options.Stemcells) == 0 {
		name := wanted.Name
		if name == "" {
			name = "bosh-dummy-" + wanted.OS
		}
		return nameVersion{name, wanted.Version}, nil
	}
	for _, s := range w.options.Stemcells {
		fits := s.Name == wanted.Name || (wanted.Name == "" && s.OS == wanted.OS)
		if fits && (s.Version == wanted.Version || wanted.Version == "latest") {
			return nameVersion{s.Name, s.Version}, nil
		}
	}
	if wanted.Name != "" {
		return nameVersion{}, &TaskError{50003, fmt.Sprintf("Stemcell '%s/%s' doesn't exist", wanted.Name, wanted.Version)}
	}
	return nameVersion{}, &TaskError{50003, fmt.Sprintf("Stemcell version '%s' for OS '%s' doesn't exist", wanted.Version, wanted.OS)}
}

var variableReference = regexp.MustCompile(`\(\(!?([^()\s]+)\)\)`)

// undefinedVariables tells, as the Director does, which variables the jobs' properties refer to that neither the
// manifest defines nor can be somebody else's: those with an absolute name are taken to exist.
func (m *manifest) undefinedVariables(director string) *TaskError {
	var groups []string
	for _, group := range m.Groups {
		var jobs []string
		for _, job := range group.Jobs {
			for _, name := range m.undefinedIn(&job.Properties) {
				full := variableName(director, m.Name, name)
				jobs = append(jobs, fmt.Sprintf("    - Unable to render templates for job '%s'. Errors are:\n      - Failed to find variable '%s' from config server: HTTP Code '404', Error: 'Name '%s' not found'", job.Name, full, full))
			}
		}
		if len(jobs) > 0 {
			groups = append(groups, fmt.Sprintf("  - Unable to render jobs for instance group '%s'. Errors are:\n%s", group.Name, strings.Join(jobs, "\n")))
		}
	}
	if len(groups) == 0 {
		return nil
	}
	return &TaskError{codeGeneric, "Unable to render instance groups for deployment. Errors are:\n" + strings.Join(groups, "\n")}
}

func (m *manifest) undefinedIn(properties *yaml.Node) []string {
	var undefined []string
	walkScalars(properties, func(text string) {
		for _, found := range variableReference.FindAllStringSubmatch(text, -1) {
			name, _, _ := strings.Cut(found[1], ".")
			defined := strings.HasPrefix(name, "/") ||
				slices.ContainsFunc(m.Variables, func(v manifestVariable) bool { return v.Name == name })
			if !defined && !slices.Contains(undefined, name) {
				undefined = append(undefined, name)
			}
		}
	})
	return undefined
}

func variableName(director, deployment, name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return "/" + director + "/" + deployment + "/" + name
}
