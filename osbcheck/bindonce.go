package osbcheck

import (
	"context"
	"net/http"
)

// with is a change of a request's body.
func with(change object) func(request) request {
	return func(r request) request { return r.with(change) }
}

// bindAndUnbind makes a binding of the shared instance in the request, changed somehow, and takes it back, changed in its
// headers as well.
func (s *session) bindAndUnbind(ctx context.Context, changes ...func(request) request) error {
	r := s.bind(s.shared, fresh())
	for _, change := range changes {
		r = change(r)
	}
	if !s.service.bindable(s.plan) {
		return skip("the plan is not bindable")
	}
	e, err := s.expect(ctx, r, http.StatusCreated, http.StatusUnprocessableEntity)
	switch {
	case err != nil:
		return err
	case e.member("error") == "AsyncRequired":
		return skip("the broker makes bindings asynchronously only")
	case e.Status != http.StatusCreated:
		return wrong(e, "answered %d, not 201", e.Status)
	}
	back := s.unbind(s.shared, r.binding)
	back.header = r.header
	_, err = s.expect(ctx, back, http.StatusOK)
	return err
}
