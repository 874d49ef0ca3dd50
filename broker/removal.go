package broker

import (
	"context"
	"log/slog"
	"time"
)

// DefaultGrace is how long what the platform doesn't know is left alone after its last change.
const DefaultGrace = 15 * time.Minute

// Removal says on what terms something of an instance may be removed.
type Removal struct {
	Platform Knowledge     // what the caller says that the platform knows
	Grace    time.Duration // how long nothing of it may have changed
	// Force lets pre-delete errands fail, and BOSH leave VMs behind.
	Force bool
}

// RemoveOrphan removes an instance that the platform doesn't know, by the path of a deprovision: the deployment and all that
// belongs to it, after its plan's pre-delete errands, as far as the plan is remembered: what they take care of outside of BOSH
// is no less there because the platform has forgotten. It returns the operation, or Gone when no deployment is there (any
// more), after it has removed what was left (management API, DELETE /mgmt/orphan_deployments/:name).
func (b *Broker) RemoveOrphan(ctx context.Context, instanceID string, r Removal) (operation string, err error) {
	ctx, cancel := b.detached(about(ctx, instanceID))
	defer cancel()
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	if refusal != nil {
		return "", refusal
	}
	defer unlock()
	if operation, err = b.removeOrphan(ctx, instanceID, r); err != nil {
		return "", b.failed(ctx, instanceID, OperationDelete, err)
	}
	return operation, nil
}

func (b *Broker) removeOrphan(ctx context.Context, instanceID string, r Removal) (operation string, err error) {
	f, err := b.lookWithPlatform(ctx, instanceID, r.Platform)
	if err != nil {
		return "", err
	}
	if err := f.incomplete(); err != nil { // what isn't seen would be left
		return "", err
	}
	gone := refuse(Gone, "Service instance %s does not exist", instanceID)
	has := f.has()
	if len(has) == 0 && f.busy() == "" {
		return "", gone
	}
	if refusal := f.mayRemove(b.offering.ID, r.Grace, b.Now()); refusal != nil {
		return "", refusal
	}
	if f.deployment != Missing {
		return b.deleteOrphan(ctx, f, r.Force)
	}
	for _, place := range leftovers() {
		if err := place.clear(ctx, b, f); err != nil {
			return "", err
		}
	}
	b.Logger.InfoContext(ctx, "orphan.leftovers-removed", slog.Any("had", has))
	return "", gone
}

// lookWithPlatform looks at an instance first and asks the platform then, so that one that is just being made is in its list.
func (b *Broker) lookWithPlatform(ctx context.Context, instanceID string, said Knowledge) (facts, error) {
	f, err := b.look(ctx, instanceID)
	if err != nil {
		return f, err
	}
	f.said = said
	f.platform, err = b.platformOf(ctx, instanceID, said)
	return f, err
}

// mayRemove refuses what might take from the platform what it knows.
func (f facts) mayRemove(serviceID string, grace time.Duration, now time.Time) *Error {
	why, description := f.spared(serviceID, grace, now)
	switch {
	case why == SparedBusy:
		return refuse(Concurrency, "%s", description)
	case f.platform == PlatformKnows:
		return refuse(Unsafe, "the platform knows service instance %s: delete it there", f.instanceID)
	case f.platform == PlatformUnasked:
		return refuse(Unsafe, "whether the platform knows service instance %s can't be told: no list of its instances is configured. If it doesn't, say platform=%s", f.instanceID, PlatformDoesNot)
	case why != SparedOtherService && !f.isOurs(serviceID) && f.said != PlatformDoesNot:
		return refuse(Unsafe, "nothing shows that %s is an instance of this service: if the platform knows it as nobody's, say platform=%s", f.instanceID, PlatformDoesNot)
	case why != "":
		return refuse(Unsafe, "service instance %s is not removed: %s", f.instanceID, description)
	}
	return nil
}

// deleteOrphan begins the deletion of a deployment that may be removed. The caller holds the instance's lock.
func (b *Broker) deleteOrphan(ctx context.Context, f facts, force bool) (operation string, err error) {
	planID := f.orphan(b.offering.ID).PlanID
	d := deletion{instanceID: f.instanceID, planID: planID, operation: b.deletionOf(planID, force)}
	d.operation.UAAClient = f.client.found // whatever is wanted now
	if d, err = b.readBeforeDelete(ctx, d); err != nil {
		return "", err
	}
	switch current, err := b.underWay(ctx, d); {
	case err != nil:
		return "", err
	case !current.idle:
		return "", operationInProgress()
	}
	if operation, err = b.submitDelete(ctx, d); err != nil {
		return "", err
	}
	// Nothing of the deletion needs them, and no unbind will come for them.
	if len(f.credentials.bindings) == 0 {
		return operation, nil
	}
	if err := b.removeBindings(ctx, f); err != nil {
		b.Logger.WarnContext(ctx, "orphan.binding-credentials-left", slog.String("error", err.Error()))
	}
	return operation, nil
}
