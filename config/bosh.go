package config

import "time"

// DefaultBOSHTimeout is what one request to the Director may take, unless bosh.timeout says otherwise.
const DefaultBOSHTimeout = 30 * time.Second

// BOSH is the Director.
type BOSH struct {
	URL string `yaml:"url"`
	// RootCACert is PEM. If it is given nobody else is trusted, neither for the Director nor for its UAA.
	RootCACert     string             `yaml:"root_ca_cert"`
	Authentication BOSHAuthentication `yaml:"authentication"`
	// Timeout is for one request to the Director.
	Timeout time.Duration `yaml:"timeout"`
}

// BOSHAuthentication holds one of its two kinds.
type BOSHAuthentication struct {
	Basic BasicAuthentication `yaml:"basic"`
	UAA   DirectorUAA         `yaml:"uaa"`
}

// DirectorUAA is a client of the Director's UAA, whose address the Director itself tells.
type DirectorUAA struct {
	UAAAuthentication `yaml:",inline"`
	flatClient        `yaml:",inline"`
}

// flatClient is how the BOSH job's properties spell the client.
type flatClient struct {
	FlatClientID     string `yaml:"client_id"`
	FlatClientSecret Secret `yaml:"client_secret"`
}

func (u *DirectorUAA) fold(at section) {
	if u.flatClient == (flatClient{}) {
		return
	}
	if u.ClientCredentials.given() {
		at.warn("has client_id or client_secret beside client_credentials, and only the latter count", "keep client_credentials")
	} else {
		at.notice("has client_id and client_secret, which is how BOSH job properties spell it", "put them under client_credentials")
		u.ClientCredentials = ClientCredentials{ClientID: u.FlatClientID, ClientSecret: u.FlatClientSecret}
	}
	u.flatClient = flatClient{}
}

func (b BOSH) check(at section) {
	at.key("url").need(Error, b.URL != "", "give the Director's URL, like https://10.0.0.6:25555")
	checkURL(at.key("url"), b.URL)
	checkCA(at.key("root_ca_cert"), b.RootCACert)
	b.Authentication.check(at.key("authentication"))
}

func (a BOSHAuthentication) check(at section) {
	const oneOf = "give either basic (username, password) or uaa.client_credentials (client_id, client_secret)"
	basic, uaa := a.Basic.given(), a.UAA != DirectorUAA{}
	switch {
	case basic && uaa:
		at.refuse("has both basic and uaa", oneOf)
	case basic:
		a.Basic.check(at.key("basic"), Error)
	case uaa:
		a.UAA.check(at.key("uaa"))
	default:
		at.need(Error, false, oneOf)
	}
}

func (u DirectorUAA) check(at section) {
	if u.UserCredentials.given() {
		// The existing broker takes them, then dies of its first request, which carries no token.
		at.key("user_credentials").refuse("can't be used with a Director", "give client_credentials instead")
		if !u.ClientCredentials.given() {
			return
		}
	}
	u.ClientCredentials.check(at.key("client_credentials"), Error)
}
