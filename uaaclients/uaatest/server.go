// Package uaatest provides a UAA for tests: tokens by the client credentials grant, and the clients API
// (/oauth/clients), over HTTPS, with UAA's own rules where a client of that API meets them.
package uaatest

import (
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say who may manage clients.
type Options struct {
	ClientID, ClientSecret string
	Scopes                 []string      // of its tokens; default clients.read and clients.write
	TokenLifetime          time.Duration // default 12 h
}

// Server is a UAA that runs.
type Server struct {
	options Options
	server  *httptest.Server
	hung    chan struct{} // closed when the server closes

	mu       sync.Mutex
	clients  map[string]Client
	tokens   map[string]token
	requests []string
	faults   []*Fault
}

type token struct {
	scopes  []string
	expires time.Time
}

// Start starts a UAA on a free port of the loopback interface.
func Start(options Options) *Server {
	if options.Scopes == nil {
		options.Scopes = []string{"clients.read", "clients.write"}
	}
	if options.TokenLifetime == 0 {
		options.TokenLifetime = 12 * time.Hour
	}
	s := &Server{options: options, hung: make(chan struct{}), clients: map[string]Client{}, tokens: map[string]token{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", s.issueToken)
	mux.HandleFunc("GET /oauth/clients/{id}", s.with("clients.read", s.show))
	mux.HandleFunc("POST /oauth/clients", s.with("clients.write", s.create))
	mux.HandleFunc("PUT /oauth/clients/{id}", s.with("clients.write", s.update))
	mux.HandleFunc("DELETE /oauth/clients/{id}", s.with("clients.write", s.remove))
	s.server = httptest.NewUnstartedServer(s.recorded(s.faulty(mux)))
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that don't trust it are no news
	s.server.StartTLS()
	return s
}

// Close stops the server and lets requests go that a fault holds.
func (s *Server) Close() {
	close(s.hung)
	s.server.Close()
}

// URL is where it answers.
func (s *Server) URL() string { return s.server.URL }

// CACert is the PEM certificate to trust.
func (s *Server) CACert() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw}))
}

// Requests are those received so far, each as its method and path, in their order.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count is how often a request, given as method and path, was received.
func (s *Server) Count(request string) int {
	count := 0
	for _, received := range s.Requests() {
		if received == request {
			count++
		}
	}
	return count
}

// RevokeTokens makes every token issued so far one that isn't known.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

func (s *Server) recorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// issueToken serves the broker's client, and those it made: their scopes are their authorities.
func (s *Server) issueToken(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if r.Header.Get("X-CF-ENCODED-CREDENTIALS") == "true" {
		id, secret = unescaped(id), unescaped(secret)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	scopes, known := s.options.Scopes, id == s.options.ClientID && secret == s.options.ClientSecret
	if client, made := s.clients[id]; made {
		scopes = client.Authorities
		known = secret == client.Secret && secret != "" && slices.Contains(client.GrantTypes, "client_credentials")
	}
	switch {
	case !known:
		refuse(w, http.StatusUnauthorized, "unauthorized", "Bad credentials")
	case r.PostFormValue("grant_type") != "client_credentials":
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type: "+r.PostFormValue("grant_type"))
	default:
		text := rand.Text()
		s.tokens[text] = token{scopes: scopes, expires: time.Now().Add(s.options.TokenLifetime)}
		answer(w, http.StatusOK, map[string]any{
			"access_token": text, "token_type": "bearer", "expires_in": int(s.options.TokenLifetime.Seconds()),
			"scope": strings.Join(scopes, " "), "jti": text,
		})
	}
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// with demands a token with the scope, or with clients.admin, and holds the server's lock while next runs.
func (s *Server) with(scope string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		found, known := s.tokens[text]
		switch {
		case text == "":
			refuse(w, http.StatusUnauthorized, "unauthorized", "Full authentication is required to access this resource")
		case !known || !time.Now().Before(found.expires): // UAA does repeat the token
			refuse(w, http.StatusUnauthorized, "invalid_token", "The token expired, was revoked, or the token ID is incorrect: "+text)
		case !slices.Contains(found.scopes, scope) && !slices.Contains(found.scopes, "clients.admin"):
			refuse(w, http.StatusForbidden, "insufficient_scope", "Insufficient scope for this resource")
		default:
			next(w, r)
		}
	}
}

func refuse(w http.ResponseWriter, status int, code, description string) {
	answer(w, status, map[string]any{"error": code, "error_description": description})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that is gone is no fault of ours
}
