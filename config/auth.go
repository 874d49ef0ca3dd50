package config

import (
	"crypto/x509"
	"net/url"
)

// BasicAuthentication is a user and a password.
type BasicAuthentication struct {
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
}

func (b BasicAuthentication) given() bool { return b != BasicAuthentication{} }

func (b BasicAuthentication) check(at section, severity Severity) {
	at.key("username").need(severity, b.Username != "", "give the user's name")
	at.key("password").need(severity, !b.Password.Empty(), "give the user's password")
}

// ClientCredentials is a UAA client.
type ClientCredentials struct {
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
}

func (c ClientCredentials) given() bool { return c != ClientCredentials{} }

func (c ClientCredentials) check(at section, severity Severity) {
	at.key("client_id").need(severity, c.ClientID != "", "give the UAA client's id")
	at.key("client_secret").need(severity, !c.ClientSecret.Empty(), "give the UAA client's secret")
}

// UAAAuthentication is a UAA client or a UAA user.
type UAAAuthentication struct {
	ClientCredentials ClientCredentials   `yaml:"client_credentials"`
	UserCredentials   BasicAuthentication `yaml:"user_credentials"`
}

func (a UAAAuthentication) check(at section, severity Severity) {
	const oneOf = "give either client_credentials (client_id, client_secret) or user_credentials (username, password)"
	switch client, user := a.ClientCredentials, a.UserCredentials; {
	case client.given() && user.given():
		at.report(severity, "has both client_credentials and user_credentials", oneOf)
	case client.given():
		client.check(at.key("client_credentials"), severity)
	case user.given():
		user.check(at.key("user_credentials"), severity)
	default:
		at.need(severity, false, oneOf)
	}
}

// checkURL says what keeps an address from being used. It never quotes the address, which may hold a password.
func checkURL(at section, address string) {
	if address == "" {
		return
	}
	parsed, err := url.Parse(address)
	switch {
	case err != nil:
		at.refuse("is not a URL", "give one like https://host:port")
	case parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Hostname() == "":
		at.warn("is not a complete http or https URL", "give one like https://host:port")
	}
}

// checkCA says that a CA certificate can't be used. The client that is built from it has to refuse it; see the
// package comment.
func checkCA(at section, pem string) {
	if pem != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		at.warn("holds no readable PEM certificate", "give the CA's certificate from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----")
	}
}
