package broker

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// changesContextAlone tells whether a PATCH asks for nothing, as far as itself can tell, but to know the context that it brings
// (OSB 2.17, allow_context_updates). Empty parameters are parameters: Cloud Foundry's users ask for a deploy with them.
func (b *Broker) changesContextAlone(details domain.UpdateDetails) bool {
	var context map[string]json.RawMessage
	_ = json.Unmarshal(details.RawContext, &context) // one that is no object is looked at where it is used
	before := details.PreviousValues
	return !b.Switches.DisableBOSHConfigs && len(context) > 0 && (len(details.RawParameters) == 0 || string(details.RawParameters) == "null") &&
		(details.PlanID == "" || before.PlanID == "" || details.PlanID == before.PlanID) &&
		(details.MaintenanceInfo == nil || (before.MaintenanceInfo != nil && b.offering.sameMaintenance(details.MaintenanceInfo, before.MaintenanceInfo)))
}

// updateContext remembers the context, and deploys nothing: the adapter is told with the next deploy. It isn't done if the
// instance is of another plan than the platform has it, or nobody knows of which: then there is more to change.
func (b *Broker) updateContext(ctx context.Context, instanceID string, details domain.UpdateDetails) (done bool, err error) {
	target, _, refusal := b.plansOf(details)
	if refusal != nil {
		return false, refusal
	}
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	if refusal != nil {
		return false, refusal
	}
	defer unlock()
	d := deployment{instanceID: instanceID}
	if _, err := b.readInstance(ctx, &d); err != nil {
		return false, err
	}
	if d.before.record == nil || d.before.record.PlanID != target.ID {
		return false, nil
	}
	changed := *d.before.record
	changed.Context, changed.UpdatedAt = details.RawContext, b.Now().UTC()
	if err := b.rewriteRecord(ctx, d.name(), changed); err != nil {
		return false, err
	}
	b.Logger.InfoContext(ctx, "update.context-remembered", slog.String("deployment", d.name()))
	return true, nil
}
