package main

import (
	"cmp"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/broker"
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

func (d *daemon) operationEnded(o broker.Outcome) {
	d.metrics.OperationEnded(metrics.Operation{Type: string(o.Type), Plan: o.Plan, Result: string(o.Result), Took: o.Took})
}

// instancesResource is what the limits on instances themselves are told as, beside those on resources.
const instancesResource = "service_instances"

// standingOf is the broker's figures in the metrics' words.
func standingOf(f broker.Figures) metrics.Standing {
	s := metrics.Standing{Running: map[string]int{}, Instances: f.Instances, CountedAt: f.CountedAt, Ready: f.Ready}
	for operation, running := range f.Running {
		s.Running[string(operation)] = running
	}
	for _, u := range f.Usage {
		if u.Limit != nil {
			s.Quotas = append(s.Quotas, metrics.Quota{Plan: u.Plan, Resource: cmp.Or(u.Resource, instancesResource), Limit: *u.Limit, Used: u.Used})
		}
	}
	return s
}

// tellConfiguration tells which configuration is in force.
func (d *daemon) tellConfiguration() error {
	hash, err := d.config.Fingerprint()
	if err == nil {
		told := metrics.Configuration{Service: d.config.ServiceCatalog.Name, Hash: hash}
		for _, p := range d.config.ServiceCatalog.Plans {
			told.Plans = append(told.Plans, p.Name)
		}
		d.metrics.Configured(told)
	}
	return err
}
