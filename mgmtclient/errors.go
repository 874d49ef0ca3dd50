package mgmtclient

import (
	"errors"
	"fmt"
	"net/http"
)

var (
	// ErrNotFound says that the broker, or its platform, knows nothing of this name (404).
	ErrNotFound = errors.New("the broker doesn't know it")
	// ErrGone says that there is no deployment (410): what the platform has is an orphan.
	ErrGone = errors.New("there is no deployment")
	// ErrBusy says that another operation is under way (409, or 422 ConcurrencyError).
	ErrBusy = errors.New("another operation is under way")
	// ErrUnauthorized says that the broker doesn't accept user and password (401, 403).
	ErrUnauthorized = errors.New("the broker does not accept the username and password")
)

// Unavailable is the error when the broker gave no usable answer: not reachable, not trusted, connection cut, 502, 503, 504,
// or time is up. It wraps the cause, so that errors.Is finds context.DeadlineExceeded and context.Canceled.
type Unavailable struct {
	Op     string // method and path
	Status int    // of the unusable answer; 0 if there was none
	Cause  error
	// Sent is false if the request can't have reached the broker. Otherwise what was asked for may have been done.
	Sent bool
}

func (u *Unavailable) Error() string {
	if u.Status != 0 {
		return fmt.Sprintf("the broker is not available: %s: status %d: %v", u.Op, u.Status, u.Cause)
	}
	return fmt.Sprintf("the broker is not available: %s: %v", u.Op, u.Cause)
}

func (u *Unavailable) Unwrap() error { return u.Cause }

// Rejected is the error when the broker answered, and refused or failed.
type Rejected struct {
	Op          string // method and path
	Status      int    // HTTP status
	Key         string // OSB's error code, such as ConcurrencyError; mostly ""
	Description string // the broker's words; may be ""
}

func (r *Rejected) Error() string {
	if r.Description == "" {
		return fmt.Sprintf("the broker answered %s with status %d", r.Op, r.Status)
	}
	return fmt.Sprintf("the broker answered %s with status %d: %s", r.Op, r.Status, r.Description)
}

// Is makes a rejection one of the facts.
func (r *Rejected) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return r.Status == http.StatusNotFound
	case ErrGone:
		return r.Status == http.StatusGone
	case ErrBusy:
		return r.Status == http.StatusConflict || r.Key == "ConcurrencyError"
	case ErrUnauthorized:
		return r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden
	}
	return false
}
