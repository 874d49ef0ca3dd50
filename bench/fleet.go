package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

const (
	inFlight   = 50 // operations at one time
	fleetTasks = 2 * time.Second
	// platformPolls is how often Cloud Controller's double asks the broker about an operation. A real one waits for longer,
	// but then tasks take longer, too.
	platformPolls  = 100 * time.Millisecond
	seedingClients = 16
)

// release is what a broker is configured with: what makes an upgrade due, and through whom.
type release struct{ maintenance, stemcell string }

// fleet is a number of service instances, with Director, broker and a Cloud Foundry in which the broker is registered. The
// last one runs in the driver's own process.
type fleet struct {
	size     int
	setup    brokerSetup
	director *director
	broker   *broker // nil while it is being replaced
	cloud    *cftest.CloudController
	space    string
	file     string // of the commands
}

// openFleet starts all with no instance yet.
func (w *workshop) openFleet(ctx context.Context, size int) (*fleet, error) {
	d, err := startDirector(ctx, w.odb, "--workers", strconv.Itoa(2*inFlight))
	if err != nil {
		return nil, err
	}
	f := &fleet{size: size, director: d}
	if err := f.begin(ctx, w); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *fleet) begin(ctx context.Context, w *workshop) (err error) {
	if f.setup, err = w.brokerOn(f.director); err != nil {
		return err
	}
	if f.cloud, err = cftest.Start(cftest.Options{PollInterval: platformPolls}); err != nil {
		return err
	}
	f.cloud.AddBroker(cftest.Broker{
		Name: "bench-broker", URL: f.setup.url(), Username: brokerUser, Password: brokerPassword,
		Offerings: []cftest.Offering{{Name: "cache", CatalogID: serviceID, Plans: []cftest.Plan{{Name: "small", CatalogID: planID, MaintenanceVersion: firstRelease.maintenance, Public: true}}}},
	})
	f.space = f.cloud.AddSpace(f.cloud.AddOrganization("bench"), "fleet")
	f.file = filepath.Join(w.dir, "fleet.yml")
	if err := os.WriteFile(f.file, []byte(f.commands()), 0o600); err != nil {
		return err
	}
	return f.serve(ctx, firstRelease)
}

// commands is the file of the commands.
func (f *fleet) commands() string {
	return fmt.Sprintf("broker_api:\n  url: %s\n  authentication: {basic: {username: %s, password: %s}}\nmaintenance_info_present: true\nservice_catalog: {id: %s}\n%s",
		f.setup.url(), brokerUser, brokerPassword, serviceID, f.section())
}

// section is Cloud Foundry's, of a broker.yml and of the commands' file.
func (f *fleet) section() string {
	return fmt.Sprintf("cf:\n  url: %s\n  root_ca_cert: |\n    %s\n  uaa:\n    url: %s\n    authentication: {client_credentials: {client_id: %s, client_secret: %s}}\n",
		f.cloud.URL(), strings.ReplaceAll(strings.TrimSpace(f.cloud.CACert()), "\n", "\n    "), f.cloud.UAAURL(), cftest.AdminClient, cftest.AdminClientSecret)
}

// serve starts the broker with a release, after the one before it has ended, and Cloud Foundry learns of the new catalog.
func (f *fleet) serve(ctx context.Context, r release) (err error) {
	if err := f.silence(); err != nil {
		return err
	}
	f.setup.edit = func(yaml string) string {
		return strings.NewReplacer(
			"  disable_cf_startup_checks: true\n", "",
			"service_catalog:\n", "service_catalog:\n  maintenance_info: {version: "+r.maintenance+"}\n",
			`"1.999"`, `"`+r.stemcell+`"`,
		).Replace(yaml) + f.section()
	}
	f.broker, err = startBroker(ctx, f.setup)
	f.cloud.SetMaintenanceVersion(planID, r.maintenance)
	return err
}

// silence ends the broker, if it runs.
func (f *fleet) silence() error {
	if f.broker == nil {
		return nil
	}
	stopping := f.broker
	f.broker = nil
	return stopping.stop()
}

func (f *fleet) close() error {
	err := f.silence()
	if f.cloud != nil {
		f.cloud.Close()
	}
	return errors.Join(err, f.director.stop())
}

// fleetInstance is as long as a platform's ids are.
func fleetInstance(n int) string { return fmt.Sprintf("f1ee7000-0000-4000-8000-%012d", n) }

// populate provisions the instances through the broker, and lets Cloud Foundry know them.
func (f *fleet) populate(ctx context.Context) error {
	p := newPlatform(f.broker.url, seedingClients)
	defer p.http.CloseIdleConnections()
	provisions := load{clients: seedingClients, calls: f.size, call: func(ctx context.Context, n int) error {
		operation, err := p.provision(ctx, fleetInstance(n))
		if err != nil {
			return err
		}
		return p.pollToEnd(ctx, fleetInstance(n), operation)
	}}
	if _, err := provisions.run(ctx); err != nil {
		return fmt.Errorf("provisioning the fleet: %w", err)
	}
	f.announce()
	return f.director.setTaskDuration(ctx, fleetTasks)
}

// announce adds the instances to Cloud Foundry, as they are after the first release.
func (f *fleet) announce() {
	plan := f.cloud.PlanGUID(planID)
	for n := range f.size {
		f.cloud.AddInstance(cftest.Instance{GUID: fleetInstance(n), Name: "cache-" + strconv.Itoa(n), PlanGUID: plan, SpaceGUID: f.space, MaintenanceVersion: firstRelease.maintenance})
	}
}
