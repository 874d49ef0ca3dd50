package uaaclients

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	uaa "github.com/cloudfoundry-community/go-uaa"
)

const (
	answerLimit    = 1 << 20 // bytes; a client is some hundred
	maxDescription = 2 << 10
	redacted       = "<redacted>"
)

var (
	errForeignAnswer = errors.New("not an answer of a working UAA")
	errTooLarge      = errors.New("the answer is too large")
)

// exchange is the transport of one request through go-uaa. It brings the context and the token into the request, and
// keeps what came back, of which the library's errors tell too little (no status, no cause) and too much (bodies whole).
type exchange struct {
	ctx     context.Context
	base    http.RoundTripper
	token   string   // "" when a token is what is asked for
	secrets []string // what no error text may repeat

	op           string
	status       int
	routerAnswer bool // the answer is a Cloud Foundry router's, who found no UAA to ask
	body         []byte
	cause        error
}

// RoundTrip implements http.RoundTripper.
func (e *exchange) RoundTrip(request *http.Request) (*http.Response, error) {
	e.op = request.Method + " " + request.URL.Path
	request = request.Clone(e.ctx)
	if e.token != "" {
		request.Header.Set("Authorization", "Bearer "+e.token)
	}
	answer, err := e.base.RoundTrip(request)
	if err != nil {
		e.cause = err
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // it was read whole, or is of no use
	e.status, e.routerAnswer = answer.StatusCode, answer.Header.Get("X-Cf-Routererror") != ""
	e.body, err = io.ReadAll(io.LimitReader(answer.Body, answerLimit+1))
	if err == nil && len(e.body) > answerLimit {
		err = errTooLarge
	}
	if err != nil {
		e.cause = err
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(e.body))
	return answer, nil
}

// run does what ask asks of the API, which is one request, and returns the error in our own words.
func (e *exchange) run(target string, credentials uaa.AuthenticationOption, ask func(*uaa.API) error) error {
	api, err := uaa.New(target, credentials, uaa.WithUserAgent("odb"), uaa.WithClient(&http.Client{
		Transport:     e,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}))
	if err != nil {
		return fmt.Errorf("UAA: %w", err) // about the URL, which New has tried already
	}
	err = ask(api)
	if failure := e.failure(); failure != nil {
		return failure
	}
	if err != nil { // well-received, but the library can't read it; its text would repeat the answer
		return &Unavailable{Op: e.op, Status: e.status, Cause: errForeignAnswer}
	}
	return nil
}

func (e *exchange) failure() error {
	status := e.status
	switch {
	case e.cause != nil:
		return &Unavailable{Op: e.op, Status: status, Cause: e.cause}
	case status >= 200 && status < 300:
		return nil
	}
	code, description := e.refusal()
	if status < 400 || status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || e.routerAnswer {
		cause := errForeignAnswer
		if description != "" {
			cause = errors.New(description)
		}
		return &Unavailable{Op: e.op, Status: status, Cause: cause}
	}
	return &Rejected{Op: e.op, Status: status, Code: code, Description: description, ofToken: e.token == ""}
}

// refusal reads OAuth's error body. Other bodies are not UAA's and are not repeated.
func (e *exchange) refusal() (code, description string) {
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(e.body, &body) != nil {
		return "", ""
	}
	return e.clean(body.Error), e.clean(body.Description)
}

// clean takes secrets out of a text, since UAA repeats tokens that it refuses, and shortens it.
func (e *exchange) clean(text string) string {
	for _, secret := range append(e.secrets, e.token) {
		if secret != "" && secret != publicSecret {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	if text = strings.TrimSpace(text); len(text) <= maxDescription {
		return text
	}
	cut := maxDescription
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
