package boshclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	// ErrNotFound says that the Director knows no such deployment, task, config or link. A 404 that is not the
	// Director's own (an unknown path, some other server) is not ErrNotFound: nobody should take an instance for
	// deleted because a URL is wrong.
	ErrNotFound = errors.New("the Director does not have it")
	// ErrUnauthorized says that the Director or its UAA refused the credentials, or that they lack a scope.
	ErrUnauthorized = errors.New("the Director does not accept the credentials")
	// ErrNotAllowed says that the credentials are good, and lack a scope. It is ErrUnauthorized, too.
	ErrNotAllowed = errors.New("the Director's user lacks a scope")
	// ErrConfigChanged says that a config's latest id is not the expected one; errors.As to *ConfigChanged gives it.
	ErrConfigChanged = errors.New("the config was changed by somebody else")
	// ErrNoLinkProvider says that a deployment has no shared link provider of that name in that instance group.
	ErrNoLinkProvider = errors.New("no such shared link provider")
	// ErrTooLarge says that the Director's answer is larger than Options.BodyLimit.
	ErrTooLarge = errors.New("the answer is too large")
)

// Unavailable is the error when the Director (or its UAA) gave no usable answer: not reachable, connection cut, 5xx, an
// answer of some other server, or time is up. It wraps the cause, so that errors.Is finds context.DeadlineExceeded and
// context.Canceled.
type Unavailable struct {
	Op     string // method and path, e.g. "POST /deployments"
	Status int    // HTTP status of the unusable answer; 0 if there was none
	Sent   bool   // false: the Director surely did not get the request; true: it may have, and may have acted on it
	Cause  error
	final  bool // trying again at once is of no use
}

func (u *Unavailable) Error() string {
	text := "Director unavailable: " + u.Op
	if u.Status != 0 {
		text += ": status " + strconv.Itoa(u.Status)
	}
	if u.Cause != nil {
		text += ": " + u.Cause.Error()
	}
	return text
}

func (u *Unavailable) Unwrap() error { return u.Cause }

// Rejected is the error when the Director understood a request and refused it (4xx). It is ErrUnauthorized for 401, and
// ErrNotFound for a 404 that speaks of the object.
type Rejected struct {
	Op          string // method and path, e.g. "DELETE /deployments/si-1"
	Status      int    // HTTP status
	Code        int    // the Director's error code, e.g. 70000; 0 if it gave none
	Description string // the Director's text, at most 2 kB
	absent      bool
}

func (r *Rejected) Error() string {
	code := ""
	if r.Code != 0 {
		code = fmt.Sprintf(", code %d", r.Code)
	}
	return fmt.Sprintf("Director refused %s: status %d%s: %s", r.Op, r.Status, code, r.Description)
}

// Is makes a rejection ErrUnauthorized, ErrNotAllowed or ErrNotFound.
func (r *Rejected) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return r.Status == http.StatusUnauthorized
	case ErrNotAllowed:
		return r.Status == http.StatusUnauthorized && r.Code == codeNotAllowed
	case ErrNotFound:
		return r.absent
	}
	return false
}

// ConfigChanged is the error of CreateConfig when the latest id is not the expected one. It is ErrConfigChanged.
type ConfigChanged struct {
	Type, Name string
	LatestID   string // the id that the Director holds now; "0" if the config is gone
	ExpectedID string
}

func (c *ConfigChanged) Error() string {
	return fmt.Sprintf("config %s/%s: %v: latest id %s, expected %s", c.Type, c.Name, ErrConfigChanged, c.LatestID, c.ExpectedID)
}

// Is makes it ErrConfigChanged.
func (c *ConfigChanged) Is(target error) bool { return target == ErrConfigChanged }

const maxDescription = 2 << 10

// refusal turns an answer that is not the wanted one into an error.
func refusal(r request, a *answer) error {
	var body struct {
		Code        int    `json:"code"`
		Description string `json:"description"`
	}
	isJSON := json.Unmarshal(a.body, &body) == nil
	if a.status < 400 || a.status >= 500 || a.status == http.StatusRequestTimeout || a.status == http.StatusTooManyRequests {
		return &Unavailable{Op: r.op(), Status: a.status, Sent: true, Cause: answerCause(body.Description)}
	}
	rejected := &Rejected{Op: r.op(), Status: a.status, Code: body.Code, Description: body.Description}
	if !isJSON {
		rejected.Description = string(a.body)
	}
	rejected.Description = shorten(rejected.Description)
	rejected.absent = a.status == http.StatusNotFound && (body.Code != 0 || r.plainNotFound)
	return rejected
}

func answerCause(description string) error {
	if description == "" {
		return errors.New("not an answer of a working Director")
	}
	return errors.New(shorten(description))
}

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
