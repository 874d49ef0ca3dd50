package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/broker"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/httpclient"
	"github.com/on-demand-broker/odb/metrics"
	"github.com/on-demand-broker/odb/secrets"
	"github.com/on-demand-broker/odb/server"
	"github.com/on-demand-broker/odb/uaaclients"
)

// daemon is the broker with its server, as the configuration has them.
type daemon struct {
	*server.Server
	broker  *broker.Broker
	config  *config.Config
	logger  *slog.Logger
	metrics *metrics.Registry
	rhythm  rhythm
}

// rhythm is how often the broker does what nobody asks it to; 0 for its defaults.
type rhythm struct{ carry, look, count time.Duration }

// newDaemon wires the rooms together. Nobody is asked anything yet but, where plan schemas are enabled, the adapter.
func newDaemon(ctx context.Context, c *config.Config, logger *slog.Logger, often rhythm) (*daemon, error) {
	d := &daemon{config: c, logger: logger, rhythm: often, metrics: metrics.New(metrics.Build{Version: version, Commit: revision()}, logger)}
	options, err := d.brokerOptions(ctx, c)
	if err != nil {
		return nil, err
	}
	first, err := broker.New(options)
	if err != nil {
		return nil, err
	}
	d.broker = first
	d.metrics.Reads(func() metrics.Standing { return standingOf(first.Figures()) })
	if d.Server, err = server.New(d.serverOptions(c, d.broker)); err != nil {
		return nil, err
	}
	return d, d.tellConfiguration()
}

// brokerOptions are what the broker is made of. It and serverOptions are the places that see the whole configuration.
func (d *daemon) brokerOptions(ctx context.Context, c *config.Config) (broker.Options, error) {
	options := broker.Options{
		Catalog:    c.ServiceCatalog,
		Deployment: c.ServiceDeployment,
		Switches: broker.Switches{
			DisableBOSHConfigs:         c.Broker.DisableBOSHConfigs,
			ExposeOperationalErrors:    c.Broker.ExposeOperationalErrors,
			SkipCheckForPendingChanges: c.Broker.SkipCheckForPendingChanges,
			SupportBackupAgentBinding:  c.Broker.SupportBackupAgentBinding,
			FullMaintenanceInfo:        c.Broker.FullMaintenanceInfo,
			EnableTelemetry:            c.Broker.EnableTelemetry,
			SideBySide:                 c.Broker.SideBySide,
		},
		Logger:     d.logger,
		CarryEvery: d.rhythm.carry,
		LookEvery:  d.rhythm.look,
		CountEvery: d.rhythm.count,
		Observe:    d.operationEnded,
	}
	director, err := newDirector(c.BOSH, d.askedDirector)
	if err != nil {
		return options, err
	}
	options.Deployments, options.Maintaining, options.Tasks, options.Configs, options.Health = director, director, director, director, director
	if !c.Broker.DisableBOSHEvents {
		options.Events = director
	}
	adapter, err := d.newAdapter(c)
	if err != nil {
		return options, err
	}
	options.Adapter = adapter
	if err := d.addPlatform(&options, c); err != nil {
		return options, err
	}
	options.Schemas, err = planSchemas(ctx, c, adapter)
	return options, err
}

// addPlatform adds whom the broker depends on besides the Director and the adapter, as far as they are configured.
func (d *daemon) addPlatform(options *broker.Options, c *config.Config) (err error) {
	if options.UAAClients, err = newUAAClients(c, d.asked(platformUAA)); err != nil {
		return err
	}
	if options.ManifestSecrets, err = newManifestSecrets(c, d.asked(boshCredHub)); err != nil {
		return err
	}
	if err := useBindingSecrets(c, d.asked(platformCredHub), options); err != nil {
		return err
	}
	if options.Instances, err = newInstances(c.ServiceInstancesAPI, d.asked(instancesAPI)); err != nil {
		return err
	}
	if options.Platform, err = cloudFoundry(c, onlooker{d.logger, d.asked(platformAPI)}); err != nil {
		return err
	}
	for name, client := range map[string]any{
		platformUAA: options.UAAClients, boshCredHub: options.ManifestSecrets, platformCredHub: options.BindingSecrets, platformAPI: options.Platform,
	} {
		if there, configured := client.(interface{ Reachable(context.Context) error }); configured {
			options.Dependencies = append(options.Dependencies, broker.Dependency{Name: name, Reachable: there.Reachable})
		}
	}
	return nil
}

func (d *daemon) serverOptions(c *config.Config, b *broker.Broker) server.Options {
	return server.Options{
		Address:                 net.JoinHostPort(c.Broker.Host, strconv.Itoa(c.Broker.Port)),
		CertFile:                c.Broker.TLS.CertFile,
		KeyFile:                 c.Broker.TLS.KeyFile,
		Credentials:             credentials(c.Broker),
		ExposeOperationalErrors: c.Broker.ExposeOperationalErrors,
		ShutdownTimeout:         c.Broker.ShutdownTimeout,
		Logger:                  d.logger,
		Broker:                  b,
		Metrics:                 d.metrics.Handler(),
		Observe:                 d.served,
	}
}

// credentials are all that are let in.
func credentials(c config.Broker) []server.Credential {
	all := []server.Credential{{Key: "broker.username", Username: c.Username, Password: c.Password.Reveal()}}
	for i, further := range c.Credentials {
		all = append(all, server.Credential{Key: fmt.Sprintf("broker.credentials[%d]", i), Username: further.Username, Password: further.Password.Reveal()})
	}
	return all
}

// planSchemas are the adapter's, nil if they are not enabled. A broker whose schemas can't be had doesn't start: its catalog
// would be another one.
func planSchemas(ctx context.Context, c *config.Config, adapter *adapterclient.Client) (broker.Schemas, error) {
	if !c.Broker.EnablePlanSchemas {
		return nil, nil
	}
	return broker.GenerateSchemas(ctx, adapter, c.ServiceCatalog)
}

// maxDirectorAnswer, in bytes, is above the largest: what is remembered of 50 000 instances is some 55 MB, and more where the
// platform's contexts are large.
const maxDirectorAnswer = 256 << 20

func newDirector(c config.BOSH, observe func(boshclient.Asked)) (*boshclient.Client, error) {
	return boshclient.New(boshclient.Options{
		URL:          c.URL,
		CACert:       c.RootCACert,
		Username:     c.Authentication.Basic.Username,
		Password:     c.Authentication.Basic.Password.Reveal(),
		ClientID:     c.Authentication.UAA.ClientCredentials.ClientID,
		ClientSecret: c.Authentication.UAA.ClientCredentials.ClientSecret.Reveal(),
		Timeout:      c.Timeout,
		BodyLimit:    maxDirectorAnswer,
		UserAgent:    "odb/" + version,
		Observe:      observe,
	})
}

// newUAAClients is nil where there is no Cloud Foundry, or only a user to log in to its UAA with.
func newUAAClients(c *config.Config, observe func(httpclient.Exchange)) (broker.UAAClients, error) {
	credentials, definition := c.CF.UAA.Authentication.ClientCredentials, c.CF.UAA.ClientDefinition
	if c.Broker.DisableCFStartupChecks || credentials.ClientID == "" {
		return nil, nil
	}
	clients, err := uaaclients.New(uaaclients.Options{
		URL: c.CF.UAA.URL, CACerts: c.CF.RootCACert, SkipVerify: c.CF.DisableSSLCertVerification,
		ClientID: credentials.ClientID, ClientSecret: credentials.ClientSecret.Reveal(),
		Observe: observe,
		Definition: uaaclients.Definition{
			Scopes: definition.Scopes, Authorities: definition.Authorities, AuthorizedGrantTypes: definition.AuthorizedGrantTypes,
			ResourceIDs: definition.ResourceIDs, Name: definition.Name, AllowPublic: definition.AllowPublic,
		},
	})
	switch {
	case err != nil && !definition.Given(): // nobody wants any; clients that were made in another time stay
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("cf.uaa: %w", err)
	}
	return clients, nil
}

// newManifestSecrets is nil without secure manifests.
func newManifestSecrets(c *config.Config, observe func(httpclient.Exchange)) (broker.ManifestSecrets, error) {
	if !c.Broker.EnableSecureManifests {
		return nil, nil
	}
	credentials := c.BOSHCredHub.Authentication.UAA.ClientCredentials
	client, err := secrets.New(secrets.Options{
		URL: c.BOSHCredHub.URL, CACerts: []string{c.BOSHCredHub.RootCACert, c.BOSH.RootCACert},
		ClientID: credentials.ClientID, ClientSecret: credentials.ClientSecret.Reveal(), UserAgent: "odb/" + version,
		Observe: observe,
	})
	if err != nil {
		return nil, fmt.Errorf("bosh_credhub: %w", err)
	}
	return client, nil
}

// useBindingSecrets sets what the platform's CredHub is for, where there is one. What is known of bindings may be kept elsewhere.
func useBindingSecrets(c *config.Config, observe func(httpclient.Exchange), options *broker.Options) error {
	if !c.CredHub.Enabled() {
		return nil
	}
	client, err := secrets.New(secrets.Options{
		URL: c.CredHub.APIURL, CACerts: []string{c.CredHub.CACert, c.CredHub.InternalUAACACert},
		ClientID: c.CredHub.ClientID, ClientSecret: c.CredHub.ClientSecret.Reveal(), UserAgent: "odb/" + version,
		Observe: observe,
	})
	if err != nil {
		return fmt.Errorf("credhub: %w", err)
	}
	options.BindingSecrets, options.ParameterNotes = client, client
	if c.ServiceCatalog.KeepBindings == config.KeepInCredHub {
		options.BindingNotes = client
	}
	return nil
}

func (d *daemon) newAdapter(c *config.Config) (*adapterclient.Client, error) {
	return adapterclient.New(adapterclient.Options{
		Path:     c.ServiceAdapter.Path,
		UseStdin: c.Broker.UseStdin,
		Timeout:  c.ServiceAdapter.Timeout,
		Timeouts: c.ServiceAdapter.Timeouts,
		Env:      adapterEnvironment(c.ServiceAdapter.Env),
		Logger:   d.logger,
		Observe:  d.adapterRan,
	})
}

// adapterEnvironment is the one that the operator built; nil, for the broker's own, if they built none.
func adapterEnvironment(built map[string]string) []string {
	if built == nil {
		return nil
	}
	env := make([]string, 0, len(built))
	for name, value := range built {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}
