package config_test

import (
	"reflect"
	"testing"

	"github.com/on-demand-broker/odb/config"
)

func TestDeprecatedKeysAreFolded(t *testing.T) {
	t.Parallel()
	load := func(fault string) *config.Config {
		c, _ := mustParse(t, "testdata/bad/"+fault+".yml")
		return c
	}
	resources := func(c *config.Config) map[string]config.ResourceQuota {
		return c.ServiceCatalog.Plans[0].Quotas.Resources
	}
	for name, pair := range map[string][2]any{
		"a flat client of the Director's UAA": {
			load("bosh_client_spelt_flat").BOSH.Authentication.UAA.ClientCredentials, config.ClientCredentials{ClientID: "odb", ClientSecret: config.NewSecret("hunter2")},
		},
		"a flat client beside a nested one": {
			load("bosh_client_spelt_flat_and_nested").BOSH.Authentication.UAA.ClientCredentials.ClientID, "odb",
		},
		"cf.authentication": {
			load("cf_authentication_deprecated").CF.UAA,
			config.CFUAA{URL: "https://uaa.example.com", Authentication: config.UAAAuthentication{
				ClientCredentials: config.ClientCredentials{ClientID: "odb", ClientSecret: config.NewSecret("hunter2")},
			}},
		},
		"a single stemcell": {
			load("stemcell_deprecated").ServiceDeployment.Stemcells, []config.Stemcell{{OS: "ubuntu-jammy", Version: "1.351"}},
		},
		"a single stemcell beside the list": {
			len(load("stemcell_deprecated_and_new").ServiceDeployment.Stemcells), 1,
		},
		"global resource limits": {
			load("global_quotas_deprecated").ServiceCatalog.GlobalQuotas.Resources, map[string]config.ResourceQuota{"ips": {Limit: 10}},
		},
		"global resource limits replace all resources": {
			load("global_quotas_deprecated_and_new").ServiceCatalog.GlobalQuotas.Resources, map[string]config.ResourceQuota{"ips": {Limit: 10}},
		},
		"a plan's resource limits and costs": {
			resources(load("plan_quotas_deprecated")), map[string]config.ResourceQuota{"ips": {Limit: 10, Cost: 1}},
		},
		"a plan's resource limits replace limit and cost of their kinds": {
			resources(load("plan_quotas_deprecated_and_new")), map[string]config.ResourceQuota{"ips": {Limit: 10}},
		},
	} {
		if got, want := pair[0], pair[1]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, not %+v", name, got, want)
		}
	}
}
