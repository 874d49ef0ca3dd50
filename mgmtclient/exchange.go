package mgmtclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxBody        = 64 << 20 // a list of 50 000 instances is some 8 MB
	maxDescription = 2 << 10
	firstPause     = 100 * time.Millisecond
	longestPause   = 5 * time.Second
	// osbVersion is what the broker wants to hear of those who ask it for anything of OSB.
	osbVersion = "2.17"
)

// exchange is one question, and what may be done to get it answered.
type exchange struct {
	method string
	path   string // escaped, with its query
	body   any    // nil, or something to send as JSON
	// once is for what must not be done twice: it is sent again only if it can't have arrived.
	once bool
	// stream, if given, reads the answer as it comes; it may be called once more for another try.
	stream func(io.Reader) error
}

func (e exchange) op() string {
	path, _, _ := strings.Cut(e.path, "?")
	return e.method + " " + path
}

// reply is what came back, with a status below 300.
type reply struct {
	status int
	body   []byte
}

// ask sends the question, again if need and patience allow it, and returns what is an answer. Every other status is an error.
func (c *Client) ask(ctx context.Context, e exchange) (reply, error) {
	ends := time.Now().Add(c.options.Patience)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		answer, err := c.askOnce(ctx, e)
		var away *Unavailable
		if !errors.As(err, &away) || e.once && away.Sent || distrusted(err) || ctx.Err() != nil || !time.Now().Add(pause).Before(ends) {
			return answer, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return reply{}, err
		}
	}
}

func (c *Client) askOnce(ctx context.Context, e exchange) (reply, error) {
	request, err := c.request(ctx, e)
	if err != nil {
		return reply{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		var outer *url.Error // it repeats the URL, query included
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return reply{}, &Unavailable{Op: e.op(), Cause: err, Sent: !neverSent(err)}
	}
	defer func() { _ = response.Body.Close() }() // it was read whole, or is of no use
	limited := &io.LimitedReader{R: response.Body, N: maxBody + 1}
	if succeeded(response.StatusCode) && e.stream != nil {
		return reply{status: response.StatusCode}, e.unread(response.StatusCode, e.stream(limited), limited)
	}
	body, err := io.ReadAll(limited)
	if err := e.unread(response.StatusCode, err, limited); err != nil {
		return reply{}, err
	}
	if !succeeded(response.StatusCode) {
		return reply{status: response.StatusCode, body: body}, refusal(e.op(), response.StatusCode, body)
	}
	return reply{status: response.StatusCode, body: body}, nil
}

func succeeded(status int) bool { return status >= 200 && status <= 299 }

// unread is the error of an answer that could not be read to its end; what was read may be nonsense, which is no failure to read.
func (e exchange) unread(status int, err error, limited *io.LimitedReader) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case limited.N == 0:
		err = fmt.Errorf("the answer has more than %d bytes", maxBody)
	case err == nil:
		return nil
	case errors.As(err, &syntax), errors.As(err, &kind):
		return e.nonsense(err)
	}
	return &Unavailable{Op: e.op(), Status: status, Cause: err, Sent: true}
}

func (e exchange) nonsense(err error) error {
	return fmt.Errorf("the broker's answer to %s can't be read: %w", e.op(), err)
}

func (c *Client) request(ctx context.Context, e exchange) (*http.Request, error) {
	var body io.Reader
	if e.body != nil {
		text, err := json.Marshal(e.body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request %s: %w", e.op(), err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, e.method, c.base.String()+e.path, body)
	if err != nil {
		return nil, fmt.Errorf("making the request %s: %w", e.op(), err)
	}
	request.SetBasicAuth(c.options.Username, c.options.Password)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("X-Broker-API-Version", osbVersion)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.options.UserAgent != "" {
		request.Header.Set("User-Agent", c.options.UserAgent)
	}
	return request, nil
}

// distrusted tells whether it is of no use to ask again, since the certificate will be the same.
func distrusted(err error) bool {
	var refused *tls.CertificateVerificationError
	return errors.As(err, &refused)
}

// neverSent tells whether the connection wasn't even made.
func neverSent(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

// refusal makes an error of a status that is no success. A gateway's words about the broker are its absence.
func refusal(op string, status int, body []byte) error {
	var said struct {
		Key         string `json:"error"`
		Description string `json:"description"`
	}
	_ = json.Unmarshal(body, &said) // most statuses come without a body
	switch status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		cause := errors.New("it is overloaded, restarting, or its Director is away")
		if said.Description != "" {
			cause = errors.New(shortened(said.Description))
		}
		return &Unavailable{Op: op, Status: status, Cause: cause, Sent: true}
	}
	return &Rejected{Op: op, Status: status, Key: said.Key, Description: shortened(said.Description)}
}

func shortened(text string) string {
	if len(text) <= maxDescription {
		return text
	}
	return strings.ToValidUTF8(text[:maxDescription], "") + "..."
}

// get asks for something that is JSON.
func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	return askFor[T](ctx, c, exchange{method: http.MethodGet, path: path})
}

// askFor asks a question whose answer is JSON.
func askFor[T any](ctx context.Context, c *Client, e exchange) (T, error) {
	var into T
	answer, err := c.ask(ctx, e)
	if err != nil {
		return into, err
	}
	return into, e.read(answer.body, &into)
}

func (e exchange) read(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return e.nonsense(err)
	}
	return nil
}
