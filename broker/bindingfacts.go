package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/secrets"
)

// bindingRequest gathers what the adapter must know of the deployment, all at once and without a Director task: its
// manifest, its addresses and the DNS names that the plan asks for. plan is nil if the catalog no longer has it.
func (b *Broker) bindingRequest(ctx context.Context, instanceID string, plan *plan) (adapterclient.BindingRequest, error) {
	name := deploymentName(instanceID)
	var request adapterclient.BindingRequest
	var deployed boshclient.Deployment
	var instances []boshclient.Instance
	var variables []secrets.Variable
	err := sideBySide(ctx,
		func(ctx context.Context) (err error) {
			variables, err = b.variables(ctx, name)
			return err
		},
		func(ctx context.Context) (err error) {
			instances, err = b.Deployments.Instances(ctx, name)
			return err
		},
		func(ctx context.Context) (err error) {
			deployed, err = b.Deployments.Deployment(ctx, name)
			return err
		},
		func(ctx context.Context) (err error) {
			request.DNSAddresses, err = b.dnsAddresses(ctx, name, plan)
			return err
		},
	)
	switch {
	case errors.Is(err, boshclient.ErrNotFound):
		return request, refuse(NotFound, "Service instance %s does not exist", instanceID)
	case err != nil:
		return request, fmt.Errorf("reading deployment %s: %w", name, err)
	case deployed.BeingCreated:
		return request, refuse(Concurrency, "Service instance %s is not ready: it is being created, or its creation failed", instanceID)
	}
	request.Manifest = deployed.Manifest
	request.Topology = topology(instances)
	request.Secrets, err = b.resolve(ctx, name, deployed.Manifest, variables)
	return request, err
}

// topology lists the addresses of each instance group.
func topology(instances []boshclient.Instance) map[string][]string {
	groups := map[string][]string{}
	for _, instance := range instances {
		groups[instance.Group] = append(groups[instance.Group], instance.IPs...)
	}
	return groups
}

// dnsAddresses asks for the names by which the plan's binding_with_dns entries reach the instance's VMs.
func (b *Broker) dnsAddresses(ctx context.Context, deployment string, plan *plan) (map[string]string, error) {
	addresses := map[string]string{}
	if plan == nil {
		return addresses, nil
	}
	for _, dns := range plan.BindingWithDNS {
		address, err := b.Deployments.LinkAddress(ctx, boshclient.LinkAddress{
			Deployment: deployment, InstanceGroup: dns.InstanceGroup, Provider: dns.LinkProvider, AZs: dns.AZs, Status: dns.Status,
		})
		var left *boshclient.LinkLeft
		if errors.As(err, &left) { // the address is good all the same
			b.Logger.WarnContext(ctx, "bind.link-left", slog.String("error", err.Error()))
			err = nil
		}
		if err != nil {
			return nil, fmt.Errorf("the DNS address %q of %s: %w", dns.Name, deployment, err)
		}
		addresses[dns.Name] = address
	}
	return addresses, nil
}
