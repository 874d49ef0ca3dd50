package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/on-demand-broker/odb/config"
)

const (
	companionBroker = "broker_api:\n  url: https://10.0.0.7:8080\n  authentication: {basic: {username: u, password: hunter2}}\n"
	companionCF     = "cf:\n  url: https://api.example.org\n  uaa: {url: https://uaa.example.org, authentication: {client_credentials: {client_id: c, client_secret: hunter2}}}\n"
)

func TestCompanionDefaultsAreThoseOfTheJobs(t *testing.T) {
	t.Parallel()
	c, odd, err := config.ParseCompanion("c.yml", []byte(companionBroker), config.CompanionRules{Needs: []config.Need{config.NeedBrokerAPI}, Strict: true})
	if err != nil || len(odd) > 0 {
		t.Fatal(err, odd)
	}
	if c.PollingInterval != time.Minute || c.AttemptInterval != time.Minute || c.RequestTimeout != 2*time.Minute || c.AttemptLimit != 5 || c.MaxInFlight != 1 || c.Canaries != 0 {
		t.Errorf("%v %v %v %v %v %v", c.PollingInterval, c.AttemptInterval, c.RequestTimeout, c.AttemptLimit, c.MaxInFlight, c.Canaries)
	}
	if c.CF.Given() || c.BrokerAPI.Authentication.Basic.Password.Reveal() != "hunter2" {
		t.Error("it isn't what was written")
	}
	if got := fmt.Sprintf("%v %+v %#v %s", c, c, *c, *c); strings.Contains(got, "hunter2") || strings.Contains(got, "10.0.0.7") {
		t.Error("it prints:", got)
	}
}

// Each of the predecessor's files is one of ours.
func TestCompanionFilesOfOld(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]struct {
		text  string
		needs []config.Need
		right func(*config.Companion) bool
	}{
		"register-broker": {
			"broker_name: b\nbroker_username: u\nbroker_password: p\nbroker_url: https://b.example.org\nservice_offering_id: s\n" + companionCF +
				"plans:\n- {name: small, cf_service_access: enable}\n- {name: big, cf_service_access: org-restricted, service_access_org: prod}\n" +
				"- {name: wide, cf_service_access: org-restricted, service_access_org: prod, service_access_orgs: [dev, prod]}\n",
			[]config.Need{config.NeedCF, config.NeedRegistration},
			func(c *config.Companion) bool {
				return len(c.Plans) == 3 && slices.Equal(c.Plans[1].Organizations(), []string{"prod"}) && slices.Equal(c.Plans[2].Organizations(), []string{"prod", "dev"})
			},
		},
		"deregister-broker": {
			"disable_ssl_cert_verification: true\n" + companionCF, []config.Need{config.NeedCF},
			func(c *config.Companion) bool { return c.CF.DisableSSLCertVerification },
		},
		"delete-all-service-instances": {
			"polling_interval: 30\npolling_initial_offset: 0\nservice_catalog: {id: s}\n" + companionCF, []config.Need{config.NeedCF, config.NeedOffering},
			func(c *config.Companion) bool {
				return c.PollingInterval == 30*time.Second && c.ServiceCatalog.ID == "s"
			},
		},
		"upgrade-all-service-instances": {
			companionBroker + companionCF + "polling_interval: 1\nattempt_interval: 2\nattempt_limit: 3\nrequest_timeout: 4\nmax_in_flight: 5\ncanaries: 6\ncanary_selection_params: {cf_org: o, cf_space: s}\nmaintenance_info_present: true\n",
			[]config.Need{config.NeedBrokerAPI},
			func(c *config.Companion) bool {
				return c.CanarySelectionParams["cf_space"] == "s" && c.MaintenanceInfoPresent && c.RequestTimeout == 4*time.Second && c.MaxInFlight == 5 && c.Canaries == 6
			},
		},
		"recreate-all-service-instances": {
			companionBroker + "bosh: {url: https://10.0.0.6:25555, root_ca_cert: \"\"}\n", []config.Need{config.NeedBrokerAPI, config.NeedBOSH},
			func(c *config.Companion) bool { return c.BOSH.URL != "" },
		},
		"with Cloud Foundry's authentication as it was spelt once": {
			"cf:\n  url: https://api.example.org\n  authentication: {url: https://uaa.example.org, client_credentials: {client_id: c, secret: s}}\n", []config.Need{config.NeedCF},
			func(c *config.Companion) bool {
				return c.CF.UAA.Authentication.ClientCredentials.ClientSecret.Reveal() == "s"
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, odd, err := config.ParseCompanion("c.yml", []byte(file.text), config.CompanionRules{Needs: file.needs, Strict: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range odd {
				if p.Severity != config.Notice {
					t.Error(p)
				}
			}
			if !file.right(c) {
				t.Error("it isn't what was written")
			}
		})
	}
}

func TestCompanionFaults(t *testing.T) {
	t.Parallel()
	broker, cf := []config.Need{config.NeedBrokerAPI}, []config.Need{config.NeedCF}
	for text, fault := range map[string]struct {
		needs []config.Need
		want  string
	}{
		"": {broker, "error c.yml:1: broker_api.url: is missing or empty, give the broker's URL, like https://10.0.0.7:8080\n" +
			"error c.yml:1: broker_api.authentication.basic.username: is missing or empty, give the user's name\n" +
			"error c.yml:1: broker_api.authentication.basic.password: is missing or empty, give the user's password\n"},
		"\nbroker_api: [hunter2]\n":                  {broker, "error c.yml:2: broker_api: is a list, give a map of keys\n"},
		"- hunter2\n":                                {nil, "error c.yml:1: is not a map of sections, write keys and their values, as in broker_api: {url: …}\n"},
		"polling_interval: 0\n":                      {nil, "error c.yml:1: polling_interval: is too small, give a number of seconds from 1\n"},
		"canaries: 0\nattempt_limit: 0\n":            {nil, "error c.yml:2: attempt_limit: is too small, give a whole number from 1\n"},
		"canaries: -1\npolling_initial_offset: -1\n": {nil, "error c.yml:1: canaries: is too small, give a whole number from 0\nerror c.yml:2: polling_initial_offset: is too small, give a number of seconds from 0\n"},
		"max_in_flight: many\n":                      {nil, "error c.yml:1: max_in_flight: is \"many\", give a whole number, without quotes\n"},
		"max_inflight: 1\n":                          {nil, "warning c.yml:1: max_inflight: is not a key that the command knows, did you mean \"max_in_flight\"?\n"},
		"cf: {url: https://api.example.org}\n":       {nil, "warning c.yml:1: cf.uaa.authentication: is missing or empty, give either client_credentials (client_id, client_secret) or user_credentials (username, password)\n"},
		"cf: {url: https://api.example.org} \n":      {cf, "error c.yml:1: cf.uaa.authentication: is missing or empty, give either client_credentials (client_id, client_secret) or user_credentials (username, password)\n"},
		"bosh: {}\n":                                 {[]config.Need{config.NeedBOSH}, "error c.yml:1: bosh.url: is missing or empty, give the Director's URL, like https://10.0.0.6:25555\n"},
		"service_catalog: {}\n":                      {[]config.Need{config.NeedOffering}, "error c.yml:1: service_catalog.id: is missing or empty, give service_catalog.id of broker.yml\n"},
		"broker_name: b\nbroker_username: u\nbroker_password: hunter2\nbroker_url: b\nservice_offering_id: s\nplans:\n- {name: p, cf_service_access: org-restricted}\n- {name: q, cf_service_access: enabled}\n- {cf_service_access: manual}\n- {name: r, cf_service_access: org-restricted, service_access_orgs: [dev, \"\"]}\n": {
			[]config.Need{config.NeedRegistration},
			"warning c.yml:4: broker_url: is not a complete http or https URL, give one like https://host:port\n" +
				"error c.yml:7: plans[0].service_access_org: is missing or empty, name the organization that may use the plan, or several in service_access_orgs\n" +
				"warning c.yml:8: plans[1].cf_service_access: is none of the kinds of access, and disables the plan, give enable, disable, manual or org-restricted\n" +
				"error c.yml:9: plans[2].name: is missing or empty, give the plan's name\n" +
				"error c.yml:10: plans[3].service_access_orgs: is missing or empty, name each organization that may use the plan\n",
		},
		"broker_name: [\n": {nil, "error c.yml:1: is not YAML: did not find expected node content, check indentation, colons and quotes from this line on\n"},
	} {
		c, rest, err := config.ParseCompanion("c.yml", []byte(text), config.CompanionRules{Needs: fault.needs})
		if got := lines(everything(rest, err)); got != fault.want {
			t.Errorf("of %q it says\n%s\nand not\n%s", text, got, fault.want)
		}
		if (c == nil) != (err != nil) {
			t.Errorf("%q: %v", text, err)
		}
		if _, _, err := config.ParseCompanion("c.yml", []byte(text), config.CompanionRules{Needs: fault.needs, Strict: true}); err == nil {
			t.Errorf("%q passes where nothing may be wrong", text)
		}
	}
}

func TestCompanionIsCompletedBeforeItIsChecked(t *testing.T) {
	t.Parallel()
	rules := config.CompanionRules{Needs: []config.Need{config.NeedBrokerAPI}, Complete: func(c *config.Companion) {
		c.BrokerAPI.URL = "https://10.0.0.8"
		c.BrokerAPI.Authentication.Basic.Username = "u"
	}}
	_, _, err := config.ParseCompanion("", nil, rules)
	if err == nil || err.Error() != "broker_api.authentication.basic.password: is missing or empty, give the user's password" {
		t.Error(err)
	}
}

func TestCompanionsThatDeleteHaveDefaultsOfTheirOwn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"service_catalog: {id: s}\n":                             "s s 3",
		"service_offering_id: s\nmax_in_flight: 1\n":             "s s 1",
		"service_offering_id: s\nservice_catalog: {id: other}\n": "other s 3",
	} {
		c, _, err := config.ParseCompanion("c.yml", []byte(text), config.CompanionRules{Needs: []config.Need{config.NeedOffering}})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s %s %d", c.ServiceCatalog.ID, c.ServiceOfferingID, c.MaxInFlight); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
