package adapterclient

import (
	"errors"
	"fmt"
	"syscall"
)

// Facts that errors.Is finds in what the calls return. The first four stand for the exit codes with a meaning of
// their own (10, 41, 42, 49) and always come inside an *ExitError.
var (
	ErrNotImplemented  = errors.New("not implemented by the service adapter")
	ErrBindingNotFound = errors.New("binding not found")
	ErrAppGUIDMissing  = errors.New("app GUID not provided")
	ErrBindingExists   = errors.New("binding already exists")
	// ErrTimeout says that the adapter was ended because its time, or the caller's deadline, was over.
	ErrTimeout = errors.New("ran out of time")
	// ErrOutput says that the adapter reported success but what it printed is unusable.
	ErrOutput = errors.New("unusable output")
)

// ExitError says that the adapter exited with a code other than 0, or was killed by a signal that the broker
// didn't send. Its text holds nothing that the adapter printed.
type ExitError struct {
	Verb string
	// Code is the exit code, -1 when a signal ended the adapter.
	Code int
	// Signal is the signal that ended the adapter, 0 if none did.
	Signal syscall.Signal
	// UserMessage is what the adapter printed on stdout: by the protocol a text for the end user. It is exact, but
	// cut after 64 KiB.
	UserMessage string
}

func (e *ExitError) Error() string {
	if e.Signal != 0 {
		return fmt.Sprintf("service adapter: %s was ended by signal %d (%s)", e.Verb, int(e.Signal), e.Signal)
	}
	if fact := e.fact(); fact != nil {
		return fmt.Sprintf("service adapter: %s exited with code %d: %s", e.Verb, e.Code, fact)
	}
	return fmt.Sprintf("service adapter: %s exited with code %d", e.Verb, e.Code)
}

// Is makes errors.Is answer for the facts behind the exit codes.
func (e *ExitError) Is(target error) bool {
	fact := e.fact()
	return fact != nil && target == fact
}

func (e *ExitError) fact() error {
	switch e.Code {
	case 10:
		return ErrNotImplemented
	case 41:
		return ErrBindingNotFound
	case 42:
		return ErrAppGUIDMissing
	case 49:
		return ErrBindingExists
	}
	return nil
}

// StartError says that the adapter couldn't be started: errors.Is tells fs.ErrNotExist, fs.ErrPermission,
// syscall.ENOEXEC or syscall.E2BIG (arguments too long, positional protocol only).
type StartError struct {
	Verb string
	Path string
	Err  error
}

func (e *StartError) Error() string {
	return fmt.Sprintf("service adapter: starting %s for %s: %s", e.Path, e.Verb, e.Err)
}

func (e *StartError) Unwrap() error { return e.Err }

// OutputError says what is wrong with the adapter's output; errors.Is finds ErrOutput. Its text quotes nothing of
// the output, which may hold credentials.
type OutputError struct {
	Verb string
	What string
	// Limit is the number of bytes that stdout went over, 0 if the fault is another one.
	Limit int
}

func (e *OutputError) Error() string {
	return fmt.Sprintf("service adapter: %s: unusable output: %s", e.Verb, e.What)
}

func (e *OutputError) Unwrap() error { return ErrOutput }
