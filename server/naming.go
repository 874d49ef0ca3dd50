package server

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/on-demand-broker/odb/broker"
	"github.com/on-demand-broker/odb/logs"
	"github.com/on-demand-broker/odb/tracecontext"
)

const (
	requestIdentityHeader     = "X-Broker-API-Request-Identity"
	originatingIdentityHeader = "X-Broker-API-Originating-Identity"
)

// named gives each request its id and its trace, tells the log who asks, and sends the platform's own request identity back on every
// answer (OSB 2.17, Request Identity).
func named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := uuid.New()
		trace, given := tracecontext.Read(r.Header)
		if !given {
			trace = tracecontext.New(id)
		}
		request := broker.Request{ID: id.String()}
		attrs := []slog.Attr{slog.String("request_id", id.String()), slog.String("trace_id", trace.ID())}
		if identity := r.Header.Get(requestIdentityHeader); identity != "" {
			w.Header().Set(requestIdentityHeader, identity)
			attrs = append(attrs, slog.String("request_identity", identity))
		}
		if header := r.Header.Get(originatingIdentityHeader); header != "" {
			who, err := originator(header)
			request.Originator = who
			attrs = append(attrs, identityAttr(who, err))
		}
		ctx := tracecontext.With(broker.WithRequest(r.Context(), request), trace)
		next.ServeHTTP(w, r.WithContext(logs.With(ctx, attrs...)))
	})
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
