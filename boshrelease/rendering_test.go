package boshrelease_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/boshrelease/rendering"
)

// deployment is what an operator wrote: the broker's properties, those of the other jobs, and what the links lead to.
type deployment struct {
	Name      string                    `yaml:"-"`
	Broker    map[string]any            `yaml:"broker"`
	Instances []string                  `yaml:"instances"` // addresses of the broker's
	CredHub   map[string]any            `yaml:"credhub"`   // properties of the link, if there is one
	Jobs      map[string]map[string]any `yaml:"jobs"`
	// Want are the beginnings of what is told of all that is wrong with it.
	Want []string `yaml:"want"`

	rendered map[string]rendering.Rendered // by job
}

// all are all deployments, rendered, by folder and name. One Ruby process renders them.
var all = sync.OnceValues(func() (map[string]*deployment, error) {
	deployments := map[string]*deployment{}
	for _, folder := range []string{"deployments", "wrong"} {
		paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.yml"))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			d, err := readDeployment(path)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			deployments[folder+"/"+d.Name] = d
		}
	}
	return deployments, renderAll(deployments)
})

func readDeployment(path string) (*deployment, error) {
	d := &deployment{Name: strings.TrimSuffix(filepath.Base(path), ".yml"), rendered: map[string]rendering.Rendered{}}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(text, d); err != nil {
		return nil, err
	}
	if d.Instances == nil {
		d.Instances = []string{"10.0.0.7"}
	}
	if d.Jobs == nil {
		d.Jobs = map[string]map[string]any{}
	}
	d.Jobs["broker"] = d.Broker
	return d, nil
}

// job is one of the deployment's, to be rendered.
func (d *deployment) job(name string) rendering.Job {
	links := map[string]rendering.Link{"broker": {
		Provider: "jobs/broker", Properties: d.Broker, Instances: d.Instances, Address: "q-s0.broker.services.cache.bosh",
	}}
	if d.CredHub != nil {
		links["credhub"] = rendering.Link{Properties: d.CredHub}
	}
	properties := d.Jobs[name]
	if properties == nil {
		properties = map[string]any{}
	}
	return rendering.Job{Dir: "jobs/" + name, Properties: properties, Links: links, Spec: map[string]any{"deployment": "cache-broker"}}
}

func renderAll(deployments map[string]*deployment) error {
	var jobs []rendering.Job
	var take []func(rendering.Rendered)
	for _, d := range deployments {
		for name := range d.Jobs {
			jobs = append(jobs, d.job(name))
			take = append(take, func(r rendering.Rendered) { d.rendered[name] = r })
		}
	}
	results, err := rendering.Render(context.Background(), jobs)
	for i, result := range results {
		take[i](result)
	}
	return err
}

// deploymentsOf gives those of one folder of testdata.
func deploymentsOf(t *testing.T, folder string) []*deployment {
	t.Helper()
	deployments, err := all()
	if err != nil {
		t.Fatal(err)
	}
	var chosen []*deployment
	for path, d := range deployments {
		if strings.HasPrefix(path, folder+"/") {
			chosen = append(chosen, d)
		}
	}
	if len(chosen) == 0 {
		t.Fatalf("testdata/%s is empty", folder)
	}
	return chosen
}
