package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pivotal-cf/on-demand-services-sdk/bosh"
	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
	"gopkg.in/yaml.v2"
)

// The tests go through the SDK's command line handler, so that they see what a broker sees.

const deployment = `{"deployment_name":"service-instance_one","releases":[{"name":"cache-secure","version":"1.0.0",` +
	`"jobs":["cache-server","health-check","clean-up"]}],"stemcells":[{"stemcell_os":"ubuntu-jammy","stemcell_version":"1.999"}]}`

const plainErrands = `{"post_deploy":[{"name":"health-check"}],"pre_delete":[{"name":"clean-up"}]}`

func planWith(properties, errands string) string {
	return fmt.Sprintf(`{"properties":%s,"lifecycle_errands":%s,"instance_groups":[{"name":"cache","vm_type":"default",`+
		`"vm_extensions":["fast"],"instances":1,"networks":["default"],"azs":["z1"]}]}`, properties, errands)
}

func plan(properties string) string { return planWith(properties, plainErrands) }

// call is what generate-manifest is asked; empty fields stand for a new instance of a plain plan.
type call struct {
	Plan, PreviousManifest, Parameters, UAAClient string
}

func (c call) section() map[string]string {
	or := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	return map[string]string{
		"service_deployment": deployment, "plan": or(c.Plan, plan("{}")), "previous_plan": "null", "previous_manifest": c.PreviousManifest,
		"request_parameters": `{"parameters":` + or(c.Parameters, "{}") + `}`, "previous_secrets": "null", "previous_configs": "null",
		"uaa_client": or(c.UAAClient, "null"),
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
	err = handler().Handle([]string{"cache-secure-adapter", verb}, &out, &log, bytes.NewReader(input))
	var failure serviceadapter.CLIHandlerError
	switch {
	case errors.As(err, &failure):
		return out.String(), failure.ExitCode
	case err != nil:
		return out.String(), 1
	}
	return out.String(), 0
}

// generated is what a call made.
type generated struct {
	Manifest string
	Secrets  map[string]string
	Configs  map[string]string
	Labels   map[string]string

	read       bosh.BoshManifest
	properties cacheProperties
}

func generate(t *testing.T, c call) generated {
	t.Helper()
	stdout, code := run(t, "generate-manifest", c.section())
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stdout)
	}
	var g generated
	if err := json.Unmarshal([]byte(stdout), &g); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(g.Manifest), &g.read); err != nil {
		t.Fatal(err)
	}
	properties, err := readProperties(&g.read)
	if err != nil {
		t.Fatal(err)
	}
	g.properties = *properties
	for name, value := range g.Secrets {
		if strings.Contains(g.Manifest, value) || !strings.Contains(g.Manifest, "((odb_secret:"+name+"))") {
			t.Errorf("the value of %s is in the manifest, or nothing refers to it:\n%s", name, g.Manifest)
		}
	}
	return g
}

// deployed is the manifest as a broker deploys it: with paths for placeholders.
func (g generated) deployed() string {
	return strings.ReplaceAll(g.Manifest, "((odb_secret:", "((/odb/offering/service-instance_one/")
}

func TestANewInstance(t *testing.T) {
	g := generate(t, call{Plan: plan(`{"max_memory_mb":512,"security_groups":["a","b"]}`)})
	group := g.read.InstanceGroups[0]
	var jobs []string
	for _, job := range group.Jobs {
		jobs = append(jobs, job.Name)
	}
	if !slices.Equal(jobs, []string{"cache-server", "health-check", "clean-up"}) || !group.Jobs[0].Provides["cache"].Shared {
		t.Errorf("got %+v", group.Jobs)
	}
	if !slices.Equal(group.VMExtensions, []string{"fast", "service-instance_one-security-groups"}) {
		t.Errorf("got %v", group.VMExtensions)
	}
	const config = "vm_extensions:\n- name: service-instance_one-security-groups\n  cloud_properties:\n    security_groups:\n    - a\n    - b\n"
	if g.Configs["cloud"] != config {
		t.Errorf("got %s", g.Configs["cloud"])
	}
	if len(g.Secrets["password"]) < 20 || g.properties.Password.Reference != "((odb_secret:password))" || g.properties.DashboardClient != nil {
		t.Errorf("got %+v", g.properties)
	}
	if g.properties.MaxMemoryMB != 512 || g.properties.Port != 6380 || g.Labels["cache-secure.example.com/nodes"] != "1" {
		t.Errorf("got %+v and the labels %v", g.properties, g.Labels)
	}
	if generate(t, call{}).Secrets["password"] == g.Secrets["password"] {
		t.Error("two instances have the same password")
	}
	if !strings.Contains(g.Manifest, "use_dns_addresses: true") {
		t.Errorf("got %s", g.Manifest)
	}
}

func TestTheSameInputGivesTheSameManifest(t *testing.T) {
	first := generate(t, call{UAAClient: `{"client_id":"one","client_secret":"from-uaa"}`, Parameters: `{"max_memory_mb":100}`}).deployed()
	for name, c := range map[string]call{
		"compared, without the client": {},
		"updated, without its secret":  {UAAClient: `{"client_id":"one","client_secret":""}`},
		"with the same secret again":   {UAAClient: `{"client_id":"one","client_secret":"from-uaa"}`},
	} {
		c.PreviousManifest = first
		again := generate(t, c)
		if again.Manifest != first || len(again.Secrets) != 0 {
			t.Errorf("%s: got\n%s\nafter\n%s", name, again.Manifest, first)
		}
	}
}

func TestAPasswordIsRotatedByItsName(t *testing.T) {
	first := generate(t, call{Plan: plan(`{"password_name":"p-1"}`)})
	second := generate(t, call{Plan: plan(`{"password_name":"p-2"}`), PreviousManifest: first.deployed()})
	if len(second.Secrets) != 1 || second.Secrets["p-2"] == first.Secrets["p-1"] || second.properties.Password.Reference != "((odb_secret:p-2))" {
		t.Errorf("got %+v", second.properties)
	}
}

func TestTheUAAClient(t *testing.T) {
	without := generate(t, call{}).deployed()
	made := generate(t, call{PreviousManifest: without, UAAClient: `{"client_id":"one","client_secret":"first"}`})
	kept := made.properties.DashboardClient
	if kept.ID != "one" || made.Secrets[kept.Secret.Name] != "first" || len(made.Secrets) != 1 {
		t.Errorf("got %+v", kept)
	}
	another := generate(t, call{PreviousManifest: made.deployed(), UAAClient: `{"client_id":"one","client_secret":"second"}`})
	if name := another.properties.DashboardClient.Secret.Name; name == kept.Secret.Name || another.Secrets[name] != "second" {
		t.Errorf("another secret needs another name: %v", another.Secrets)
	}
}

func TestWhereASettingComesFrom(t *testing.T) {
	const small, large = `{"max_memory_mb":256}`, `{"max_memory_mb":1024}`
	if got := generate(t, call{}).properties.MaxMemoryMB; got != 256 {
		t.Errorf("by default: %d", got)
	}
	created := generate(t, call{Plan: plan(small)})
	grown := generate(t, call{Plan: plan(large), PreviousManifest: created.deployed()})
	if grown.properties.MaxMemoryMB != 1024 || grown.properties.Password.Name != "password" || len(grown.Secrets) != 0 {
		t.Errorf("from the new plan: %+v", grown.properties)
	}
	chosen := generate(t, call{Plan: plan(small), PreviousManifest: created.deployed(), Parameters: `{"max_memory_mb":300}`})
	kept := generate(t, call{Plan: plan(large), PreviousManifest: chosen.deployed()})
	if chosen.properties.MaxMemoryMB != 300 || kept.properties.MaxMemoryMB != 300 {
		t.Errorf("from the request: %+v, and later %+v", chosen.properties, kept.properties)
	}
}

func TestWhatIsRefused(t *testing.T) {
	const forOperators = "please tell the operator"
	for name, test := range map[string]struct {
		call call
		text string
	}{
		"an unknown parameter":          {call{Parameters: `{"memory":1}`}, `unknown parameter "memory"; the only one is max_memory_mb`},
		"a fraction":                    {call{Parameters: `{"max_memory_mb":100.5}`}, "max_memory_mb must be a whole number from 16 to 65536"},
		"a plan's wrong memory":         {call{Plan: plan(`{"max_memory_mb":"much"}`)}, forOperators},
		"a plan's wrong secret":         {call{Plan: plan(`{"password_name":"a/b"}`)}, forOperators},
		"a plan's wrong secret's type":  {call{Plan: plan(`{"password_name":1}`)}, forOperators},
		"a plan's wrong groups":         {call{Plan: plan(`{"security_groups":"a"}`)}, forOperators},
		"a plan's wrong group":          {call{Plan: plan(`{"security_groups":["a",1]}`)}, forOperators},
		"an unknown errand":             {call{Plan: planWith("{}", `{"post_deploy":[{"name":"smoke"}]}`)}, forOperators},
		"an unknown instance group":     {call{Plan: strings.Replace(plan("{}"), `"cache"`, `"cash"`, 1)}, forOperators},
		"a client whose secret is lost": {call{UAAClient: `{"client_id":"one","client_secret":""}`}, forOperators},
		"a stranger's manifest":         {call{PreviousManifest: "name: x\ninstance_groups: []\n"}, forOperators},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, code := run(t, "generate-manifest", test.call.section())
			if code != 1 || !strings.Contains(stdout, test.text) {
				t.Errorf("exit code %d, and for the user: %q", code, stdout)
			}
		})
	}
}

func bindingSection(manifest, secrets, dns, parameters string) map[string]string {
	return map[string]string{
		"binding_id": "b1", "bosh_vms": `{"cache":["10.0.0.1"]}`, "manifest": manifest,
		"request_parameters": `{"app_guid":"a","parameters":` + parameters + `}`, "secrets": secrets, "dns_addresses": dns,
	}
}

func TestBinding(t *testing.T) {
	manifest := generate(t, call{}).deployed()
	const secrets, dns = `{"((/odb/offering/service-instance_one/password))":"a secret"}`, `{"cache":"q-s3.cache.bosh"}`
	stdout, code := run(t, "create-binding", bindingSection(manifest, secrets, dns, "{}"))
	const want = `{"credentials":{"host":"q-s3.cache.bosh","password":"a secret","port":6380,"uri":"caches://:a%20secret@q-s3.cache.bosh:6380"}}`
	if code != 0 || strings.TrimSpace(stdout) != want {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	if stdout, code := run(t, "delete-binding", bindingSection(manifest, "{}", "{}", "{}")); code != 0 {
		t.Errorf("delete-binding: exit code %d: %s", code, stdout)
	}

	for name, test := range map[string]struct{ secrets, dns, parameters, text string }{
		"parameters":                 {secrets, dns, `{"read_only":true}`, "take no parameters"},
		"a secret that is missing":   {"{}", dns, "{}", "please tell the operator"},
		"an address that is missing": {secrets, "{}", "{}", "please tell the operator"},
	} {
		stdout, code := run(t, "create-binding", bindingSection(manifest, test.secrets, test.dns, test.parameters))
		if code != 1 || !strings.Contains(stdout, test.text) || strings.Contains(stdout, "a secret") {
			t.Errorf("%s: exit code %d: %s", name, code, stdout)
		}
	}
}

func TestDashboard(t *testing.T) {
	ask := func(properties string) (string, int) {
		return run(t, "dashboard-url", map[string]string{"instance_id": "one", "plan": plan(properties), "manifest": "name: x"})
	}
	if stdout, code := ask(`{"dashboard_url":"https://dash.example/cache/"}`); code != 0 || !strings.Contains(stdout, `"https://dash.example/cache/one"`) {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	if stdout, code := ask(`{}`); code != 1 || !strings.Contains(stdout, "please tell the operator") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

func TestSchemasAreNotImplemented(t *testing.T) {
	if _, code := run(t, "generate-plan-schemas", map[string]string{"plan": plan("{}")}); code != serviceadapter.NotImplementedExitCode {
		t.Errorf("exit code %d", code)
	}
}
