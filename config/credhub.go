package config

// CredHub is the platform's CredHub, where binding credentials are kept.
type CredHub struct {
	APIURL            string `yaml:"api_url"`
	ClientID          string `yaml:"client_id"`
	ClientSecret      Secret `yaml:"client_secret"`
	CACert            string `yaml:"ca_cert"`              // PEM
	InternalUAACACert string `yaml:"internal_uaa_ca_cert"` // PEM
}

// Enabled tells whether binding credentials go to CredHub: any value at all switches it on.
func (c CredHub) Enabled() bool { return c != CredHub{} }

func (c CredHub) check(at section) {
	if !c.Enabled() {
		return
	}
	at.key("api_url").need(Error, c.APIURL != "", "give CredHub's URL, or none of the section's keys")
	checkURL(at.key("api_url"), c.APIURL)
	ClientCredentials{ClientID: c.ClientID, ClientSecret: c.ClientSecret}.check(at, Warning)
	at.key("ca_cert").need(Warning, c.CACert != "", "give CredHub's CA certificate")
	checkCA(at.key("ca_cert"), c.CACert)
	checkCA(at.key("internal_uaa_ca_cert"), c.InternalUAACACert)
}

// BOSHCredHub is the Director's CredHub, where the secrets of manifests are kept. It is used, and checked, only if
// broker.enable_secure_manifests is on.
type BOSHCredHub struct {
	URL            string                    `yaml:"url"`
	RootCACert     string                    `yaml:"root_ca_cert"` // PEM, trusted beside bosh.root_ca_cert
	Authentication BOSHCredHubAuthentication `yaml:"authentication"`
}

// BOSHCredHubAuthentication has one kind only.
type BOSHCredHubAuthentication struct {
	UAA BOSHCredHubUAA `yaml:"uaa"`
}

// BOSHCredHubUAA has one kind only.
type BOSHCredHubUAA struct {
	ClientCredentials ClientCredentials `yaml:"client_credentials"`
}

func (c BOSHCredHub) check(at section) {
	const secure = " (broker.enable_secure_manifests is on)"
	at.key("url").need(Error, c.URL != "", "give the URL of the Director's CredHub"+secure)
	checkURL(at.key("url"), c.URL)
	at.key("root_ca_cert").need(Warning, c.RootCACert != "", "give the CA certificate of the Director's CredHub"+secure)
	checkCA(at.key("root_ca_cert"), c.RootCACert)
	c.Authentication.UAA.ClientCredentials.check(at.key("authentication", "uaa", "client_credentials"), Warning)
}
