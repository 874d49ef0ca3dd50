package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
)

// errUpToDate ends a deploy that would change nothing.
var errUpToDate = errors.New("the instance is up to date")

// pendingChanges are what an upgrade would bring to an instance.
type pendingChanges struct {
	// Reasons say in a few words each what is due.
	Reasons []string
	// Diff is the Director's: the manifest with what cloud and runtime configs make of it, values redacted.
	Diff boshclient.Diff
}

// pending compares a fresh manifest and what comes with it to what is there.
func (b *Broker) pending(ctx context.Context, d deployment, generated adapterclient.GeneratedManifest) (pendingChanges, error) {
	var changes pendingChanges
	var err error
	if changes.Diff, err = b.Maintaining.Diff(ctx, d.name(), generated.Manifest); err != nil {
		return changes, fmt.Errorf("comparing deployment %s with a fresh manifest: %w", d.name(), err)
	}
	if len(changes.Diff.Lines) > 0 {
		changes.Reasons = append(changes.Reasons, "the manifest, or the BOSH configs that it is deployed with, have changed")
	}
	if !b.Switches.DisableBOSHConfigs && !maps.Equal(d.before.adapter, generated.Configs) && len(d.before.adapter)+len(generated.Configs) > 0 {
		changes.Reasons = append(changes.Reasons, "the instance's own BOSH configs have changed")
	}
	if known := d.before.record; known != nil {
		changes.Reasons = append(changes.Reasons, b.outdated(d, *known)...)
	}
	return changes, nil
}

// outdated compares what is remembered to what a deploy would remember.
func (b *Broker) outdated(d deployment, known record) (reasons []string) {
	if known.PlanID != d.plan.ID {
		reasons = append(reasons, "the plan has changed")
	}
	if known.MaintenanceVersion != versionOf(b.offering.maintenanceInfo(d.plan)) {
		reasons = append(reasons, "the maintenance version has changed")
	}
	if wanted := b.wantsUAAClients(); b.UAAClients != nil && (known.UAAClient != wanted || (wanted && d.uaaClient == nil)) {
		reasons = append(reasons, "the instance's UAA client is to be made or deleted")
	}
	return reasons
}

// mustBeDue ends the deploy with errUpToDate if it is certain that it would change nothing. What can't be ruled out is due.
func (b *Broker) mustBeDue(ctx context.Context, d deployment, generated adapterclient.GeneratedManifest) error {
	if !d.unlessCurrent {
		return nil
	}
	var changes pendingChanges
	var unsure string
	err := sideBySide(ctx,
		func(ctx context.Context) (err error) {
			changes, err = b.pending(ctx, d, generated)
			return err
		},
		func(ctx context.Context) (err error) {
			unsure, err = b.unsure(ctx, d)
			return err
		},
	)
	var rejected *boshclient.Rejected
	switch {
	case errors.As(err, &rejected):
		changes.Reasons = append(changes.Reasons, "the Director can't compare: "+rejected.Error())
	case err != nil:
		return err
	case unsure != "":
		changes.Reasons = append(changes.Reasons, unsure)
	}
	if len(changes.Reasons) == 0 {
		b.Logger.InfoContext(ctx, "upgrade.up-to-date")
		return errUpToDate
	}
	b.Logger.InfoContext(ctx, "upgrade.due", slog.Any("reasons", changes.Reasons))
	return nil
}

// unsure says why a deployment may have to be deployed anew although its manifest is the same; empty if it need not be.
func (b *Broker) unsure(ctx context.Context, d deployment) (why string, err error) {
	if why, err = b.rotated(ctx, d.name()); err != nil || why != "" {
		return why, err
	}
	if d.before.record == nil || d.before.record.Operation.ContextID == "" {
		return "", nil
	}
	last := d.before.record.Operation.asOperation()
	attempts, err := b.attempts(ctx, d.instanceID, last)
	if err != nil {
		return "", err
	}
	if next(last, d.name(), attempts).action == fail { // the manifest is that of the last success, the VMs may not be
		return "the last operation failed", nil
	}
	return "", nil
}

// rotated says which variable is not known to be what the deployment was deployed with; empty if there is none. A password
// or certificate that was rotated shows in no manifest.
func (b *Broker) rotated(ctx context.Context, deployment string) (why string, err error) {
	variables, err := b.Deployments.Variables(ctx, deployment)
	if err != nil {
		return "", fmt.Errorf("reading the variables of deployment %s: %w", deployment, err)
	}
	if len(variables) > 0 && b.ManifestSecrets == nil {
		return fmt.Sprintf("it has %d variables, and without a CredHub the broker can't tell whether they were rotated", len(variables)), nil
	}
	for _, v := range variables {
		switch latest, err := b.ManifestSecrets.Latest(ctx, v.Name); {
		case err != nil:
			return fmt.Sprintf("whether variable %s was rotated can't be told: %v", v.Name, err), nil
		case latest.ID != v.ID:
			return fmt.Sprintf("variable %s was rotated", v.Name), nil
		}
	}
	return "", nil
}

// leave is the end of an upgrade that isn't due: what costs no deploy is brought up to date all the same.
func (b *Broker) leave(ctx context.Context, d deployment, dashboardURL string) {
	b.settleUAAClient(ctx, d, dashboardURL)
	if b.Switches.DisableBOSHConfigs {
		return
	}
	if known := d.before.record; known != nil && (dashboardURL == "" || known.DashboardURL == dashboardURL) {
		return
	}
	r := b.remember(d, submitted{dashboardURL: dashboardURL}, Operation{OperationType: OperationUpgrade})
	if d.before.record != nil {
		r.Operation = d.before.record.Operation
	} else {
		r.Operation.State = stateSucceeded
	}
	_ = b.rewriteRecord(ctx, d.name(), r) // is in the log, and no operation depends on it
}
