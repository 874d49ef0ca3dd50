package osbcheck

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// operation is one that was asked for, and how far it is known.
type operation struct {
	instance, binding string // no binding if it is the instance's
	answer            *Exchange
	data              string // as it was handed out
	state             string // as OSB calls it, once it has ended
	last              *Exchange
}

func (o *operation) running() bool { return o.answer.Status == http.StatusAccepted && o.state == "" }

const stateSucceeded, stateFailed, stateInProgress = "succeeded", "failed", "in progress"

// begin sends a request that may start an operation.
func (s *session) begin(ctx context.Context, r request) (*operation, error) {
	e, err := s.send(ctx, r)
	if err != nil {
		return nil, err
	}
	o := &operation{instance: r.instance, answer: e, data: e.member("operation")}
	if e.Status != http.StatusAccepted && e.Status < 300 {
		o.state = stateSucceeded
	}
	return o, nil
}

// look asks once how the operation stands.
func (s *session) look(ctx context.Context, o *operation) error {
	poll := s.poll(o.instance, o.data)
	if o.binding != "" {
		poll.path, poll.binding = bindingPath(o.instance, o.binding)+"/last_operation", o.binding
	}
	e, err := s.send(ctx, poll)
	if err != nil {
		return err
	}
	o.last = e
	switch state := e.member("state"); {
	case e.Status == http.StatusGone && o.answer.sent.method == http.MethodDelete:
		o.state = stateSucceeded
	case e.Status >= 500: // a platform asks again
	case e.Status != http.StatusOK:
		return wrong(e, "last_operation was answered %d", e.Status)
	case state == stateSucceeded || state == stateFailed:
		o.state = state
	case state != stateInProgress:
		return wrong(e, "the state is %q, not in progress, succeeded or failed", state)
	}
	return nil
}

// follow asks until the operation has ended well.
func (s *session) follow(ctx context.Context, o *operation) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.OperationTimeout)
	defer cancel()
	for o.running() {
		if err := s.look(ctx, o); err != nil {
			return err
		}
		if !o.running() {
			break
		}
		select {
		case <-time.After(s.options.PollInterval):
		case <-ctx.Done():
			return wrong(o.last, "the operation has not ended in time")
		}
	}
	if o.state != stateSucceeded {
		return wrong(o.last, "the operation ended as %q", o.state)
	}
	return nil
}

// removeAll removes what is left of the run, as a platform would. It tells what could not be removed.
func (s *session) removeAll(leave context.Context) (left []string) {
	ctx, cancel := context.WithTimeout(leave, s.options.OperationTimeout)
	defer cancel()
	if len(s.made) > 0 && leave.Err() == nil {
		s.options.Tell(fmt.Sprintf("removing what may be left, within %s", s.options.OperationTimeout))
	}
	for _, pair := range s.bound {
		if slices.Contains(s.made, pair[0]) {
			_, _ = s.send(ctx, s.unbind(pair[0], pair[1])) // the instance takes what is left with it
		}
	}
	for _, id := range s.made {
		switch err := s.remove(ctx, id); {
		case err != nil && leave.Err() != nil:
			left = append(left, fmt.Sprintf("service instance %s: it may be there, or be going: the run was ended before that could be seen", id))
		case err != nil:
			left = append(left, fmt.Sprintf("service instance %s: %v", id, err))
		}
	}
	return left
}

// remove deletes an instance. One that is busy is waited for.
func (s *session) remove(ctx context.Context, id string) error {
	for {
		o, err := s.begin(ctx, s.deprovision(id))
		switch {
		case err != nil:
			return err
		case o.answer.Status == http.StatusGone:
			return nil
		case o.answer.Status < 300:
			return s.follow(ctx, o)
		case o.answer.Status < 500 && o.answer.member("error") != "ConcurrencyError":
			return wrong(o.answer, "its deletion was answered %d", o.answer.Status)
		}
		select {
		case <-time.After(s.options.PollInterval):
		case <-ctx.Done():
			return wrong(o.answer, "its deletion was still answered %d in the end", o.answer.Status)
		}
	}
}
