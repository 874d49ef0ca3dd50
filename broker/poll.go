package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/logs"
)

// Polled is how an operation stands, with what brokerapi has no room for (OSB 2.17, Polling Last Operation).
type Polled struct {
	domain.LastOperation
	// RetryAfter is when it is worth asking again; 0 if the operation has ended.
	RetryAfter time.Duration
	// InstanceUsable tells whether the instance is as good as before an operation that failed, UpdateRepeatable whether an
	// update that failed may be asked for again as it was. They are nil where that isn't known or isn't asked.
	InstanceUsable, UpdateRepeatable *bool
}

// Bounds of RetryAfter. The lower ones are some part of what the quickest of deploys takes, and an adapter.
const (
	leastBetweenPolls        = 10 * time.Second
	leastBetweenBindingPolls = time.Second
	mostBetweenPolls         = time.Minute
)

// pollAgainAfter tells when it is worth asking again about what has run for so long: after a tenth of that. Nobody knows when it will
// end, but what has taken ten minutes is hardly over within ten seconds, and its end is known late by a tenth at most.
func pollAgainAfter(ran, least time.Duration) time.Duration {
	return min(max(ran/10, least), mostBetweenPolls)
}

// LastOperation is what brokerapi knows of Poll.
func (b *Broker) LastOperation(ctx context.Context, instanceID string, details domain.PollDetails) (domain.LastOperation, error) {
	polled, err := b.Poll(ctx, instanceID, details)
	return polled.LastOperation, err
}

// Poll tells how an operation stands (OSB 2.17, GET …/last_operation). The Director is the one who knows: what can't be told
// because it is away is never reported as a failure of the operation.
func (b *Broker) Poll(ctx context.Context, instanceID string, details domain.PollDetails) (Polled, error) {
	operation, ended, err := b.asked(ctx, instanceID, details.OperationData)
	if err != nil {
		return Polled{}, b.failed(ctx, instanceID, "", err)
	}
	ctx = logs.With(ctx, slog.String("instance_id", instanceID), slog.Int("task_id", operation.BoshTaskID), slog.String("operation", string(operation.OperationType)))
	polled, err := b.poll(ctx, instanceID, operation, ended)
	if err == nil {
		b.looked(instanceID, operation, polled.State)
	}
	return polled, err
}

// poll looks after one operation, of which it may be remembered how it ended.
func (b *Broker) poll(ctx context.Context, instanceID string, operation Operation, ended string) (Polled, error) {
	switch ended {
	case stateSucceeded:
		return completed(operation), nil
	case stateFailed:
		return b.failedOperation(ctx, instanceID, operation, ""), nil
	}
	d, err := b.advance(ctx, instanceID, operation)
	switch {
	case errors.Is(err, boshclient.ErrNotFound), err == nil && d.action == cannotTell:
		return b.withoutTask(ctx, instanceID, operation, err)
	case err != nil:
		return Polled{}, b.cannotTell(ctx, instanceID, operation, err)
	}
	return b.report(ctx, instanceID, operation, d)
}

// asked is the operation that a poll asks about: the one that it names or else the instance's last, with how that one ended, if
// that is remembered.
func (b *Broker) asked(ctx context.Context, instanceID, data string) (o Operation, ended string, err error) {
	if data != "" {
		if o, err = decodeOperation(data); err != nil {
			err = &Error{Kind: BadRequest, Message: err.Error()}
		}
		return o, "", err
	}
	d, err := b.readBeforeDelete(ctx, deletion{instanceID: instanceID, operation: b.deletionOf("", false)})
	if err != nil {
		return o, "", err
	}
	switch current, err := b.underWay(ctx, d); {
	case err != nil:
		return o, "", err
	case current.operation.OperationType != "":
		return current.operation, "", nil
	case d.before.record != nil:
		return d.before.record.Operation.asOperation(), d.before.record.Operation.State, nil
	}
	switch _, err := b.Deployments.Deployment(ctx, d.name()); {
	case errors.Is(err, boshclient.ErrNotFound):
		return o, "", refuse(NotFound, "Service instance %s does not exist", instanceID)
	case err != nil:
		return o, "", fmt.Errorf("looking for deployment %s: %w", d.name(), err)
	}
	return o, "", refuse(BadRequest, "the operation is missing, and nothing is remembered of the instance: send the one that the broker returned")
}

// leaving tells what an operation that failed leaves of the instance. What isn't said counts as usable (OSB 2.17, Polling Last
// Operation), so that it is said when nobody can vouch for it: usable is what failed in an errand, with all VMs as they should be,
// and a deploy that came to none of the instance's VMs.
func (b *Broker) leaving(ctx context.Context, p Polled, o Operation, failed boshclient.Task) (Polled, error) {
	if o.OperationType == OperationCreate {
		return p, nil
	}
	usable := strings.HasPrefix(failed.Description, errandPrefix)
	if !o.deletes() {
		repeatable := true
		p.UpdateRepeatable = &repeatable
		if !usable {
			var err error
			if usable, err = b.cameToNoVM(ctx, failed); err != nil {
				return p, err
			}
		}
	}
	p.InstanceUsable = &usable
	return p, nil
}

// cameToNoVM tells whether a deploy ended before it changed any of the instance's VMs. Events that the Director no longer has prove nothing.
func (b *Broker) cameToNoVM(ctx context.Context, task boshclient.Task) (bool, error) {
	events, _, err := b.Tasks.TaskEvents(ctx, task.ID, 0)
	switch {
	case errors.Is(err, boshclient.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading how far task %d came: %w", task.ID, err)
	}
	return !slices.ContainsFunc(events, changesVMs), nil
}

// changesVMs tells whether an event of a deploy is of a stage in which the VMs that there are don't stay as they are.
func changesVMs(event boshclient.TaskEvent) bool {
	switch event.Stage {
	case "", "Preparing deployment", "Preparing package compilation", "Compiling packages", "Creating missing vms":
		return false
	default:
		return true
	}
}
