package adapter_test

import (
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/docs/adapter"
)

func compiled(t *testing.T) (published, exact *adapter.Messages) {
	t.Helper()
	published, err := adapter.Published()
	if err != nil {
		t.Fatal(err)
	}
	if exact, err = adapter.Exact(); err != nil {
		t.Fatal(err)
	}
	return published, exact
}

func TestThereIsASchemaOfEachMessage(t *testing.T) {
	published, _ := compiled(t)
	want := "create-binding.arguments create-binding.output create-binding.stdin dashboard-url.arguments dashboard-url.output dashboard-url.stdin " +
		"delete-binding.arguments delete-binding.stdin generate-manifest.arguments generate-manifest.output generate-manifest.stdin " +
		"generate-plan-schemas.arguments generate-plan-schemas.output generate-plan-schemas.stdin"
	if got := strings.Join(published.Kinds(), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWhatMayGrowDoesSoForAdaptersButNotUnnoticed(t *testing.T) {
	const (
		unused = `"generate_manifest":{"service_deployment":"","plan":"","previous_plan":"","previous_manifest":"","request_parameters":"","previous_secrets":"",` +
			`"previous_configs":"","uaa_client":""},"dashboard_url":{"instance_id":"","plan":"","manifest":""},` +
			`"create_binding":{"binding_id":"","bosh_vms":"","manifest":"","request_parameters":"","secrets":"","dns_addresses":""},` +
			`"delete_binding":{"binding_id":"","bosh_vms":"","manifest":"","request_parameters":"","secrets":"","dns_addresses":""},`
		group = `{\"name\":\"g\",\"vm_type\":\"v\",\"instances\":1,\"networks\":[\"n\"],\"azs\":[\"z\"],\"operators_own\":1}`
		plan  = `{\"properties\":{\"any\":1},\"lifecycle_errands\":{},\"instance_groups\":[` + group + `]}`
		whole = `{` + unused + `"generate_plan_schemas":{"plan":"` + plan + `"},"originating_identity":{"platform":"p","value":"{}"}}`
	)
	published, exact := compiled(t)
	for name, c := range map[string]struct {
		old, replacement string
		now, later       bool
	}{
		"as it is now":                  {"", "", true, true},
		"a section that is missing":     {`"dashboard_url":{"instance_id":"","plan":"","manifest":""},`, ``, false, false},
		"an unused field with a value":  {`"binding_id":""`, `"binding_id":"b"`, false, false},
		"an unused field that is gone":  {`"binding_id":"",`, ``, false, false},
		"a new section":                 {`"originating_identity":{`, `"more":{},"originating_identity":{`, false, true},
		"a new field":                   {`"platform":"p"`, `"platform":"p","more":""`, false, true},
		"a new member of a plan":        {`\"lifecycle_errands\"`, `\"more\":1,\"lifecycle_errands\"`, false, true},
		"a plan that isn't JSON":        {`{\"properties\"`, `\"properties\"`, false, false},
		"a plan without its groups":     {`,\"instance_groups\":[` + group + `]`, ``, false, false},
		"an object instead of its text": {`"value":"{}"`, `"value":{}`, false, false},
	} {
		if !strings.Contains(whole, c.old) {
			t.Fatalf("%s: there is no %s", name, c.old)
		}
		message := []byte(strings.Replace(whole, c.old, c.replacement, 1))
		if err := exact.Check("generate-plan-schemas.stdin", message); (err == nil) != c.now {
			t.Errorf("%s: now: %v", name, err)
		}
		if err := published.Check("generate-plan-schemas.stdin", message); (err == nil) != c.later {
			t.Errorf("%s: later: %v", name, err)
		}
	}
}

func TestMessagesOfNoKnownKind(t *testing.T) {
	published, _ := compiled(t)
	if err := published.Check("delete-binding.output", []byte(`{}`)); err == nil {
		t.Error("what delete-binding prints has no meaning, and no schema")
	}
	if err := published.Check("dashboard-url.output", []byte(`{`)); err == nil {
		t.Error("it is no JSON")
	}
}
