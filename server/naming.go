package server

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
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
		request := broker.Request{ID: id.String(), Traceparent: traceparent(r, id)}
		attrs := []slog.Attr{slog.String("request_id", id.String())}
		if identity := r.Header.Get(requestIdentityHeader); identity != "" {
			w.Header().Set(requestIdentityHeader, identity)
			attrs = append(attrs, slog.String("request_identity", identity))
		}
		if header := r.Header.Get(originatingIdentityHeader); header != "" {
			who, err := originator(header)
			request.Originator = who
			attrs = append(attrs, identityAttr(who, err))
		}
		ctx := broker.WithRequest(r.Context(), request)
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

// originator decodes who asked (OSB 2.17, Originating Identity: PLATFORM BASE64(JSON object)). That it can be decoded is the
// platform's duty: what can't is no reason to refuse what is asked for.
func originator(header string) (broker.Originator, error) {
	platform, encoded, found := strings.Cut(strings.TrimSpace(header), " ")
	if !found {
		return broker.Originator{}, errors.New("it is not a platform and a value, with a space between")
	}
	value, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return broker.Originator{}, errors.New("the value is not base64")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil || members == nil {
		return broker.Originator{}, errors.New("the value is not the base64 of a JSON object")
	}
	return broker.Originator{Platform: platform, Value: value}, nil
}

// identityAttr is what the lines of a request say of who asks: names, and no more of what the platform sent.
func identityAttr(who broker.Originator, err error) slog.Attr {
	if err != nil {
		return slog.String("originating_identity", "undecodable: "+err.Error())
	}
	return slog.Any("originating_identity", who.Names())
}
