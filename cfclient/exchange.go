package cfclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/on-demand-broker/odb/httpclient"
)

const (
	maxBody        = 32 << 20 // bytes of an answer that is read whole; lists are not
	maxProblemBody = 256 << 10
)

// exchange is the transport below the library. It brings credentials, a deadline for each try and the retries into a
// request, and turns every answer but a success into one of our errors, because the library's lose the HTTP status.
type exchange struct {
	base      *url.URL
	uaaURL    string            // "" until it is known from the root document
	transport *http.Transport   // whose connections are ours
	way       http.RoundTripper // by which requests go
	session   *session
	timeout   time.Duration
	userAgent string
	logger    *slog.Logger
	tries     tries
}

func newExchange(options Options, base *url.URL, transport *http.Transport) *exchange {
	e := &exchange{
		base: base, uaaURL: strings.TrimRight(options.UAAURL, "/"), transport: transport, way: httpclient.Outgoing(transport, options.Observe),
		timeout: options.Timeout, userAgent: options.UserAgent, logger: options.Logger, tries: usualTries(),
	}
	if e.timeout <= 0 {
		e.timeout = defaultTimeout
	}
	if e.userAgent == "" {
		e.userAgent = defaultUserAgent
	}
	if e.logger == nil {
		e.logger = slog.New(slog.DiscardHandler)
	}
	return e
}

// receiver takes what it wants of a successful answer, within the try's deadline. If it fails, so has the try.
type receiver func(*http.Response) error

// RoundTrip implements http.RoundTripper for the library: the answer is read whole, so that one that is cut off is asked for
// again.
func (e *exchange) RoundTrip(request *http.Request) (*http.Response, error) {
	var answer *http.Response
	err := e.do(request, func(r *http.Response) error {
		body, err := readAll(r.Body, maxBody)
		if err != nil {
			return err
		}
		answer = &http.Response{
			Status: r.Status, StatusCode: r.StatusCode, Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
			Header: r.Header, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)), Request: request,
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// do sends a request with credentials until it succeeds or may not be tried again. Its errors are facts.
func (e *exchange) do(request *http.Request, receive receiver) error {
	if request.URL.Host != e.base.Host { // a redirect or a link elsewhere: the token stays here
		return &Unavailable{Op: op(request), final: true, Cause: fmt.Errorf("it leads away from %s", e.base.Host)}
	}
	isRead := request.Method == http.MethodGet || request.Method == http.MethodHead
	return e.retried(request, isRead, func() error { return e.authorized(request, receive) })
}

// authorized sends with the session's token, and once more with a fresh one if it is refused: nothing was done then.
func (e *exchange) authorized(request *http.Request, receive receiver) error {
	ctx := request.Context()
	token, err := e.session.token(ctx, "")
	if err != nil {
		return err
	}
	err = e.send(request, "Bearer "+token, receive)
	if !errors.Is(err, ErrUnauthorized) {
		return err
	}
	if token, err = e.session.token(ctx, token); err != nil {
		return err
	}
	return e.send(request, "Bearer "+token, receive)
}

// send does one try.
func (e *exchange) send(request *http.Request, authorization string, receive receiver) error {
	var sent atomic.Bool
	ctx, cancel := context.WithTimeout(request.Context(), e.timeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	started, status := time.Now(), 0
	defer func() {
		e.logger.DebugContext(ctx, "cf.request", slog.String("method", request.Method), slog.String("path", request.URL.Path),
			slog.Int("status", status), slog.Float64("ms", float64(time.Since(started).Microseconds())/1000))
	}()
	away := func(err error) error {
		return &Unavailable{Op: op(request), Status: status, sent: sent.Load(), retryAfter: retryAfterUnknown, Cause: withoutURL(err)}
	}
	try, err := e.try(ctx, request, authorization)
	if err != nil {
		return err
	}
	answer, err := e.way.RoundTrip(try)
	if err != nil {
		return away(err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read, or is of no use
	if status = answer.StatusCode; status < 200 || status > 299 {
		return failure(op(request), answer)
	}
	if err := receive(answer); err != nil {
		return away(err)
	}
	return nil
}

// try is a request as it goes out: a copy, its body from the start.
func (e *exchange) try(ctx context.Context, request *http.Request, authorization string) (*http.Request, error) {
	try := request.Clone(ctx)
	try.Header.Set("User-Agent", e.userAgent)
	try.Header.Set("Accept", "application/json")
	if authorization != "" {
		try.Header.Set("Authorization", authorization)
	}
	if request.Body == nil || request.Body == http.NoBody {
		return try, nil
	}
	body, err := request.GetBody()
	if err != nil {
		return nil, fmt.Errorf("%s: the body can't be sent again: %w", op(request), err)
	}
	try.Body = body
	return try, nil
}

// failure gives an answer that is no success its meaning.
func failure(op string, answer *http.Response) error {
	status := answer.StatusCode
	problems := problemsOf(answer)
	cause := error(errForeignAnswer)
	switch {
	case len(problems) > 0:
		cause = newRejected(op, status, problems)
	case status >= 300 && status <= 399:
		cause = errors.New("it redirects elsewhere; the URL must be the API's own")
	case status == http.StatusUnauthorized: // even without a reason a token is tried anew
		return &Rejected{Op: op, Status: status}
	}
	if len(problems) > 0 && status < 500 && status != http.StatusTooManyRequests {
		return cause
	}
	return &Unavailable{
		Op: op, Status: status, sent: true, retryAfter: retryAfter(answer.Header.Get("Retry-After")),
		final: status >= 300 && status <= 499 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout,
		Cause: cause,
	}
}

// problemsOf reads Cloud Foundry's errors, or UAA's. Other bodies are somebody else's and are not repeated.
func problemsOf(answer *http.Response) []Problem {
	body, err := readAll(answer.Body, maxProblemBody)
	if err != nil {
		return nil
	}
	var told struct {
		Errors      []Problem `json:"errors"`
		Error       string    `json:"error"` // OAuth's
		Description string    `json:"error_description"`
	}
	if json.Unmarshal(body, &told) != nil {
		return nil
	}
	if len(told.Errors) == 0 && told.Error != "" {
		return []Problem{{Title: told.Error, Detail: told.Description}}
	}
	return told.Errors
}

// retryAfter reads the header of this name, seconds or a date.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return retryAfterUnknown
}

func readAll(body io.Reader, limit int64) ([]byte, error) {
	read, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(read)) > limit {
		err = errTooLarge
	}
	return read, err
}

func op(request *http.Request) string { return request.Method + " " + request.URL.Path }

// withoutURL takes away net/http's wrapping, which repeats the URL with its query.
func withoutURL(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// root reads the API's root document, which needs no token.
func (e *exchange) root(ctx context.Context) (Info, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base.String()+"/", nil)
	if err != nil {
		return Info{}, err
	}
	var document struct {
		Links struct {
			V3 struct {
				Meta struct {
					Version string `json:"version"`
				} `json:"meta"`
			} `json:"cloud_controller_v3"`
			UAA struct {
				Href string `json:"href"`
			} `json:"uaa"`
		} `json:"links"`
	}
	err = e.retried(request, true, func() error {
		return e.send(request, "", func(answer *http.Response) error { return decodeWhole(answer, &document) })
	})
	if err != nil {
		return Info{}, err
	}
	info := Info{APIVersion: document.Links.V3.Meta.Version, UAAURL: strings.TrimRight(document.Links.UAA.Href, "/")}
	if info.APIVersion == "" {
		return Info{}, fmt.Errorf("%s: %w", e.base, ErrNoV3)
	}
	return info, nil
}

func decodeWhole(answer *http.Response, into any) error {
	body, err := readAll(answer.Body, maxBody)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: %w", errForeignAnswer, err)
	}
	return nil
}
