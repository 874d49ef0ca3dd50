package secrets

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"code.cloudfoundry.org/credhub-cli/credhub"
)

var (
	// ErrNotFound says that CredHub has no such credential or permission – or that the client may not see it: CredHub
	// answers both alike. A 404 that is not CredHub's own (a wrong URL, some other server) is not ErrNotFound.
	ErrNotFound = errors.New("CredHub does not have it, or does not show it to this client")
	// ErrUnauthorized says that CredHub or its UAA refused the client, or that it lacks a scope or a permission.
	ErrUnauthorized = errors.New("CredHub does not accept the client")
	// ErrNoValue says that a credential was to be stored that holds nothing: null, or no JSON at all.
	ErrNoValue = errors.New("there is no value to store")
)

// Unavailable is the error when CredHub (or its UAA) gave no usable answer: not reachable, connection cut, 5xx, an answer
// of some other server, or time is up. What was asked for may have been done all the same. It wraps the cause, so that
// errors.Is finds context.DeadlineExceeded and context.Canceled.
type Unavailable struct {
	Op     string // what was asked, e.g. "get credential /odb/service/deployment/password"
	Status int    // HTTP status of the unusable answer; 0 if there was none
	Cause  error
}

func (u *Unavailable) Error() string {
	text := "CredHub unavailable: " + u.Op
	if u.Status != 0 {
		text += ": status " + strconv.Itoa(u.Status)
	}
	if u.Cause != nil {
		text += ": " + u.Cause.Error()
	}
	return text
}

func (u *Unavailable) Unwrap() error { return u.Cause }

// Rejected is the error when CredHub understood a request and refused it (4xx). It is ErrUnauthorized for 401 and 403,
// and ErrNotFound for a 404 of CredHub's own.
type Rejected struct {
	Op          string // what was asked, e.g. "set credential /odb/service/deployment/password"
	Status      int    // HTTP status
	Description string // CredHub's text, at most 2 kB; empty if the answer was not CredHub's
	absent      bool
}

func (r *Rejected) Error() string {
	text := fmt.Sprintf("CredHub refused: %s: status %d", r.Op, r.Status)
	if r.Description != "" {
		text += ": " + r.Description
	}
	return text
}

// Is makes a rejection ErrUnauthorized or ErrNotFound.
func (r *Rejected) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden
	case ErrNotFound:
		return r.absent
	}
	return false
}

// refusal turns an answer that is not the wanted one into an error. theirs is the library's reading of it.
func refusal(op string, status int, theirs error) error {
	description, isCredHubs := descriptionOf(theirs)
	if status < 400 || status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests {
		cause := "not an answer of a working CredHub"
		if description != "" {
			cause = description
		}
		return &Unavailable{Op: op, Status: status, Cause: errors.New(cause)}
	}
	return &Rejected{Op: op, Status: status, Description: description, absent: isCredHubs && status == http.StatusNotFound}
}

// descriptionOf reads the library's errors. All other texts of theirs are left out: they are not CredHub's words.
func descriptionOf(theirs error) (description string, isCredHubs bool) {
	var absent *credhub.NotFoundError
	var refused *credhub.Error
	switch {
	case errors.As(theirs, &absent):
		description = absent.Description
	case errors.As(theirs, &refused):
		description = refused.Error()
	}
	return shorten(description), description != ""
}

const maxDescription = 2 << 10

func shorten(text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= maxDescription {
		return text
	}
	cut := maxDescription
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
