package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/config"
)

const changeable = `
broker: {port: 8080, username: u, password: hunter2, disable_cf_startup_checks: true}
bosh: {url: "https://10.0.0.6:25555", authentication: {basic: {username: d, password: hunter2}}, timeout: 30s}
service_adapter: {path: /opt/adapter, env: {TOKEN: hunter2}}
service_deployment:
  releases: [{name: cache, version: 4.2.0, jobs: [server]}]
  stemcells: [{os: ubuntu-jammy, version: "1.351"}]
service_catalog:
  id: s
  service_name: cache
  service_description: a cache
  bindable: true
  metadata: {tier: gold}
  plans:
  - plan_id: p
    name: small
    description: small
    properties: {nested: {a: 1, "b.c": 2}}
    quotas: {service_instance_limit: 5}
    instance_groups: [{name: g, vm_type: small, instances: 1, networks: [n], azs: [z1]}]
`

func TestChanges(t *testing.T) {
	t.Parallel()
	parse := func(text string) *config.Config {
		t.Helper()
		c, _, err := config.Parse("broker.yml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, change := range []struct {
		old, replacement string
		want             []string
	}{
		{"", "# only a remark\n", []string{}},
		{"port: 8080", "port: 8081", []string{"broker.port"}},
		{"username: u, password: hunter2", "username: v, password: hunter3", []string{"broker.password", "broker.username"}},
		{"password: hunter2, disable", "password: hunter2, credentials: [{username: v, password: w}], disable", []string{"broker.credentials"}},
		{"timeout: 30s", "timeout: 20s", []string{"bosh.timeout"}},
		{"timeout: 30s", "", []string{}}, // that is its default
		{"TOKEN: hunter2", "TOKEN: hunter3, PATH: /bin", []string{"service_adapter.env.PATH", "service_adapter.env.TOKEN"}},
		{"tier: gold", "tier: {name: gold}, level: 1", []string{"service_catalog.metadata.level", "service_catalog.metadata.tier"}},
		{`"b.c": 2`, `"b.c": 3`, []string{`service_catalog.plans[0].properties.nested["b.c"]`}},
		{"service_instance_limit: 5", "service_instance_limit: 6", []string{"service_catalog.plans[0].quotas.service_instance_limit"}},
		{"quotas: {service_instance_limit: 5}", "update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000, update_watch_time: 1000}", []string{"service_catalog.plans[0].quotas.service_instance_limit", "service_catalog.plans[0].update"}},
		{"azs: [z1]", "azs: [z2]", []string{"service_catalog.plans[0].instance_groups[0].azs[0]"}},
		{"jobs: [server]", "jobs: [server, agent]", []string{"service_deployment.releases[0].jobs"}},
	} {
		if !strings.Contains(changeable, change.old) {
			t.Fatal("there is no", change.old)
		}
		got := config.Changes(parse(changeable), parse(strings.Replace(changeable, change.old, change.replacement, 1)))
		if !reflect.DeepEqual(got, change.want) {
			t.Errorf("%s → %s: %v, not %v", change.old, change.replacement, got, change.want)
		}
		if strings.Contains(strings.Join(got, " "), "hunter") {
			t.Error("it tells a secret")
		}
	}
}
