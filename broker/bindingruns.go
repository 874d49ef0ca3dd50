package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// bindingOperation is an asynchronous operation on a binding. The zero value is none.
type bindingOperation struct {
	Type  OperationType             `json:"type"`
	ID    string                    `json:"id"`
	State domain.LastOperationState `json:"state"`
	// Description is the user's word for why it failed.
	Description string `json:"description,omitempty"`
	// Process is the broker that is at it, and Until when it is over in any case.
	Process string    `json:"process"`
	Until   time.Time `json:"until"`
}

func (o bindingOperation) goesOn() bool { return o.State == domain.InProgress }

// ended is the operation with its outcome.
func (o bindingOperation) ended(failure *Error) bindingOperation {
	o.State = domain.Succeeded
	if failure != nil {
		o.State, o.Description = domain.Failed, failure.Message
	}
	return o
}

// bindingCursor is what the platform keeps of an operation on a binding: the `operation` string of OSB.
type bindingCursor struct {
	Operation OperationType
	ID        string
	Process   string
}

func (o bindingOperation) handedOut() string {
	text, _ := json.Marshal(bindingCursor{o.Type, o.ID, o.Process}) // three texts
	return string(text)
}

func decodeBindingCursor(text string) (bindingCursor, error) {
	var cursor bindingCursor
	err := json.Unmarshal([]byte(text), &cursor)
	if err != nil || cursor.ID == "" || (cursor.Operation != OperationBind && cursor.Operation != OperationUnbind) {
		return cursor, errors.New("the operation is none of a binding: send the one that the broker returned")
	}
	return cursor, nil
}

// maxBindingOperation is how long an operation on a binding may wait for others of its instance and run. Each run of the adapter
// in it has its own deadline.
const maxBindingOperation = time.Hour

// Causes by which an operation on a binding ends before its time.
var (
	errUnbound     = errors.New("the binding is being taken back")
	errSlowBinding = fmt.Errorf("operations on bindings end after %s", maxBindingOperation)
)

// bindingRun is an operation on a binding that this process is at.
type bindingRun struct {
	bindingOperation
	digest string // of what was asked for, by a bind
	plan   string // as it is counted
	since  time.Time
	stop   context.CancelCauseFunc
	over   chan struct{}
}

// bindingRuns are the operations on bindings that this process is at: one at a time for each.
type bindingRuns struct {
	mu     sync.Mutex
	atWork map[bindingName]*bindingRun
	over   *generations[string, bindingOperation] // by id
}

func newBindingRuns() *bindingRuns {
	return &bindingRuns{atWork: map[bindingName]*bindingRun{}, over: newGenerations[string, bindingOperation]()}
}

// of is the one at a binding; nil if there is none.
func (r *bindingRuns) of(name bindingName) *bindingRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.atWork[name]
}

// begin gives the run that is at the binding from now on: the given one, unless there is one.
func (r *bindingRuns) begin(name bindingName, run *bindingRun) *bindingRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	if first := r.atWork[name]; first != nil {
		return first
	}
	r.atWork[name] = run
	return run
}

func (r *bindingRuns) end(name bindingName, run *bindingRun, outcome bindingOperation) {
	r.over.change(run.ID, func(bindingOperation) bindingOperation { return outcome })
	r.mu.Lock()
	delete(r.atWork, name)
	r.mu.Unlock()
	run.stop(nil)
	close(run.over)
}

// newRun makes an operation and the context of its work, which outlives the request.
func (b *Broker) newRun(ctx context.Context, operation OperationType, p *plan, digest string) (context.Context, *bindingRun) {
	ctx, release := b.detached(ctx)
	ctx, cancel := context.WithTimeoutCause(ctx, maxBindingOperation, errSlowBinding)
	ctx, stop := context.WithCancelCause(ctx)
	return ctx, &bindingRun{
		plan: p.label(), since: b.Now(),
		bindingOperation: bindingOperation{
			Type: operation, ID: uuid.NewString(), State: domain.InProgress, Process: b.process, Until: b.Now().UTC().Add(maxBindingOperation),
		},
		digest: digest,
		over:   make(chan struct{}),
		stop: func(cause error) {
			stop(cause)
			if cause == nil { // it is over
				cancel()
				release()
			}
		},
	}
}

// carryOut does an operation's work after the request, when it is its instance's turn. waited tells it whether others had theirs
// before.
func (b *Broker) carryOut(ctx context.Context, name bindingName, run *bindingRun, do func(ctx context.Context, waited bool) error) {
	defer b.ongoing.atBinding(run.Type)()
	err := func() (err error) {
		defer func() {
			if cause := recover(); cause != nil { // on a goroutine of its own it would end the process
				err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
			}
		}()
		unlock, free := b.bindings.try(name.instanceID)
		if !free {
			if unlock, err = b.bindings.wait(ctx, name.instanceID); err != nil {
				return fmt.Errorf("waiting for other bindings of the instance: %w", err)
			}
		}
		defer unlock()
		return do(ctx, !free)
	}()
	if cause := context.Cause(ctx); err != nil && cause != nil { // which says more than that a context ended
		err = &Error{Kind: Unavailable, Message: cause.Error(), Cause: errors.Join(cause, err)}
	}
	var failure *Error
	if err != nil {
		failure = b.bindFailed(ctx, name.instanceID, run.Type, err)
	}
	outcome, counted := run.ended(failure), Outcome{Type: run.Type, Plan: run.plan, Result: ResultSucceeded, Took: b.Now().Sub(run.since)}
	if failure != nil {
		counted.Result = resultOf(failure)
		b.noteFailure(ctx, name, outcome, failure)
	} else {
		b.Logger.InfoContext(ctx, string(run.Type)+".done")
	}
	b.observed(counted)
	b.runs.end(name, run, outcome)
}

// noteTime is for a last note, when the time of the operation itself is over.
const noteTime = 5 * time.Second

// noteFailure keeps it for polls that come after a restart, or to another broker. Of a bind that is being taken back the unbind
// will tell.
func (b *Broker) noteFailure(ctx context.Context, name bindingName, outcome bindingOperation, failure *Error) {
	b.Logger.ErrorContext(ctx, string(outcome.Type)+".failed", slog.String("error", failure.Error()))
	if errors.Is(failure, errUnbound) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	known, err := b.kept.read(ctx, name)
	if known == nil {
		known = &knownBinding{Operation: outcome}
	}
	if err == nil && known.Operation.ID == outcome.ID {
		known.Operation = outcome
		err = b.kept.write(ctx, name, *known)
	}
	if err != nil {
		b.Logger.WarnContext(ctx, "binding.outcome-not-kept", slog.String("error", err.Error()))
	}
}

// readBinding is what is known of a binding. An operation that nobody is at any more has failed.
func (b *Broker) readBinding(ctx context.Context, name bindingName) (*knownBinding, error) {
	known, err := b.kept.read(ctx, name)
	if err != nil || known == nil || !b.abandoned(name, known.Operation) {
		return known, err
	}
	// It may have ended in between: what is kept is written before.
	if known, err = b.kept.read(ctx, name); err != nil || known == nil || !b.abandoned(name, known.Operation) {
		return known, err
	}
	known.Operation.State, known.Operation.Description = domain.Failed, ErrStopped.Error()
	return known, nil
}

func (b *Broker) abandoned(name bindingName, o bindingOperation) bool {
	switch {
	case !o.goesOn():
		return false
	case o.Process == b.process:
		run := b.runs.of(name)
		return run == nil || run.ID != o.ID
	default: // another process: the one before, or one beside
		return !b.Switches.SideBySide || b.Now().After(o.Until)
	}
}
