package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// connection is how a command learns whom to talk to: from a file, the environment and flags, of which the later ones win.
type connection struct {
	config  string
	skipTLS bool
	origins []origin
	values  map[string]*string // by flag
	// complete is what the command itself adds to the file; may be nil.
	complete func(*config.Companion)
}

// origin is one thing that can be told beside the file. Secrets are no flags, since every user of a machine sees these:
// the flag then names a file, and the variable holds the secret.
type origin struct {
	flag, variable, usage string
	file                  bool // the flag names a file that holds the value
	set                   func(*config.Companion, string)
}

func brokerOrigins() []origin {
	return []origin{
		{flag: "broker-url", variable: "ODB_BROKER_URL", usage: "the broker's URL",
			set: func(c *config.Companion, v string) { c.BrokerAPI.URL = v }},
		{flag: "broker-username", variable: "ODB_BROKER_USERNAME", usage: "the broker's user",
			set: func(c *config.Companion, v string) { c.BrokerAPI.Authentication.Basic.Username = v }},
		{flag: "broker-password-file", variable: "ODB_BROKER_PASSWORD", usage: "file with that user's password", file: true,
			set: func(c *config.Companion, v string) { c.BrokerAPI.Authentication.Basic.Password = config.NewSecret(v) }},
		{flag: "broker-ca-cert-file", variable: "ODB_BROKER_CA_CERT", usage: "file with the CA certificates of the broker, PEM", file: true,
			set: func(c *config.Companion, v string) { c.BrokerAPI.TLS.CACert = v }},
	}
}

// platformOrigins are those of Cloud Foundry.
func platformOrigins() []origin {
	return []origin{
		{flag: "cf-url", variable: "ODB_CF_URL", usage: "the URL of Cloud Foundry's API",
			set: func(c *config.Companion, v string) { c.CF.URL = v }},
		{flag: "cf-client-id", variable: "ODB_CF_CLIENT_ID", usage: "the UAA client to ask Cloud Foundry as",
			set: func(c *config.Companion, v string) { c.CF.UAA.Authentication.ClientCredentials.ClientID = v }},
		{flag: "cf-client-secret-file", variable: "ODB_CF_CLIENT_SECRET", usage: "file with that client's secret", file: true,
			set: func(c *config.Companion, v string) {
				c.CF.UAA.Authentication.ClientCredentials.ClientSecret = config.NewSecret(v)
			}},
		{flag: "cf-username", variable: "ODB_CF_USERNAME", usage: "the user to ask Cloud Foundry as, instead of a client",
			set: func(c *config.Companion, v string) { c.CF.UAA.Authentication.UserCredentials.Username = v }},
		{flag: "cf-password-file", variable: "ODB_CF_PASSWORD", usage: "file with that user's password", file: true,
			set: func(c *config.Companion, v string) {
				c.CF.UAA.Authentication.UserCredentials.Password = config.NewSecret(v)
			}},
		{flag: "cf-ca-cert-file", variable: "ODB_CF_CA_CERT", usage: "file with the CA certificates of Cloud Foundry, PEM", file: true,
			set: func(c *config.Companion, v string) { c.CF.RootCACert = v }},
	}
}

// addFlags adds the flags of those whom the command talks to.
func (c *connection) addFlags(cmd *cobra.Command, origins ...[]origin) {
	c.origins = slices.Concat(origins...)
	flags := cmd.Flags()
	flags.StringVar(&c.config, "config", "", "file that says how to reach the broker (broker_api) and what else the command needs; the files of the predecessor's errands will do")
	_ = cmd.MarkFlagFilename("config", "yml", "yaml")
	flags.BoolVar(&c.skipTLS, "skip-tls-verification", false, "trust whoever answers")
	c.values = map[string]*string{}
	for _, s := range c.origins {
		what := s.usage + " (or " + s.variable + ")"
		if s.file {
			what = s.usage + " (" + s.variable + " holds the content itself)"
		}
		c.values[s.flag] = flags.String(s.flag, "", what)
	}
}

// load puts together what was said, and checks that it is enough.
func (c *connection) load(cmd *cobra.Command, needs ...config.Need) (*config.Companion, error) {
	told, err := c.told()
	if err != nil {
		return nil, err
	}
	rules := config.CompanionRules{Needs: needs, Strict: true, Complete: func(companion *config.Companion) {
		for _, set := range told {
			set(companion)
		}
		if c.complete != nil {
			c.complete(companion)
		}
	}}
	if c.config != "" {
		return loadCompanion(c.config, rules, cmd.ErrOrStderr())
	}
	companion, _, err := config.ParseCompanion("", nil, rules)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "odb: not enough was said:\n%v\nGive it in a file, by --config, or by flags and environment: see %s --help\n", err, cmd.CommandPath())
		return nil, errReported
	}
	return companion, nil
}

// told are the changes that environment and flags make.
func (c *connection) told() (changes []func(*config.Companion), err error) {
	for _, s := range c.origins {
		value := os.Getenv(s.variable)
		if given := *c.values[s.flag]; given != "" {
			if value, err = s.read(given); err != nil {
				return nil, err
			}
		}
		if value != "" {
			changes = append(changes, func(companion *config.Companion) { s.set(companion, value) })
		}
	}
	if c.skipTLS {
		changes = append(changes, func(companion *config.Companion) {
			companion.BrokerAPI.TLS.DisableSSLCertVerification = true
			companion.CF.DisableSSLCertVerification = true
		})
	}
	return changes, nil
}

// read is what a flag's argument says.
func (o origin) read(argument string) (string, error) {
	if !o.file {
		return argument, nil
	}
	text, err := os.ReadFile(argument)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", o.flag, err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// loadCompanion reads a file and tells on stderr what is odd about it and what is wrong.
func loadCompanion(path string, rules config.CompanionRules, stderr io.Writer) (*config.Companion, error) {
	companion, odd, err := config.LoadCompanion(path, rules)
	var refused *config.Problems
	switch {
	case errors.As(err, &refused):
		fmt.Fprintf(stderr, "error parsing config:\n%v\n", refused)
		return nil, errReported
	case err != nil:
		return nil, err
	}
	for _, p := range odd {
		fmt.Fprintf(stderr, "%s: %s\n", p.Severity, p)
	}
	return companion, nil
}

// newBroker is the client of the broker's management API, which asks a broker that isn't there again for as long as patience lasts.
func newBroker(c *config.Companion, patience time.Duration) (*mgmtclient.Client, error) {
	return mgmtclient.New(mgmtclient.Options{
		URL:                 c.BrokerAPI.URL,
		Username:            c.BrokerAPI.Authentication.Basic.Username,
		Password:            c.BrokerAPI.Authentication.Basic.Password.Reveal(),
		CACert:              c.BrokerAPI.TLS.CACert,
		SkipTLSVerification: c.BrokerAPI.TLS.DisableSSLCertVerification,
		Timeout:             c.RequestTimeout,
		Patience:            patience,
		UserAgent:           "odb/" + version,
	})
}

// broker is the client that a connection leads to.
func (c *connection) broker(cmd *cobra.Command) (*mgmtclient.Client, error) {
	companion, err := c.load(cmd, config.NeedBrokerAPI)
	if err != nil {
		return nil, err
	}
	return newBroker(companion, 0)
}

// findingInstances is Cloud Foundry for those who only want to know whether it has an instance; nil if there is none to ask.
func findingInstances(c config.CF) (companions.InstanceFinder, error) {
	platform, err := newCloudFoundry(c, onlooker{})
	if platform == nil || err != nil {
		return nil, err
	}
	return platform, nil
}
