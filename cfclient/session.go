package cfclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// tokenLeeway is how long before its end a token is not used any more, so that it doesn't end under way.
const tokenLeeway = 30 * time.Second

// grant is how a token is asked for (OAuth 2.0, RFC 6749 §4.3 and §4.4).
type grant struct {
	clientID, clientSecret string
	form                   url.Values
}

// newGrant chooses the grant. A user comes before a client, as a client may be what the user logs in through.
func newGrant(options Options) (grant, error) {
	if options.Username == "" {
		if options.ClientID == "" || options.ClientSecret == "" {
			return grant{}, errors.New("credentials for Cloud Foundry: give a client id and secret, or a username and password")
		}
		return grant{options.ClientID, options.ClientSecret, url.Values{"grant_type": {"client_credentials"}}}, nil
	}
	if options.Password == "" {
		return grant{}, errors.New("credentials for Cloud Foundry: the user's password is missing")
	}
	g := grant{options.ClientID, options.ClientSecret, url.Values{
		"grant_type": {"password"}, "username": {options.Username}, "password": {options.Password},
	}}
	if g.clientID == "" {
		g.clientID = passwordClient
	}
	return g, nil
}

// session holds the one token. Whoever finds it ended asks for another one, and the others wait for that.
type session struct {
	grant    grant
	exchange *exchange
	lock     chan struct{} // holds one element while somebody looks or asks; a mutex would not end with a ctx
	value    string
	expires  time.Time
}

func newSession(g grant, e *exchange) *session {
	return &session{grant: g, exchange: e, lock: make(chan struct{}, 1)}
}

// token is a token to use: the session's, unless it ends soon or is the one that was just refused.
func (s *session) token(ctx context.Context, refused string) (string, error) {
	select {
	case s.lock <- struct{}{}:
		defer func() { <-s.lock }()
	case <-ctx.Done():
		return "", &Unavailable{Op: "waiting for a token", retryAfter: retryAfterUnknown, Cause: context.Cause(ctx)}
	}
	if s.value != "" && s.value != refused && time.Until(s.expires) > tokenLeeway {
		return s.value, nil
	}
	uaaURL, err := s.uaa(ctx)
	if err != nil {
		return "", err
	}
	granted, err := s.ask(ctx, uaaURL)
	if err != nil {
		return "", err
	}
	s.value, s.expires = granted.AccessToken, time.Now().Add(time.Duration(granted.ExpiresIn)*time.Second)
	return s.value, nil
}

// uaa is where tokens are.
func (s *session) uaa(ctx context.Context) (string, error) {
	if s.exchange.uaaURL == "" {
		info, err := s.exchange.root(ctx)
		if err != nil {
			return "", err
		}
		at, err := address("the UAA's URL in Cloud Foundry's root document", info.UAAURL)
		if err != nil {
			return "", &Unavailable{Op: "GET /", sent: true, retryAfter: retryAfterUnknown, final: true, Cause: err}
		}
		s.exchange.uaaURL = at.String()
	}
	return s.exchange.uaaURL, nil
}

type grantedToken struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"` // seconds
}

// ask asks UAA for a token. Everything is in the form and escaped there; the client is in the header as it is written, as
// UAA wants it. Asking twice does no harm, so it is repeated like a read.
func (s *session) ask(ctx context.Context, uaaURL string) (granted grantedToken, err error) {
	form := s.grant.form.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, uaaURL+"/oauth/token", strings.NewReader(form))
	if err != nil {
		return grantedToken{}, err
	}
	request.SetBasicAuth(s.grant.clientID, s.grant.clientSecret)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	err = s.exchange.retried(request, true, func() error {
		return s.exchange.send(request, "", func(answer *http.Response) error {
			if err := decodeWhole(answer, &granted); err != nil {
				return err
			}
			if granted.AccessToken == "" || strings.ContainsAny(granted.AccessToken, "\r\n") {
				return errForeignAnswer
			}
			return nil
		})
	})
	return granted, s.secretless(err)
}

// secretless takes the credentials out of UAA's words, should it repeat them.
func (s *session) secretless(err error) error {
	var rejected *Rejected
	if !errors.As(err, &rejected) {
		return err
	}
	for _, secret := range []string{s.grant.clientSecret, s.grant.form.Get("password")} {
		if secret != "" {
			rejected.Detail = strings.ReplaceAll(rejected.Detail, secret, "<redacted>")
		}
	}
	return err
}
