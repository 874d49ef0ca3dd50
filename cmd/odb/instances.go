package main

import (
	"context"
	"fmt"

	"github.com/on-demand-broker/odb/broker"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/httpclient"
	"github.com/on-demand-broker/odb/instancesapi"
)

// newInstances is the operator's own list of instances; nil if there is none.
func newInstances(c config.ServiceInstancesAPI, observe func(httpclient.Exchange)) (broker.Instances, error) {
	if c.URL == "" {
		return nil, nil
	}
	client, err := instancesapi.New(instancesapi.Options{
		URL: c.URL, CACert: c.RootCACert, SkipVerify: c.DisableSSLCertVerification,
		Username: c.Authentication.Basic.Username, Password: c.Authentication.Basic.Password.Reveal(), UserAgent: "odb/" + version,
		Observe: observe,
	})
	if err != nil {
		return nil, fmt.Errorf("service_instances_api: %w", err)
	}
	return listed{client}, nil
}

// listed are the list's instances as the broker calls them.
type listed struct{ client *instancesapi.Client }

func (l listed) List(ctx context.Context, filter map[string]string) ([]broker.Instance, error) {
	found, err := l.client.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	instances := make([]broker.Instance, 0, len(found))
	for _, i := range found {
		instances = append(instances, broker.Instance{ID: i.ID, PlanID: i.PlanID, SpaceGUID: i.SpaceGUID})
	}
	return instances, nil
}

// instancesUnlisted says what the management API can't tell because of where its instances come from; empty if nothing.
func instancesUnlisted(c *config.Config) string {
	switch {
	case c.ServiceInstancesAPI.URL != "", !c.Broker.DisableCFStartupChecks:
		return ""
	case c.Broker.DisableBOSHConfigs:
		return "there is no list of service instances: broker.disable_bosh_configs is true, so that none are remembered, and neither Cloud Foundry nor service_instances_api is configured"
	default:
		return "the list of service instances is what the Director remembers, since neither Cloud Foundry nor service_instances_api is configured: instances of an earlier broker are not in it until they are deployed or upgraded by this one, and orphan deployments can't be told"
	}
}
