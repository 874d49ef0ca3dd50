package uaaclients

import (
	"context"
	"errors"
	"sync"
	"time"

	uaa "github.com/cloudfoundry-community/go-uaa"
)

// tokenLeeway is how long before its end a token is not used any more, so that it doesn't end under way.
const tokenLeeway = 30 * time.Second

// session holds the one token. The lock is never held while UAA is asked: callers who find no token at the same moment
// each ask for one, and the last one is kept.
type session struct {
	mu      sync.Mutex
	token   string
	expires time.Time
}

// current is a token to use; "" if there is none, it ends soon or it is the one that UAA has just refused.
func (s *session) current(refused string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == refused || time.Until(s.expires) < tokenLeeway {
		return ""
	}
	return s.token
}

func (s *session) keep(token string, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.expires = token, expires
}

// token is the session's, or a new one. A token without an end is not kept.
func (c *Clients) token(ctx context.Context, refused string) (string, error) {
	if token := c.session.current(refused); token != "" {
		return token, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var token string
	var expires time.Time
	e := &exchange{ctx: ctx, base: c.way, secrets: []string{c.secret}}
	err := e.run(c.url, uaa.WithClientCredentials(c.id, c.secret, uaa.OpaqueToken), func(api *uaa.API) error {
		granted, err := api.Token(ctx)
		if err != nil {
			return err
		}
		if granted.AccessToken == "" {
			return errors.New("no token in the answer")
		}
		token, expires = granted.AccessToken, granted.Expiry
		return nil
	})
	if err != nil {
		return "", err
	}
	c.session.keep(token, expires)
	return token, nil
}
