package boshrelease_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/boshrelease/rendering"
)

// The examples, and the operations that don't fit the one with Cloud Foundry.
const (
	base      = "cloud-foundry"
	variables = "manifests/vars.yml"
)

var otherBase = map[string]string{"service-instances-api": "without-cloud-foundry", "full-maintenance-info": "without-cloud-foundry"}

// manifest is what the test looks at of an example.
type manifest struct {
	InstanceGroups []struct {
		Name      string
		Instances int
		Jobs      []struct {
			Name       string
			Release    string
			Properties map[string]any
			Consumes   map[string]any
		}
	} `yaml:"instance_groups"`
	Variables []struct{ Name, Type string }
}

func names(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, path := range paths {
		if path != variables {
			all = append(all, strings.TrimSuffix(filepath.Base(path), ".yml"))
		}
	}
	return all
}

func TestExamplesRenderToWhatTheProgramReads(t *testing.T) {
	used := map[string]bool{}
	examples := map[string]*deployment{}
	for _, name := range names(t, "manifests/*.yml") {
		examples[name] = example(t, used, name)
	}
	for _, name := range names(t, "operations/*.yml") {
		examples["operations/"+name] = example(t, used, cmp.Or(otherBase[name], base), name)
	}
	if err := renderAll(examples); err != nil {
		t.Fatal(err)
	}
	for name, d := range examples {
		for job, files := range d.rendered {
			for _, told := range toldOf(job, files) {
				t.Errorf("%s: %s", name, told)
			}
		}
	}
	var given map[string]any
	readYAML(t, variables, &given)
	for name := range given {
		if !used[name] {
			t.Errorf("%s has %s, which no manifest and no operation needs", variables, name)
		}
	}
}

// example is a manifest after operations, with the variables put in that are given, and noted to be used.
func example(t *testing.T, used map[string]bool, name string, operations ...string) *deployment {
	t.Helper()
	var tree any
	readYAML(t, filepath.Join("manifests", name+".yml"), &tree)
	for _, file := range operations {
		var list []operation
		readYAML(t, filepath.Join("operations", file+".yml"), &list)
		for _, o := range list {
			var err error
			if tree, err = o.apply(tree); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
	}
	values := valuesFor(t, read(t, tree))
	m := read(t, interpolated(tree, func(name string) any {
		if _, given := values[name]; !given {
			t.Errorf("%s %q: there is no variable %s", name, operations, name)
		}
		used[name] = true
		return values[name]
	}))
	return m.deployment(t)
}

// read gives what the test looks at.
func read(t *testing.T, tree any) (m manifest) {
	t.Helper()
	text, err := yaml.Marshal(tree)
	if err == nil {
		err = yaml.Unmarshal(text, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// valuesFor are the example's variables, and something for those that the Director makes.
func valuesFor(t *testing.T, m manifest) map[string]any {
	t.Helper()
	var values map[string]any
	readYAML(t, variables, &values)
	for _, variable := range m.Variables {
		for _, name := range []string{"", ".certificate", ".private_key"} {
			values[variable.Name+name] = "made by the Director"
		}
		values[variable.Name+".ca"] = values["director_ca"]
	}
	return values
}

var placeholder = regexp.MustCompile(`\(\(([^()]+)\)\)`)

// interpolated is a tree with values in place of the variables' names.
func interpolated(tree any, value func(name string) any) any {
	switch node := tree.(type) {
	case map[string]any:
		for key, below := range node {
			node[key] = interpolated(below, value)
		}
	case []any:
		for i, below := range node {
			node[i] = interpolated(below, value)
		}
	case string:
		if found := placeholder.FindStringSubmatch(node); found != nil && found[0] == node {
			return value(found[1])
		}
		return placeholder.ReplaceAllStringFunc(node, func(found string) string { return fmt.Sprint(value(strings.Trim(found, "()"))) })
	}
	return tree
}

// deployment is what is to be rendered of a manifest.
func (m manifest) deployment(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{Jobs: map[string]map[string]any{}, rendered: map[string]rendering.Rendered{}}
	for _, group := range m.InstanceGroups {
		for _, job := range group.Jobs {
			if job.Release != "on-demand-service-broker" {
				continue
			}
			checkProperties(t, job.Name, job.Properties)
			d.Jobs[job.Name] = job.Properties
			if job.Name == "broker" {
				d.Broker, d.Instances = job.Properties, slices.Repeat([]string{"10.0.0.7"}, group.Instances)
			}
			if job.Consumes["credhub"] != nil {
				authority := valuesFor(t, m)["director_ca"] // any will do
				d.CredHub = map[string]any{"credhub": map[string]any{"internal_url": "credhub.service.cf.internal", "port": 8844, "ca_certificate": authority}}
			}
		}
	}
	return d
}

// checkProperties looks for slips of the pen: BOSH leaves properties alone that no spec names.
func checkProperties(t *testing.T, job string, given map[string]any) {
	t.Helper()
	var spec jobSpec
	readYAML(t, filepath.Join("jobs", job, "spec"), &spec)
	var walk func(tree map[string]any, path string)
	walk = func(tree map[string]any, path string) {
		for key, value := range tree {
			at := strings.TrimPrefix(path+"."+key, ".")
			if _, known := spec.Properties[at]; known {
				continue
			}
			branch, isMap := value.(map[string]any)
			if !isMap {
				t.Errorf("%s has no property %s", job, at)
			}
			walk(branch, at)
		}
	}
	walk(given, "")
}

func TestEveryNewPropertyIsInAnExample(t *testing.T) {
	var promised map[string]promise
	readYAML(t, "testdata/contract.yml", &promised)
	var examples strings.Builder
	for _, pattern := range []string{"manifests/*.yml", "operations/*.yml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			examples.Write(text)
		}
	}
	for job, p := range promised {
		for _, property := range slices.Sorted(maps.Keys(p.New.Properties)) {
			key := property[strings.LastIndex(property, ".")+1:]
			if !regexp.MustCompile(`\b` + key + `\b`).MatchString(examples.String()) {
				t.Errorf("no manifest and no operation shows %s of %s", property, job)
			}
		}
	}
}
