package boshrelease_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/on-demand-broker/odb/boshrelease/rendering"
	"github.com/on-demand-broker/odb/config"
)

var update = flag.Bool("update", false, "write what is rendered to testdata/rendered")

// needs are what the programs of the errands can't do without.
var needs = map[string][]config.Need{
	"register-broker":                                    {config.NeedCF, config.NeedRegistration},
	"deregister-broker":                                  {config.NeedCF},
	"delete-all-service-instances":                       {config.NeedCF, config.NeedOffering},
	"delete-all-service-instances-and-deregister-broker": {config.NeedCF, config.NeedOffering},
	"upgrade-all-service-instances":                      {config.NeedBrokerAPI},
	"recreate-all-service-instances":                     {config.NeedBrokerAPI, config.NeedBOSH},
	"orphan-deployments":                                 {config.NeedBrokerAPI},
	"service-metrics-adapter":                            {config.NeedBrokerAPI},
}

func TestDeploymentsRenderAsTheyAlwaysHave(t *testing.T) {
	for _, d := range deploymentsOf(t, "deployments") {
		t.Run(d.Name, func(t *testing.T) {
			var text strings.Builder
			for _, job := range slices.Sorted(maps.Keys(d.rendered)) {
				files := d.rendered[job]
				for file, complaint := range files.Errors {
					t.Errorf("%s: %s: %s", job, file, complaint)
				}
				for _, file := range slices.Sorted(maps.Keys(files.Files)) {
					fmt.Fprintf(&text, "-- %s/%s --\n%s\n", job, file, indented(files.Files[file]))
				}
			}
			golden := filepath.Join("testdata", "rendered", d.Name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if line := firstDifference(text.String(), string(want)); line != "" {
				t.Errorf("%s is different from what is rendered, first in %s\nIf that is as it should be: go test ./boshrelease -update", golden, line)
			}
		})
	}
}

// indented evens out how different Rubies set JSON.
func indented(file string) string {
	file = strings.Trim(file, "\n")
	var even bytes.Buffer
	if json.Indent(&even, []byte(file), "", "  ") != nil {
		return file
	}
	return even.String()
}

func firstDifference(got, want string) string {
	left, right := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(left), len(right)) {
		switch {
		case i >= len(left):
			return fmt.Sprintf("line %d, which is not rendered: %s", i+1, right[i])
		case i >= len(right) || left[i] != right[i]:
			return fmt.Sprintf("line %d, rendered as: %s", i+1, left[i])
		}
	}
	return ""
}

func treeOf(t *testing.T, document string) any {
	t.Helper()
	tree, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestRenderedFilesAreWhatTheProgramReads(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", treeOf(t, string(config.Schema()))); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range deploymentsOf(t, "deployments") {
		t.Run(d.Name, func(t *testing.T) {
			_, odd, err := config.Parse("broker.yml", []byte(d.rendered["broker"].Files["config/broker.yml"]))
			if err != nil {
				t.Errorf("broker.yml: %v", err)
			}
			for _, problem := range odd {
				if problem.Severity != config.Notice {
					t.Errorf("broker.yml: %v", problem)
				}
			}
			if refused := schema.Validate(treeOf(t, d.rendered["broker"].Files["config/broker.yml"])); refused != nil {
				t.Errorf("broker.yml, for editors: %v", refused)
			}
			for job := range needs {
				if _, there := d.rendered[job]; !there {
					continue
				}
				rules := config.CompanionRules{Needs: needs[job], Strict: true}
				if _, _, err := config.ParseCompanion("config.yml", []byte(d.rendered[job].Files["config/config.yml"]), rules); err != nil {
					t.Errorf("%s: %v", job, err)
				}
			}
		})
	}
}

func TestWrongPropertiesAreToldByTheCheck(t *testing.T) {
	for _, d := range deploymentsOf(t, "wrong") {
		t.Run(d.Name, func(t *testing.T) {
			var told []string
			for job, files := range d.rendered {
				told = append(told, toldOf(job, files)...)
			}
			slices.Sort(told)
			if !slices.EqualFunc(told, slices.Sorted(slices.Values(d.Want)), func(told, want string) bool { return strings.HasPrefix(told, want) }) {
				t.Errorf("told is\n%s\n\nwanted is what begins with\n%s", strings.Join(told, "\n"), strings.Join(d.Want, "\n"))
			}
		})
	}
}

// toldOf is what is told of a job: by its templates, or by the check of its configuration.
func toldOf(job string, files rendering.Rendered) []string {
	var told []string
	for file, complaint := range files.Errors {
		told = append(told, job+"/"+file+": "+complaint)
	}
	if text, there := files.Files["config/broker.yml"]; there {
		_, odd, err := config.Parse("broker.yml", []byte(text))
		told = append(told, complaints(job, odd, err)...)
	}
	if text, there := files.Files["config/config.yml"]; there {
		_, odd, err := config.ParseCompanion("config.yml", []byte(text), config.CompanionRules{Needs: needs[job], Strict: true})
		told = append(told, complaints(job, odd, err)...)
	}
	return told
}

// complaints are what makes the check fail, without the places.
func complaints(job string, odd []config.Problem, err error) (all []string) {
	var refused *config.Problems
	if errors.As(err, &refused) {
		odd = append(odd, refused.All...)
	}
	for _, problem := range odd {
		if problem.Severity != config.Notice {
			all = append(all, job+": "+problem.Path+": "+problem.What)
		}
	}
	return all
}
