package config

// CF is Cloud Foundry. It is checked only if broker.disable_cf_startup_checks is off.
type CF struct {
	URL        string `yaml:"url"`
	RootCACert string `yaml:"root_ca_cert"` // PEM, for the API and its UAA
	// DisableSSLCertVerification is about the management of UAA clients; see also the key of this name in Broker.
	DisableSSLCertVerification bool  `yaml:"disable_ssl_cert_verification"`
	UAA                        CFUAA `yaml:"uaa"`
	legacyCF                   `yaml:",inline"`
}

// CFUAA is how the broker gets its tokens, and the UAA clients that it makes for service instances.
type CFUAA struct {
	URL              string            `yaml:"url"`
	Authentication   UAAAuthentication `yaml:"authentication"`
	ClientDefinition ClientDefinition  `yaml:"client_definition"`
}

// ClientDefinition is the template for one UAA client for each service instance. Lists are comma-separated;
// ODB_SPACE_GUID in them stands for the instance's space.
type ClientDefinition struct {
	Scopes               string `yaml:"scopes"`
	Authorities          string `yaml:"authorities"`
	AuthorizedGrantTypes string `yaml:"authorized_grant_types"`
	ResourceIDs          string `yaml:"resource_ids"`
	Name                 string `yaml:"name"`
	AllowPublic          bool   `yaml:"allowpublic"`
}

// Given tells whether clients are to be made. A name alone makes none.
func (d ClientDefinition) Given() bool {
	return d.Scopes != "" || d.Authorities != "" || d.AuthorizedGrantTypes != "" || d.ResourceIDs != ""
}

// legacyCF is how cf.uaa was spelt once.
type legacyCF struct {
	LegacyAuthentication legacyCFAuthentication `yaml:"authentication"`
}

type legacyCFAuthentication struct {
	URL               string              `yaml:"url"`
	ClientCredentials legacyClient        `yaml:"client_credentials"`
	UserCredentials   BasicAuthentication `yaml:"user_credentials"`
}

type legacyClient struct {
	ClientID string `yaml:"client_id"`
	Secret   Secret `yaml:"secret"`
}

func (c *CF) fold(at section) {
	legacy := c.LegacyAuthentication
	c.legacyCF = legacyCF{}
	at = at.key("authentication")
	switch {
	case legacy == legacyCFAuthentication{}:
	case c.UAA != CFUAA{}:
		at.warn("stands beside cf.uaa, and only the latter counts", "keep cf.uaa")
	default:
		at.notice("is the deprecated spelling of cf.uaa", "use cf.uaa.url and cf.uaa.authentication (where secret is called client_secret)")
		c.UAA = CFUAA{URL: legacy.URL, Authentication: UAAAuthentication{
			ClientCredentials: ClientCredentials{ClientID: legacy.ClientCredentials.ClientID, ClientSecret: legacy.ClientCredentials.Secret},
			UserCredentials:   legacy.UserCredentials,
		}}
	}
}

func (c CF) check(at section) {
	const without = "; without Cloud Foundry set broker.disable_cf_startup_checks"
	at.key("url").need(Error, c.URL != "", "give the URL of the Cloud Foundry API"+without)
	checkURL(at.key("url"), c.URL)
	checkCA(at.key("root_ca_cert"), c.RootCACert)
	at.key("uaa", "url").need(Error, c.UAA.URL != "", "give the URL of Cloud Foundry's UAA"+without)
	checkURL(at.key("uaa", "url"), c.UAA.URL)
	c.UAA.check(at.key("uaa"))
}

func (u CFUAA) check(at section) {
	u.Authentication.check(at.key("authentication"), Error)
	if u.ClientDefinition.Given() && !u.Authentication.ClientCredentials.given() {
		at.key("client_definition").warn("does nothing without a UAA client that may make clients", "give authentication.client_credentials")
	}
}

// ServiceInstancesAPI is another place than Cloud Foundry to list service instances from.
type ServiceInstancesAPI struct {
	URL                        string                            `yaml:"url"` // empty: ask Cloud Foundry
	RootCACert                 string                            `yaml:"root_ca_cert"`
	Authentication             ServiceInstancesAPIAuthentication `yaml:"authentication"`
	DisableSSLCertVerification bool                              `yaml:"disable_ssl_cert_verification"`
}

// ServiceInstancesAPIAuthentication has one kind only.
type ServiceInstancesAPIAuthentication struct {
	Basic BasicAuthentication `yaml:"basic"`
}

func (a ServiceInstancesAPI) check(at section) {
	checkURL(at.key("url"), a.URL)
	if a.URL == "" {
		return
	}
	checkCA(at.key("root_ca_cert"), a.RootCACert)
	if a.Authentication.Basic.given() {
		a.Authentication.Basic.check(at.key("authentication", "basic"), Warning)
	}
}
