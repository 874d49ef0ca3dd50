package main

import (
	"github.com/on-demand-broker/odb/metrics"
	"github.com/on-demand-broker/odb/server"
)

// What the rooms tell of themselves is handed to the metrics here, so that none of them knows Prometheus.

func (d *daemon) served(s server.Served) { d.metrics.Served(s.Route, s.Method, s.Status, s.Took) }

// tellConfiguration tells which configuration is in force.
func (d *daemon) tellConfiguration() error {
	hash, err := d.config.Fingerprint()
	if err == nil {
		d.metrics.Configured(metrics.Configuration{Service: d.config.ServiceCatalog.Name, Hash: hash})
	}
	return err
}
