package secrets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"code.cloudfoundry.org/credhub-cli/credhub/auth/uaa"
)

// session holds the process's one token, which is used until CredHub refuses it. However many callers find it refused,
// one of them at a time asks for another; those who wait do so no longer than their own ctx lasts.
type session struct {
	client     *Client
	id, secret string

	turn    chan struct{} // holds the one turn: who takes it may use what is below, and puts it back
	current string
	uaa     string // its address; empty: to be asked for
}

func newSession(client *Client, id, secret string) *session {
	s := &session{client: client, id: id, secret: secret, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// token gives the current token, or a fresh one if there is none or it is the refused one.
func (s *session) token(ctx context.Context, refused string) (string, error) {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return "", &Unavailable{Op: tokenOp, Cause: ctx.Err()}
	}
	defer func() { s.turn <- struct{}{} }()
	if s.current != "" && s.current != refused {
		return s.current, nil
	}
	s.current = ""
	if err := s.findUAA(ctx); err != nil {
		return "", err
	}
	fresh, err := s.grant(ctx)
	if err != nil {
		return "", err
	}
	s.current = fresh
	return fresh, nil
}

const tokenOp = "POST /oauth/token (UAA)"

// findUAA asks CredHub, once, and again after the UAA gave no answer. It insists on https: the client's secret goes there.
func (s *session) findUAA(ctx context.Context) error {
	if s.uaa != "" {
		return nil
	}
	info, err := s.client.info(ctx)
	if err != nil {
		return err
	}
	address, err := url.Parse(info.AuthServer.URL)
	if err != nil || address.Scheme != "https" || address.Host == "" {
		return &Unavailable{Op: "GET /info", Cause: errors.New("it names no https URL of a UAA")}
	}
	s.uaa = strings.TrimSuffix(info.AuthServer.URL, "/")
	return nil
}

// grant leaves the wording of the request to the library. Its errors repeat the UAA's answer; ours say what happened and
// no more.
func (s *session) grant(ctx context.Context) (string, error) {
	exchange := &tokenExchange{ctx: ctx, client: s.client}
	library := uaa.Client{AuthURL: s.uaa, Client: &http.Client{
		Transport:     exchange,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	token, err := library.ClientCredentialGrant(s.id, s.secret)
	switch {
	case exchange.err != nil:
		s.uaa = ""
		return "", &Unavailable{Op: tokenOp, Cause: exchange.err}
	case err != nil && ctx.Err() != nil: // the caller's time was over while the answer was being read
		return "", &Unavailable{Op: tokenOp, Cause: ctx.Err()}
	case exchange.status == http.StatusBadRequest || exchange.status == http.StatusUnauthorized || exchange.status == http.StatusForbidden:
		return "", fmt.Errorf("%w: the UAA refuses it (status %d)", ErrUnauthorized, exchange.status)
	case err != nil || token == "":
		s.uaa = ""
		return "", &Unavailable{Op: tokenOp, Status: exchange.status, Cause: errors.New("no token in the answer")}
	}
	return token, nil
}

// tokenExchange is the transport of one token request.
type tokenExchange struct {
	ctx    context.Context
	client *Client

	status int
	err    error
}

// RoundTrip implements http.RoundTripper.
func (x *tokenExchange) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(x.ctx)
	request.Header.Set("User-Agent", x.client.userAgent)
	response, err := x.client.way.RoundTrip(request)
	if err != nil {
		x.err = err
		return nil, err
	}
	x.status = response.StatusCode
	response.Body = http.MaxBytesReader(nil, response.Body, maxTokenAnswer)
	return response, nil
}

const maxTokenAnswer = 1 << 20
