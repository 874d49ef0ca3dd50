package cftest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// identity is who a token speaks for.
type identity struct {
	guid   string
	scopes []string
}

func (i identity) has(scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(i.scopes, s) })
}

// tokenIssuer makes access tokens and knows those that are valid by their signature.
type tokenIssuer struct {
	options Options
	issuer  string

	mu      sync.Mutex
	key     []byte
	refresh map[string]identity
}

func newTokenIssuer(o Options) *tokenIssuer {
	i := &tokenIssuer{options: o, refresh: map[string]identity{}}
	i.changeKey()
	return i
}

func (i *tokenIssuer) changeKey() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key = []byte(rand.Text())
}

var allScopes = []string{scopeAdmin, scopeRead, scopeWrite, "openid"}

func (i *tokenIssuer) client(id string) (Client, bool) {
	switch id {
	case AdminClient:
		return Client{Secret: AdminClientSecret, Scopes: allScopes}, true
	case CLIClient:
		return Client{}, true
	}
	client, known := i.options.Clients[id]
	return client, known
}

func (i *tokenIssuer) user(name string) (User, bool) {
	if name == AdminUser {
		return User{Password: AdminPassword, Scopes: allScopes}, true
	}
	user, known := i.options.Users[name]
	return user, known
}

func (c *CloudController) uaaAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", c.issueToken)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.withFaults(mux).ServeHTTP(w, r)
	})
}

// issueToken serves the client credentials, password and refresh token grants.
func (c *CloudController) issueToken(w http.ResponseWriter, r *http.Request) {
	c.stats.token()
	id, secret := clientCredentials(r)
	client, known := c.tokens.client(id)
	if !known || secret != client.Secret {
		refuseToken(w, http.StatusUnauthorized, "unauthorized", "Bad credentials")
		return
	}
	switch grant := r.PostFormValue("grant_type"); grant {
	case "client_credentials":
		if id == CLIClient {
			refuseToken(w, http.StatusUnauthorized, "unauthorized_client", "Unauthorized grant type: client_credentials")
			return
		}
		writeOAuth(w, http.StatusOK, c.tokens.issue(id, identity{guid: id, scopes: client.Scopes}, false))
	case "password":
		name := r.PostFormValue("username")
		user, known := c.tokens.user(name)
		if !known || r.PostFormValue("password") != user.Password {
			refuseToken(w, http.StatusUnauthorized, "unauthorized", "Bad credentials")
			return
		}
		writeOAuth(w, http.StatusOK, c.tokens.issue(id, identity{guid: userGUID(name), scopes: user.Scopes}, true))
	case "refresh_token":
		whose, valid := c.tokens.refreshed(r.PostFormValue("refresh_token"))
		if !valid { // UAA does repeat the token; this one doesn't
			refuseToken(w, http.StatusUnauthorized, "invalid_token", "The token expired, was revoked, or the token ID is incorrect.")
			return
		}
		writeOAuth(w, http.StatusOK, c.tokens.issue(id, whose, true))
	default:
		refuseToken(w, http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type: "+grant)
	}
}

// clientCredentials come in the header or in the form, escaped in the header by clients that follow RFC 6749 §2.3.1.
func clientCredentials(r *http.Request) (id, secret string) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		return r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	return unescaped(id), unescaped(secret)
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// userGUID is the same for the same name, whoever asks.
func userGUID(name string) string { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String() }

type claims struct {
	Audience []string `json:"aud"`
	ClientID string   `json:"client_id"`
	Expires  int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	Issuer   string   `json:"iss"`
	ID       string   `json:"jti"`
	Scopes   []string `json:"scope"`
	Subject  string   `json:"sub"`
}

type grantedToken struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	RefreshToken string `json:"refresh_token,omitempty"`
	ExpiresIn    int    `json:"expires_in"`
	Scope        string `json:"scope"`
	ID           string `json:"jti"`
}

// issue makes a token that looks like UAA's: a JWT.
func (i *tokenIssuer) issue(client string, whose identity, refreshable bool) grantedToken {
	now := i.options.Now()
	payload := claims{
		Audience: []string{"cloud_controller", client}, ClientID: client, Subject: whose.guid, Scopes: whose.scopes,
		IssuedAt: now.Unix(), Expires: now.Add(i.options.TokenLifetime).Unix(), Issuer: i.issuer, ID: uuid.NewString(),
	}
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(`{"alg":"HS256","kid":"key-1","typ":"JWT"}`)) + "." + part(encode(payload))
	granted := grantedToken{
		TokenType: "bearer", ExpiresIn: int(i.options.TokenLifetime / time.Second),
		Scope: strings.Join(whose.scopes, " "), ID: payload.ID,
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	granted.AccessToken = text + "." + part(i.signature(text))
	if refreshable {
		granted.RefreshToken = rand.Text() + "-r"
		i.refresh[granted.RefreshToken] = whose
	}
	return granted
}

func (i *tokenIssuer) signature(text string) []byte {
	mac := hmac.New(sha256.New, i.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func (i *tokenIssuer) refreshed(token string) (identity, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	whose, known := i.refresh[token]
	return whose, known
}

// identity is whom a token speaks for, if it is one of ours and not expired.
func (i *tokenIssuer) identity(token string) (identity, bool) {
	at := strings.LastIndexByte(token, '.')
	if at < 0 {
		return identity{}, false
	}
	signed, err := base64.RawURLEncoding.DecodeString(token[at+1:])
	if err != nil {
		return identity{}, false
	}
	i.mu.Lock()
	valid := hmac.Equal(signed, i.signature(token[:at]))
	i.mu.Unlock()
	if !valid {
		return identity{}, false
	}
	_, payload, _ := strings.Cut(token[:at], ".")
	decoded, err := base64.RawURLEncoding.DecodeString(payload)
	var found claims
	if err != nil || json.Unmarshal(decoded, &found) != nil {
		return identity{}, false
	}
	if !i.options.Now().Before(time.Unix(found.Expires, 0)) {
		return identity{}, false
	}
	return identity{guid: found.Subject, scopes: found.Scopes}, true
}

func refuseToken(w http.ResponseWriter, status int, code, description string) {
	writeOAuth(w, status, map[string]string{"error": code, "error_description": description})
}

func writeOAuth(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body)) // a client that is gone is no fault of ours
}
