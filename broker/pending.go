package broker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/on-demand-broker/odb/adapterclient"
)

// PendingChanges is what an upgrade would change about an instance, in the form of the management API.
type PendingChanges struct {
	InstanceID string `json:"service_instance_id"`
	Pending    bool   `json:"pending_changes"`
	// Reasons say in a few words each what is due.
	Reasons []string `json:"reasons"`
	// Diff is the Director's, with the values of properties redacted; empty if the manifest is the same.
	Diff []DiffLine `json:"diff"`
}

// DiffLine is a line of YAML, and what became of it.
type DiffLine struct {
	Line   string `json:"line"`
	Change string `json:"change,omitempty"` // added or removed; empty for a line that only gives the place
}

// PendingChanges makes a fresh manifest of an instance and compares it with what is deployed. It changes nothing. planID is
// needed only for instances whose plan the broker doesn't know.
func (b *Broker) PendingChanges(ctx context.Context, instanceID, planID string) (PendingChanges, error) {
	ctx, cancel := b.detached(about(ctx, instanceID)) // the broker waits for the adapter when it is stopped
	defer cancel()
	found, err := b.lookAhead(ctx, instanceID, planID)
	if err != nil {
		return PendingChanges{}, b.failed(ctx, instanceID, "", err)
	}
	pending := PendingChanges{InstanceID: instanceID, Pending: len(found.Reasons) > 0, Reasons: append([]string{}, found.Reasons...), Diff: []DiffLine{}}
	for _, line := range found.Diff.Lines {
		pending.Diff = append(pending.Diff, DiffLine{Line: line.Text, Change: line.Change})
	}
	return pending, nil
}

// lookAhead does what an upgrade does before it changes anything.
func (b *Broker) lookAhead(ctx context.Context, instanceID, planID string) (pendingChanges, error) {
	d := deployment{operation: OperationUpgrade, instanceID: instanceID}
	_, err := b.readDeployed(ctx, &d)
	if err != nil {
		return pendingChanges{}, err
	}
	if planID, err = b.planOf(ctx, instanceID, planID, d.agreed); err != nil {
		return pendingChanges{}, err
	}
	if d.plan = b.offering.plans[planID]; d.plan == nil {
		return pendingChanges{}, refuse(BadRequest, "plan %q is not in the catalog: name the instance's plan with ?plan_id=", planID)
	}
	d.previousPlan = d.plan
	context, refusal := objectOf(d.rememberedContext())
	if refusal != nil {
		context = noParameters
	}
	if d.parameters, err = json.Marshal(map[string]json.RawMessage{"context": context}); err != nil {
		return pendingChanges{}, fmt.Errorf("encoding the request for the adapter: %w", err)
	}
	if b.wantsUAAClients() {
		if d.uaaClient, err = b.knownUAAClient(ctx, d); err != nil {
			return pendingChanges{}, err
		}
	}
	generated, err := b.fresh(ctx, d)
	if err != nil {
		return pendingChanges{}, err
	}
	if err := d.checkManifest(generated.Manifest); err != nil {
		return pendingChanges{}, err
	}
	return b.pending(ctx, d, generated)
}

// fresh is what the adapter makes, as it would be deployed. Nothing is stored.
func (b *Broker) fresh(ctx context.Context, d deployment) (adapterclient.GeneratedManifest, error) {
	generated, err := b.generate(ctx, d)
	if err != nil {
		return generated, err
	}
	generated.Manifest, err = b.asStored(ctx, d, generated)
	return generated, err
}

// planOf is an instance's plan: as asked, as agreed, or as the platform lists it; empty if nobody knows.
func (b *Broker) planOf(ctx context.Context, instanceID, asked string, agreed *terms) (string, error) {
	switch {
	case asked != "":
		return asked, nil
	case agreed != nil:
		return agreed.PlanID, nil
	case b.listed() == nil:
		return "", nil
	}
	instances, err := b.ListInstances(ctx, nil)
	if err != nil {
		return "", err
	}
	for _, instance := range instances {
		if instance.ID == instanceID {
			return instance.PlanID, nil
		}
	}
	return "", nil
}
