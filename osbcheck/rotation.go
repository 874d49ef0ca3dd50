package osbcheck

import (
	"context"
	"net/http"
)

// rotationChecks is section I: bindings that follow other bindings (2.17).
func rotationChecks() []Check {
	return []Check{
		inside("I1", Must, reading, "binding_rotatable", "declared where rotation is possible", rotates(func(context.Context, *session) error { return nil })),
		inside("I2", Must, there, "a new binding from an old one", "it is made, and both are valid", rotates(rotated)),
		inside("I3", Must, there, "only predecessor_binding_id in the body", "it is enough", rotates(rotatedByIDAlone)),
		outside(Check{Row: "I4", Level: Must, Title: "parameters of a new binding", Holds: "those of the old one", Elsewhere: "nobody outside sees what the adapter gets", Test: `cmd/odb/rotation_test.go "is made from what that was asked for; both are valid, and either may go"`}),
		inside("I5", Must, there, "an unknown predecessor", "4xx", rotates(answers([]int{400, 404, 409, 410, 422}, binds(object{"predecessor_binding_id": "6a1c1b8e-0a8c-4d5e-9d0e-0db0c4ec0009"})))),
		inside("I6", Must, there, "answers", "as to any other binding", rotates(rotated)),
		inside("I7", Must, there, "one of the two is removed", "the other stays", rotates(rotatedByIDAlone)),
		inside("I8", Practice, there, "predecessor_binding_id where there is no rotation", "400, not a fresh binding", notRotatable),
	}
}

func rotates(check checkFunc) checkFunc {
	return func(ctx context.Context, s *session) error {
		if !s.plan.BindingRotatable {
			return skip("binding_rotatable is not set")
		}
		return check(ctx, s)
	}
}

func rotated(ctx context.Context, s *session) error {
	return s.rotate(ctx, func(r request, old string) request { return r.with(object{"predecessor_binding_id": old}) })
}

func rotatedByIDAlone(ctx context.Context, s *session) error {
	return s.rotate(ctx, func(r request, old string) request { return r.sending(object{"predecessor_binding_id": old}) })
}

func (s *session) rotate(ctx context.Context, change func(r request, old string) request) error {
	if _, err := s.theBinding(ctx); err != nil {
		return err
	}
	r := change(s.bind(s.shared, fresh()), s.leftBinding)
	if _, err := s.expect(ctx, r, http.StatusCreated); err != nil {
		return err
	}
	_, err := s.expect(ctx, s.unbind(s.shared, r.binding), http.StatusOK)
	return err
}

func notRotatable(ctx context.Context, s *session) error {
	if s.plan.BindingRotatable {
		return skip("binding_rotatable is set")
	}
	return refuses(binds(object{"predecessor_binding_id": "6a1c1b8e-0a8c-4d5e-9d0e-0db0c4ec0009"}))(ctx, s)
}
