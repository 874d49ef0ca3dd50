package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/google/uuid"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/logs"
	"github.com/on-demand-broker/odb/manifests"
)

// deployment is what one deploy of an instance needs. Create, update and upgrade differ in these values alone.
type deployment struct {
	operation  OperationType
	instanceID string
	plan       *plan
	parameters json.RawMessage // as the adapter gets them
	// asked are the parameters and context the context of the user's request; nil if it had none.
	asked, context              json.RawMessage
	organizationGUID, spaceGUID string
	request                     string            // the digest of the PATCH; empty if there is none
	parametersName              string            // of the instance's parameters with asked; see keepParameters
	parametersNoted             bool              // there may be a note of them
	secrets                     map[string]string // what the deployed manifest's references stand for; nil without secure manifests
	uaaClient                   map[string]string // the instance's; nil if it has none, and in the check for pending changes
	clientMade                  bool              // for this deploy
	// partContext is some of the context, from a request that doesn't know all of it: worth remembering if nothing is.
	partContext json.RawMessage
	// unlessCurrent ends the deploy before anything is changed if it would change nothing.
	unlessCurrent bool
	planListed    bool // the plan is not the platform's word, but a list's

	// Of what is deployed already; empty at create.
	previousPlan     *plan
	movesFrom        *string // the plan id that the platform says it changes; empty if it doesn't say which, nil if none
	previousManifest string
	before           instanceConfigs
	agreed           *terms // nil if nothing is remembered
}

func (d deployment) name() string { return deploymentName(d.instanceID) }

// submitted is a deploy that the Director has taken on.
type submitted struct {
	manifest     string
	operation    string // the operation string for the platform
	dashboardURL string
	labels       map[string]any
}

// generate runs the adapter for a manifest.
func (b *Broker) generate(ctx context.Context, d deployment) (adapterclient.GeneratedManifest, error) {
	request := adapterclient.GenerateManifest{
		ServiceDeployment: serviceDeployment(d.name(), b.Deployment),
		Plan:              d.plan.adapter,
		PreviousManifest:  d.previousManifest,
		RequestParameters: d.parameters,
		PreviousSecrets:   d.secrets,
		PreviousConfigs:   d.before.adapter,
		UAAClient:         d.uaaClient,
	}
	if d.previousPlan != nil {
		request.PreviousPlan = &d.previousPlan.adapter
	}
	generated, err := b.Adapter.GenerateManifest(ctx, request)
	if err != nil {
		return generated, err
	}
	if b.Switches.DisableBOSHConfigs && len(generated.Configs) > 0 {
		return generated, errors.New("the adapter returned BOSH configs, but broker.disable_bosh_configs is true")
	}
	return generated, nil
}

// checkManifest tells what keeps an adapter's manifest from being deployed.
func (d deployment) checkManifest(text string) error {
	manifest, err := manifests.Parse(text)
	if err == nil {
		err = manifest.Check(d.name())
	}
	if err != nil {
		return fmt.Errorf("the adapter's manifest: %w", err)
	}
	return nil
}

// deploy is the one path by which an instance is deployed. The caller holds the instance's lock. The quotas and the adapter,
// for everything, the dashboard's address included, are asked before the first thing is changed for good.
func (b *Broker) deploy(ctx context.Context, d deployment) (submitted, error) {
	release, err := b.admit(ctx, d)
	if err != nil {
		return submitted{}, err
	}
	defer release()
	var undo undo
	operation, done, err := b.prepare(ctx, &d, &undo)
	switch {
	case errors.Is(err, errUpToDate):
		b.leave(ctx, d, done.dashboardURL)
		return submitted{}, nil
	case err != nil:
		undo.run()
		return submitted{}, err
	}
	operation.BoshTaskID, err = b.submit(ctx, d.name(), operation, func() (int, error) {
		return b.Deployments.Deploy(ctx, boshclient.Deploy{Manifest: done.manifest, ContextID: operation.BoshContextID})
	})
	if err != nil {
		if outcomeUnknown(err) { // it may run: then it has to come to its end, though nobody asks
			b.carryAlone(ctx, d.instanceID, operation)
		} else {
			undo.run()
		}
		return submitted{}, fmt.Errorf("submitting deployment %s: %w", d.name(), err)
	}
	b.Logger.InfoContext(logs.With(ctx, slog.Int("task_id", operation.BoshTaskID)), "deploy.submitted", slog.String("operation", string(d.operation)), slog.String("plan", d.plan.Name))
	b.announce(ctx, d.instanceID, d.plan.ID, operation)
	b.settleUAAClient(ctx, d, done.dashboardURL)
	done.operation, err = b.handOut(ctx, d.instanceID, operation)
	return done, err
}

// prepare does what the deploy needs. What it did so far is in undo.
func (b *Broker) prepare(ctx context.Context, d *deployment, undo *undo) (o Operation, done submitted, err error) {
	if d.uaaClient, err = b.uaaClient(ctx, *d, undo); err != nil {
		return o, done, err
	}
	if undo.has() { // a client was just made, and only a deploy brings its secret to the instance
		d.unlessCurrent, d.clientMade = false, true
	}
	generated, err := b.generate(ctx, *d)
	if err != nil {
		return o, done, err
	}
	if err := d.checkManifest(generated.Manifest); err != nil {
		return o, done, err
	}
	if err := b.keepSecrets(ctx, *d, &generated); err != nil {
		return o, done, err
	}
	done.manifest, done.labels = generated.Manifest, osbLabels(generated.Labels)
	done.dashboardURL, err = b.Adapter.DashboardURL(ctx, adapterclient.DashboardURL{InstanceID: d.instanceID, Plan: d.plan.adapter, Manifest: generated.Manifest})
	if err != nil && !errors.Is(err, adapterclient.ErrNotImplemented) {
		return o, done, err
	}
	if err := b.mustBeDue(ctx, *d, generated); err != nil {
		return o, done, err
	}
	o = Operation{OperationType: d.operation, BoshContextID: newContextID(ctx), Errands: d.plan.postDeploy(), Configs: d.dropped(generated.Configs)}
	d.parametersName = b.keepParameters(ctx, d, o.BoshContextID, undo)
	return o, done, b.storeConfigs(ctx, *d, b.wantedConfigs(*d, generated, done, o), undo)
}

// dropped are the types that the adapter no longer returns: they go when the deploy has succeeded. It is nil if there are
// none.
func (d deployment) dropped(returned map[string]string) *[]string {
	var types []string
	for _, configType := range typesOf(d.before.adapter) {
		if _, kept := returned[configType]; !kept {
			types = append(types, configType)
		}
	}
	if types == nil {
		return nil
	}
	return &types
}

// wantedConfigs are what is to be stored for a deploy: what the adapter returned, and what is to be remembered.
func (b *Broker) wantedConfigs(d deployment, generated adapterclient.GeneratedManifest, done submitted, operation Operation) instanceConfigs {
	if b.Switches.DisableBOSHConfigs {
		return instanceConfigs{}
	}
	return instanceConfigs{adapter: generated.Configs, text: b.remember(d, done, operation).encode()}
}

// handOut makes the operation string, and takes the operation on if it has more to it than its task.
func (b *Broker) handOut(ctx context.Context, instanceID string, o Operation) (string, error) {
	if o.carried() {
		b.carry(ctx, instanceID, o)
	}
	return o.handedOut()
}

// handedOut is the operation string for the platform.
func (o Operation) handedOut() (string, error) {
	if !o.carried() {
		o.BoshContextID = "" // its task is found by its id
	}
	return o.encode()
}

// carryAlone takes on an operation that nobody was told of, as the next process would by its record.
func (b *Broker) carryAlone(ctx context.Context, instanceID string, o Operation) {
	if o.BoshTaskID = 0; o.carried() && o.BoshContextID != "" {
		b.carry(ctx, instanceID, o)
	}
}

// newContextID names the tasks of one operation in the Director: by the request that began it, so that the operator finds
// the one with the other.
func newContextID(ctx context.Context) string {
	if id := RequestFrom(ctx).ID; id != "" {
		return id
	}
	return uuid.NewString()
}

// submit hands the first step of an operation to the Director, and finds its task if the answer gets lost.
func (b *Broker) submit(ctx context.Context, deployment string, o Operation, work func() (taskID int, err error)) (taskID int, err error) {
	if err := mustHold(ctx); err != nil {
		return 0, err
	}
	taskID, err = work()
	if !outcomeUnknown(err) {
		return taskID, err
	}
	return b.lostTask(ctx, deployment, o, err)
}

// outcomeUnknown tells whether a submission may have arrived although it failed.
func outcomeUnknown(err error) bool {
	var away *boshclient.Unavailable
	return errors.As(err, &away) && away.Sent
}

// lostTask looks for the task of a first step whose answer got lost, so that the platform isn't told of a failure while BOSH is at
// work. If there is none, or it can't be told, the failure stands. A deletion of one step has no context id of its own.
func (b *Broker) lostTask(ctx context.Context, deployment string, o Operation, failure error) (taskID int, err error) {
	first := o.steps()[0]
	var tasks []boshclient.Task
	if first.kind == stepDelete {
		tasks, _ = b.Tasks.TasksInProgress(ctx, deployment)
	} else {
		tasks, _ = b.Tasks.TasksByContext(ctx, deployment, o.BoshContextID)
	}
	for _, task := range slices.Backward(tasks) { // oldest first: somebody may have run others under the same context id since
		if first.isOf(o, deployment, task) {
			b.Logger.WarnContext(ctx, "submission.answer-lost", slog.Int("task_id", task.ID), slog.String("error", failure.Error()))
			return task.ID, nil
		}
	}
	leaveClaim(ctx)
	return 0, failure
}

// osbLabels are the adapter's labels as brokerapi wants them, each value unread.
func osbLabels(labels map[string]json.RawMessage) map[string]any {
	converted := make(map[string]any, len(labels))
	for name, value := range labels {
		converted[name] = value
	}
	return converted
}
