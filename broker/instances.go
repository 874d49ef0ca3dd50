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

// source is where instances are listed: what the Director remembers if nobody else knows them.
func (b *Broker) source() Instances {
	if listed := b.listed(); listed != nil {
		return listed
	}
	return remembered{b}
}

// listed is who knows all instances, the predecessor's too: the operator's own list before the platform; nil if there is neither.
func (b *Broker) listed() Instances {
	switch {
	case b.Options.Instances != nil:
		return b.Options.Instances
	case b.platform != nil:
		return b.platform
	}
	return nil
}

// listedInstances are all instances of listed, for those who conclude something from what isn't among them. The error is
// ErrNotRegistered if the platform doesn't know the offering, since every instance would be missing then.
func (b *Broker) listedInstances(ctx context.Context) ([]Instance, error) {
	if b.Options.Instances == nil {
		if _, err := b.platform.known(ctx); err != nil {
			return nil, err
		}
	}
	return b.ListInstances(ctx, nil)
}

// remembered are the instances that the Director remembers. Those of the predecessor are none of them until this broker
// has deployed them for the first time.
type remembered struct{ *Broker }

// errNotRemembered is why there is no list.
var errNotRemembered = errors.New("instances are not remembered: broker.disable_bosh_configs is true, and no other source of instances is configured")

// List gives the instances that were remembered for this offering. cf_org and cf_space are names and come together.
func (b remembered) List(ctx context.Context, filter map[string]string) ([]Instance, error) {
	org, space, err := placeOf(filter)
	if err != nil {
		return nil, err
	}
	var instances []Instance
	err = b.eachRecord(ctx, func(r knownInstance) {
		where := r.place()
		if r.ServiceID != b.offering.ID || (org != "" && (where.Organization != org || where.Space != space)) {
			return
		}
		instances = append(instances, Instance{ID: r.instanceID, PlanID: r.PlanID, SpaceGUID: where.SpaceGUID})
	})
	if err != nil {
		return nil, err
	}
	return instances, nil
}

// placeOf reads the filter of the management API: none, or an organization and a space of it.
func placeOf(filter map[string]string) (org, space string, err error) {
	org, space = filter["cf_org"], filter["cf_space"]
	if len(filter) > 0 && (len(filter) != 2 || org == "" || space == "") {
		return "", "", errors.New("the filter must be cf_org and cf_space, both of them and nothing else")
	}
	return org, space, nil
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
