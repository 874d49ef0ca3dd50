package broker

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// The catalog doesn't offer instances_retrievable, and bindings are made in the request itself: these verbs of OSB have nothing
// to tell.

// GetInstance answers that it is not offered.
func (b *Broker) GetInstance(context.Context, string, domain.FetchInstanceDetails) (domain.GetInstanceDetailsSpec, error) {
	return domain.GetInstanceDetailsSpec{}, refuse(NotImplemented, "This service does not offer to fetch service instances")
}

// LastBindingOperation answers that it is not offered.
func (b *Broker) LastBindingOperation(context.Context, string, string, domain.PollDetails) (domain.LastOperation, error) {
	return domain.LastOperation{}, refuse(NotImplemented, "This service makes bindings at once: there is no operation to ask for")
}
