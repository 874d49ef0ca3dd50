package osbcheck

import (
	"context"
	"net/http"
)

// deprovisionChecks is section G: DELETE /v2/service_instances/:id.
func deprovisionChecks() []Check {
	const noFailure = "nothing can be made to fail from outside"
	return []Check{
		inside("G1", Must, there, "service_id or plan_id missing", "400", refuses(func(s *session) []request {
			r := s.deprovision(s.shared)
			return []request{r.asking("service_id", ""), r.asking("plan_id", "")}
		})),
		inside("G2", Must, reading, "an unknown instance", "410", answers([]int{410}, func(s *session) []request { return []request{s.deprovision(fresh())} })),
		inside("G3", Must, there, "an asynchronous plan, accepts_incomplete absent", "422 AsyncRequired, if the plan is asynchronous", deprovisionAsyncRequired),
		inside("G4", Must, dropped, "accepted", "202 (or 200, done in the request), and polls tell of it", dropAccepted),
		inside("G5", Must, dropped, "done in the request", "200", dropAtOnce),
		inside("G6", Must, deleting, "the same deletion again, while it runs", "202 with the same operation", func(ctx context.Context, s *session) error {
			return s.repeats(ctx, s.removal, s.deprovision(s.shared))
		}),
		inside("G7", Must, updating, "a deletion while another operation runs", "422 ConcurrencyError, if it can't be done then", deletionDuringUpdate),
		inside("G8", Must, second, "a deletion during the creation", "if it is accepted, the creation stops and all goes", deletedWhileCreated),
		inside("G9", Must, deleted, "all is gone", "410 to another deletion, 404 to who looks for it", gone),
		inside("G10", Optional, deleted, "bindings that were left", "no reason to refuse the deletion, and gone with it", bindingsWentToo),
		outside(Check{Row: "G11", Level: Must, Title: "a deletion that failed", Holds: "the instance is still known, and can be deleted again", Elsewhere: noFailure, Test: `cmd/odb/repeat_test.go "is a conflict when the deletion of the first failed"`}),
		outside(Check{Row: "G12", Level: Must, Title: "a deletion after a failed creation", Holds: "it works", Elsewhere: noFailure, Test: `cmd/odb/adapters_test.go "leaves nothing when the first deploy fails and the platform cleans up"`}),
		outside(Check{Row: "G13", Level: Optional, Title: "force=true", Holds: "nothing that OSB knows", Elsewhere: "it is no part of OSB", Test: `cmd/odb/adapters_test.go "is deleted by force"`}),
	}
}

func deprovisionAsyncRequired(ctx context.Context, s *session) error {
	if s.creation.answer.Status != http.StatusAccepted {
		return skip("the broker makes instances in the request; it may delete them so, too")
	}
	return s.expectCode(ctx, s.deprovision(s.shared).waiting(), "AsyncRequired")
}

func dropAccepted(ctx context.Context, s *session) error {
	switch e := s.removal.answer; e.Status {
	case http.StatusOK:
		return nil
	case http.StatusAccepted:
		if err := e.operationFits(); err != nil {
			return err
		}
		return s.look(ctx, s.removal)
	default:
		return wrong(e, "answered %d, not 202 or 200", e.Status)
	}
}

func dropAtOnce(_ context.Context, s *session) error {
	e := s.removal.answer
	if e.Status == http.StatusAccepted {
		return skip("the broker deletes asynchronously")
	}
	if e.Status != http.StatusOK || e.object == nil {
		return wrong(e, "answered %d, or no object", e.Status)
	}
	return nil
}

// deletionDuringUpdate is right either way; one that is accepted is the shared instance's.
func deletionDuringUpdate(ctx context.Context, s *session) error {
	e, err := s.expect(ctx, s.deprovision(s.shared), 422, 202)
	switch {
	case err != nil:
		return err
	case e.Status == http.StatusAccepted:
		s.removal = &operation{instance: s.shared, answer: e, data: e.member("operation")}
		return nil
	}
	return e.saysCode("ConcurrencyError")
}

// briefLife is that of an instance that is deleted while it is created. It is tried once, for all checks that look at it.
type briefLife struct {
	creation *operation
	err      error // what is wrong with its end
}

func (s *session) briefly(ctx context.Context) (briefLife, error) {
	if s.brief != nil {
		return *s.brief, nil
	}
	s.options.Tell("making another one, and deleting it meanwhile")
	creation, err := s.begin(ctx, s.provision(fresh()).with(object{"context": s.kubernetes()}))
	if err != nil {
		return briefLife{}, err
	}
	s.brief = &briefLife{creation: creation}
	if creation.answer.Status == http.StatusAccepted {
		s.brief.err = s.deleteMeanwhile(ctx, creation)
	}
	return *s.brief, nil
}

func deletedWhileCreated(ctx context.Context, s *session) error {
	life, err := s.briefly(ctx)
	switch {
	case err != nil:
		return err
	case life.creation.answer.Status == http.StatusCreated:
		return skip("the broker makes instances in the request")
	case life.creation.answer.Status != http.StatusAccepted:
		return wrong(life.creation.answer, "an instance was refused: %d", life.creation.answer.Status)
	}
	return life.err
}

func (s *session) deleteMeanwhile(ctx context.Context, creation *operation) error {
	removal, err := s.begin(ctx, s.deprovision(creation.instance))
	switch {
	case err != nil:
		return err
	case removal.answer.Status == http.StatusUnprocessableEntity:
		if err := removal.answer.saysCode("ConcurrencyError"); err != nil {
			return err
		}
		return skip("the broker refuses a deletion during the creation")
	case removal.answer.Status >= 300:
		return wrong(removal.answer, "answered %d, not 202 or 422", removal.answer.Status)
	}
	if err := s.follow(ctx, removal); err != nil {
		return err
	}
	if _, err := s.expect(ctx, s.poll(creation.instance, creation.data), 200, 404, 410); err != nil {
		return err
	}
	_, err = s.expect(ctx, s.deprovision(creation.instance), http.StatusGone)
	return err
}

func gone(ctx context.Context, s *session) error {
	if _, err := s.expect(ctx, s.deprovision(s.shared), http.StatusGone); err != nil {
		return err
	}
	return unknownInstance(theShared)(ctx, s)
}

// bindingsWentToo is about the binding that was left on purpose.
func bindingsWentToo(ctx context.Context, s *session) error {
	if s.leftBinding == "" {
		return skip("there was no binding to leave")
	}
	_, err := s.expect(ctx, s.unbind(s.shared, s.leftBinding), http.StatusGone)
	return err
}
