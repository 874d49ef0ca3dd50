package companions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/fleet"
)

// Deleter is what is asked of Cloud Foundry to delete an instance (cfclient).
type Deleter interface {
	Unbinder
	DeleteInstance(ctx context.Context, guid string) (job string, err error)
	Instance(ctx context.Context, guid string) (cfclient.Instance, error)
	Job(ctx context.Context, guid string) (cfclient.Job, error)
}

// Deletion is the fleet's work that deletes instances, with all that is bound to them. A deletion that runs already is waited
// for; one that has failed is asked for again.
type Deletion struct {
	platform Deleter
	doomed   *Doomed

	mu    sync.Mutex
	begun map[string]bool // instances that this work has tried to delete

	unreached unreached
}

// NewDeletion is the work on these instances.
func NewDeletion(platform Deleter, doomed *Doomed) *Deletion {
	return &Deletion{platform: platform, doomed: doomed, begun: map[string]bool{}}
}

var _ fleet.Work = (*Deletion)(nil)

// byOther is the handle of a deletion that somebody else has begun; any other is the guid of Cloud Foundry's job.
const byOther = "by other"

// Begin implements fleet.Work.
func (d *Deletion) Begin(ctx context.Context, member fleet.Member) (fleet.Progress, error) {
	return verdict(d.begin(ctx, member.ID))
}

// begin looks first where the list may be wrong by now, which saves a request for all others.
func (d *Deletion) begin(ctx context.Context, id string) (fleet.Progress, error) {
	seen := d.doomed.seen[id]
	if d.wasBegun(id) || seen.Running() {
		instance, err := d.platform.Instance(ctx, id)
		switch {
		case err != nil:
			return d.goneOr(id, err)
		case isDeleting(instance):
			return fleet.Progress{State: fleet.Accepted, Handle: byOther}, nil
		}
		seen = instance.LastOperation
	}
	if err := d.detach(ctx, id, seen.Type == operationDelete); err != nil {
		return d.goneOr(id, err)
	}
	return d.send(ctx, id)
}

// send asks for the deletion.
func (d *Deletion) send(ctx context.Context, id string) (fleet.Progress, error) {
	d.noteBegun(id)
	job, err := d.platform.DeleteInstance(ctx, id)
	if err != nil {
		return d.goneOr(id, err)
	}
	return fleet.Progress{State: fleet.Accepted, Handle: job}, nil
}

// goneOr gives the errors their meaning that say what is to be done.
func (d *Deletion) goneOr(id string, err error) (fleet.Progress, error) {
	switch {
	case errors.Is(err, cfclient.ErrNotFound) && d.wasBegun(id):
		return fleet.Progress{State: fleet.Succeeded}, nil
	case errors.Is(err, cfclient.ErrNotFound):
		return fleet.Progress{State: fleet.Gone}, nil
	case errors.Is(err, cfclient.ErrBusy):
		return fleet.Progress{State: fleet.Busy}, nil
	}
	return fleet.Progress{}, err
}

func isDeleting(instance cfclient.Instance) bool {
	return instance.LastOperation.Type == operationDelete && instance.LastOperation.Running()
}

// Poll implements fleet.Work. It looks at the instance, since the job of one that has gone may have failed for just that reason.
func (d *Deletion) Poll(ctx context.Context, member fleet.Member, handle string) (fleet.Progress, error) {
	return verdict(d.poll(ctx, member.ID, handle))
}

func (d *Deletion) poll(ctx context.Context, id, handle string) (fleet.Progress, error) {
	instance, err := d.platform.Instance(ctx, id)
	switch {
	case errors.Is(err, cfclient.ErrNotFound):
		return fleet.Progress{State: fleet.Succeeded}, nil
	case err != nil:
		return fleet.Progress{}, err
	case isDeleting(instance):
		return fleet.Progress{State: fleet.Accepted, Stage: instance.LastOperation.Description}, nil
	case handle == byOther: // that one has failed, which says nothing of ours
		return d.begin(ctx, id)
	}
	job, err := d.platform.Job(ctx, handle)
	switch {
	case errors.Is(err, cfclient.ErrNotFound): // it forgets jobs some time after their end
		job = cfclient.Job{State: cfclient.JobStateComplete}
	case err != nil:
		return fleet.Progress{}, err
	case !job.Done():
		return fleet.Progress{State: fleet.Accepted}, nil
	}
	return d.ended(ctx, id, job.Err())
}

// ended tells what came of a job that has ended. The instance is looked at once more, since it may have gone since the last look.
func (d *Deletion) ended(ctx context.Context, id string, failure error) (fleet.Progress, error) {
	instance, err := d.platform.Instance(ctx, id)
	last := instance.LastOperation
	var failed *cfclient.JobFailed
	switch {
	case errors.Is(err, cfclient.ErrNotFound):
		return fleet.Progress{State: fleet.Succeeded}, nil
	case err != nil:
		return fleet.Progress{}, err
	case isDeleting(instance):
		return fleet.Progress{State: fleet.Accepted, Stage: last.Description}, nil
	case errors.Is(failure, cfclient.ErrBusy):
		return fleet.Progress{State: fleet.Busy}, nil
	case errors.As(failure, &failed) && failed.BrokerUnreachable() && !d.unreached.longerThan(brokerAwayFor, id):
		return d.send(ctx, id)
	case errors.As(failure, &failed) && !failed.ReasonElsewhere():
		return fleet.Progress{}, failure
	case last.Type == operationDelete && last.Description != "":
		return fleet.Progress{State: fleet.Failed, Description: last.Description}, nil
	case failure != nil:
		return fleet.Progress{}, failure
	}
	return fleet.Progress{State: fleet.Failed, Description: fmt.Sprintf("Cloud Foundry has ended the deletion and still has the instance %s", standingText(last))}, nil
}

// brokerAwayFor is for how long a broker may be away. Who deletes knows Cloud Foundry only, and can't ask the broker whether it is back.
const brokerAwayFor = 10 * time.Minute

func (d *Deletion) noteBegun(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.begun[id] = true
}

func (d *Deletion) wasBegun(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begun[id]
}
