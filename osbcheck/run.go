package osbcheck

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Run makes all checks. The error says why none could be made; what was found is in the report. A run that is to Stop
// makes no further check, and removes what it has made, within OperationTimeout. One whose context ends leaves at once, and the report
// says what may be left.
func Run(leave context.Context, options Options) (Report, error) {
	ctx, stop := context.WithCancel(leave)
	defer stop()
	go func() {
		select {
		case <-options.Stop:
			stop()
		case <-ctx.Done():
		}
	}()
	s, err := newSession(ctx, options)
	if err != nil {
		return Report{}, err
	}
	checks := Checks()
	results := map[string]Result{}
	var broken string
	for when := reading; when < never; when++ {
		why := s.enter(ctx, when)
		var reason skipped
		if broken == "" && why != nil && ctx.Err() == nil && !errors.As(why, &reason) {
			broken = why.Error()
		}
		for _, c := range checks {
			if c.when == when {
				results[c.Row] = s.result(ctx, c, why)
			}
		}
	}
	report := Report{URL: s.options.URL, ServiceID: s.service.ID, PlanID: s.plan.ID, Broken: broken, Left: s.removeAll(leave)}
	for _, c := range checks {
		result, made := results[c.Row]
		if !made {
			result = Result{Row: c.Row, Level: c.Level, Title: c.Title, Holds: c.Holds, Outcome: NotCheckable, Why: c.Elsewhere, Test: c.Test}
		}
		report.Results = append(report.Results, result)
	}
	return report, nil
}

// result makes a check, unless there is a reason not to.
func (s *session) result(ctx context.Context, c Check, why error) Result {
	if ctx.Err() != nil {
		why = skip("the run was interrupted")
	}
	if why != nil {
		return outcomeOf(c, skip("%s", why))
	}
	err := c.run(ctx, s)
	if o := s.during(c.when); o != nil && err != nil {
		if s.look(ctx, o) != nil || !o.running() {
			err = skip("the operation ended before this could be seen")
		}
	}
	return outcomeOf(c, err)
}

// during is the operation that runs at the time.
func (s *session) during(when phase) *operation {
	return map[phase]*operation{creating: s.creation, updating: s.change, deleting: s.removal}[when]
}

// enter brings the shared instance where the checks want it, or says why it can't be.
func (s *session) enter(ctx context.Context, when phase) error {
	switch {
	case when == reading || when == overall:
		return nil
	case !s.options.Provision:
		return skip("making instances is not allowed")
	case ctx.Err() != nil || when == refused || when == second:
		return nil
	case when == asked:
		return s.ask(ctx)
	case s.creation == nil:
		return skip("the instance could not be asked for")
	case slices.Contains([]phase{creating, updating, deleting}, when):
		return s.mustRun(s.during(when))
	default:
		return s.reach(ctx, when)
	}
}

func (s *session) mustRun(o *operation) error {
	switch {
	case o == nil:
		return skip("the operation was not begun")
	case o.answer.Status >= 300:
		return skip("the operation was refused, with %d", o.answer.Status)
	case !o.running():
		return skip("the broker does it in the request")
	}
	return nil
}

// ask asks for the shared instance with members that no broker knows.
func (s *session) ask(ctx context.Context) (err error) {
	s.options.Tell("making service instance " + s.shared + " of plan " + s.plan.Name)
	vendor := object{"x_vendor": object{"unknown": []int{1}}}
	s.creation, err = s.begin(ctx, s.provision(s.shared).with(vendor))
	return err
}

// reach waits for what runs, or asks for what comes next.
func (s *session) reach(ctx context.Context, when phase) (err error) {
	switch when {
	case there:
		err = s.succeeded(ctx, s.creation)
	case patched:
		if err = s.succeeded(ctx, s.creation); err == nil {
			s.options.Tell("updating it")
			s.change, err = s.begin(ctx, s.update(s.shared))
		}
	case updated:
		err = s.succeeded(ctx, s.change)
	case dropped:
		if err = s.succeeded(ctx, s.creation); err == nil {
			err = s.drop(ctx)
		}
	case deleted:
		err = s.succeeded(ctx, s.removal)
	}
	return err
}

// drop asks for the deletion, with the binding that was left. A broker may want that one gone first.
func (s *session) drop(ctx context.Context) (err error) {
	s.options.Tell("deleting it")
	if s.removal, err = s.begin(ctx, s.deprovision(s.shared)); err != nil || s.removal.answer.Status < 400 || s.leftBinding == "" {
		return err
	}
	if _, err := s.send(ctx, s.unbind(s.shared, s.leftBinding)); err != nil {
		return err
	}
	s.removal, err = s.begin(ctx, s.deprovision(s.shared))
	return err
}

// succeeded waits until an operation has ended well.
func (s *session) succeeded(ctx context.Context, o *operation) error {
	switch {
	case o == nil:
		return skip("what comes before it could not be asked for")
	case o.answer.Status >= 300:
		return skip("%s was answered %d", o.answer.Request, o.answer.Status)
	}
	if err := s.follow(ctx, o); err != nil {
		return fmt.Errorf("after %s: %w", o.answer.sent.method, err)
	}
	return nil
}
