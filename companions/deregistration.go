package companions

import (
	"context"
	"errors"
	"fmt"

	"github.com/on-demand-broker/odb/cfclient"
)

// codeBrokerInUse is Cloud Foundry's for a broker that has instances (CF-ServiceBrokerNotRemovable).
const codeBrokerInUse = 270010

// Deregister removes the registration of a broker. That there is none is said, and no error.
func Deregister(ctx context.Context, platform Brokers, name string, telling Telling) error {
	asked := false
	err := insist(ctx, func(ctx context.Context) error {
		broker, err := platform.Broker(ctx, name)
		if err != nil {
			return err
		}
		asked = true
		warnings, err := platform.DeleteBroker(ctx, broker.GUID)
		telling.warnings(warnings)
		if refused := new(cfclient.Rejected); errors.As(err, &refused) && refused.Code == codeBrokerInUse {
			return fmt.Errorf("%s: delete them first: %w", remainingOf(ctx, platform, broker), err)
		}
		return err
	})
	switch {
	case errors.Is(err, cfclient.ErrNotFound) && !asked:
		telling.tell("broker %s: it is not registered, there is nothing to do", name)
		return nil
	case err != nil && !errors.Is(err, cfclient.ErrNotFound):
		return fmt.Errorf("deregistering broker %s: %w", name, err)
	}
	telling.tell("broker %s: deregistered", name)
	return nil
}

// remainingOf says how many instances a broker has.
func remainingOf(ctx context.Context, platform Brokers, broker cfclient.Broker) string {
	count, err := instancesOf(ctx, platform, broker)
	if err != nil {
		return "it has service instances"
	}
	return fmt.Sprintf("it has %s", instancesText(count))
}

func instancesText(count int) string {
	if count == 1 {
		return "1 service instance"
	}
	return fmt.Sprintf("%d service instances", count)
}

func instancesOf(ctx context.Context, platform Brokers, broker cfclient.Broker) (int, error) {
	offerings, err := platform.BrokerOfferings(ctx, broker.GUID)
	if err != nil {
		return 0, err
	}
	guids := make([]string, len(offerings))
	for i, offering := range offerings {
		guids[i] = offering.GUID
	}
	plans, err := platform.OfferingPlans(ctx, guids...)
	if err != nil {
		return 0, err
	}
	return platform.Count(ctx, guidsOf(plans)...)
}

func guidsOf(plans []cfclient.Plan) []string {
	guids := make([]string, len(plans))
	for i, plan := range plans {
		guids[i] = plan.GUID
	}
	return guids
}
