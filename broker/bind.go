package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/secrets"
)

// Bind makes credentials for an instance (OSB 2.17, PUT …/service_bindings/:id), in the request itself. Making the same
// binding again is the adapter's to judge.
func (b *Broker) Bind(ctx context.Context, instanceID, bindingID string, details domain.BindDetails, _ bool) (domain.Binding, error) {
	ctx = about(ctx, instanceID, slog.String("binding_id", bindingID), slog.String("plan_id", details.PlanID))

	plan, parameters, refusal := b.admitBind(details)
	if refusal != nil {
		return domain.Binding{}, refusal
	}
	actor, refusal := b.credentialsActor(details)
	if refusal != nil {
		return domain.Binding{}, refusal
	}
	request, err := requestParameters(details, parameters)
	if err != nil {
		return domain.Binding{}, b.failed(ctx, instanceID, OperationBind, err)
	}
	unlock, refusal := b.bindingTurn(ctx, instanceID)
	if refusal != nil {
		return domain.Binding{}, refusal
	}
	defer unlock()
	ctx, cancel := b.detached(ctx)
	defer cancel()

	facts, err := b.bindingRequest(ctx, instanceID, plan)
	if err != nil {
		return domain.Binding{}, b.bindFailed(ctx, instanceID, OperationBind, err)
	}
	facts.BindingID, facts.RequestParameters = bindingID, request
	made, err := b.Adapter.CreateBinding(ctx, facts)
	if err == nil {
		err = b.keepCredentials(ctx, instanceID, actor, facts, &made)
	}
	if err != nil {
		return domain.Binding{}, b.bindFailed(ctx, instanceID, OperationBind, err)
	}
	b.Logger.InfoContext(ctx, "bind.done")
	return osbBinding(made), nil
}

// maxBindingWait is how long a binding waits for others of its instance. Platforms give up after a minute.
const maxBindingWait = 50 * time.Second

// bindingTurn waits until no other binding of the instance is being made. Who hangs up loses the turn.
func (b *Broker) bindingTurn(ctx context.Context, instanceID string) (unlock func(), refusal *Error) {
	ctx, cancel := context.WithTimeout(ctx, maxBindingWait)
	defer cancel()
	unlock, err := b.bindings.wait(ctx, instanceID)
	if err != nil {
		return nil, &Error{Kind: Concurrency, Message: "Other bindings of your service instance are being made. Please try again later.", Cause: err}
	}
	return unlock, nil
}

// admitBind is what the request alone can tell.
func (b *Broker) admitBind(details domain.BindDetails) (*plan, json.RawMessage, *Error) {
	plan, refusal := b.offering.plan(details.ServiceID, details.PlanID)
	if refusal != nil {
		return nil, nil, refusal
	}
	if !b.offering.IsBindable(plan.Plan) {
		return nil, nil, refuse(BadRequest, "plan %q is not bindable", plan.Name)
	}
	if details.BindResource != nil && details.BindResource.BackupAgent && !b.Switches.SupportBackupAgentBinding {
		return nil, nil, refuse(Refused, "Backup agent bindings are not supported by this service")
	}
	parameters, refusal := b.Schemas.parameters(plan, OperationBind, details.RawParameters)
	return plan, parameters, refusal
}

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

// bindFailed gives the adapter's exit codes for bindings their meaning (adapter protocol: exit codes).
func (b *Broker) bindFailed(ctx context.Context, instanceID string, operation OperationType, cause error) *Error {
	kind, fallback := Internal, ""
	switch {
	case errors.Is(cause, adapterclient.ErrBindingExists):
		kind, fallback = AlreadyExists, "The binding already exists"
	case errors.Is(cause, adapterclient.ErrAppGUIDMissing):
		kind, fallback = RequiresApp, "This service supports generation of credentials through binding an application only"
	case errors.Is(cause, adapterclient.ErrBindingNotFound):
		kind, fallback = Gone, "The binding does not exist"
	default:
		return b.failed(ctx, instanceID, operation, cause)
	}
	var exit *adapterclient.ExitError
	if errors.As(cause, &exit) && exit.UserMessage != "" {
		fallback = exit.UserMessage
	}
	return &Error{Kind: kind, Message: fallback, Cause: cause}
}
