package main

import (
	"fmt"
	"log/slog"

	"github.com/on-demand-broker/odb/broker"
	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/config"
)

// cloudFoundry is nil where the operator wants none.
func cloudFoundry(c *config.Config, logger *slog.Logger) (broker.Platform, error) {
	if c.Broker.DisableCFStartupChecks {
		return nil, nil
	}
	client, err := newCloudFoundry(c.CF, logger)
	if client == nil || err != nil {
		return nil, err
	}
	return client, nil
}

// newCloudFoundry is the client of Cloud Foundry; nil if there is none to talk to. The logger, which may be nil, is told of each
// request.
func newCloudFoundry(c config.CF, logger *slog.Logger) (*cfclient.Client, error) {
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
		Logger:              logger,
	})
	if err != nil {
		return nil, fmt.Errorf("cf: %w", err)
	}
	return made, nil
}
