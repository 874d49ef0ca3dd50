package secrets

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
	"net/url"
	"time"

	"code.cloudfoundry.org/credhub-cli/credhub"
	"code.cloudfoundry.org/credhub-cli/credhub/auth"
	"code.cloudfoundry.org/credhub-cli/credhub/server"
)

// exchange is one request that the library makes. As the library's authentication strategy it sees the request last and
// the answer first, and so gives the library what it lacks: a context, tries, bounds, and the bare facts of a failure.
// All that CredHub is asked is safe to send again: to set a value twice or to delete what is gone does no harm, and a
// permission that is there already is found to be (see AllowRead).
type exchange struct {
	client    *Client
	ctx       context.Context
	op        string
	anonymous bool // no token: GET /info, before the UAA is known

	status int   // of the last answer; 0 if there was none
	err    error // why there was none
}

const (
	maxTries = 2
	pause    = 100 * time.Millisecond // before the second try, ±50 %
)

var _ auth.Strategy = (*exchange)(nil)

// ask has the library make one request.
func (c *Client) ask(ctx context.Context, op string, use func(*credhub.CredHub) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return (&exchange{client: c, ctx: ctx, op: op}).run("", use)
}

// askVersioned is for the calls that the library words differently for CredHub 1.x. What the version is asked for may
// change under a running process: it is asked for again after a refusal.
func (c *Client) askVersioned(ctx context.Context, op string, use func(*credhub.CredHub) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	version, err := c.serverVersion(ctx)
	if err != nil {
		return err
	}
	err = (&exchange{client: c, ctx: ctx, op: op}).run(version, use)
	var rejected *Rejected
	if errors.As(err, &rejected) {
		c.version.Store(nil)
	}
	return err
}

func (c *Client) serverVersion(ctx context.Context) (string, error) {
	if known := c.version.Load(); known != nil {
		return *known, nil
	}
	info, err := c.info(ctx)
	if err != nil {
		return "", err
	}
	version := info.App.Version
	if version == "" { // CredHub 2 tells it to authenticated clients only
		var answer server.VersionData
		if err := (&exchange{client: c, ctx: ctx, op: "GET /version"}).read("/version", nil, &answer); err != nil {
			return "", err
		}
		version = answer.Version
	}
	if version == "" {
		return "", &Unavailable{Op: "GET /version", Cause: errors.New("CredHub tells no version")}
	}
	c.version.Store(&version)
	return version, nil
}

func (c *Client) info(ctx context.Context) (info server.Info, err error) {
	err = (&exchange{client: c, ctx: ctx, op: "GET /info", anonymous: true}).read("/info", nil, &info)
	return info, err
}

// read decodes into our own types, since the library's turn numbers into floating point.
func (x *exchange) read(path string, query url.Values, into any) error {
	return x.run("", func(library *credhub.CredHub) error {
		response, err := library.Request(http.MethodGet, path, query, nil, true)
		if err != nil {
			return err
		}
		return json.NewDecoder(response.Body).Decode(into)
	})
}

// run lets the library work and judges by what was really answered: the library's errors don't tell a status.
func (x *exchange) run(version string, use func(*credhub.CredHub) error) error {
	library, err := credhub.New(x.client.url,
		credhub.ServerVersion(version),
		credhub.Auth(func(auth.Config) (auth.Strategy, error) { return x, nil }))
	if err != nil {
		return fmt.Errorf("%s: %w", x.op, err)
	}
	err = use(library)
	switch {
	case x.err != nil:
		return x.err
	case x.status == 0:
		return &Unavailable{Op: x.op, Cause: errors.New("the request could not be made")}
	case x.status < 200 || x.status > 299:
		return refusal(x.op, x.status, err)
	case err != nil: // its text could repeat the answer
		return &Unavailable{Op: x.op, Status: x.status, Cause: errors.New("unreadable answer")}
	}
	return nil
}

// Do implements auth.Strategy. The answer's body is in memory: there is nothing to close.
func (x *exchange) Do(request *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		var response *http.Response
		response, x.err = x.authorized(request)
		if try == maxTries || !worthAnotherTry(response, x.err) || !sleep(x.ctx, pause/2+rand.N(pause)) {
			return response, x.err
		}
	}
}

func worthAnotherTry(response *http.Response, err error) bool {
	if err == nil {
		status := response.StatusCode
		return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
	}
	var untrusted *tls.CertificateVerificationError
	return !errors.Is(err, ErrUnauthorized) && !errors.As(err, &untrusted) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// authorized sends with the token, and once more with a fresh one if CredHub refuses it: what is answered with 401 was
// not acted on.
func (x *exchange) authorized(request *http.Request) (*http.Response, error) {
	if x.anonymous {
		return x.send(request, "")
	}
	token, err := x.client.session.token(x.ctx, "")
	if err != nil {
		return nil, err
	}
	response, err := x.send(request, token)
	if err != nil || response.StatusCode != http.StatusUnauthorized {
		return response, err
	}
	if token, err = x.client.session.token(x.ctx, token); err != nil {
		return nil, err
	}
	return x.send(request, token)
}

func (x *exchange) send(request *http.Request, token string) (*http.Response, error) {
	x.status = 0
	again := request.Clone(x.ctx)
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.op, err)
		}
		again.Body = body
	}
	again.Header.Set("User-Agent", x.client.userAgent)
	if token != "" {
		again.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := x.client.way.RoundTrip(again) // not a http.Client: a redirect could lead the token elsewhere
	if err != nil {
		return nil, &Unavailable{Op: x.op, Cause: err}
	}
	body, err := readBody(response.Body, maxBody)
	if err != nil {
		return nil, &Unavailable{Op: x.op, Status: response.StatusCode, Cause: err}
	}
	x.status = response.StatusCode
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// readBody reads at most limit bytes and closes the body.
func readBody(body io.ReadCloser, limit int64) ([]byte, error) {
	defer func() { _ = body.Close() }()
	read, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(read)) > limit {
		err = fmt.Errorf("the answer has more than %d bytes", limit)
	}
	return read, err
}

// sleep waits, unless the ctx would end before: then it says no at once.
func sleep(ctx context.Context, span time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= span {
		return false
	}
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
