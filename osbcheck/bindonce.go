package osbcheck

import "context"

// bindAndUnbind makes a binding of the shared instance, with changes to its body, and takes it back.
func (s *session) bindAndUnbind(ctx context.Context, changes ...object) error {
	r := s.bind(s.shared, fresh()).asking("accepts_incomplete", "")
	for _, change := range changes {
		r = r.with(change)
	}
	if !s.service.bindable(s.plan) {
		return skip("the plan is not bindable")
	}
	if _, err := s.expect(ctx, r, 201); err != nil {
		return err
	}
	_, err := s.expect(ctx, s.unbind(s.shared, r.binding), 200)
	return err
}
