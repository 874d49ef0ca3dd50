package config

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Config is the whole of broker.yml. Each section's type says what its keys mean.
type Config struct {
	Broker              Broker              `yaml:"broker"`
	BOSH                BOSH                `yaml:"bosh"`
	CF                  CF                  `yaml:"cf"`
	ServiceInstancesAPI ServiceInstancesAPI `yaml:"service_instances_api"`
	CredHub             CredHub             `yaml:"credhub"`
	BOSHCredHub         BOSHCredHub         `yaml:"bosh_credhub"`
	ServiceAdapter      ServiceAdapter      `yaml:"service_adapter"`
	ServiceDeployment   ServiceDeployment   `yaml:"service_deployment"`
	ServiceCatalog      ServiceCatalog      `yaml:"service_catalog"`

	doc *document // for checkFiles
}

// Load reads and checks the file at path and the files that it names. It returns what is not wrong enough to refuse
// (Warning and Notice); the error is a *Problems that holds everything that is, or says why the file can't be read.
func Load(path string) (*Config, []Problem, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the configuration: %w", err)
	}
	config := read(path, text)
	config.checkFiles(config.doc)
	return config.accepted()
}

// Parse is Load for a text already read, without a look at the files that it names. The name stands in problems.
func Parse(name string, text []byte) (*Config, []Problem, error) { return read(name, text).accepted() }

// read makes what it can of the text; the problems are in the document.
func read(name string, text []byte) *Config {
	config := Config{doc: newDocument(name, text)}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		config.doc.reportSyntax(err, text)
		return &config
	}
	if decode(config.doc, &root, &config) {
		config.fold(config.doc)
		config.check(section{doc: config.doc})
		config.settle(config.doc)
	}
	return &config
}

// accepted withholds a configuration that has errors.
func (c *Config) accepted() (*Config, []Problem, error) {
	rest, err := c.doc.refusal()
	if err != nil {
		return nil, rest, err
	}
	return c, rest, nil
}

// fold takes what stands under deprecated keys to where it belongs today.
func (c *Config) fold(doc *document) {
	root := section{doc: doc}
	c.BOSH.Authentication.UAA.fold(root.key("bosh", "authentication", "uaa"))
	c.CF.fold(root.key("cf"))
	c.ServiceDeployment.fold(root.key("service_deployment"))
	c.ServiceCatalog.fold(root.key("service_catalog"))
}

func (c *Config) check(root section) {
	c.Broker.check(root.key("broker"))
	c.BOSH.check(root.key("bosh"))
	if !c.Broker.DisableCFStartupChecks {
		c.CF.check(root.key("cf"))
	}
	c.ServiceInstancesAPI.check(root.key("service_instances_api"))
	c.CredHub.check(root.key("credhub"))
	if c.Broker.EnableSecureManifests {
		c.BOSHCredHub.check(root.key("bosh_credhub"))
	}
	c.ServiceAdapter.check(root.key("service_adapter"))
	c.ServiceDeployment.check(root.key("service_deployment"))
	c.ServiceCatalog.check(root.key("service_catalog"))
	c.checkAcross(root)
}

// checkAcross holds the rules that two sections make together.
func (c *Config) checkAcross(root section) {
	catalog := root.key("service_catalog")
	if c.Broker.EnableSecureManifests && !c.Broker.UseStdin {
		root.key("broker", "enable_secure_manifests").warn("needs broker.use_stdin, without which an adapter never sees its secrets", "set use_stdin: true")
	}
	c.checkBindings(catalog)
	// Without Cloud Foundry instances are counted in the Director, where a config tells the plan of each.
	plansUnknown := c.Broker.DisableCFStartupChecks && c.Broker.DisableBOSHConfigs
	const uncounted, countThem = "can't be kept: neither Cloud Foundry nor BOSH configs may tell which plan an instance has", "remove the limits or broker.disable_bosh_configs"
	if plansUnknown && c.ServiceCatalog.GlobalQuotas.limitsResources() {
		catalog.key("global_quotas", "resources").warn(uncounted, countThem)
	}
	const forgotten, remember = "can't be kept: with broker.disable_bosh_configs nothing is remembered of an instance", "set it to false, or remove broker.disable_bosh_configs"
	if c.Broker.DisableBOSHConfigs && c.ServiceCatalog.InstancesRetrievable {
		catalog.key("instances_retrievable").warn(forgotten, remember)
	}
	if c.Broker.DisableBOSHConfigs && c.ServiceCatalog.AllowContextUpdates {
		catalog.key("allow_context_updates").warn(forgotten, remember)
	}
	for i, plan := range c.ServiceCatalog.Plans {
		at := catalog.key("plans").item(i)
		if plansUnknown && plan.Quotas.limits() {
			at.key("quotas").warn(uncounted, countThem)
		}
		if len(plan.BindingWithDNS) > 0 && !c.Broker.UseStdin {
			at.key("binding_with_dns").warn("needs broker.use_stdin, without which an adapter never sees the addresses", "set use_stdin: true")
		}
	}
}

// settle brings what was checked into the form that readers of a Config get: defaults are filled in, empty sections are
// nil, list items that are null or switched off are gone.
func (c *Config) settle(doc *document) {
	c.BOSH.Timeout = cmp.Or(c.BOSH.Timeout, DefaultBOSHTimeout)
	c.ServiceAdapter.Timeout = cmp.Or(c.ServiceAdapter.Timeout, DefaultAdapterTimeout)
	if len(c.ServiceAdapter.Env) == 0 {
		c.ServiceAdapter.Env = nil
	}
	c.Broker.settle(section{doc: doc}.key("broker"))
	c.ServiceCatalog.KeepBindings = c.keepsBindings()
	c.ServiceCatalog.settle(section{doc: doc}.key("service_catalog"))
	if c.Broker.DisableBOSHConfigs { // a catalog must not promise what isn't kept
		c.ServiceCatalog.InstancesRetrievable, c.ServiceCatalog.AllowContextUpdates = false, false
	}
}

var (
	// The YAML parser, other than its scanner, counts lines from 0.
	fromZero      = regexp.MustCompile(`did not find expected (key|'-' indicator|node content|<document start>|',' or)`)
	syntaxLine    = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(?:yaml: )?`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// reportSyntax turns the YAML reader's complaint into a Problem. A complaint about an alias quotes text that may well be
// a password beginning with an asterisk, so that text stays away.
func (d *document) reportSyntax(err error, text []byte) {
	complaint := err.Error()
	found := syntaxLine.FindStringSubmatch(complaint)
	line, _ := strconv.Atoi(found[1]) // none given means the first
	if line > 0 && fromZero.MatchString(complaint) {
		line++
	}
	if alias := unknownAnchor.FindStringSubmatch(complaint); alias != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+alias[1]))
		d.report(1+bytes.Count(before, []byte("\n")), "", Error, "a value begins with * and so refers to an anchor, which is not defined", "quote it if it is meant as text")
		return
	}
	d.report(line, "", Error, "is not YAML: "+strings.TrimPrefix(complaint, found[0]), "check indentation, colons and quotes from this line on")
}
