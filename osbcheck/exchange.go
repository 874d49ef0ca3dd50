package osbcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	maxAnswer    = 8 << 20
	maxShown     = 2 << 10
	maxLookedAt  = 1 << 20 // of a body that is to be shown
	osbVersion   = "2.17"
	versionName  = "X-Broker-API-Version"
	requestName  = "X-Broker-API-Request-Identity"
	identityName = "X-Broker-API-Originating-Identity"
)

// Exchange is one request with its answer, as it may be shown: without credentials and parameters.
type Exchange struct {
	Request     string `json:"request"` // method, path and query
	RequestBody string `json:"request_body,omitempty"`
	Status      int    `json:"status,omitempty"`
	Body        string `json:"body,omitempty"`

	sent   request
	took   time.Duration
	header http.Header
	text   []byte
	object object // nil if the answer is none
	echoed bool   // the request's identity came back
}

// member is a text of the answer; empty if it has none of the name.
func (e *Exchange) member(name string) string { s, _ := e.object[name].(string); return s }

// send sends a request and notes it. What may have made something is remembered for the clean-up.
func (s *session) send(ctx context.Context, r request) (*Exchange, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.RequestTimeout)
	defer cancel()
	encoded, err := r.encoded()
	if err != nil {
		return nil, err
	}
	e := &Exchange{Request: r.method + " " + r.target(), RequestBody: shown(encoded), sent: r}
	asked, err := http.NewRequestWithContext(ctx, r.method, s.options.URL+r.target(), bytes.NewReader(encoded))
	if err != nil {
		return nil, fmt.Errorf("making the request %s: %w", e.Request, err)
	}
	identity := s.prepare(asked, r)
	start := time.Now()
	answered, err := s.http.Do(asked)
	if err != nil {
		s.note(r, 0)
		return nil, wrong(e, "%s was not answered: %v", e.Request, withoutURL(err))
	}
	s.note(r, answered.StatusCode)
	defer answered.Body.Close()
	e.text, err = io.ReadAll(io.LimitReader(answered.Body, maxAnswer))
	if err != nil {
		return nil, wrong(e, "the answer to %s breaks off: %v", e.Request, err)
	}
	e.took, e.Status, e.header, e.Body = time.Since(start), answered.StatusCode, answered.Header, shown(e.text)
	e.echoed = answered.Header.Get(requestName) == identity
	_ = json.Unmarshal(e.text, &e.object) // not every answer is an object
	s.log = append(s.log, e)
	return e, nil
}

// prepare sets the headers, those of the request last. It returns the identity that has to come back.
func (s *session) prepare(asked *http.Request, r request) (identity string) {
	identity = uuid.NewString()
	asked.Header.Set(versionName, osbVersion)
	asked.Header.Set(requestName, identity)
	asked.Header.Set("Accept", "application/json")
	if r.body != nil {
		asked.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.header {
		if value == "" {
			asked.Header.Del(name)
			continue
		}
		asked.Header.Set(name, value)
	}
	switch {
	case r.login == nil:
		asked.SetBasicAuth(s.options.Username, s.options.Password)
	case *r.login != login{}:
		asked.SetBasicAuth(r.login.username, r.login.password)
	}
	return identity
}

// secretKeys are members whose values are nobody's business but the two sides'.
var secretKeys = []string{"credentials", "parameters", "secret"}

// shown is a body without secrets, shortened. What isn't JSON is not shown if it could hold any.
func shown(text []byte) string {
	switch {
	case len(text) == 0:
		return ""
	case len(text) > maxLookedAt:
		return fmt.Sprintf("(%d bytes)", len(text))
	}
	var value any
	if json.Unmarshal(text, &value) != nil {
		return fmt.Sprintf("(%d bytes that are no JSON)", len(text))
	}
	cut, err := json.Marshal(withoutSecrets(value))
	if err != nil {
		return ""
	}
	if len(cut) > maxShown {
		return strings.ToValidUTF8(string(cut[:maxShown]), "") + "..."
	}
	return string(cut)
}

func withoutSecrets(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, member := range v {
			if v[key] = withoutSecrets(member); slices.Contains(secretKeys, key) {
				v[key] = "(cut out)"
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i])
		}
	}
	return value
}

// withoutURL takes away what the standard library repeats of the request.
func withoutURL(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}
