package broker

import (
	"context"
	"slices"

	"github.com/on-demand-broker/odb/secrets"
)

// leftover is a place where something of an instance may be left when its deployment is gone.
type leftover struct {
	code, has string // of the finding, and in the list of orphans
	what      string
	names     func(facts) []string
	remove    func(*Broker, context.Context, facts) error
}

// clear removes what is there.
func (l leftover) clear(ctx context.Context, b *Broker, f facts) error {
	if len(l.names(f)) == 0 {
		return nil
	}
	return l.remove(b, ctx, f)
}

// leftovers are these places in the order of removal. The record goes last: it tells whose the others are.
func leftovers() []leftover {
	return []leftover{
		{code: LeftoverUAAClient, has: "uaa_client", what: "a client in the platform's UAA", names: facts.clientNames, remove: (*Broker).removeClient},
		{code: LeftoverSecrets, has: "secrets", what: "secrets in CredHub", names: facts.secretNames, remove: (*Broker).removeSecrets},
		{code: LeftoverBindingCredentials, has: "binding_credentials", what: "credentials of bindings, or parameters, in CredHub", names: facts.bindingNames, remove: (*Broker).removeBindings},
		{code: LeftoverConfigs, has: "configs", what: "BOSH configs", names: facts.configTypes, remove: (*Broker).removeConfigs},
	}
}

func (f facts) clientNames() []string {
	if f.client.found {
		return []string{f.instanceID}
	}
	return nil
}

func (f facts) secretNames() []string  { return keptNames(f.credentials.secrets) }
func (f facts) bindingNames() []string { return keptNames(f.credentials.bindings) }
func (f facts) configTypes() []string  { return f.configs.types() }

func keptNames(kept []secrets.Kept) []string {
	names := make([]string, len(kept))
	for i, each := range kept {
		names[i] = each.Name
	}
	slices.Sort(names)
	return names
}

// has lists what there is of the instance.
func (f facts) has() []string {
	has := []string{}
	if f.deployment != Missing {
		has = append(has, "deployment")
	}
	for _, place := range leftovers() {
		if len(place.names(f)) > 0 {
			has = append(has, place.has)
		}
	}
	return has
}

func (b *Broker) removeClient(ctx context.Context, f facts) error {
	return b.UAAClients.Delete(ctx, f.instanceID)
}

func (b *Broker) removeSecrets(ctx context.Context, f facts) error {
	return b.deleteSecrets(ctx, f.instanceID)
}

func (b *Broker) removeBindings(ctx context.Context, f facts) error {
	return b.BindingSecrets.DeleteBindings(ctx, b.offering.ID, f.instanceID)
}

func (b *Broker) removeConfigs(ctx context.Context, f facts) error {
	types := f.configs.types()
	return b.deleteConfigs(ctx, deploymentName(f.instanceID), &types)
}
