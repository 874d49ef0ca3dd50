package boshrelease_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"
)

// jobSpec is a job's spec file.
type jobSpec struct {
	Name       string
	Templates  map[string]string
	Packages   []string
	Provides   []jobLink
	Consumes   []jobLink
	Properties map[string]struct {
		Description string
		Default     any
	}
}

type jobLink struct {
	Name       string
	Type       string
	Optional   bool
	Properties []string
}

// promise is what owners count on of a job.
type promise struct {
	Properties map[string]any
	Provides   map[string]jobLink
	Consumes   map[string]jobLink
	Files      []string
	New        struct {
		Properties map[string]any
		Link       []string
		Files      []string
	}
}

// readYAML reads a file of this folder. Keys that it isn't prepared for are a mistake of the file.
func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := yaml.NewDecoder(file).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func jobNames(t *testing.T) []string {
	t.Helper()
	specs, err := filepath.Glob("jobs/*/spec")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range specs {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	return names
}

func TestJobsAreThoseThatOwnersCountOn(t *testing.T) {
	var promised map[string]promise
	readYAML(t, "testdata/contract.yml", &promised)
	if got, want := jobNames(t), slices.Sorted(maps.Keys(promised)); !slices.Equal(got, want) {
		t.Fatalf("there are the jobs %q, and promised are %q", got, want)
	}
	for name, want := range promised {
		t.Run(name, func(t *testing.T) {
			var spec jobSpec
			readYAML(t, filepath.Join("jobs", name, "spec"), &spec)
			if spec.Name != name || !slices.Equal(spec.Packages, []string{"odb"}) {
				t.Errorf("it calls itself %q and takes the packages %q", spec.Name, spec.Packages)
			}
			want.comparePropertiesOf(t, spec)
			want.compareLinksOf(t, spec)
			want.compareFilesOf(t, spec)
		})
	}
}

func (want promise) comparePropertiesOf(t *testing.T, spec jobSpec) {
	all := maps.Clone(want.Properties)
	maps.Copy(all, want.New.Properties)
	for property, byDefault := range all {
		got, there := spec.Properties[property]
		switch {
		case !there:
			t.Errorf("the property %s is missing", property)
		case !reflect.DeepEqual(got.Default, byDefault):
			t.Errorf("the property %s is %#v by default, not %#v", property, got.Default, byDefault)
		case got.Description == "":
			t.Errorf("the property %s is not described", property)
		}
	}
	for property := range spec.Properties {
		if _, promised := all[property]; !promised {
			t.Errorf("the property %s is not in the table", property)
		}
	}
}

func (want promise) compareLinksOf(t *testing.T, spec jobSpec) {
	named := func(links []jobLink) map[string]jobLink {
		all := map[string]jobLink{}
		for _, link := range links {
			name := link.Name
			link.Name = ""
			slices.Sort(link.Properties)
			all[name] = link
		}
		return all
	}
	provides := map[string]jobLink{}
	for name, link := range want.Provides {
		link.Properties = append(link.Properties, want.New.Link...)
		slices.Sort(link.Properties)
		provides[name] = link
	}
	if got := named(spec.Provides); !reflect.DeepEqual(got, provides) {
		t.Errorf("it provides %+v, not %+v", got, provides)
	}
	if got := named(spec.Consumes); !reflect.DeepEqual(got, want.Consumes) {
		t.Errorf("it consumes %+v, not %+v", got, want.Consumes)
	}
	for _, link := range spec.Provides {
		for _, property := range link.Properties {
			if _, there := spec.Properties[property]; !there {
				t.Errorf("the link %s shows %s, which is no property of the job", link.Name, property)
			}
		}
	}
}

func (want promise) compareFilesOf(t *testing.T, spec jobSpec) {
	got := slices.Sorted(maps.Values(spec.Templates))
	files := slices.Sorted(slices.Values(slices.Concat(want.Files, want.New.Files)))
	if !slices.Equal(got, files) {
		t.Errorf("it renders the files %q, not %q", got, files)
	}
	present, err := filepath.Glob(filepath.Join("jobs", spec.Name, "templates", "*"))
	if err != nil || len(present) != len(spec.Templates) {
		t.Errorf("there are the templates %q (%v), and the spec has %d", present, err, len(spec.Templates))
	}
	for source := range spec.Templates {
		if _, err := os.Stat(filepath.Join("jobs", spec.Name, "templates", source)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join("jobs", spec.Name, "monit")); err != nil {
		t.Error(err)
	}
}
