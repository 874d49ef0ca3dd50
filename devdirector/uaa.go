package devdirector

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// UAAOptions describe the UAA that a Director in UAA mode is told of in /info. It always speaks HTTPS, with a
// certificate of the same CA as the Director's, and knows the client credentials grant.
type UAAOptions struct {
	// Address to listen on; default 127.0.0.1:0.
	Address string
	// Clients by id.
	Clients map[string]UAAClient
	// TokenLifetime, on the Director's clock; default 12 h.
	TokenLifetime time.Duration
}

// UAAClient may ask for tokens.
type UAAClient struct {
	Secret string
	Scopes []string
}

const defaultTokenLifetime = 12 * time.Hour

type uaaServer struct {
	url    string
	server *http.Server
}

func (d *Director) startUAA() error {
	d.tokens = newTokenIssuer(d.options.UAA, d.options.UUID)
	address := d.options.UAA.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	d.uaa = &uaaServer{url: "https://" + listener.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", d.issueToken)
	d.uaa.server = newServer(mux, nil)
	serveInBackground(d.uaa.server, listener, d.certs.serverConfig())
	return nil
}

// UAAURL is where the UAA answers; "" without UAA.
func (d *Director) UAAURL() string {
	if d.uaa == nil {
		return ""
	}
	return d.uaa.url
}

// ExpireTokens makes every token issued so far an expired one.
func (d *Director) ExpireTokens() {
	if d.tokens == nil {
		return
	}
	d.tokens.mu.Lock()
	defer d.tokens.mu.Unlock()
	clear(d.tokens.issued)
}

// tokenIssuer makes tokens and knows those that are valid.
type tokenIssuer struct {
	options *UAAOptions
	uuid    string
	key     []byte

	mu     sync.Mutex
	issued map[string]issuedToken
}

type issuedToken struct {
	identity *identity
	expires  time.Time
}

func newTokenIssuer(o *UAAOptions, uuid string) *tokenIssuer {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return &tokenIssuer{options: o, uuid: uuid, key: key, issued: map[string]issuedToken{}}
}

func (i *tokenIssuer) lifetime() time.Duration {
	if i.options.TokenLifetime > 0 {
		return i.options.TokenLifetime
	}
	return defaultTokenLifetime
}

// identity is whose token the Authorization header carries; nil for none, an expired or an unknown one.
func (i *tokenIssuer) identity(header string, now time.Time) *identity {
	kind, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(kind, "bearer") {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	found, known := i.issued[token]
	if !known {
		return nil
	}
	if !now.Before(found.expires) {
		delete(i.issued, token)
		return nil
	}
	return found.identity
}

func (d *Director) issueToken(w http.ResponseWriter, r *http.Request) {
	d.stats.token()
	id, secret, _ := r.BasicAuth()
	if unescaped, err := url.QueryUnescape(id); err == nil {
		id = unescaped
	}
	if unescaped, err := url.QueryUnescape(secret); err == nil {
		secret = unescaped
	}
	client, known := d.options.UAA.Clients[id]
	switch {
	case !known || subtle.ConstantTimeCompare([]byte(secret), []byte(client.Secret)) != 1:
		writeOAuth(w, http.StatusUnauthorized, map[string]any{"error": "unauthorized", "error_description": "Bad credentials"})
	case r.PostFormValue("grant_type") != "client_credentials":
		writeOAuth(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type", "error_description": "Unsupported grant type"})
	default:
		writeOAuth(w, http.StatusOK, d.tokens.issue(id, client.Scopes, d.UAAURL(), d.options.Clock.Now()))
	}
}

func writeOAuth(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body)) // a client that is gone is no fault of ours
}

// issue makes a token that looks like UAA's: a JWT.
func (i *tokenIssuer) issue(client string, scopes []string, issuer string, now time.Time) map[string]any {
	expires := now.Add(i.lifetime())
	jti := newUUID()
	part := base64.RawURLEncoding.EncodeToString
	signed := part(encode(map[string]any{"alg": "HS256", "kid": "key-1", "typ": "JWT"})) + "." + part(encode(map[string]any{
		"aud": []string{client}, "azp": client, "cid": client, "client_id": client, "sub": client,
		"exp": expires.Unix(), "iat": now.Unix(), "grant_type": "client_credentials", "iss": issuer + "/oauth/token",
		"jti": jti, "scope": scopes, "authorities": scopes, "zid": "uaa",
	}))
	mac := hmac.New(sha256.New, i.key)
	mac.Write([]byte(signed))
	token := signed + "." + part(mac.Sum(nil))

	i.mu.Lock()
	defer i.mu.Unlock()
	for old, t := range i.issued {
		if !now.Before(t.expires) {
			delete(i.issued, old)
		}
	}
	i.issued[token] = issuedToken{newIdentity(client, "", scopes, i.uuid), expires}
	return map[string]any{
		"access_token": token, "token_type": "bearer", "expires_in": int(i.lifetime().Seconds()),
		"scope": strings.Join(scopes, " "), "jti": jti,
	}
}
