package broker

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// The catalog doesn't offer instances_retrievable: this verb of OSB has nothing to tell.

// GetInstance answers that it is not offered.
func (b *Broker) GetInstance(context.Context, string, domain.FetchInstanceDetails) (domain.GetInstanceDetailsSpec, error) {
	return domain.GetInstanceDetailsSpec{}, refuse(NotImplemented, "This service does not offer to fetch service instances")
}
