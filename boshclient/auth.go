package boshclient

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloudfoundry/bosh-cli/v7/uaa"
	"github.com/cloudfoundry/bosh-utils/httpclient"
	boshlog "github.com/cloudfoundry/bosh-utils/logger"
)

const maxTokenAnswer = 1 << 20

// token is what goes into the Authorization header.
type token struct {
	header    string
	refreshAt time.Time // zero: the lifetime is unknown, so it is used until refused
	expires   time.Time // zero: unknown
}

// tokenSession holds the process's one token. However many callers find it missing, stale or refused, one token request
// is under way at most, and each caller waits for it no longer than its own ctx lasts.
type tokenSession struct {
	fetch   func(context.Context) (value string, err error)
	timeout time.Duration // of one fetch
	now     func() time.Time

	mu      sync.Mutex
	current token
	flight  *tokenFlight
}

type tokenFlight struct {
	done   chan struct{}
	header string
	err    error
}

// header gives the current token, or a fresh one if there is none, it is about to expire, or it is the refused one.
func (s *tokenSession) header(ctx context.Context, refused string) (string, error) {
	s.mu.Lock()
	if s.usable(refused) {
		defer s.mu.Unlock()
		return s.current.header, nil
	}
	flight := s.flight
	if flight == nil {
		flight = &tokenFlight{done: make(chan struct{})}
		s.flight = flight
		// The fetch serves all who wait, so it does not end with the caller who happened to be first.
		go s.refresh(context.WithoutCancel(ctx), flight, refused)
	}
	s.mu.Unlock()
	select {
	case <-flight.done:
		return flight.header, flight.err
	case <-ctx.Done():
		return "", &Unavailable{Op: tokenOp, Cause: ctx.Err()}
	}
}

func (s *tokenSession) usable(refused string) bool {
	return s.current.header != "" && s.current.header != refused &&
		(s.current.refreshAt.IsZero() || s.now().Before(s.current.refreshAt))
}

func (s *tokenSession) refresh(ctx context.Context, flight *tokenFlight, refused string) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	value, err := s.fetch(ctx)

	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.current
	switch {
	case err == nil:
		s.current = newToken(value, s.now())
	case old.header != refused && s.now().Before(old.expires):
		// Early refresh failed, but the token in hand is still good: use it, and leave the UAA in peace for a moment.
		s.current.refreshAt = s.now().Add(min(30*time.Second, old.expires.Sub(s.now())/2))
		err = nil
	default:
		s.current = token{}
	}
	flight.header, flight.err = s.current.header, err
	s.flight = nil
	close(flight.done)
}

const tokenOp = "POST /oauth/token (UAA)"

// clientGrant fetches tokens for a UAA client. The UAA's address is asked of the Director once, and again after the UAA
// gave no answer. It is used by one fetch at a time.
type clientGrant struct {
	client     *Client
	id, secret string
	endpoint   string // empty: to be asked for
}

func (g *clientGrant) token(ctx context.Context) (string, error) {
	if err := g.findUAA(ctx); err != nil {
		return "", err
	}
	doer := &tokenDoer{ctx: ctx, way: g.client.way, userAgent: g.client.userAgent}
	quiet := boshlog.NewLogger(boshlog.LevelNone)
	grant, err := uaa.NewClient(g.endpoint, g.id, g.secret, httpclient.NewHTTPClient(doer, quiet), quiet).ClientCredentialsGrant()
	// bosh-cli's errors repeat the UAA's answer; ours say what happened and no more.
	switch {
	case doer.err != nil:
		g.endpoint = ""
		return "", &Unavailable{Op: tokenOp, Cause: doer.err}
	case doer.status == http.StatusUnauthorized || doer.status == http.StatusBadRequest || doer.status == http.StatusForbidden:
		return "", fmt.Errorf("%w: the UAA refuses the client (status %d)", ErrUnauthorized, doer.status)
	case err != nil || grant.AccessToken == "":
		g.endpoint = ""
		return "", &Unavailable{Op: tokenOp, Status: doer.status, Cause: errors.New("no token in the answer")}
	}
	return grant.AccessToken, nil
}

// findUAA asks the Director. Its failure is not one of the request that needs the token: that was not sent, and trying
// it again would only repeat the tries made here.
func (g *clientGrant) findUAA(ctx context.Context) error {
	if g.endpoint != "" {
		return nil
	}
	info, err := g.client.info(ctx, true)
	var away *Unavailable
	if errors.As(err, &away) {
		return &Unavailable{Op: away.Op, Status: away.Status, Cause: away.Cause, final: true}
	}
	if err != nil {
		return err
	}
	g.endpoint, err = uaaEndpoint(info)
	return err
}

// uaaEndpoint insists on https: the client's secret goes there.
func uaaEndpoint(info Info) (string, error) {
	if info.Authentication != AuthenticationUAA {
		return "", fmt.Errorf("%w: it uses %s authentication, not a UAA", ErrUnauthorized, info.Authentication)
	}
	if !strings.HasPrefix(strings.ToLower(info.UAAURL), "https://") {
		return "", &Unavailable{Op: tokenOp, final: true, Cause: errors.New("GET /info names no https URL of a UAA")}
	}
	config, err := uaa.NewConfigFromURL(info.UAAURL)
	if err != nil {
		return "", &Unavailable{Op: tokenOp, final: true, Cause: errors.New("GET /info names a URL of a UAA that can't be read")}
	}
	return "https://" + net.JoinHostPort(config.Host, strconv.Itoa(config.Port)) + strings.TrimSuffix(config.Path, "/"), nil
}

// tokenDoer gives bosh-cli's UAA client what it lacks: a ctx, a bound on the answer, and the bare facts of a failure.
type tokenDoer struct {
	ctx       context.Context
	way       http.RoundTripper
	userAgent string
	status    int
	err       error
}

func (d *tokenDoer) Do(req *http.Request) (*http.Response, error) {
	req = req.WithContext(d.ctx)
	req.Header.Set("User-Agent", d.userAgent)
	resp, err := d.way.RoundTrip(req)
	if err != nil {
		d.err = err
		return nil, err
	}
	d.status = resp.StatusCode
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxTokenAnswer), resp.Body}
	return resp, nil
}

// newToken reads the lifetime from the token if it is a JWT. Only the difference between issue and expiry is used, so
// that the UAA's clock need not agree with ours.
func newToken(value string, now time.Time) token {
	t := token{header: "bearer " + value}
	lifetime := jwtLifetime(value)
	if lifetime <= 0 {
		return t
	}
	t.expires = now.Add(lifetime)
	t.refreshAt = t.expires.Add(-min(30*time.Second, lifetime/10))
	return t
}

// jwtLifetime is 0 for what is not a JWT with both times.
func jwtLifetime(value string) time.Duration {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return 0
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return 0
	}
	var claims struct {
		Expires int64 `json:"exp"`
		Issued  int64 `json:"iat"`
	}
	const year = 365 * 24 * 60 * 60
	if json.Unmarshal(payload, &claims) != nil || claims.Issued <= 0 || claims.Expires <= claims.Issued || claims.Expires-claims.Issued > year {
		return 0
	}
	return time.Duration(claims.Expires-claims.Issued) * time.Second
}
