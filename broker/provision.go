package broker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
)

// Provision starts the deployment of a new instance (OSB 2.17, PUT /v2/service_instances/:id).
func (b *Broker) Provision(ctx context.Context, instanceID string, details domain.ProvisionDetails, asyncAllowed bool) (spec domain.ProvisionedServiceSpec, err error) {
	ctx, cancel := b.detached(about(ctx, instanceID, slog.String("plan_id", details.PlanID)))
	defer cancel()
	defer b.unlessBegun(OperationCreate, details.PlanID, b.Now(), &err)
	b.checkOriginator(ctx, details.RawContext)

	plan, refusal := b.admitProvision(details, asyncAllowed)
	if refusal != nil {
		return domain.ProvisionedServiceSpec{}, refusal
	}
	parameters, refusal := b.Schemas.parameters(plan, OperationCreate, details.RawParameters)
	if refusal != nil {
		return domain.ProvisionedServiceSpec{}, refusal
	}
	request, err := requestParameters(ctx, details, parameters)
	if err != nil {
		return domain.ProvisionedServiceSpec{}, b.failed(ctx, instanceID, OperationCreate, err)
	}

	ctx, unlock, refusal := b.lock(ctx, instanceID)
	if refusal != nil {
		return domain.ProvisionedServiceSpec{}, refusal
	}
	defer unlock()

	answer, err := b.provision(ctx, deployment{
		operation: OperationCreate, instanceID: instanceID, plan: plan, parameters: request, asked: parameters,
		context: details.RawContext, organizationGUID: details.OrganizationGUID, spaceGUID: details.SpaceGUID,
	})
	if err != nil {
		return domain.ProvisionedServiceSpec{}, b.failed(ctx, instanceID, OperationCreate, err)
	}
	return answer, nil
}

// provision is what comes under the instance's lock: it is made, unless there is something of it already.
func (b *Broker) provision(ctx context.Context, d deployment) (domain.ProvisionedServiceSpec, error) {
	there, err := b.lookFor(ctx, d.instanceID)
	if err != nil {
		return domain.ProvisionedServiceSpec{}, err
	}
	if !there.nothing() {
		return b.repeated(ctx, d, there)
	}
	done, err := b.deploy(ctx, d)
	if err != nil {
		return domain.ProvisionedServiceSpec{}, err
	}
	b.kept.forgetInstance(d.instanceID)
	return domain.ProvisionedServiceSpec{
		IsAsync:       true,
		DashboardURL:  done.dashboardURL,
		OperationData: done.operation,
		Metadata:      domain.InstanceMetadata{Labels: done.labels},
	}, nil
}

// admitProvision is what the request alone can tell.
func (b *Broker) admitProvision(details domain.ProvisionDetails, asyncAllowed bool) (*plan, *Error) {
	plan, refusal := b.offering.plan(details.ServiceID, details.PlanID)
	if refusal != nil {
		return nil, refusal
	}
	if !asyncAllowed {
		return nil, asyncRequired()
	}
	return plan, b.offering.checkMaintenanceInfo(plan, details.MaintenanceInfo)
}

func asyncRequired() *Error {
	return refuse(AsyncRequired, "This service plan requires client support for asynchronous service operations: send accepts_incomplete=true")
}

// mustBeIdle refuses while the Director works on the deployment.
func (b *Broker) mustBeIdle(ctx context.Context, deployment string) error {
	tasks, err := b.tasksInProgress(ctx, deployment)
	if err != nil {
		return err
	}
	if len(tasks) > 0 {
		b.Logger.InfoContext(ctx, "operation.in-progress", slog.Int("task_id", tasks[0].ID), slog.String("description", tasks[0].Description))
		return operationInProgress()
	}
	return nil
}

func (b *Broker) tasksInProgress(ctx context.Context, deployment string) ([]boshclient.Task, error) {
	tasks, err := b.Tasks.TasksInProgress(ctx, deployment)
	if err != nil {
		return nil, fmt.Errorf("looking for tasks of deployment %s: %w", deployment, err)
	}
	return tasks, nil
}
