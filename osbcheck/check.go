package osbcheck

import (
	"context"
	"errors"
	"fmt"
)

// Level is how much a row binds a broker.
type Level string

// The levels.
const (
	Must     Level = "M" // MUST or MUST NOT
	Should   Level = "S" // SHOULD or RECOMMENDED
	Optional Level = "O" // MAY, but worth having
	Practice Level = "P" // what platforms do or need, beside the specification
)

// Check is one row.
type Check struct {
	Row   string
	Level Level
	// Title says what it is about, Holds what must be.
	Title, Holds string
	// Elsewhere is why it can't be told from outside; empty if it can. Test is then where this project shows it.
	Elsewhere, Test string

	when phase
	run  func(ctx context.Context, s *session) error
}

// phase is when a check is made. The shared instance is what it says.
type phase int

const (
	reading  phase = iota // nothing that any broker could take for a wish to make something
	refused               // requests that have to be refused
	asked                 // the instance was just asked for
	creating              // and is being made
	there                 // it is there
	patched               // an update was just asked for
	updating              // and runs
	updated               // has succeeded
	dropped               // the deletion was just asked for
	deleting              // and runs
	deleted               // it is gone
	second                // an instance of the check's own
	overall               // all that was asked and answered
	never                 // it can't be told from outside
)

// inside is a check that is made.
func inside(row string, level Level, when phase, title, holds string, run func(context.Context, *session) error) Check {
	return Check{Row: row, Level: level, Title: title, Holds: holds, when: when, run: run}
}

// outside is a row that can't be checked from outside.
func outside(check Check) Check {
	check.when = never
	return check
}

// Checks are all rows in their order.
func Checks() []Check {
	var all []Check
	for _, section := range []func() []Check{
		allEndpoints, catalogChecks, provisionChecks, fetchChecks, updateChecks, lastOperationChecks,
		deprovisionChecks, bindingChecks, rotationChecks, unbindingChecks, profileChecks, cloudControllerChecks,
	} {
		all = append(all, section()...)
	}
	return all
}

// skipped is why a check could not be made.
type skipped struct{ why string }

func (s skipped) Error() string { return s.why }

func skip(format string, args ...any) error { return skipped{fmt.Sprintf(format, args...)} }

// mismatch is what a broker did wrong, with the exchange that shows it; nil if it isn't in one.
type mismatch struct {
	what     string
	exchange *Exchange
}

func (m mismatch) Error() string { return m.what }

func wrong(e *Exchange, format string, args ...any) error {
	return mismatch{what: fmt.Sprintf(format, args...), exchange: e}
}

// outcomeOf words the end of a check.
func outcomeOf(c Check, err error) Result {
	result := Result{Row: c.Row, Level: c.Level, Title: c.Title, Holds: c.Holds, Outcome: Passed}
	var left skipped
	var found mismatch
	switch {
	case err == nil:
	case errors.As(err, &left):
		result.Outcome, result.Why = Skipped, left.why
	case errors.As(err, &found):
		result.Outcome, result.Why, result.Exchange = Failed, found.what, found.exchange
	default:
		result.Outcome, result.Why = Failed, err.Error()
	}
	return result
}
