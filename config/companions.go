package config

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"

	"gopkg.in/yaml.v3"
)

// Companion is the file of a companion command: register-broker, upgrade-all-service-instances and their like. The existing
// ones have a format each; this is all of them in one, so that one file may serve all commands. What a command can't do
// without, its CompanionRules say.
type Companion struct {
	// What to register.
	BrokerName        string       `yaml:"broker_name"`
	BrokerUsername    string       `yaml:"broker_username"`
	BrokerPassword    Secret       `yaml:"broker_password"`
	BrokerURL         string       `yaml:"broker_url"`
	ServiceOfferingID string       `yaml:"service_offering_id"` // of the catalog
	Plans             []PlanAccess `yaml:"plans"`
	// What to delete all instances of; the same as service_offering_id, which one of them is enough for.
	ServiceCatalog CompanionOffering `yaml:"service_catalog"`

	BrokerAPI BrokerAPI `yaml:"broker_api"`
	CF        CF        `yaml:"cf"`
	BOSH      BOSH      `yaml:"bosh"` // url and root_ca_cert
	// DisableSSLCertVerification is about Cloud Foundry; the same as cf.disable_ssl_cert_verification, which is what is
	// left of it after loading.
	DisableSSLCertVerification bool `yaml:"disable_ssl_cert_verification"`

	// How to go through instances. Those that aren't given have the defaults of the existing BOSH jobs.
	PollingInterval       time.Duration     `yaml:"polling_interval" unit:"seconds"`
	PollingInitialOffset  time.Duration     `yaml:"polling_initial_offset" unit:"seconds"`
	AttemptInterval       time.Duration     `yaml:"attempt_interval" unit:"seconds"`
	AttemptLimit          int               `yaml:"attempt_limit"`
	RequestTimeout        time.Duration     `yaml:"request_timeout" unit:"seconds"` // of one request to the broker
	MaxInFlight           int               `yaml:"max_in_flight"`
	Canaries              int               `yaml:"canaries"`
	CanarySelectionParams map[string]string `yaml:"canary_selection_params"`
	// MaintenanceInfoPresent is false where the catalog has none, so that nothing is ever to be upgraded through the platform.
	MaintenanceInfoPresent bool `yaml:"maintenance_info_present"`
}

// PlanAccess is who may use a plan.
type PlanAccess struct {
	Name             string `yaml:"name"`
	CFServiceAccess  string `yaml:"cf_service_access"` // enable, disable, manual or org-restricted
	ServiceAccessOrg string `yaml:"service_access_org"`
	// ServiceAccessOrgs are more organizations for org-restricted.
	ServiceAccessOrgs []string `yaml:"service_access_orgs"`
}

// Organizations are all those that org-restricted means.
func (p PlanAccess) Organizations() []string {
	var all []string
	for _, name := range append([]string{p.ServiceAccessOrg}, p.ServiceAccessOrgs...) {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// CompanionOffering is the service offering that a command is about.
type CompanionOffering struct {
	ID string `yaml:"id"` // of the catalog
}

// BrokerAPI is how to reach the broker.
type BrokerAPI struct {
	URL            string                            `yaml:"url"`
	Authentication ServiceInstancesAPIAuthentication `yaml:"authentication"`
	TLS            BrokerAPITLS                      `yaml:"tls"`
}

// BrokerAPITLS is whom to trust as the broker.
type BrokerAPITLS struct {
	CACert                     string `yaml:"ca_cert"` // PEM; trusted beside the system's
	DisableSSLCertVerification bool   `yaml:"disable_ssl_cert_verification"`
}

// Need is a part of a Companion that a command can't do without.
type Need string

// The needs.
const (
	NeedBrokerAPI    Need = "broker_api"
	NeedCF           Need = "cf"
	NeedBOSH         Need = "bosh"
	NeedBrokerName   Need = "broker_name"
	NeedRegistration Need = "registration" // what register-broker registers
	NeedOffering     Need = "service_catalog"
)

// CompanionRules are a command's own.
type CompanionRules struct {
	Needs []Need
	// Strict refuses what would only be a warning, such as a key that nobody knows. Commands under their old names aren't.
	Strict bool
	// Complete, if given, fills in what the command was told elsewhere, before anything is checked.
	Complete func(*Companion)
}

// LoadCompanion reads and checks the file at path. It returns warnings and notices; the error is a *Problems that holds all
// that the file was refused for, or says why it can't be read.
func LoadCompanion(path string, rules CompanionRules) (*Companion, []Problem, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return ParseCompanion(path, text, rules)
}

// ParseCompanion is LoadCompanion for a text already read. The name stands in problems.
func ParseCompanion(name string, text []byte, rules CompanionRules) (*Companion, []Problem, error) {
	doc := newDocument(name, text)
	doc.format = format{reader: "the command", advice: "write keys and their values, as in broker_api: {url: …}"}
	var c Companion
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		doc.reportSyntax(err, text)
	} else if decode(doc, &root, &c) {
		c.complete(section{doc: doc}, rules)
	}
	if rules.Strict {
		doc.refuseWarnings()
	}
	rest, err := doc.refusal()
	if err != nil {
		return nil, rest, err
	}
	return &c, rest, nil
}

// DeletionsInFlight is the default of max_in_flight for commands that delete instances. The predecessor did one at a time; a
// Director has four workers in most deployments, and one of them is left to others.
const DeletionsInFlight = 3

// complete brings what was decoded into the form that commands get, and checks it.
func (c *Companion) complete(root section, rules CompanionRules) {
	c.CF.fold(root.key("cf"))
	c.CF.DisableSSLCertVerification = c.CF.DisableSSLCertVerification || c.DisableSSLCertVerification
	if rules.Complete != nil {
		rules.Complete(c)
	}
	c.ServiceCatalog.ID, c.ServiceOfferingID = cmp.Or(c.ServiceCatalog.ID, c.ServiceOfferingID), cmp.Or(c.ServiceOfferingID, c.ServiceCatalog.ID)
	c.check(root, rules.Needs)
	inFlight := 1
	if slices.Contains(rules.Needs, NeedOffering) {
		inFlight = DeletionsInFlight
	}
	c.PollingInterval = cmp.Or(c.PollingInterval, time.Minute)
	c.AttemptInterval = cmp.Or(c.AttemptInterval, time.Minute)
	c.AttemptLimit = cmp.Or(c.AttemptLimit, 5)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 2*time.Minute)
	c.MaxInFlight = cmp.Or(c.MaxInFlight, inFlight)
}
