package main

import (
	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/httpclient"
	"github.com/on-demand-broker/odb/metrics"
	"github.com/on-demand-broker/odb/server"
)

// What the rooms tell of themselves is handed to the metrics here, so that none of them knows Prometheus.

// Whom the broker depends on besides the Director, as the metrics call them.
const (
	platformAPI     = "cf"
	platformUAA     = "uaa"
	platformCredHub = "credhub"
	boshCredHub     = "bosh_credhub"
	instancesAPI    = "service_instances_api"
)

func (d *daemon) served(s server.Served) { d.metrics.Served(s.Route, s.Method, s.Status, s.Took) }

func (d *daemon) adapterRan(r adapterclient.Run) { d.metrics.AdapterRan(r.Verb, r.Exit, r.Took) }

func (d *daemon) askedDirector(a boshclient.Asked) {
	d.metrics.AskedDirector(a.Method, a.Endpoint, a.Status, a.Took)
}

func (d *daemon) asked(dependency string) func(httpclient.Exchange) {
	return func(e httpclient.Exchange) { d.metrics.Asked(dependency, e.Method, e.Status, e.Took) }
}

// tellConfiguration tells which configuration is in force.
func (d *daemon) tellConfiguration() error {
	hash, err := d.config.Fingerprint()
	if err == nil {
		d.metrics.Configured(metrics.Configuration{Service: d.config.ServiceCatalog.Name, Hash: hash})
	}
	return err
}
