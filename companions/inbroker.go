package companions

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// clockSkew is by how much the clocks of the broker and of this machine may differ.
const clockSkew = 30 * time.Second

// beginInBroker starts the operation through the management API.
func (o *Operation) beginInBroker(ctx context.Context, id string) (fleet.Progress, error) {
	at, found, err := o.roster.now(ctx, id)
	switch {
	case err != nil:
		return fleet.Progress{}, err
	case !found:
		return fleet.Progress{State: fleet.Gone}, nil
	}
	if since := o.ask(id); !since.IsZero() {
		if begun, err := o.begunSince(ctx, id, at.planID, since); begun || err != nil {
			return fleet.Progress{State: fleet.Accepted, Handle: byDetails}, err
		}
	}
	started, err := o.roster.broker.Start(ctx, mgmtclient.Start{
		InstanceID: id, PlanID: at.planID, SpaceGUID: at.spaceGUID, OperationType: o.kind, Force: o.force,
	})
	var away *mgmtclient.Unavailable
	if !errors.As(err, &away) || !away.Sent {
		o.answered(id)
	}
	switch {
	case errors.Is(err, mgmtclient.ErrBusy):
		return fleet.Progress{State: fleet.Busy}, nil
	case errors.Is(err, mgmtclient.ErrGone):
		return fleet.Progress{State: fleet.Orphan}, nil
	case errors.Is(err, mgmtclient.ErrNotFound):
		return fleet.Progress{State: fleet.Gone}, nil
	case err != nil:
		return fleet.Progress{}, err
	case started.UpToDate:
		return fleet.Progress{State: fleet.Skipped}, nil
	}
	return fleet.Progress{State: fleet.Accepted, Handle: byBroker + started.OperationData, Task: started.TaskID}, nil
}

// begunSince tells whether the operation was begun although the broker's answer got lost: started once more, VMs would be
// made anew twice. The predecessor doesn't tell. What the broker remembers and the Director has never heard of was not begun: the broker
// ended in between.
func (o *Operation) begunSince(ctx context.Context, id, planID string, since time.Time) (bool, error) {
	details, err := o.roster.broker.Instance(ctx, id, planID)
	switch {
	case errors.Is(err, mgmtclient.ErrNotFound), errors.As(err, new(*mgmtclient.Rejected)):
		return false, nil
	case err != nil:
		return false, err
	}
	last := details.LastOperation
	return last != nil && last.Type == o.kind && last.State != mgmtclient.Unknown && last.StartedAt.After(since.Add(-clockSkew)), nil
}

func (o *Operation) pollBroker(ctx context.Context, id, operationData string) (fleet.Progress, error) {
	operation, err := o.roster.broker.LastOperation(ctx, id, operationData)
	if err != nil {
		return pollFailed(err)
	}
	return progressOf(operation.State, operation.Description), nil
}

// pollDetails polls an operation of which only the broker knows how it is called.
func (o *Operation) pollDetails(ctx context.Context, id string) (fleet.Progress, error) {
	details, err := o.roster.broker.Instance(ctx, id, "")
	switch {
	case err != nil:
		return pollFailed(err)
	case details.LastOperation == nil || details.LastOperation.Type != o.kind:
		return fleet.Progress{State: fleet.Failed, Description: "the broker no longer tells of the operation"}, nil
	}
	progress := progressOf(details.LastOperation.State, "the operation "+details.LastOperation.State)
	if len(details.Tasks) > 0 {
		progress.Task = details.Tasks[0].ID
	}
	return progress, nil
}

// pollFailed is the end of an operation that can't be asked about.
func pollFailed(err error) (fleet.Progress, error) {
	if errors.Is(err, mgmtclient.ErrGone) || errors.Is(err, mgmtclient.ErrNotFound) {
		return fleet.Progress{State: fleet.Gone}, nil
	}
	return fleet.Progress{}, unlessRefused(err)
}

// unlessRefused makes a failure of the broker to answer a question what it is: no answer, and no verdict on the instance.
func unlessRefused(err error) error {
	var failed *mgmtclient.Rejected
	if errors.As(err, &failed) && failed.Status >= http.StatusInternalServerError {
		return fleet.Unavailable{Err: err}
	}
	return err
}

// progressOf words a state of OSB.
func progressOf(state, description string) fleet.Progress {
	switch state {
	case mgmtclient.InProgress:
		return fleet.Progress{State: fleet.Accepted, Stage: description}
	case mgmtclient.Succeeded:
		return fleet.Progress{State: fleet.Succeeded}
	default:
		return fleet.Progress{State: fleet.Failed, Description: description}
	}
}
