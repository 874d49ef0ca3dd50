package osbcheck

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// lastOperationChecks is section F: GET /v2/service_instances/:id/last_operation.
func lastOperationChecks() []Check {
	return []Check{
		inside("F1", Must, there, "the state of an operation", "200; in progress, succeeded or failed", states),
		inside("F2", Must, reading, "an instance that never was", "404", answers([]int{404}, func(s *session) []request { return []request{s.poll(fresh(), "")} })),
		inside("F3", Must, reading, "an operation that can't be read", "400", nonsense),
		inside("F4", Optional, deleted, "a deletion that is done", "200 succeeded, or 410", deletionDone),
		inside("F5", Must, overall, "polls of creations and updates", "never 410", neverGone),
		inside("F6", Should, there, "asked again after the end", "the same answer", func(ctx context.Context, s *session) error {
			return s.stillSays(ctx, s.creation, s.poll(s.shared, s.creation.data))
		}),
		inside("F7", Must, updated, "an operation among several", "its own state", func(ctx context.Context, s *session) error {
			return s.stillSays(ctx, s.change, s.poll(s.shared, s.change.data))
		}),
		inside("F8", Optional, there, "no operation", "the instance's last one", func(ctx context.Context, s *session) error { return s.stillSays(ctx, s.creation, s.poll(s.shared, "")) }),
		inside("F9", Must, updated, "the plan of before, or another", "the poll is answered all the same", otherPlanPolled),
		inside("F10", Must, overall, "description of polls", "a text, if given", pollDescriptions),
		inside("F11", Must, overall, "instance_usable and update_repeatable in polls", "only of updates and deletions that have failed", pollFlags),
		inside("F12", Optional, overall, "Retry-After of polls in progress", "seconds", retryAfter),
		inside("F13", Must, second, "polls after a deletion that was accepted during the creation", "they tell of the deletion", deletedWhileCreated),
		outside(Check{Row: "F14", Level: Should, Title: "what can't be told for a while", Holds: "5xx; the operation is never called failed for it", Elsewhere: "nothing from outside makes it so", Test: `cmd/odb/away_test.go "says that it is away when a submission never arrived"`}),
	}
}

// states looks at all polls so far.
func states(_ context.Context, s *session) error {
	found := 0
	for _, e := range s.polls() {
		if e.Status != http.StatusOK {
			continue
		}
		found++
		if state := e.member("state"); state != stateInProgress && state != stateSucceeded && state != stateFailed {
			return wrong(e, "the state is %q", state)
		}
	}
	if found == 0 {
		return skip("there was nothing to poll")
	}
	return nil
}

func (s *session) polls() (all []*Exchange) {
	for _, e := range s.log {
		if strings.HasSuffix(e.sent.path, "/last_operation") && e.sent.login == nil {
			all = append(all, e)
		}
	}
	return all
}

func nonsense(ctx context.Context, s *session) error {
	_, err := s.expect(ctx, s.poll(fresh(), "osb-check: not an operation"), 400, 404)
	return err
}

func deletionDone(ctx context.Context, s *session) error {
	if s.removal.data == "" && s.removal.answer.Status != http.StatusAccepted {
		return skip("the broker deletes in the request")
	}
	e, err := s.expect(ctx, s.poll(s.shared, s.removal.data), 200, 410)
	if err == nil && e.Status == http.StatusOK && e.member("state") != stateSucceeded {
		return wrong(e, "the state is %q", e.member("state"))
	}
	return err
}

func neverGone(_ context.Context, s *session) error {
	for _, e := range s.polls() {
		operation := e.sent.query.Get("operation")
		deletion := s.removal != nil && (operation == s.removal.data || operation == "")
		if e.Status == http.StatusGone && !deletion && e.sent.instance == s.shared {
			return wrong(e, "answered 410")
		}
	}
	return nil
}

// stillSays wants that a poll tells of an operation that has succeeded.
func (s *session) stillSays(ctx context.Context, o *operation, poll request) error {
	if o.answer.Status != http.StatusAccepted {
		return skip("the broker did it in the request")
	}
	e, err := s.expect(ctx, poll, http.StatusOK)
	if err == nil && e.member("state") != stateSucceeded {
		return wrong(e, "the state is %q", e.member("state"))
	}
	return err
}

func otherPlanPolled(ctx context.Context, s *session) error {
	poll := s.poll(s.shared, s.change.data)
	if s.other != nil {
		if err := s.stillSays(ctx, s.change, poll.asking("plan_id", s.other.ID)); err != nil {
			return err
		}
	}
	return s.stillSays(ctx, s.change, poll.asking("plan_id", "").asking("service_id", ""))
}

func pollDescriptions(_ context.Context, s *session) error {
	for _, e := range s.polls() {
		if description, given := e.object["description"]; given {
			if text, isText := description.(string); !isText || text == "" {
				return wrong(e, "description is %v", description)
			}
		}
	}
	return nil
}

func pollFlags(_ context.Context, s *session) error {
	for _, e := range s.polls() {
		for _, flag := range []string{"instance_usable", "update_repeatable"} {
			value, given := e.object[flag]
			if _, isBool := value.(bool); given && (!isBool || e.member("state") != stateFailed) {
				return wrong(e, "%s is %v while the state is %q", flag, value, e.member("state"))
			}
		}
	}
	return nil
}

func retryAfter(_ context.Context, s *session) error {
	found := 0
	for _, e := range s.polls() {
		if e.member("state") != stateInProgress || e.sent.binding != "" {
			continue
		}
		found++
		if seconds, err := strconv.Atoi(e.header.Get("Retry-After")); err != nil || seconds < 0 {
			return wrong(e, "Retry-After is %q", e.header.Get("Retry-After"))
		}
	}
	if found == 0 {
		return skip("no poll found an operation in progress")
	}
	return nil
}
