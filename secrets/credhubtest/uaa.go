package credhubtest

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type token struct {
	client  string
	expires time.Time
}

func (c *CredHub) uaaAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", c.grant)
	return mux
}

func (c *CredHub) grant(w http.ResponseWriter, r *http.Request) {
	id, secret := r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	if basicID, basicSecret, ok := r.BasicAuth(); ok {
		id, secret = basicID, basicSecret
	}
	client, known := c.options.Clients[id]
	switch {
	case r.PostFormValue("grant_type") != "client_credentials":
		answer(w, 400, map[string]string{"error": "unsupported_grant_type", "error_description": "Unsupported grant type"})
		return
	case !known || subtle.ConstantTimeCompare([]byte(client.Secret), []byte(secret)) == 0:
		answer(w, 401, map[string]string{"error": "unauthorized", "error_description": "Bad credentials"})
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serial++
	value := "t0ken-" + strconv.Itoa(c.serial)
	c.tokens[value] = token{client: id, expires: c.options.Now().Add(c.options.TokenLifetime)}
	answer(w, 200, map[string]any{
		"access_token": value, "token_type": "bearer", "jti": value,
		"expires_in": int(c.options.TokenLifetime.Seconds()), "scope": strings.Join(client.Scopes, " "),
	})
}

// ExpireTokens makes every token issued so far an expired one.
func (c *CredHub) ExpireTokens() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for value, issued := range c.tokens {
		issued.expires = time.Time{}
		c.tokens[value] = issued
	}
}

// authorized lets those pass whose token is valid and has the scope.
func (c *CredHub) authorized(scope string, handle func(w http.ResponseWriter, r *http.Request, actor string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		c.mu.Lock()
		issued, known := c.tokens[value]
		c.mu.Unlock()
		switch {
		case !strings.EqualFold(kind, "bearer"):
			answer(w, 401, map[string]string{"error": "invalid_token", "error_description": "Full authentication is required to access this resource"})
		case !known:
			answer(w, 401, map[string]string{"error": "invalid_token", "error_description": "The request token is malformed. Please validate that your request token was issued by the UAA server authorized by CredHub."})
		case !c.options.Now().Before(issued.expires):
			answer(w, 401, map[string]string{"error": "access_token_expired", "error_description": "Access token expired"})
		case !slices.Contains(c.options.Clients[issued.client].Scopes, scope):
			answer(w, 403, map[string]string{"error": "insufficient_scope", "error_description": "Insufficient scope for this resource", "scope": scope})
		default:
			handle(w, r, "uaa-client:"+issued.client)
		}
	}
}
