package server

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/on-demand-broker/odb/broker"
	"github.com/on-demand-broker/odb/logs"
)

const (
	requestIdentityHeader     = "X-Broker-API-Request-Identity"
	originatingIdentityHeader = "X-Broker-API-Originating-Identity"
)

// named gives each request its id, tells the log who asks, and sends the platform's own request identity back on every
// answer (OSB 2.17, Request Identity).
func named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := uuid.New()
		ctx := broker.WithRequest(r.Context(), broker.Request{ID: id.String(), Traceparent: traceparent(r, id)})
		attrs := []slog.Attr{slog.String("request_id", id.String())}
		if identity := r.Header.Get(requestIdentityHeader); identity != "" {
			w.Header().Set(requestIdentityHeader, identity)
			attrs = append(attrs, slog.String("request_identity", identity))
		}
		if identity := r.Header.Get(originatingIdentityHeader); identity != "" {
			attrs = append(attrs, slog.Any("originating_identity", originatingIdentity(identity)))
		}
		next.ServeHTTP(w, r.WithContext(logs.With(ctx, attrs...)))
	})
}

var traceparentForm = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// traceparent is the caller's W3C trace context, or a new one whose trace id is the request's.
func traceparent(r *http.Request, id uuid.UUID) string {
	if given := r.Header.Get("Traceparent"); traceparentForm.MatchString(given) {
		return given
	}
	var span [8]byte
	rand.Read(span[:])
	return "00-" + hex.EncodeToString(id[:]) + "-" + hex.EncodeToString(span[:]) + "-01"
}

// originatingIdentity decodes who asked, for the log (OSB 2.17, Originating Identity: PLATFORM BASE64(JSON)). It is the
// platform's duty to send something decodable.
func originatingIdentity(header string) any {
	platform, encoded, found := strings.Cut(header, " ")
	value, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if !found || err != nil || !json.Valid(value) {
		return "undecodable"
	}
	return map[string]any{"platform": platform, "value": json.RawMessage(value)}
}
