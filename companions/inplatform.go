package companions

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/fleet"
)

// beginInPlatform asks Cloud Foundry for the upgrade. What it finds up to date goes on to the broker, since there may be
// more to do than a maintenance version tells.
func (o *Operation) beginInPlatform(ctx context.Context, id, version string) (fleet.Progress, error) {
	since := o.ask(id)
	started, err := o.roster.platform.Upgrade(ctx, id, version)
	var away *cfclient.Unavailable
	if !errors.As(err, &away) {
		o.answered(id)
	}
	switch {
	case err == nil && started.AlreadyCurrent && !since.IsZero():
		return fleet.Progress{State: fleet.Succeeded}, nil // it was, by us
	case err == nil && started.AlreadyCurrent:
		return o.beginInBroker(ctx, id)
	case err == nil:
		return fleet.Progress{State: fleet.Accepted, Handle: byJob + started.Job}, nil
	case errors.Is(err, cfclient.ErrBusy) && !since.IsZero():
		return o.adopt(ctx, id, version)
	case errors.Is(err, cfclient.ErrBusy):
		return fleet.Progress{State: fleet.Busy}, nil
	case errors.Is(err, cfclient.ErrNotFound):
		return fleet.Progress{State: fleet.Gone}, nil
	case refusedVersion(err):
		return o.beginAnew(ctx, id, version, err)
	}
	return fleet.Progress{}, err
}

// adopt is for an upgrade that Cloud Foundry took on without an answer that arrived: what keeps it busy may be just that.
func (o *Operation) adopt(ctx context.Context, id, version string) (fleet.Progress, error) {
	instance, err := o.roster.platform.Instance(ctx, id)
	switch {
	case errors.Is(err, cfclient.ErrNotFound):
		return fleet.Progress{State: fleet.Gone}, nil
	case err != nil:
		return fleet.Progress{}, err
	case instance.LastOperation.Type == "update":
		return fleet.Progress{State: fleet.Accepted, Handle: byInstance + version}, nil
	}
	return fleet.Progress{State: fleet.Busy}, nil
}

// refusedVersion tells whether the version may not be the plan's any more.
func refusedVersion(err error) bool {
	var refused *cfclient.Rejected
	return errors.As(err, &refused) && refused.Status == http.StatusUnprocessableEntity
}

// beginAnew looks for the version that is the plan's by now, since plan or broker may have changed after all were listed.
func (o *Operation) beginAnew(ctx context.Context, id, refused string, refusal error) (fleet.Progress, error) {
	if _, err := o.roster.plans.readPlatform(ctx); err != nil {
		return fleet.Progress{}, err
	}
	at, found, err := o.roster.now(ctx, id)
	switch {
	case err != nil:
		return fleet.Progress{}, err
	case !found:
		return fleet.Progress{State: fleet.Gone}, nil
	case at.version.plan == refused:
		return fleet.Progress{}, refusal // it was for another reason
	}
	o.roster.noteVersions(id, at.version)
	if o.throughPlatform(at.version) {
		return o.beginInPlatform(ctx, id, at.version.plan)
	}
	return o.beginInBroker(ctx, id)
}

// pollJob asks for the job of the upgrade.
func (o *Operation) pollJob(ctx context.Context, id, guid string) (fleet.Progress, error) {
	job, err := o.roster.platform.Job(ctx, guid)
	switch {
	case errors.Is(err, cfclient.ErrNotFound): // it forgets jobs some time after their end
		v, _ := o.roster.versionsOf(id)
		return o.pollInstance(ctx, id, v.plan)
	case err != nil:
		return fleet.Progress{}, err
	case !job.Done():
		return fleet.Progress{State: fleet.Accepted}, nil
	}
	failure := job.Err()
	if failure == nil {
		return fleet.Progress{State: fleet.Succeeded}, nil
	}
	if errors.Is(failure, cfclient.ErrNotFound) {
		return fleet.Progress{State: fleet.Gone}, nil
	}
	var failed *cfclient.JobFailed
	switch {
	case errors.As(failure, &failed) && failed.ReasonElsewhere():
		return o.reason(ctx, id, failure)
	case errors.As(failure, &failed) && failed.BrokerUnreachable():
		return o.notReached(ctx, id, failure)
	}
	return fleet.Progress{}, failure
}

// unreachedFor is for how long Cloud Foundry may not reach a broker that others do: routes come back a little after a broker does.
const unreachedFor = 2 * time.Minute

// notReached is for an upgrade that never came to the broker. As soon as the broker is back, Cloud Foundry is asked for it again.
func (o *Operation) notReached(ctx context.Context, id string, failure error) (fleet.Progress, error) {
	if _, err := o.roster.broker.Catalog(ctx); err != nil {
		return fleet.Progress{}, err
	}
	if o.unreached.longerThan(unreachedFor, id) {
		return fleet.Progress{}, failure
	}
	v, _ := o.roster.versionsOf(id)
	return o.beginInPlatform(ctx, id, v.plan)
}

// reason finds the broker's words for an upgrade that failed after it had begun.
func (o *Operation) reason(ctx context.Context, id string, failure error) (fleet.Progress, error) {
	instance, err := o.roster.platform.Instance(ctx, id)
	if err != nil || instance.LastOperation.Description == "" {
		return fleet.Progress{}, failure // it has failed, whoever can't be asked why
	}
	return fleet.Progress{State: fleet.Failed, Description: instance.LastOperation.Description}, nil
}

// pollInstance tells from the instance itself how its upgrade to a version stands.
func (o *Operation) pollInstance(ctx context.Context, id, version string) (fleet.Progress, error) {
	instance, err := o.roster.platform.Instance(ctx, id)
	switch {
	case errors.Is(err, cfclient.ErrNotFound):
		return fleet.Progress{State: fleet.Gone}, nil
	case err != nil:
		return fleet.Progress{}, err
	case instance.LastOperation.Running():
		return fleet.Progress{State: fleet.Accepted, Stage: instance.LastOperation.Description}, nil
	case instance.MaintenanceVersion == version:
		return fleet.Progress{State: fleet.Succeeded}, nil
	case instance.LastOperation.State == cfclient.OperationFailed:
		return fleet.Progress{State: fleet.Failed, Description: instance.LastOperation.Description}, nil
	}
	return fleet.Progress{State: fleet.Failed, Description: "Cloud Foundry ended the operation, and the instance still has maintenance version " + orNone(instance.MaintenanceVersion)}, nil
}
