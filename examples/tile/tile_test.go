// Package tile_test checks the two forms of a tile in this folder: Ops Manager's part is played by a double, the BOSH release
// renders what comes of it, and the result must be what the program reads.
package tile_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/boshrelease/rendering"
	"github.com/on-demand-broker/odb/config"
)

const jobs = "../../boshrelease/jobs"

// certificate is a readable one.
func certificate() string {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

// render gives the file of a job by its path, for an operator who chose these options.
func render(t *testing.T, made tile, job, file string, chosen map[string]string) (string, *opsManager) {
	t.Helper()
	o := newOpsManager(made, certificate(), chosen)
	properties := map[string]map[string]any{}
	for _, name := range []string{job, "broker"} {
		filled, err := o.manifest(made.jobs[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		properties[name] = filled.(map[string]any)
	}
	if _, err := o.manifest(made.consumes["broker"]); err != nil {
		t.Fatalf("what the broker consumes: %v", err)
	}
	lookAtTemplates(t, job)
	results, err := rendering.Render(t.Context(), []rendering.Job{{
		Dir: filepath.Join(jobs, job), Properties: properties[job], Spec: map[string]any{"deployment": "cache-1"},
		Links: map[string]rendering.Link{
			"broker":  {Provider: filepath.Join(jobs, "broker"), Properties: properties["broker"], Instances: []string{"10.0.1.5", "10.0.1.6"}, Address: "q-s0.broker.bosh"},
			"credhub": {Properties: map[string]any{"credhub": map[string]any{"internal_url": "credhub.service.cf.internal", "port": 8844, "ca_certificate": certificate()}}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if problem := results[0].Errors[file]; problem != "" {
		t.Fatalf("%s of %s: %s", file, job, problem)
	}
	return results[0].Files[file], o
}

// lookAtTemplates looks at a job's templates: `go test` repeats an earlier result unless a file has changed that the test itself
// looked at, and what ruby reads doesn't count.
func lookAtTemplates(t *testing.T, job string) {
	t.Helper()
	templates, err := filepath.Glob(filepath.Join(jobs, job, "templates", "*"))
	if err != nil || len(templates) == 0 {
		t.Fatalf("%s has no templates: %v", job, err)
	}
	for _, template := range append(templates, filepath.Join(jobs, job, "spec")) {
		if _, err := os.Stat(template); err != nil {
			t.Fatal(err)
		}
	}
}

// broker gives the configuration of the broker.
func broker(t *testing.T, made tile, chosen map[string]string) *config.Config {
	t.Helper()
	text, _ := render(t, made, "broker", "config/broker.yml", chosen)
	c, problems, err := config.Parse("broker.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		if problem.Severity != config.Notice {
			t.Error(problem)
		}
	}
	return c
}

func TestTheBrokerGetsWhatOpsManagerKnows(t *testing.T) {
	bothFormats(t, func(t *testing.T, made tile) {
		c := broker(t, made, nil)
		uaa := c.BOSH.Authentication.UAA.ClientCredentials
		if c.BOSH.URL != "https://10.0.0.6:25555" || uaa.ClientID != "cache-0f3b" || uaa.ClientSecret.Reveal() != "director-secret" {
			t.Errorf("the Director is %s, the client %s", c.BOSH.URL, uaa.ClientID)
		}
		if !made.serviceBroker {
			t.Error("without service_broker there is neither a service network nor a client")
		}
		if got := c.ServiceDeployment.Stemcells[0].Version; got != "1.360" {
			t.Errorf("the stemcell of service instances is %s", got)
		}
		if got := c.ServiceCatalog.Plans[0].InstanceGroups[0].Networks; !slices.Equal(got, []string{"services"}) {
			t.Errorf("service instances are on the networks %q", got)
		}
		if !c.Broker.SideBySide {
			t.Error("the operator may choose several brokers, and they aren't told")
		}
		for _, release := range c.ServiceDeployment.Releases {
			if made.releases[release.Name] != release.Version {
				t.Errorf("service instances are of %s %s, and the tile brings %q", release.Name, release.Version, made.releases[release.Name])
			}
		}
	})
}

func TestOperatorsChoose(t *testing.T) {
	bothFormats(t, func(t *testing.T, made tile) {
		one := broker(t, made, map[string]string{"secure_bindings": "disabled"})
		if len(one.ServiceCatalog.Plans) != 1 || one.ServiceCatalog.Plans[0].Name != "small" || one.CredHub != (config.CredHub{}) {
			t.Errorf("by default, without secure bindings: %d plans", len(one.ServiceCatalog.Plans))
		}
		other := broker(t, made, map[string]string{"plan_small": "inactive", "plan_large": "active", "public_ip": "enabled"})
		if len(other.ServiceCatalog.Plans) != 1 || other.ServiceCatalog.Plans[0].Name != "large" {
			t.Fatalf("with the large plan instead of the small one: %d plans", len(other.ServiceCatalog.Plans))
		}
		group := other.ServiceCatalog.Plans[0].InstanceGroups[0]
		if !slices.Equal(group.VMExtensions, []string{"public_ip"}) || !slices.Equal(group.AZs, []string{"z1", "z2"}) || group.VMType != "medium" {
			t.Errorf("the large plan's VMs are %+v", group)
		}
		if other.CredHub.APIURL != "https://credhub.service.cf.internal:8844" || other.CredHub.ClientID != "credhub_admin_client" {
			t.Errorf("with secure bindings CredHub is %s", other.CredHub.APIURL)
		}
	})
}

func TestErrandsInTheirOrder(t *testing.T) {
	bothFormats(t, func(t *testing.T, made tile) {
		var run, byHand []string
		for _, e := range made.postDeploy {
			if e.Default == true {
				run = append(run, e.Name)
			} else {
				byHand = append(byHand, e.Name)
			}
		}
		if !slices.Equal(run, []string{"register-broker", "upgrade-all-service-instances"}) {
			t.Errorf("after a deploy are run %q", run)
		}
		if !slices.Equal(byHand, []string{"recreate-all-service-instances", "orphan-deployments"}) {
			t.Errorf("offered are %q", byHand)
		}
		if len(made.preDelete) != 1 || made.preDelete[0].Name != "delete-all-service-instances-and-deregister-broker" {
			t.Errorf("before the tile is deleted are run %+v", made.preDelete)
		}
		for _, e := range append(made.postDeploy, made.preDelete...) {
			if _, there := made.jobs[e.Name]; !there {
				t.Errorf("no VM has the job of the errand %s", e.Name)
				continue
			}
			text, _ := render(t, made, e.Name, "config/config.yml", nil)
			if e.Name != "delete-all-service-instances-and-deregister-broker" && !strings.Contains(text, "https://cache-broker.sys.example.com") {
				t.Errorf("%s isn't told where the broker is: %s", e.Name, text)
			}
		}
	})
}

// A property that the job's spec doesn't have is dropped by BOSH without a word.
func TestPropertiesAreThoseOfTheJobs(t *testing.T) {
	bothFormats(t, func(t *testing.T, made tile) {
		o := newOpsManager(made, certificate(), nil)
		elsewhere := []string{"route_registrar"} // properties of the other jobs of the instance group, in tile.yml
		for job, manifest := range made.jobs {
			var spec struct{ Properties map[string]any }
			decode(t, filepath.Join(jobs, job, "spec"), &spec)
			filled, err := o.manifest(manifest)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range unknown(filled.(map[string]any), "", spec.Properties) {
				if !slices.Contains(elsewhere, name) {
					t.Errorf("the job %s has no property %s", job, name)
				}
			}
		}
	})
}

// unknown gives the properties of a tree that a spec names neither themselves nor above or below.
func unknown(tree map[string]any, above string, spec map[string]any) (names []string) {
	for key, value := range tree {
		name := above + key
		_, known := spec[name]
		inner, isMap := value.(map[string]any)
		if known {
			continue
		}
		below := false
		for property := range spec {
			below = below || strings.HasPrefix(property, name+".")
		}
		if isMap && below {
			names = append(names, unknown(inner, name+".", spec)...)
			continue
		}
		names = append(names, name)
	}
	return names
}

func TestFormsAskForEachPropertyOnce(t *testing.T) {
	bothFormats(t, func(t *testing.T, made tile) {
		var want []string
		for _, b := range made.blueprints {
			if !b.Configurable {
				t.Errorf("nobody can enter %s", b.Name)
			}
			want = append(want, b.references()...)
		}
		if got := made.inForms; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Errorf("the forms have %q, the properties are %q", got, want)
		}
		for job, release := range made.foreign {
			if made.releases[release] == "" {
				t.Errorf("the job %s is of the release %s, which the tile doesn't bring", job, release)
			}
		}
		if made.releases[ours] == "" {
			t.Errorf("the tile doesn't bring %s", ours)
		}
	})
}

func TestThePageExplainsEachAccessor(t *testing.T) {
	page, err := os.ReadFile("../../docs/TILE.md")
	if err != nil {
		t.Fatal(err)
	}
	bothFormats(t, func(t *testing.T, made tile) {
		_, o := render(t, made, "upgrade-all-service-instances", "config/config.yml", map[string]string{"secure_bindings": "enabled"})
		for name := range o.met {
			if (name[0] == '$' || strings.HasPrefix(name, "..")) && !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("docs/TILE.md doesn't say what %s is", name)
			}
		}
	})
}
