package main

import (
	"fmt"
	"log/slog"

	"github.com/on-demand-broker/odb/broker"
	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/httpclient"
)

// cloudFoundry is nil where the operator wants none.
func cloudFoundry(c *config.Config, who onlooker) (broker.Platform, error) {
	if c.Broker.DisableCFStartupChecks {
		return nil, nil
	}
	client, err := newCloudFoundry(c.CF, who)
	if client == nil || err != nil {
		return nil, err
	}
	return client, nil
}

// onlooker is told of each request to Cloud Foundry, by its log and its metrics; by neither if it is zero.
type onlooker struct {
	logger  *slog.Logger
	observe func(httpclient.Exchange)
}

// newCloudFoundry is the client of Cloud Foundry; nil if there is none to talk to.
func newCloudFoundry(c config.CF, who onlooker) (*cfclient.Client, error) {
	if !c.Given() {
		return nil, nil
	}
	client, user := c.UAA.Authentication.ClientCredentials, c.UAA.Authentication.UserCredentials
	made, err := cfclient.New(cfclient.Options{
		URL:                 c.URL,
		UAAURL:              c.UAA.URL,
		CACert:              c.RootCACert,
		SkipTLSVerification: c.DisableSSLCertVerification,
		ClientID:            client.ClientID,
		ClientSecret:        client.ClientSecret.Reveal(),
		Username:            user.Username,
		Password:            user.Password.Reveal(),
		UserAgent:           "odb/" + version,
		Logger:              who.logger,
		Observe:             who.observe,
	})
	if err != nil {
		return nil, fmt.Errorf("cf: %w", err)
	}
	return made, nil
}
