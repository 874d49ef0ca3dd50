package osbcheck

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// checkFunc is what is done for a row.
type checkFunc = func(ctx context.Context, s *session) error

// answers sends each request and wants one of the statuses for it.
func answers(statuses []int, requests func(s *session) []request) checkFunc {
	return func(ctx context.Context, s *session) error {
		for _, r := range requests(s) {
			if _, err := s.expect(ctx, r, statuses...); err != nil {
				return err
			}
		}
		return nil
	}
}

// refuses wants 400 for each request.
func refuses(requests func(s *session) []request) checkFunc { return answers([]int{400}, requests) }

// means sends each request and wants 422 with the error code.
func means(code string, requests func(s *session) []request) checkFunc {
	return func(ctx context.Context, s *session) error {
		for _, r := range requests(s) {
			if err := s.expectCode(ctx, r, code); err != nil {
				return err
			}
		}
		return nil
	}
}

// expect sends a request and wants one of the statuses.
func (s *session) expect(ctx context.Context, r request, statuses ...int) (*Exchange, error) {
	e, err := s.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(statuses, e.Status) {
		return e, wrong(e, "answered %d, not %s", e.Status, oneOf(statuses))
	}
	return e, nil
}

func (s *session) expectCode(ctx context.Context, r request, code string) error {
	e, err := s.expect(ctx, r, 422)
	if err != nil {
		return err
	}
	return e.saysCode(code)
}

func (e *Exchange) saysCode(code string) error {
	if said := e.member("error"); said != code {
		return wrong(e, "the answer's error is %q, not %q", said, code)
	}
	return nil
}

func (e *Exchange) describes() error {
	if e.member("description") == "" {
		return wrong(e, "the answer has no description (lower case) that says what is wrong")
	}
	return nil
}

func oneOf(statuses []int) string {
	texts := make([]string, len(statuses))
	for i, status := range statuses {
		texts[i] = fmt.Sprint(status)
	}
	return strings.Join(texts, " or ")
}

// each makes several checks one.
func each(checks ...checkFunc) checkFunc {
	return func(ctx context.Context, s *session) error {
		for _, check := range checks {
			if err := check(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
}
