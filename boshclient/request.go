package boshclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudfoundry/bosh-cli/v7/director"
)

const (
	maxTries       = 3
	defaultPause   = 100 * time.Millisecond // before the second try, four times that before the third, each ±50 %
	maxContextID   = 64                     // the Director answers 400, code 70010, to more
	maxDrain       = 256 << 10
	contextHeader  = "X-Bosh-Context-Id"
	yamlType       = "text/yaml" // POST /deployments with any other type is a 404
	jsonType       = "application/json"
	codeNotAllowed = 600000 // 401 of somebody known who lacks a scope: a fresh token changes nothing
)

// request is one thing asked of the Director.
type request struct {
	method        string
	path          string     // segments already escaped
	query         url.Values // may be nil
	contentType   string
	contextID     string
	byteRange     string
	body          []byte
	safe          bool // may be sent again although it may have arrived (reads, and what is idempotent)
	anonymous     bool // no credentials: GET /info before the UAA is known
	truncate      bool // an answer above the limit is cut, not refused
	plainNotFound bool // a 404 without the Director's JSON also means "absent" (DELETE /configs)
	// stream reads the body of a 200 as it comes; the answer then has none. What goes wrong with it is final, since it has
	// read a part. Nil: the body is read whole.
	stream func(io.Reader) error
}

func (r request) op() string { return r.method + " " + r.path }

// answer is what came back, body read whole.
type answer struct {
	status    int
	header    http.Header
	body      []byte
	truncated bool
}

// do sends a request until there is an answer or no further try is allowed. Any HTTP status is an answer.
func (c *Client) do(ctx context.Context, r request) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	pause := c.pause
	for try := 1; ; try++ {
		a, err := c.authorized(ctx, r)
		if try == maxTries || !worthAnotherTry(r, a, err) || !sleep(ctx, jittered(pause)) {
			return a, err
		}
		pause *= 4
	}
}

// worthAnotherTry is the retry policy, see the package comment.
func worthAnotherTry(r request, a *answer, err error) bool {
	if err == nil {
		return r.safe && isGatewayError(a.status)
	}
	var away *Unavailable
	if !errors.As(err, &away) || away.final || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return false
	}
	return r.safe || !away.Sent
}

func isGatewayError(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// authorized sends with credentials, and once more with a fresh token if the Director refuses the token. It is safe for
// submissions, because a request answered with 401 was not acted on.
func (c *Client) authorized(ctx context.Context, r request) (*answer, error) {
	used, a, err := c.send(ctx, r, "")
	if err != nil || c.tokens == nil || r.anonymous || !tokenRefused(a) {
		return a, err
	}
	_, a, err = c.send(ctx, r, used)
	return a, err
}

func tokenRefused(a *answer) bool {
	if a.status != http.StatusUnauthorized {
		return false
	}
	var body struct {
		Code int `json:"code"`
	}
	return json.Unmarshal(a.body, &body) != nil || body.Code != codeNotAllowed
}

// send does one exchange. refused is the Authorization header that the Director has just turned down, or empty; used is
// the one sent.
func (c *Client) send(ctx context.Context, r request, refused string) (used string, a *answer, err error) {
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }}
	req, err := c.newRequest(httptrace.WithClientTrace(ctx, trace), r)
	if err != nil {
		return "", nil, err
	}
	if !r.anonymous {
		if err := c.authorize(ctx, req, refused); err != nil {
			return "", nil, err
		}
	}
	unavailable := func(status int, err error) error {
		return &Unavailable{Op: r.op(), Status: status, Sent: sent.Load(), Cause: err}
	}
	resp, err := c.way.RoundTrip(req)
	if err != nil {
		return "", nil, unavailable(0, err)
	}
	defer drainAndClose(resp.Body)
	if !isGatewayError(resp.StatusCode) {
		c.lastAnswer.Store(time.Now().UnixNano())
	}
	if r.stream != nil && resp.StatusCode == http.StatusOK {
		if err := r.stream(resp.Body); err != nil {
			return "", nil, &Unavailable{Op: r.op(), Status: resp.StatusCode, Sent: true, Cause: err, final: true}
		}
		return req.Header.Get("Authorization"), &answer{status: resp.StatusCode, header: resp.Header}, nil
	}
	body, truncated, err := readBody(resp, c.bodyLimit, r.truncate)
	if errors.Is(err, ErrTooLarge) {
		return "", nil, fmt.Errorf("%s: %w (limit %d bytes)", r.op(), err, c.bodyLimit)
	}
	if err != nil {
		return "", nil, unavailable(resp.StatusCode, err)
	}
	a = &answer{status: resp.StatusCode, header: resp.Header, body: body, truncated: truncated}
	return req.Header.Get("Authorization"), a, nil
}

func (c *Client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	if len(r.contextID) > maxContextID {
		return nil, fmt.Errorf("%s: the context id has %d characters, the Director takes %d", r.op(), len(r.contextID), maxContextID)
	}
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.op(), err)
	}
	req.Header.Set("User-Agent", c.userAgent)
	for name, value := range map[string]string{"Content-Type": r.contentType, contextHeader: r.contextID, "Range": r.byteRange} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

// authorize sets the Authorization header: basic credentials, or the session's token. The ctx is not the request's own,
// whose trace would take a connection to the UAA for one to the Director.
func (c *Client) authorize(ctx context.Context, req *http.Request, refused string) error {
	token := func(bool) (string, error) { return c.tokens.header(ctx, refused) }
	return director.NewAuthRequestAdjustment(token, c.username, c.password).Adjust(req, refused != "")
}

// readBody reads at most limit bytes.
func readBody(resp *http.Response, limit int64, truncate bool) (body []byte, truncated bool, err error) {
	if resp.ContentLength > limit && !truncate {
		return nil, false, ErrTooLarge
	}
	var buffer bytes.Buffer
	if resp.ContentLength > 0 {
		buffer.Grow(int(min(resp.ContentLength, limit)) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, false, err
	}
	if n <= limit {
		return buffer.Bytes(), false, nil
	}
	if !truncate {
		return nil, false, ErrTooLarge
	}
	return buffer.Bytes()[:limit], true, nil
}

// drainAndClose lets the connection be used again, unless much is left.
func drainAndClose(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxDrain) // whatever comes back, the connection is closed or kept; nothing to tell
	_ = body.Close()
}

func jittered(pause time.Duration) time.Duration {
	return pause/2 + rand.N(pause)
}

// sleep waits, unless the ctx would end before: then it says no at once.
func sleep(ctx context.Context, pause time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// exchange sends a request, wants one of the statuses, and decodes the JSON body into `into` unless that is nil.
func (c *Client) exchange(ctx context.Context, r request, into any, wanted ...int) error {
	a, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	for _, status := range wanted {
		if a.status == status {
			return decode(r, a, into)
		}
	}
	return refusal(r, a)
}

func decode(r request, a *answer, into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return &Unavailable{Op: r.op(), Status: a.status, Sent: true, Cause: fmt.Errorf("unreadable answer: %w", err)}
	}
	return nil
}

// read is GET with a JSON answer.
func (c *Client) read(ctx context.Context, path string, query url.Values, into any) error {
	return c.exchange(ctx, request{method: http.MethodGet, path: path, query: query, safe: true}, into, http.StatusOK)
}

// submit sends a request that the Director answers with a redirect to a task: 302, or 303 from newer ones.
func (c *Client) submit(ctx context.Context, r request) (taskID int, err error) {
	a, err := c.do(ctx, r)
	if err != nil {
		return 0, err
	}
	if a.status != http.StatusFound && a.status != http.StatusSeeOther {
		return 0, refusal(r, a)
	}
	id, err := taskIDFrom(a.header.Get("Location"))
	if err != nil {
		return 0, &Unavailable{Op: r.op(), Status: a.status, Sent: true, Cause: err}
	}
	return id, nil
}

// taskIDFrom takes the task id from the path of an absolute or relative redirect target, .../tasks/ID.
func taskIDFrom(location string) (int, error) {
	target, err := url.Parse(location)
	if err != nil {
		return 0, errors.New("the redirect's target can't be read")
	}
	parent, last := path.Split(strings.TrimSuffix(target.Path, "/"))
	id, err := strconv.Atoi(last)
	if err != nil || id <= 0 || !strings.HasSuffix(parent, "/tasks/") {
		return 0, errors.New("the redirect leads to no task")
	}
	return id, nil
}

// segment escapes a name for use as one path segment. Names that a server would read as another path are refused:
// DELETE /deployments/ is not what a caller with an empty name means.
func segment(what, name string) (string, error) {
	if name == "" || name == "." || name == ".." {
		return "", fmt.Errorf("%q can't be the name of a %s", name, what)
	}
	return url.PathEscape(name), nil
}
