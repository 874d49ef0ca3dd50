package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/on-demand-broker/odb/uaaclients"
)

// UAAClients are the clients that instances have in the platform's UAA, one each, where the operator defined them.
type UAAClients interface {
	// Wanted tells whether there is a definition. Without one, clients that were made while there was are only deleted.
	Wanted() bool
	Create(ctx context.Context, instance uaaclients.Instance) (map[string]string, error)
	Find(ctx context.Context, instanceID string) (map[string]string, error)
	Update(ctx context.Context, instance uaaclients.Instance, redirectURI string) error
	Delete(ctx context.Context, instanceID string) error
}

func (b *Broker) wantsUAAClients() bool { return b.UAAClients != nil && b.UAAClients.Wanted() }

// hasUAAClient tells whether an instance may have a client, and there is a UAA to delete it in.
func (b *Broker) hasUAAClient(known *record) bool {
	return b.wantsUAAClients() || (b.UAAClients != nil && known != nil && known.UAAClient)
}

// uaaClient is the instance's client as the adapter gets it: made if it is missing, nil if none is wanted. If the deploy is
// then refused, one that was made for it goes again, since nobody would ever learn its secret.
func (b *Broker) uaaClient(ctx context.Context, d deployment, undo *undo) (map[string]string, error) {
	if !b.wantsUAAClients() {
		return nil, nil
	}
	if d.operation != OperationCreate {
		client, err := b.knownUAAClient(ctx, d)
		if err != nil || client != nil {
			return client, err
		}
	}
	client, err := b.UAAClients.Create(ctx, d.uaaInstance())
	if err != nil {
		return nil, fmt.Errorf("making the instance's UAA client: %w", err)
	}
	undo.add(func() { b.deleteUAAClient(ctx, d.instanceID) })
	return client, nil
}

// knownUAAClient is the instance's client; nil if there is none, or none whose secret anybody knows: it is told once, for the
// deploy that the client was made in, and if that failed it never came to the instance.
func (b *Broker) knownUAAClient(ctx context.Context, d deployment) (map[string]string, error) {
	client, err := b.UAAClients.Find(ctx, d.instanceID)
	if err != nil || client == nil || d.before.record == nil || d.before.record.UAAClientMadeBy == "" {
		return client, err
	}
	deploy := Operation{OperationType: OperationUpdate, BoshContextID: d.before.record.UAAClientMadeBy} // whatever its errands said
	attempts, err := b.attempts(ctx, d.instanceID, deploy)
	if err != nil {
		return nil, err
	}
	if next(deploy, d.name(), attempts).action == fail {
		b.Logger.WarnContext(ctx, "uaa-client.secret-lost", slog.String("problem", "the deploy that was to bring its secret failed"))
		return nil, nil
	}
	return client, nil
}

// uaaInstance is what a client is made from. An upgrade's request may say less than the one that made the instance.
func (d deployment) uaaInstance() uaaclients.Instance {
	type context struct {
		InstanceName string `json:"instance_name"`
		SpaceGUID    string `json:"space_guid"`
	}
	var said context
	for _, raw := range []json.RawMessage{d.rememberedContext(), d.context} {
		_ = json.Unmarshal(raw, &said) // what a context doesn't say in the usual form isn't known
	}
	if said.SpaceGUID == "" {
		said.SpaceGUID = d.spaceGUID
	}
	return uaaclients.Instance{ID: d.instanceID, Name: said.InstanceName, SpaceGUID: said.SpaceGUID}
}

func (d deployment) rememberedContext() json.RawMessage {
	if d.before.record == nil {
		return nil
	}
	return d.before.record.Context
}

// settleUAAClient brings the client in line with a deploy that runs: its redirect is the dashboard, and if the operator took
// the definition away it goes. That it fails is no reason to lose track of the deploy.
func (b *Broker) settleUAAClient(ctx context.Context, d deployment, dashboardURL string) {
	switch {
	case b.wantsUAAClients():
		if err := b.UAAClients.Update(ctx, d.uaaInstance(), dashboardURL); err != nil {
			b.Logger.WarnContext(ctx, "uaa-client.not-updated", slog.String("error", err.Error()))
		}
	case b.UAAClients != nil && d.before.record != nil && d.before.record.UAAClient:
		b.deleteUAAClient(ctx, d.instanceID)
	}
}

func (b *Broker) deleteUAAClient(ctx context.Context, instanceID string) {
	if err := b.UAAClients.Delete(ctx, instanceID); err != nil {
		b.Logger.WarnContext(ctx, "uaa-client.not-deleted", slog.String("error", err.Error()))
	}
}
