package config

import (
	"fmt"
	"slices"
)

func (c *Companion) check(root section, needs []Need) {
	needed := func(need Need) bool { return slices.Contains(needs, need) }
	if needed(NeedBrokerAPI) {
		c.BrokerAPI.check(root.key("broker_api"))
	}
	if needed(NeedBrokerName) || needed(NeedRegistration) {
		root.key("broker_name").need(Error, c.BrokerName != "", "give the name that the platform has, or is to have, for the broker")
	}
	if needed(NeedRegistration) {
		c.checkRegistration(root)
	}
	if needed(NeedOffering) {
		root.key("service_catalog", "id").need(Error, c.ServiceCatalog.ID != "", "give service_catalog.id of broker.yml")
	}
	if needed(NeedBOSH) {
		root.key("bosh", "url").need(Error, c.BOSH.URL != "", "give the Director's URL, like https://10.0.0.6:25555")
		checkURL(root.key("bosh", "url"), c.BOSH.URL)
		checkCA(root.key("bosh", "root_ca_cert"), c.BOSH.RootCACert)
	}
	switch {
	case needed(NeedCF):
		c.CF.checkAccess(root.key("cf"), Error)
	case c.CF.Given(): // the existing commands do without it then
		c.CF.checkAccess(root.key("cf"), Warning)
	}
	c.checkIteration(root)
}

// Given tells whether there is a Cloud Foundry to speak of.
func (c CF) Given() bool {
	return c.URL != "" || c.UAA.URL != "" || c.UAA.Authentication != (UAAAuthentication{})
}

// checkAccess is check for those who only ask Cloud Foundry, which tells itself where its UAA is.
func (c CF) checkAccess(at section, severity Severity) {
	at.key("url").need(severity, c.URL != "", "give the URL of the Cloud Foundry API")
	checkURL(at.key("url"), c.URL)
	checkCA(at.key("root_ca_cert"), c.RootCACert)
	checkURL(at.key("uaa", "url"), c.UAA.URL)
	c.UAA.Authentication.check(at.key("uaa", "authentication"), severity)
}

func (b BrokerAPI) check(at section) {
	at.key("url").need(Error, b.URL != "", "give the broker's URL, like https://10.0.0.7:8080")
	checkURL(at.key("url"), b.URL)
	b.Authentication.Basic.check(at.key("authentication", "basic"), Error)
	checkCA(at.key("tls", "ca_cert"), b.TLS.CACert)
}

func (c *Companion) checkRegistration(root section) {
	root.key("broker_username").need(Error, c.BrokerUsername != "", "give broker.username of broker.yml")
	root.key("broker_password").need(Error, !c.BrokerPassword.Empty(), "give broker.password of broker.yml")
	root.key("broker_url").need(Error, c.BrokerURL != "", "give the URL at which the platform reaches the broker")
	checkURL(root.key("broker_url"), c.BrokerURL)
	root.key("service_offering_id").need(Error, c.ServiceOfferingID != "", "give service_catalog.id of broker.yml")
	for i, plan := range c.Plans {
		plan.check(root.key("plans").item(i))
	}
}

func (p PlanAccess) check(at section) {
	at.key("name").need(Error, p.Name != "", "give the plan's name")
	access := at.key("cf_service_access")
	switch p.CFServiceAccess {
	case "enable", "disable", "manual":
	case "org-restricted":
		at.key("service_access_org").need(Error, len(p.Organizations()) > 0, "name the organization that may use the plan, or several in service_access_orgs")
		at.key("service_access_orgs").need(Error, !slices.Contains(p.ServiceAccessOrgs, ""), "name each organization that may use the plan")
	case "":
		access.need(Warning, false, "give enable, disable, manual or org-restricted; without it the plan is disabled")
	default:
		access.warn("is none of the kinds of access, and disables the plan", "give enable, disable, manual or org-restricted")
	}
}

// checkIteration checks what was given: what wasn't gets a default.
func (c *Companion) checkIteration(root section) {
	const seconds, number = "give a number of seconds", "give a whole number"
	root.key("polling_interval").above(0, int(c.PollingInterval), seconds)
	root.key("polling_initial_offset").above(-1, int(c.PollingInitialOffset), seconds)
	root.key("attempt_interval").above(0, int(c.AttemptInterval), seconds)
	root.key("attempt_limit").above(0, c.AttemptLimit, number)
	root.key("request_timeout").above(0, int(c.RequestTimeout), seconds)
	root.key("max_in_flight").above(0, c.MaxInFlight, number)
	root.key("canaries").above(-1, c.Canaries, number)
}

// above refuses a value, if one is given, that isn't above a bound.
func (s section) above(bound, value int, want string) {
	if value <= bound && s.given() && !s.broken() {
		s.refuse("is too small", fmt.Sprintf("%s from %d", want, bound+1))
	}
}
