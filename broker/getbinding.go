package broker

import (
	"context"
	"errors"
	"log/slog"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/secrets"
)

// GetBinding gives a binding's answer again, if answers are kept (OSB 2.17, GET …/service_bindings/:id).
func (b *Broker) GetBinding(ctx context.Context, instanceID, bindingID string, _ domain.FetchBindingDetails) (domain.GetBindingSpec, error) {
	if !b.keepsAnswers() {
		return domain.GetBindingSpec{}, refuse(NotImplemented, "This service does not offer to fetch service bindings")
	}
	ctx = about(ctx, instanceID, slog.String("binding_id", bindingID))
	name := bindingName{instanceID, bindingID}
	answer, err := b.answerOf(ctx, name)
	if err != nil {
		return domain.GetBindingSpec{}, b.failed(ctx, instanceID, OperationBind, err)
	}
	b.kept.fetched(name)
	found := osbBinding(*answer)
	return domain.GetBindingSpec{
		Credentials: found.Credentials, SyslogDrainURL: found.SyslogDrainURL, RouteServiceURL: found.RouteServiceURL,
		Endpoints: found.Endpoints, Metadata: found.Metadata,
	}, nil
}

// answerOf is what a binding's platform got. Of bindings that the existing broker made only the credentials' place is known.
func (b *Broker) answerOf(ctx context.Context, name bindingName) (*adapterclient.Binding, error) {
	known, err := b.readBinding(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case known != nil && known.Operation.goesOn():
	case known != nil && known.Answer != nil:
		return known.Answer, nil
	case known == nil && b.BindingSecrets != nil:
		reference, err := b.BindingSecrets.BindingReference(ctx, b.credentialsOf(name))
		if err == nil {
			return &adapterclient.Binding{Credentials: reference}, nil
		}
		if !errors.Is(err, secrets.ErrNotFound) {
			return nil, err
		}
	}
	return nil, refuse(NotFound, "Binding %s of service instance %s does not exist, is in the making, or is not kept any more", name.bindingID, name.instanceID)
}
