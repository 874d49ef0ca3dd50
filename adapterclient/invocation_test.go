package adapterclient

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

const (
	deploymentText = `{"deployment_name":"service-instance_one",` +
		`"releases":[{"name":"cachedb","version":"4.2.0","jobs":["cachedb-server"]}],` +
		`"stemcells":[{"stemcell_name":"fips","stemcell_os":"ubuntu-jammy","stemcell_version":"1.351"},` +
		`{"stemcell_os":"windows","stemcell_version":"2019.1"}]}`
	smallPlanText = `{"properties":{},"lifecycle_errands":{},` +
		`"instance_groups":[{"name":"g","vm_type":"small","instances":1,"networks":["n"],"azs":["z1"]}]}`
	bigPlanText = `{"properties":{"a":1,"b":{"c":["\u003cd\u003e"]}},` +
		`"lifecycle_errands":{"post_deploy":[{"name":"check","instances":["g/0"]}],"pre_delete":[{"name":"wipe"}]},` +
		`"instance_groups":[{"name":"g","vm_type":"large","vm_extensions":["x"],"persistent_disk_type":"10GB","instances":3,` +
		`"networks":["n"],"azs":["z1","z2"],"lifecycle":"errand","migrated_from":[{"name":"old"}],"env":{"bosh":{}},"future":[1]}],` +
		`"update":{"canaries":1,"canary_watch_time":"1-2","update_watch_time":"3-4","max_in_flight":"50%","serial":false,` +
		`"initial_deploy_az_update_strategy":"parallel"}}`
)

func testDeployment() ServiceDeployment {
	return ServiceDeployment{
		DeploymentName: "service-instance_one",
		Releases:       []Release{{Name: "cachedb", Version: "4.2.0", Jobs: []string{"cachedb-server"}}},
		Stemcells:      []Stemcell{{Name: "fips", OS: "ubuntu-jammy", Version: "1.351"}, {OS: "windows", Version: "2019.1"}},
	}
}

func smallPlan() Plan {
	return Plan{InstanceGroups: []InstanceGroup{{
		Name: "g", VMType: "small", Instances: 1, Networks: []string{"n"}, AZs: []string{"z1"},
		VMExtensions: []string{}, MigratedFrom: []MigratedFrom{},
	}}}
}

func bigPlan() Plan {
	serial := false
	return Plan{
		Properties: map[string]any{"b": map[string]any{"c": []any{"<d>"}}, "a": 1},
		LifecycleErrands: LifecycleErrands{
			PostDeploy: []Errand{{Name: "check", Instances: []string{"g/0"}}},
			PreDelete:  []Errand{{Name: "wipe"}},
		},
		InstanceGroups: []InstanceGroup{{
			Name: "g", VMType: "large", VMExtensions: []string{"x"}, PersistentDiskType: "10GB", Instances: 3,
			Networks: []string{"n"}, AZs: []string{"z1", "z2"}, Lifecycle: "errand", MigratedFrom: []MigratedFrom{{Name: "old"}},
			Extra: map[string]any{"future": []int{1}, "env": map[string]any{"bosh": map[string]any{}}, "name": "not this one"},
		}},
		Update: &Update{
			Canaries: 1, CanaryWatchTime: "1-2", UpdateWatchTime: "3-4", MaxInFlight: "50%", Serial: &serial,
			InitialDeployAZUpdateStrategy: "parallel",
		},
	}
}

func TestPlanText(t *testing.T) {
	for name, test := range map[string]struct {
		plan Plan
		want string
	}{
		"every optional key left out": {smallPlan(), smallPlanText},
		"every key":                   {bigPlan(), bigPlanText},
		"no lists at all": {
			Plan{InstanceGroups: []InstanceGroup{{Name: "g"}}},
			`{"properties":{},"lifecycle_errands":{},"instance_groups":[{"name":"g","vm_type":"","instances":0,"networks":null,"azs":null}]}`,
		},
		"an update block without max_in_flight": {
			Plan{Update: &Update{}},
			`{"properties":{},"lifecycle_errands":{},"instance_groups":null,` +
				`"update":{"canaries":0,"canary_watch_time":"","update_watch_time":"","max_in_flight":0}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(test.plan)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// emptySections are the sections of the verbs that a call is not about.
var emptySections = map[string]string{
	"generate_manifest": `"generate_manifest":{"service_deployment":"","plan":"","previous_plan":"","previous_manifest":"",` +
		`"request_parameters":"","previous_secrets":"","previous_configs":"","uaa_client":""}`,
	"dashboard_url":         `"dashboard_url":{"instance_id":"","plan":"","manifest":""}`,
	"create_binding":        `"create_binding":{"binding_id":"","bosh_vms":"","manifest":"","request_parameters":"","secrets":"","dns_addresses":""}`,
	"delete_binding":        `"delete_binding":{"binding_id":"","bosh_vms":"","manifest":"","request_parameters":"","secrets":"","dns_addresses":""}`,
	"generate_plan_schemas": `"generate_plan_schemas":{"plan":""}`,
}

// wholeInput writes out the line that an adapter reads: the given section's fields and the other sections empty.
func wholeInput(section string, fields ...string) string {
	var sections []string
	for _, name := range []string{"generate_manifest", "dashboard_url", "create_binding", "delete_binding", "generate_plan_schemas"} {
		if name != section {
			sections = append(sections, emptySections[name])
			continue
		}
		var pairs []string
		for i := 0; i < len(fields); i += 2 {
			text, err := json.Marshal(fields[i+1])
			if err != nil {
				panic(err)
			}
			pairs = append(pairs, `"`+fields[i]+`":`+string(text))
		}
		sections = append(sections, `"`+name+`":{`+strings.Join(pairs, ",")+"}")
	}
	return "{" + strings.Join(sections, ",") + "}\n"
}

func TestInvocations(t *testing.T) {
	plan := bigPlan()
	creation := GenerateManifest{ServiceDeployment: testDeployment(), Plan: smallPlan(), RequestParameters: json.RawMessage(`{"parameters":{}}`)}
	update := GenerateManifest{
		ServiceDeployment: testDeployment(), Plan: smallPlan(), PreviousPlan: &plan, PreviousManifest: "name: \"one\"\n",
		PreviousSecrets: map[string]string{"((/b))": "2", "((a))": "1"}, PreviousConfigs: map[string]string{}, UAAClient: map[string]string{"client_id": "i"},
	}
	binding := BindingRequest{
		BindingID: "b1", Topology: map[string][]string{"g": {"10.0.0.1"}, "e": nil}, Manifest: "name: one\n",
		RequestParameters: json.RawMessage(`{"app_guid":"a"}`), Secrets: map[string]string{"((a))": "1"}, DNSAddresses: map[string]string{"x": "y.bosh"},
	}
	dashboard := DashboardURL{InstanceID: "one", Plan: smallPlan(), Manifest: "name: one\n"}

	for name, test := range map[string]struct {
		make      func(ctx context.Context, useStdin bool) (invocation, error)
		wantStdin string
		wantArgs  []string
	}{
		"generate-manifest of a new instance": {
			creation.invocation,
			wholeInput("generate_manifest", "service_deployment", deploymentText, "plan", smallPlanText, "previous_plan", "null", "previous_manifest", "",
				"request_parameters", `{"parameters":{}}`, "previous_secrets", "null", "previous_configs", "null", "uaa_client", "null"),
			[]string{"generate-manifest", deploymentText, smallPlanText, `{"parameters":{}}`, "", "null"},
		},
		"generate-manifest of an existing instance": {
			update.invocation,
			wholeInput("generate_manifest", "service_deployment", deploymentText, "plan", smallPlanText, "previous_plan", bigPlanText, "previous_manifest", "name: \"one\"\n",
				"request_parameters", `{}`, "previous_secrets", `{"((/b))":"2","((a))":"1"}`, "previous_configs", "{}", "uaa_client", `{"client_id":"i"}`),
			[]string{"generate-manifest", deploymentText, smallPlanText, `{}`, "name: \"one\"\n", bigPlanText},
		},
		"create-binding": {
			func(ctx context.Context, useStdin bool) (invocation, error) {
				return binding.invocation(ctx, VerbCreateBinding, useStdin)
			},
			wholeInput("create_binding", "binding_id", "b1", "bosh_vms", `{"e":null,"g":["10.0.0.1"]}`, "manifest", "name: one\n",
				"request_parameters", `{"app_guid":"a"}`, "secrets", `{"((a))":"1"}`, "dns_addresses", `{"x":"y.bosh"}`),
			[]string{"create-binding", "b1", `{"e":null,"g":["10.0.0.1"]}`, "name: one\n", `{"app_guid":"a"}`},
		},
		"delete-binding with as little as there can be": {
			func(ctx context.Context, useStdin bool) (invocation, error) {
				return BindingRequest{BindingID: "b1"}.invocation(ctx, VerbDeleteBinding, useStdin)
			},
			wholeInput("delete_binding", "binding_id", "b1", "bosh_vms", "{}", "manifest", "", "request_parameters", "{}", "secrets", "null", "dns_addresses", "{}"),
			[]string{"delete-binding", "b1", "{}", "", "{}"},
		},
		"dashboard-url": {
			dashboard.invocation,
			wholeInput("dashboard_url", "instance_id", "one", "plan", smallPlanText, "manifest", "name: one\n"),
			[]string{"dashboard-url", "one", smallPlanText, "name: one\n"},
		},
		"generate-plan-schemas": {
			func(ctx context.Context, useStdin bool) (invocation, error) {
				return planSchemasInvocation(ctx, smallPlan(), useStdin)
			},
			wholeInput("generate_plan_schemas", "plan", smallPlanText),
			[]string{"generate-plan-schemas", "--plan-json", smallPlanText},
		},
	} {
		t.Run(name, func(t *testing.T) {
			onStdin, err := test.make(t.Context(), true)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(onStdin.stdin); got != test.wantStdin {
				t.Errorf("stdin\ngot  %s\nwant %s", got, test.wantStdin)
			}
			if !slices.Equal(onStdin.args, test.wantArgs[:1]) {
				t.Errorf("arguments beside stdin: %q", onStdin.args)
			}
			positional, err := test.make(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			if positional.stdin != nil || !slices.Equal(positional.args, test.wantArgs) {
				t.Errorf("arguments\ngot  %q and %q on stdin\nwant %q", positional.args, positional.stdin, test.wantArgs)
			}
		})
	}
}

func TestWhoAsksIsToldOnStdin(t *testing.T) {
	ctx := WithOriginatingIdentity(t.Context(), OriginatingIdentity{Platform: "kubernetes", Value: json.RawMessage(`{"username":"jane","groups":["admin"]}`)})
	told, err := BindingRequest{BindingID: "b1"}.invocation(ctx, VerbCreateBinding, true)
	if err != nil {
		t.Fatal(err)
	}
	untold, err := BindingRequest{BindingID: "b1"}.invocation(t.Context(), VerbCreateBinding, true)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSuffix(string(untold.stdin), "}\n") + `,"originating_identity":{"platform":"kubernetes","value":"{\"username\":\"jane\",\"groups\":[\"admin\"]}"}}` + "\n"
	if string(told.stdin) != want {
		t.Errorf("stdin\ngot  %s\nwant %s", told.stdin, want)
	}
	positional, err := BindingRequest{BindingID: "b1"}.invocation(ctx, VerbCreateBinding, false)
	if err != nil || strings.Contains(strings.Join(positional.args, " "), "jane") {
		t.Errorf("arguments %q, %v", positional.args, err)
	}
}

func TestInputThatIsNotJSON(t *testing.T) {
	unusable := Plan{Properties: map[string]any{"password": func() {}}}
	_, err := GenerateManifest{Plan: unusable}.invocation(t.Context(), true)
	if err == nil || !strings.Contains(err.Error(), "writing plan for generate-manifest") {
		t.Errorf("generate-manifest: %v", err)
	}
	extra := Plan{InstanceGroups: []InstanceGroup{{Name: "g", Extra: map[string]any{"env": func() {}}}}}
	_, err = DashboardURL{Plan: extra}.invocation(t.Context(), false)
	if err == nil || !strings.Contains(err.Error(), "instance group g: key env") {
		t.Errorf("dashboard-url: %v", err)
	}
	if _, err := planSchemasInvocation(t.Context(), unusable, true); err == nil {
		t.Error("generate-plan-schemas: no error")
	}
	_, err = BindingRequest{RequestParameters: json.RawMessage("{")}.invocation(t.Context(), VerbCreateBinding, true)
	if err != nil {
		t.Errorf("the request's JSON is the caller's and passed as it is, but: %v", err)
	}
}
