package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// pollAgainAfter is some part of what the quickest of deploys takes.
const pollAgainAfter = 10 * time.Second

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

// leaving tells what an operation that failed leaves of the instance. Of a deploy it isn't known; a deletion that failed in an
// errand has not begun yet.
func (p Polled) leaving(o Operation, deployment string, failed boshclient.Task) Polled {
	switch {
	case o.deletes():
		usable := !(step{kind: stepDelete}).isOf(o, deployment, failed)
		p.InstanceUsable = &usable
	case o.OperationType != OperationCreate:
		repeatable := true
		p.UpdateRepeatable = &repeatable
	}
	return p
}
