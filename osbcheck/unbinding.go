package osbcheck

import (
	"context"
	"net/http"
)

// unbindingChecks is section J: DELETE …/service_bindings/:id, and the clean-up that platforms do.
func unbindingChecks() []Check {
	return []Check{
		inside("J1", Must, there, "service_id or plan_id missing", "400", refuses(func(s *session) []request {
			r := s.unbind(s.shared, fresh())
			return []request{r.asking("service_id", ""), r.asking("plan_id", "")}
		})),
		inside("J2", Must, there, "removed in the request", "200 and an empty object", func(ctx context.Context, s *session) error { return s.bindAndUnbind(ctx) }),
		inside("J3", Must, there, "removed asynchronously", "202; the same again, the same operation", unboundLater),
		inside("J4", Must, there, "an unknown binding, or an unknown instance", "410", answers([]int{410}, func(s *session) []request {
			return []request{s.unbind(s.shared, fresh()), s.unbind(fresh(), fresh())}
		})),
		outside(Check{Row: "J5", Level: Must, Title: "another operation on the binding", Holds: "422 ConcurrencyError", Elsewhere: "two requests can't be made to meet from outside", Test: `broker/locks_test.go "TestLockIsWaitedForUntilTheContextEnds"`}),
		inside("J6", Must, there, "a binding is removed while it is made", "if that is accepted, it stops, and all goes", unboundWhileMade),
		outside(Check{Row: "J7", Level: Must, Title: "the credentials of a removed binding", Holds: "they no longer work", Elsewhere: "only the service knows", Test: `cmd/odb/secrets_test.go "are kept where only the app may read them, and go with the binding"`}),
		inside("J8", Must, deleted, "deletions after a request that failed or got no answer", "safe and repeatable: 410 in the end", repeatable),
		outside(Check{Row: "J9", Level: Should, Title: "when platforms clean up", Holds: "4xx where nothing was made, and always valid JSON", Elsewhere: "A14 and A18 show what can be seen of it", Test: `cmd/odb/faults_test.go "starts nothing if the dashboard can't be told"`}),
		outside(Check{Row: "J10", Level: Optional, Title: "the broker removes what it knows to be orphaned", Holds: "on an operator's wish", Elsewhere: "it is no part of OSB", Test: `cmd/odb/orphans_test.go "are removed with all that belongs to them, by the path of a deprovision"`}),
	}
}

func unboundLater(ctx context.Context, s *session) error {
	r := s.bind(s.shared, fresh()).waiting()
	made, err := s.expect(ctx, r, 201, 422)
	switch {
	case err != nil:
		return err
	case made.Status != http.StatusCreated:
		return skip("it takes a binding that is made in the request")
	}
	unbind := s.unbind(s.shared, r.binding).asking("accepts_incomplete", "true")
	e, err := s.expect(ctx, unbind, 200, 202)
	switch {
	case err != nil:
		return err
	case e.Status == http.StatusOK:
		return skip("the broker removes bindings in the request")
	}
	o := &operation{instance: r.instance, binding: r.binding, answer: e, data: e.member("operation")}
	if err := s.repeats(ctx, o, unbind); err != nil {
		return err
	}
	return s.follow(ctx, o)
}

// unboundWhileMade is right where the binding is made before it is taken back, too: nobody can make the two meet.
func unboundWhileMade(ctx context.Context, s *session) error {
	r := s.bind(s.shared, fresh()).asking("accepts_incomplete", "true")
	unbind := s.unbind(s.shared, r.binding).asking("accepts_incomplete", "true")
	made, err := s.expect(ctx, r, 201, 202)
	if err != nil {
		return err
	}
	e, err := s.expect(ctx, unbind, 200, 202, 422)
	switch {
	case err != nil:
		return err
	case e.Status == http.StatusUnprocessableEntity:
		if err := e.saysCode("ConcurrencyError"); err != nil {
			return err
		}
		return skip("the broker refuses to remove a binding that is being made")
	}
	if e.Status == http.StatusAccepted {
		removal := &operation{instance: r.instance, binding: r.binding, answer: e, data: e.member("operation")}
		if err := s.follow(ctx, removal); err != nil {
			return err
		}
	}
	if made.Status == http.StatusCreated {
		return skip("the broker makes bindings in the request")
	}
	creation := s.poll(r.instance, made.member("operation")).at(bindingPath(r.instance, r.binding) + "/last_operation")
	last, err := s.expect(ctx, creation, 200, 404, 410)
	if err == nil && last.member("state") == stateInProgress {
		err = wrong(last, "its creation goes on")
	}
	if err == nil {
		_, err = s.expect(ctx, unbind.waiting(), http.StatusGone, http.StatusUnprocessableEntity) // which some do asynchronously only
	}
	return err
}

func repeatable(ctx context.Context, s *session) error {
	for range 2 {
		for _, r := range []request{s.deprovision(s.shared), s.unbind(s.shared, fresh())} {
			if _, err := s.expect(ctx, r, http.StatusGone); err != nil {
				return err
			}
		}
	}
	return nil
}
