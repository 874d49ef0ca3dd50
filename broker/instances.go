package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/on-demand-broker/odb/boshclient"
)

// Instance is a service instance as the platform knows it, in the form of the management API.
type Instance struct {
	ID        string `json:"service_instance_id"`
	PlanID    string `json:"plan_id"`
	SpaceGUID string `json:"space_guid,omitempty"`
}

// Instances is where it is known which instances of the offering there are.
type Instances interface {
	// List gives all of them, or those that the filter chooses. What a filter may say is the source's own matter.
	List(ctx context.Context, filter map[string]string) ([]Instance, error)
}

// ListInstances gives the instances of the offering, never nil (management API, GET /mgmt/service_instances).
func (b *Broker) ListInstances(ctx context.Context, filter map[string]string) ([]Instance, error) {
	instances, err := b.source().List(ctx, filter)
	if err != nil {
		return nil, fmt.Errorf("listing the service instances: %w", err)
	}
	if instances == nil {
		instances = []Instance{}
	}
	return instances, nil
}

func (b *Broker) source() Instances {
	if b.Options.Instances != nil {
		return b.Options.Instances
	}
	return remembered{b}
}

// remembered are the instances that the Director remembers. Those of the predecessor are none of them until this broker
// has deployed them for the first time.
type remembered struct{ *Broker }

// errNotRemembered is why there is no list.
var errNotRemembered = errors.New("instances are not remembered: broker.disable_bosh_configs is true, and no other source of instances is configured")

// List gives the instances that were remembered for this offering. cf_org and cf_space are names and come together.
func (b remembered) List(ctx context.Context, filter map[string]string) ([]Instance, error) {
	byPlace := len(filter) > 0
	if byPlace && (len(filter) != 2 || filter["cf_org"] == "" || filter["cf_space"] == "") {
		return nil, errors.New("the filter must be cf_org and cf_space, both of them and nothing else")
	}
	var instances []Instance
	err := b.eachRecord(ctx, func(r knownInstance) {
		where := r.place()
		if r.ServiceID != b.offering.ID || (byPlace && (where.Organization != filter["cf_org"] || where.Space != filter["cf_space"])) {
			return
		}
		instances = append(instances, Instance{ID: r.instanceID, PlanID: r.PlanID, SpaceGUID: where.SpaceGUID})
	})
	if err != nil {
		return nil, err
	}
	return instances, nil
}

// knownInstance is an instance with what is remembered of it.
type knownInstance struct {
	instanceID string
	record
}

// eachRecord reads what the Director remembers, of all offerings. The list can be a long one, and is never whole in memory; it
// was whole only if there is no error.
func (b *Broker) eachRecord(ctx context.Context, see func(knownInstance)) error {
	if b.Switches.DisableBOSHConfigs {
		return errNotRemembered
	}
	err := b.Configs.EachConfig(ctx, boshclient.ConfigFilter{Type: recordType}, func(c boshclient.Config) {
		instanceID, ours := instanceOf(c.Name)
		r, err := decodeRecord(c.Content)
		if !ours || err != nil {
			b.Logger.WarnContext(ctx, "instance.record-unreadable", slog.String("config", c.Name))
			return
		}
		see(knownInstance{instanceID, *r})
	})
	if err != nil {
		return fmt.Errorf("reading the remembered instances: %w", err)
	}
	return nil
}

// records are all of them at once.
func (b *Broker) records(ctx context.Context) ([]knownInstance, error) {
	var records []knownInstance
	err := b.eachRecord(ctx, func(r knownInstance) { records = append(records, r) })
	return records, err
}

// place is where an instance is in Cloud Foundry, as far as the platform's context said so.
type place struct {
	Organization string `json:"organization_name"`
	Space        string `json:"space_name"`
	SpaceGUID    string `json:"space_guid"`
}

func (r record) place() place {
	var p place
	_ = json.Unmarshal(r.Context, &p) // what a context doesn't say in the usual form isn't known
	return p
}
