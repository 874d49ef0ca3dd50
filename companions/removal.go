package companions

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// deploymentPrefix and an instance's id make its deployment's name.
const deploymentPrefix = "service-instance_"

// InstanceOf is the instance that is meant by its id, or by its deployment's name.
func InstanceOf(name string) string { return strings.TrimPrefix(name, deploymentPrefix) }

// RemovingBroker is what is asked of the broker to remove an orphan (mgmtclient).
type RemovingBroker interface {
	RemoveOrphan(ctx context.Context, deployment string, r mgmtclient.Removal) (mgmtclient.Started, error)
	LastOperation(ctx context.Context, id, operationData string) (mgmtclient.LastOperation, error)
}

// InstanceFinder is where it is known whether Cloud Foundry has an instance (cfclient).
type InstanceFinder interface {
	Instance(ctx context.Context, guid string) (cfclient.Instance, error)
}

// Removals is the fleet's work that removes orphans, each with all that belongs to it.
type Removals struct {
	Broker   RemovingBroker
	Platform InstanceFinder // nil if only the broker knows who is an orphan
	Terms    mgmtclient.Removal
}

var _ fleet.Work = (*Removals)(nil)

// Begin implements fleet.Work.
func (r *Removals) Begin(ctx context.Context, member fleet.Member) (fleet.Progress, error) {
	terms := r.Terms
	if r.Platform != nil {
		_, err := r.Platform.Instance(ctx, member.ID)
		switch {
		case err == nil:
			return fleet.Progress{State: fleet.Failed, Description: "Cloud Foundry knows the instance: delete it there"}, nil
		case !errors.Is(err, cfclient.ErrNotFound):
			return verdict(fleet.Progress{}, fmt.Errorf("asking Cloud Foundry for the instance: %w", err))
		}
		terms.Platform = mgmtclient.PlatformDoesNot
	}
	started, err := r.Broker.RemoveOrphan(ctx, deploymentPrefix+member.ID, terms)
	switch {
	case errors.Is(err, mgmtclient.ErrGone): // what else was left is removed
		return fleet.Progress{State: fleet.Succeeded}, nil
	case errors.Is(err, mgmtclient.ErrBusy):
		return fleet.Progress{State: fleet.Busy}, nil
	case err != nil:
		return verdict(fleet.Progress{}, err)
	}
	return fleet.Progress{State: fleet.Accepted, Handle: started.OperationData, Task: started.TaskID}, nil
}

// Poll implements fleet.Work.
func (r *Removals) Poll(ctx context.Context, member fleet.Member, handle string) (fleet.Progress, error) {
	operation, err := r.Broker.LastOperation(ctx, member.ID, handle)
	if errors.Is(err, mgmtclient.ErrGone) || errors.Is(err, mgmtclient.ErrNotFound) {
		return fleet.Progress{State: fleet.Succeeded}, nil
	}
	if err != nil {
		return verdict(pollFailed(err))
	}
	return progressOf(operation.State, operation.Description), nil
}
