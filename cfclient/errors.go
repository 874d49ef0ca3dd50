package cfclient

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrNotFound says that Cloud Foundry has no such thing, or that these credentials may not see it.
	ErrNotFound = errors.New("not found in Cloud Foundry")
	// ErrBusy says that another operation runs on the same thing; the same request may succeed later.
	ErrBusy = errors.New("another operation is in progress in Cloud Foundry")
	// ErrUnauthorized says that the credentials, or a token just made with them, are refused.
	ErrUnauthorized = errors.New("credentials that Cloud Foundry does not accept")
	// ErrForbidden says that the credentials are good and lack the right, which is cloud_controller.admin for most changes.
	ErrForbidden = errors.New("the credentials lack a right in Cloud Foundry")
	// ErrAmbiguous says that more than one thing is meant, which Cloud Foundry allows for catalog ids.
	ErrAmbiguous = errors.New("more than one in Cloud Foundry")
	// ErrNoV3 says that what answered tells of no API version 3.
	ErrNoV3 = errors.New("it offers no Cloud Foundry API of version 3")

	errForeignAnswer = errors.New("not an answer of Cloud Foundry")
	errTooLarge      = errors.New("the answer is too large")
)

// Cloud Foundry's own error codes.
const (
	codeUnprocessable = 10008 // CF-UnprocessableEntity: whatever is wrong with a request, a broker that is busy included
	codeUnknown       = 10001 // UnknownError: the reason is elsewhere
	codeNotFound      = 10010 // CF-ResourceNotFound; an endpoint that isn't there is 10000
	codeInstanceBusy  = 60016 // CF-AsyncServiceInstanceOperationInProgress
	codeBindingBusy   = 90008 // CF-AsyncServiceBindingOperationInProgress
)

const (
	retryAfterUnknown = time.Duration(-1)
	maxDetail         = 2 << 10 // bytes of one problem's text
	maxProblems       = 5       // in one error's text
)

// Unavailable is the error when there was no usable answer: not reachable, not trusted, connection cut, 5xx, rate limit
// that did not end in time, an answer of some other server, or time is up. It wraps the cause, so that errors.Is finds
// context.DeadlineExceeded and context.Canceled. What was asked for may have happened all the same.
type Unavailable struct {
	Op     string // method and path, e.g. "GET /v3/service_instances"
	Status int    // HTTP status of the unusable answer; 0 if there was none
	Cause  error

	sent       bool          // it may have arrived
	retryAfter time.Duration // what the answer asked for; retryAfterUnknown if it didn't
	final      bool          // trying again is of no use
}

func (u *Unavailable) Error() string {
	text := "Cloud Foundry unavailable: " + u.Op
	if u.Status != 0 {
		text += ": status " + strconv.Itoa(u.Status)
	}
	return text + ": " + u.Cause.Error()
}

func (u *Unavailable) Unwrap() error { return u.Cause }

// undone tells whether nothing can have come of the request: it never left, or it was turned away at the door.
func (u *Unavailable) undone() bool {
	return !u.sent || u.Status == http.StatusTooManyRequests || (u.Status == http.StatusServiceUnavailable && u.retryAfter != retryAfterUnknown)
}

// Problem is one error as Cloud Foundry tells it (V3 API, "Errors").
type Problem struct {
	Code   int    `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

func (p Problem) String() string {
	return fmt.Sprintf("%s (%d): %s", p.Title, p.Code, shortened(p.Detail))
}

// Rejected is the error when Cloud Foundry, or its UAA, understood a request and refused it. It is ErrNotFound, ErrBusy,
// ErrUnauthorized or ErrForbidden where that is what it says.
type Rejected struct {
	Op     string // method and path
	Status int    // HTTP status
	Code   int    // Cloud Foundry's, of the first problem; 0 for UAA's answers
	Title  string // e.g. "CF-AsyncServiceInstanceOperationInProgress", or OAuth's error code
	Detail string // Cloud Foundry's text of all problems, at most some kB
}

func (r *Rejected) Error() string {
	text := "Cloud Foundry refused " + r.Op + ": status " + strconv.Itoa(r.Status)
	if r.Title != "" {
		text += ", " + r.Title
	}
	if r.Code != 0 {
		text += " (" + strconv.Itoa(r.Code) + ")"
	}
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	return text
}

// Is gives a refusal its meaning. A 404 for an endpoint that Cloud Foundry doesn't have is no ErrNotFound.
func (r *Rejected) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return r.Status == http.StatusUnauthorized
	case ErrForbidden:
		return r.Status == http.StatusForbidden
	case ErrNotFound:
		return r.Status == http.StatusNotFound && r.Code == codeNotFound
	case ErrBusy:
		return r.Code == codeInstanceBusy || r.Code == codeBindingBusy ||
			(r.Code == codeUnprocessable && strings.Contains(r.Detail, "in progress"))
	}
	return false
}

// newRejected makes one error of Cloud Foundry's list of them.
func newRejected(op string, status int, problems []Problem) *Rejected {
	details := make([]string, 0, len(problems))
	for _, p := range problems[:min(len(problems), maxProblems)] {
		details = append(details, shortened(p.Detail))
	}
	return &Rejected{
		Op: op, Status: status, Code: problems[0].Code, Title: problems[0].Title, Detail: strings.Join(details, "; "),
	}
}

// JobFailed is the error when what Cloud Foundry had accepted failed later. If the broker's operation failed after it had
// begun, the job knows no reason: it is in the instance's last operation (see ReasonElsewhere).
type JobFailed struct{ Job Job }

func (f *JobFailed) Error() string {
	text := fmt.Sprintf("Cloud Foundry's job %s (%s) failed", f.Job.GUID, f.Job.Operation)
	for _, problem := range f.Job.Errors[:min(len(f.Job.Errors), maxProblems)] {
		text += ": " + problem.String()
	}
	return text
}

// Is makes a job ErrNotFound whose object went away while it ran, as a delete's may, and ErrBusy if another operation was in
// its way.
func (f *JobFailed) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return f.only(codeNotFound)
	case ErrBusy:
		return f.only(codeInstanceBusy, codeBindingBusy)
	}
	return false
}

// only tells whether nothing but these codes is the matter.
func (f *JobFailed) only(codes ...int) bool {
	return len(f.Job.Errors) > 0 && !slices.ContainsFunc(f.Job.Errors, func(p Problem) bool { return !slices.Contains(codes, p.Code) })
}

// ReasonElsewhere tells whether the job only says that something unknown went wrong.
func (f *JobFailed) ReasonElsewhere() bool {
	return !slices.ContainsFunc(f.Job.Errors, func(p Problem) bool { return p.Code != codeUnknown || p.Title != "UnknownError" })
}

// BrokerUnreachable tells whether the job failed since nobody was there where Cloud Foundry looked for the broker, which has thus
// heard nothing of it. In the job of an operation on an instance only the sentence tells that.
func (f *JobFailed) BrokerUnreachable() bool {
	return slices.ContainsFunc(f.Job.Errors, func(p Problem) bool {
		return p.Title == "CF-ServiceBrokerApiUnreachable" || strings.Contains(p.Detail, "The service broker could not be reached")
	})
}

func shortened(text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= maxDetail {
		return text
	}
	return strings.ToValidUTF8(text[:maxDetail], "") + "..."
}
