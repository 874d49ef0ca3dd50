package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/manifests"
	"github.com/on-demand-broker/odb/secrets"
)

// ManifestSecrets is the Director's CredHub, where secrets of manifests are kept.
type ManifestSecrets interface {
	Stored(ctx context.Context, managed secrets.Managed) (paths map[string]string, err error)
	Store(ctx context.Context, managed secrets.Managed) (paths map[string]string, err error)
	Resolve(ctx context.Context, manifest secrets.Manifest) secrets.Resolved
	DeleteInstance(ctx context.Context, instance secrets.Instance, director string) error
	Latest(ctx context.Context, name string) (secrets.Credential, error)
	KeptOfInstance(ctx context.Context, instance secrets.Instance, director string) ([]secrets.Kept, error)
	DeploymentsWithSecrets(ctx context.Context, serviceID string) ([]string, error)
	Check(ctx context.Context) error
}

// BindingSecrets is the platform's CredHub, where credentials of bindings are kept.
type BindingSecrets interface {
	StoreBinding(ctx context.Context, request secrets.StoreBinding) (json.RawMessage, error)
	BindingReference(ctx context.Context, binding secrets.Binding) (json.RawMessage, error)
	DeleteBinding(ctx context.Context, binding secrets.Binding) error
	KeptOfBindings(ctx context.Context, serviceID, instanceID string) ([]secrets.Kept, error)
	InstancesWithBindings(ctx context.Context, serviceID string) ([]string, error)
	DeleteBindings(ctx context.Context, serviceID, instanceID string) error
	Check(ctx context.Context) error
}

func (b *Broker) secretsOf(instanceID string) secrets.Instance {
	return secrets.Instance{ServiceID: b.offering.ID, Deployment: deploymentName(instanceID)}
}

// keepSecrets stores the secrets that the adapter returned and has the manifest refer to them. They are stored under names that
// no deployed manifest knows, so that nothing is to be undone if the deploy is refused.
func (b *Broker) keepSecrets(ctx context.Context, d deployment, generated *adapterclient.GeneratedManifest) error {
	if b.ManifestSecrets == nil {
		return nil
	}
	paths, err := b.ManifestSecrets.Store(ctx, b.managed(d, *generated))
	if err != nil {
		return fmt.Errorf("storing the secrets of %s: %w", d.name(), err)
	}
	generated.Manifest = manifests.ReplaceSecrets(generated.Manifest, paths)
	return nil
}

// asStored is a manifest as it would be deployed, as far as its secrets are what they were. Nothing is stored.
func (b *Broker) asStored(ctx context.Context, d deployment, generated adapterclient.GeneratedManifest) (string, error) {
	if b.ManifestSecrets == nil {
		return generated.Manifest, nil
	}
	paths, err := b.ManifestSecrets.Stored(ctx, b.managed(d, generated))
	if err != nil {
		return "", fmt.Errorf("comparing the secrets of %s: %w", d.name(), err)
	}
	return manifests.ReplaceSecrets(generated.Manifest, paths), nil
}

func (b *Broker) managed(d deployment, generated adapterclient.GeneratedManifest) secrets.Managed {
	return secrets.Managed{Instance: b.secretsOf(d.instanceID), Referenced: manifests.SecretReferences(generated.Manifest), Secrets: generated.Secrets}
}

// variables are those of a deployment, as far as secrets are the broker's to resolve.
func (b *Broker) variables(ctx context.Context, deployment string) ([]secrets.Variable, error) {
	if b.ManifestSecrets == nil {
		return nil, nil
	}
	found, err := b.Deployments.Variables(ctx, deployment)
	if err != nil {
		return nil, fmt.Errorf("reading the variables of %s: %w", deployment, err)
	}
	variables := make([]secrets.Variable, 0, len(found))
	for _, v := range found {
		variables = append(variables, secrets.Variable{ID: v.ID, Name: v.Name})
	}
	return variables, nil
}

// resolve reads what a deployed manifest refers to: what runs, whatever was stored since. Who can't be asked now is no reason
// to tell an adapter that there is no secret, which it would take for one to be made.
func (b *Broker) resolve(ctx context.Context, deployment, manifest string, variables []secrets.Variable) (map[string]string, error) {
	if b.ManifestSecrets == nil {
		return nil, nil
	}
	resolved := b.ManifestSecrets.Resolve(ctx, secrets.Manifest{Text: manifest, Deployment: deployment, Variables: variables})
	if err := resolved.Unavailable(); err != nil {
		return nil, fmt.Errorf("resolving the secrets of %s: %w", deployment, err)
	}
	for _, missing := range resolved.Unresolved {
		b.Logger.WarnContext(ctx, "secret.unresolved", slog.String("reference", missing.Reference), slog.String("error", missing.Cause.Error()))
	}
	return resolved.Values, nil
}

// deleteSecrets removes what CredHub holds of an instance, the variables that BOSH leaves behind included.
func (b *Broker) deleteSecrets(ctx context.Context, instanceID string) error {
	if b.ManifestSecrets == nil {
		return nil
	}
	director, err := b.Health.Info(ctx)
	if err == nil {
		err = b.ManifestSecrets.DeleteInstance(ctx, b.secretsOf(instanceID), director.Name)
	}
	if err != nil {
		return fmt.Errorf("deleting the secrets of %s: %w", deploymentName(instanceID), err)
	}
	return nil
}

// credentialsActor is who may read a binding's credentials in the platform's CredHub; empty if they aren't kept there.
func (b *Broker) credentialsActor(details domain.BindDetails) (string, *Error) {
	if b.BindingSecrets == nil {
		return "", nil
	}
	app := details.AppGUID
	client := ""
	if resource := details.BindResource; resource != nil {
		if app == "" {
			app = resource.AppGuid
		}
		client = resource.CredentialClientID
	}
	switch {
	case app != "":
		return secrets.AppActor(app), nil
	case client != "":
		return secrets.UAAClientActor(client), nil
	default:
		return "", refuse(RequiresApp, "Credentials are kept in CredHub: name an app (bind_resource.app_guid) or a client (bind_resource.credential_client_id) that may read them")
	}
}

// keepCredentials puts a binding's credentials into the platform's CredHub, and a reference in their place.
func (b *Broker) keepCredentials(ctx context.Context, wanted wantedBinding, made *adapterclient.Binding) error {
	if b.BindingSecrets == nil {
		return nil
	}
	reference, err := b.BindingSecrets.StoreBinding(ctx, secrets.StoreBinding{
		Binding: b.credentialsOf(wanted.bindingName), Credentials: made.Credentials, Actor: wanted.actor,
	})
	if err != nil {
		return fmt.Errorf("keeping the binding's credentials: %w", err)
	}
	made.Credentials = reference
	return nil
}

// forgetBinding removes what is kept of a binding, its credentials in the platform's CredHub included. There may be none.
func (b *Broker) forgetBinding(ctx context.Context, name bindingName) error {
	return sideBySide(ctx,
		func(ctx context.Context) error { return b.kept.forget(ctx, name) },
		func(ctx context.Context) error {
			if b.BindingSecrets == nil {
				return nil
			}
			if err := b.BindingSecrets.DeleteBinding(ctx, b.credentialsOf(name)); err != nil {
				return fmt.Errorf("deleting the binding's credentials: %w", err)
			}
			return nil
		},
	)
}

func (b *Broker) credentialsOf(name bindingName) secrets.Binding {
	return secrets.Binding{ServiceID: b.offering.ID, InstanceID: name.instanceID, BindingID: name.bindingID}
}
