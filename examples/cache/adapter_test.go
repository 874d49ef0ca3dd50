package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pivotal-cf/on-demand-services-sdk/bosh"
	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
	"gopkg.in/yaml.v2"
)

// The tests go through the SDK's command line handler, so that they see what a broker sees.

const deployment = `{"deployment_name":"service-instance_one","releases":[{"name":"cache","version":"1.0.0","jobs":["cache-server"]}],` +
	`"stemcells":[{"stemcell_os":"ubuntu-jammy","stemcell_version":"1.999"}]}`

// plan writes a plan for the adapter; properties is a JSON object, rest may add keys.
func plan(nodes int, properties, rest string) string {
	return fmt.Sprintf(`{"properties":%s,"lifecycle_errands":{},"instance_groups":[{"name":"cache","vm_type":"default","instances":%d,`+
		`"networks":["default"],"azs":["z1","z2"],"persistent_disk_type":"default"}]%s}`, properties, nodes, rest)
}

type manifestInput struct {
	Plan, PreviousPlan, PreviousManifest, Parameters string
}

func (i manifestInput) section() map[string]string {
	if i.PreviousPlan == "" {
		i.PreviousPlan = "null"
	}
	if i.Parameters == "" {
		i.Parameters = "{}"
	}
	return map[string]string{
		"service_deployment": deployment, "plan": i.Plan, "previous_plan": i.PreviousPlan, "previous_manifest": i.PreviousManifest,
		"request_parameters": `{"parameters":` + i.Parameters + `}`, "previous_secrets": "null", "previous_configs": "null", "uaa_client": "null",
	}
}

// run runs the adapter with a section on stdin, and returns what it prints and its exit code.
func run(t *testing.T, verb string, section map[string]string) (stdout string, exitCode int) {
	t.Helper()
	input, err := json.Marshal(map[string]any{strings.ReplaceAll(verb, "-", "_"): section})
	if err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	ofTheTest := users{dir: filepath.Join(filepath.Dir(t.TempDir()), "users")} // the same for all its runs
	err = handler(ofTheTest).Handle([]string{"cache-adapter", verb}, &out, &log, bytes.NewReader(input))
	var failure serviceadapter.CLIHandlerError
	switch {
	case errors.As(err, &failure):
		return out.String(), failure.ExitCode
	case err != nil:
		return out.String(), 1
	}
	return out.String(), 0
}

// generate returns the manifest, as text and read, and the job's properties.
func generate(t *testing.T, input manifestInput) (string, bosh.BoshManifest, cacheProperties) {
	t.Helper()
	stdout, code := run(t, "generate-manifest", input.section())
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stdout)
	}
	var output struct {
		Manifest string `json:"manifest"`
	}
	var manifest bosh.BoshManifest
	if err := json.Unmarshal([]byte(stdout), &output); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(output.Manifest), &manifest); err != nil {
		t.Fatal(err)
	}
	properties, err := readProperties(&manifest)
	if err != nil {
		t.Fatal(err)
	}
	return output.Manifest, manifest, *properties
}

func TestANewInstance(t *testing.T) {
	text, manifest, properties := generate(t, manifestInput{
		Plan: plan(1, `{"max_memory_mb":512}`, `,"update":{"canaries":2,"canary_watch_time":"1-2","update_watch_time":"3-4","max_in_flight":"50%"}`),
	})
	if manifest.Name != "service-instance_one" || manifest.Releases[0].Version != "1.0.0" || manifest.Stemcells[0].Version != "1.999" {
		t.Errorf("got %s", text)
	}
	if manifest.Update.Canaries != 2 || manifest.Update.MaxInFlight != "50%" || manifest.Update.UpdateWatchTime != "3-4" {
		t.Errorf("the plan's update block is not used: %+v", manifest.Update)
	}
	group := manifest.InstanceGroups[0]
	if group.Instances != 1 || group.PersistentDiskType != "default" || group.Stemcell != manifest.Stemcells[0].Alias || group.Jobs[0].Release != "cache" {
		t.Errorf("got %+v", group)
	}
	if properties.MaxMemoryMB != 512 || properties.EvictionPolicy != "noeviction" || properties.Port != 6379 || len(properties.Password) < 20 {
		t.Errorf("got %+v", properties)
	}
	_, _, other := generate(t, manifestInput{Plan: plan(1, "{}", "")})
	if other.Password == properties.Password {
		t.Error("two instances have the same password")
	}
}

func TestTheSameInputGivesTheSameManifest(t *testing.T) {
	first, _, _ := generate(t, manifestInput{Plan: plan(1, "{}", ""), Parameters: `{"eviction_policy":"allkeys-lru"}`})
	// What the broker asks before an update: the previous plan, no parameters.
	again, _, _ := generate(t, manifestInput{Plan: plan(1, "{}", ""), PreviousPlan: plan(1, "{}", ""), PreviousManifest: first})
	if again != first {
		t.Errorf("got\n%s\nafter\n%s", again, first)
	}
}

func TestWhereASettingComesFrom(t *testing.T) {
	const small, large = `{"max_memory_mb":256}`, `{"max_memory_mb":1024}`
	created, _, properties := generate(t, manifestInput{Plan: plan(1, small, "")})
	if properties.MaxMemoryMB != 256 {
		t.Errorf("from the plan: %d", properties.MaxMemoryMB)
	}
	bigger, _, grown := generate(t, manifestInput{Plan: plan(3, large, ""), PreviousPlan: plan(1, small, ""), PreviousManifest: created})
	if grown.MaxMemoryMB != 1024 {
		t.Errorf("from the new plan: %d", grown.MaxMemoryMB)
	}
	if grown.Password != properties.Password {
		t.Error("the password was not carried over")
	}
	chosen, _, own := generate(t, manifestInput{Plan: plan(3, large, ""), PreviousManifest: bigger, Parameters: `{"max_memory_mb":2048}`})
	if own.MaxMemoryMB != 2048 {
		t.Errorf("from the request: %d", own.MaxMemoryMB)
	}
	_, _, kept := generate(t, manifestInput{Plan: plan(3, small, ""), PreviousManifest: chosen, Parameters: `{"eviction_policy":"allkeys-lfu"}`})
	if kept.MaxMemoryMB != 2048 || kept.EvictionPolicy != "allkeys-lfu" {
		t.Errorf("from an earlier request: %+v", kept)
	}
}

func TestWhatIsRefused(t *testing.T) {
	deployed, _, _ := generate(t, manifestInput{Plan: plan(3, "{}", "")})
	const forOperators = "please tell the operator"
	for name, test := range map[string]struct {
		input manifestInput
		text  string
	}{
		"an unknown parameter":    {manifestInput{Plan: plan(1, "{}", ""), Parameters: `{"memory":1}`}, `unknown parameter "memory"; known ones are eviction_policy, max_memory_mb`},
		"too little memory":       {manifestInput{Plan: plan(1, "{}", ""), Parameters: `{"max_memory_mb":1}`}, "max_memory_mb must be a whole number from 16 to 65536"},
		"a fraction":              {manifestInput{Plan: plan(1, "{}", ""), Parameters: `{"max_memory_mb":100.5}`}, "whole number"},
		"a text for a number":     {manifestInput{Plan: plan(1, "{}", ""), Parameters: `{"max_memory_mb":"100"}`}, "whole number"},
		"nothing for a number":    {manifestInput{Plan: plan(1, "{}", ""), Parameters: `{"max_memory_mb":null}`}, "whole number"},
		"an unknown policy":       {manifestInput{Plan: plan(1, "{}", ""), Parameters: `{"eviction_policy":"lru"}`}, "eviction_policy must be one of noeviction,"},
		"a number for a policy":   {manifestInput{Plan: plan(1, "{}", ""), Parameters: `{"eviction_policy":1}`}, "eviction_policy must be one of"},
		"fewer nodes":             {manifestInput{Plan: plan(1, "{}", ""), PreviousPlan: plan(3, "{}", ""), PreviousManifest: deployed}, "fewer nodes (1) than the instance has now (3)"},
		"a plan's wrong property": {manifestInput{Plan: plan(1, `{"max_memory_mb":"much"}`, "")}, forOperators},
		"an unknown group":        {manifestInput{Plan: strings.Replace(plan(1, "{}", ""), `"cache"`, `"cash"`, 1)}, forOperators},
		"a stranger's manifest":   {manifestInput{Plan: plan(1, "{}", ""), PreviousManifest: "name: x\ninstance_groups: []\n"}, forOperators},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, code := run(t, "generate-manifest", test.input.section())
			if code != 1 || !strings.Contains(stdout, test.text) {
				t.Errorf("exit code %d, and for the user: %q", code, stdout)
			}
		})
	}
}

func TestTheOperatorsMistakes(t *testing.T) {
	for name, wrong := range map[string]string{
		"two stemcells":             strings.Replace(deployment, `"stemcells":[`, `"stemcells":[{"stemcell_os":"windows","stemcell_version":"1.1"},`, 1),
		"no release with the job":   strings.Replace(deployment, "cache-server", "other", 1),
		"two releases with the job": strings.Replace(deployment, `"releases":[`, `"releases":[{"name":"b","version":"1","jobs":["cache-server"]},`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			section := manifestInput{Plan: plan(1, "{}", "")}.section()
			section["service_deployment"] = wrong
			if stdout, code := run(t, "generate-manifest", section); code != 1 || !strings.Contains(stdout, "please tell the operator") {
				t.Errorf("exit code %d: %s", code, stdout)
			}
		})
	}
}

func bindingSection(manifest, vms, parameters string) map[string]string {
	return map[string]string{
		"binding_id": "b1", "bosh_vms": vms, "manifest": manifest, "request_parameters": `{"app_guid":"a","parameters":` + parameters + `}`,
		"secrets": "null", "dns_addresses": "{}",
	}
}

func TestBinding(t *testing.T) {
	manifest, _, properties := generate(t, manifestInput{Plan: plan(3, "{}", "")})
	stdout, code := run(t, "create-binding", bindingSection(manifest, `{"cache":["10.0.0.2","10.0.0.1"]}`, "{}"))
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stdout)
	}
	var binding struct {
		Credentials struct {
			Host, Username, Password, URI string
			Hosts                         []string
			Port                          int
		}
	}
	if err := json.Unmarshal([]byte(stdout), &binding); err != nil {
		t.Fatal(err)
	}
	got := binding.Credentials
	if got.Host != "10.0.0.1" || !slices.Equal(got.Hosts, []string{"10.0.0.1", "10.0.0.2"}) || got.Port != 6379 || got.Username != "b1" {
		t.Errorf("got %+v", got)
	}
	if len(got.Password) < 20 || got.Password == properties.Password {
		t.Error("the binding has no password of its own")
	}
	if want := "cache://b1:" + got.Password + "@10.0.0.1:6379,10.0.0.2:6379"; got.URI != want {
		t.Errorf("got %s instead of %s", got.URI, want)
	}
}

func TestEachBindingHasAUserOfItsOwn(t *testing.T) {
	manifest, _, _ := generate(t, manifestInput{Plan: plan(1, "{}", "")})
	section := func(binding string) map[string]string {
		s := bindingSection(manifest, `{"cache":["10.0.0.1"]}`, "{}")
		s["binding_id"] = binding
		return s
	}
	credentials := func(binding string) string {
		stdout, code := run(t, "create-binding", section(binding))
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stdout)
		}
		return stdout
	}
	remove := func(binding string, want int) {
		if stdout, code := run(t, "delete-binding", section(binding)); code != want {
			t.Errorf("%s: exit code %d, not %d: %s", binding, code, want, stdout)
		}
	}
	remove("b1", serviceadapter.BindingNotFoundErrorExitCode)
	first := credentials("b1")
	if credentials("b1") != first {
		t.Error("asked for again, it has others")
	}
	if credentials("b2") == first {
		t.Error("two bindings have the same")
	}
	remove("b1", 0)
	remove("b1", serviceadapter.BindingNotFoundErrorExitCode)
	remove("b2", 0)
}

func TestBindingsThatAreRefused(t *testing.T) {
	manifest, _, properties := generate(t, manifestInput{Plan: plan(1, "{}", "")})
	for name, test := range map[string]struct{ vms, parameters, text string }{
		"parameters":   {`{"cache":["10.0.0.1"]}`, `{"read_only":true}`, "take no parameters"},
		"no addresses": {`{"cache":null}`, `{}`, "please tell the operator"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, code := run(t, "create-binding", bindingSection(manifest, test.vms, test.parameters))
			if code != 1 || !strings.Contains(stdout, test.text) || strings.Contains(stdout, properties.Password) {
				t.Errorf("exit code %d: %s", code, stdout)
			}
		})
	}
}

func TestDashboard(t *testing.T) {
	for properties, want := range map[string]string{
		`{}`: `{"dashboard_url":"https://cache.example.com/instances/one"}`,
		`{"dashboard_url":"https://dash.example/cache/"}`: `{"dashboard_url":"https://dash.example/cache/one"}`,
	} {
		stdout, code := run(t, "dashboard-url", map[string]string{"instance_id": "one", "plan": plan(1, properties, ""), "manifest": "name: x"})
		if code != 0 || strings.TrimSpace(stdout) != want {
			t.Errorf("exit code %d: %s", code, stdout)
		}
	}
}

func TestSchemas(t *testing.T) {
	stdout, code := run(t, "generate-plan-schemas", map[string]string{"plan": plan(1, "{}", "")})
	if code != 0 || strings.Count(stdout, `"$schema":"http://json-schema.org/draft-04/schema#"`) != 3 {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	for _, name := range settingNames() {
		if strings.Count(stdout, `"`+name+`"`) != 2 {
			t.Errorf("%s is not in both schemas of an instance: %s", name, stdout)
		}
	}
}
