package uaaclients

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

var (
	// ErrUnauthorized says that UAA refused the credentials, or that they lack the right (clients.read to find a client,
	// clients.write to create, update and delete one, or clients.admin for all).
	ErrUnauthorized = errors.New("UAA does not accept the credentials, or they lack clients.read, clients.write or clients.admin")
	// ErrSpaceUnknown says that the definition speaks of the instance's space, and nobody said which that is.
	ErrSpaceUnknown = errors.New("the UAA client definition names " + spacePlaceholder + ", but the instance's space is not known")

	// errNotFound stays in here: that a client is missing is no failure to a caller.
	errNotFound = errors.New("UAA does not have the client")
	errExists   = errors.New("UAA has a client of this id")
)

// Unavailable is the error when UAA gave no usable answer: not reachable, not trusted, connection cut, 5xx, an answer of
// some other server, or time is up. It wraps the cause, so that errors.Is finds context.DeadlineExceeded and
// context.Canceled. What was asked for may have happened all the same.
type Unavailable struct {
	Op     string // method and path, e.g. "POST /oauth/clients"
	Status int    // HTTP status of the unusable answer; 0 if there was none
	Cause  error
}

func (u *Unavailable) Error() string {
	text := "UAA unavailable: " + u.Op
	if u.Status != 0 {
		text += ": status " + strconv.Itoa(u.Status)
	}
	return text + ": " + u.Cause.Error()
}

func (u *Unavailable) Unwrap() error { return u.Cause }

// Rejected is the error when UAA understood a request and refused it (4xx). It is ErrUnauthorized for 401 and 403.
type Rejected struct {
	Op          string // method and path, e.g. "PUT /oauth/clients/6d0…"
	Status      int    // HTTP status
	Code        string // OAuth's error code, e.g. "invalid_client"; "" if there was none
	Description string // UAA's text without secrets, at most 2 kB
	ofToken     bool   // it was the request for a token that was refused
}

func (r *Rejected) Error() string {
	text := fmt.Sprintf("UAA refused %s: status %d", r.Op, r.Status)
	if r.Code != "" {
		text += ", " + r.Code
	}
	if r.Description != "" {
		text += ": " + r.Description
	}
	return text
}

// Is makes a rejection ErrUnauthorized. Only a refusal of what was asked about a client tells whether the client is there:
// a token endpoint that isn't found is a wrong URL.
func (r *Rejected) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden
	case errNotFound:
		return r.Status == http.StatusNotFound && !r.ofToken
	case errExists:
		return r.Status == http.StatusConflict && !r.ofToken
	}
	return false
}
