package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/on-demand-broker/odb/broker"
)

// answer notes what was sent.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// sent is the status that the client got; net/http sends 200 for those who say nothing.
func (a *answer) sent() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

type visitorKey struct{}

// visitor is what is found out about a request on its way, for the line that is written at its end.
type visitor struct{ credential string }

func noteCredential(ctx context.Context, key string) {
	if v, ok := ctx.Value(visitorKey{}).(*visitor); ok {
		v.credential = key
	}
}

// logged writes one line a request, with no query and no body, and tells it to whoever observes.
func logged(logger *slog.Logger, observe func(Served)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start, route := time.Now(), routeOf(r.URL.EscapedPath()) // steps to come rewrite the path
			noted, from := &answer{ResponseWriter: w}, &visitor{}
			next.ServeHTTP(noted, r.WithContext(context.WithValue(r.Context(), visitorKey{}, from)))
			took := time.Since(start)
			if observe != nil {
				observe(Served{Route: route, Method: r.Method, Status: noted.sent(), Took: took})
			}
			attrs := []slog.Attr{slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()),
				slog.Int("status", noted.sent()), slog.Float64("ms", float64(took.Microseconds())/1000)}
			if from.credential != "" {
				attrs = append(attrs, slog.String("authenticated_by", from.credential))
			}
			logger.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
		})
	}
}

// recovered turns a panic into a plain 500 and a line in the log with the stack.
func recovered(logger *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				cause := recover()
				if cause == nil {
					return
				}
				if cause == http.ErrAbortHandler {
					panic(cause)
				}
				logger.ErrorContext(r.Context(), "panic", slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
				if noted, ok := w.(*answer); !ok || noted.status == 0 {
					writeError(w, http.StatusInternalServerError, unknownFailure(broker.RequestFrom(r.Context()).ID))
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// Credential is a user and a password that are let in.
type Credential struct {
	// Key is the credential's key in the configuration, by which the log tells who still uses it.
	Key                string
	Username, Password string
}

// digests are compared rather than what they are made of, so that the time taken tells nothing, not even a length.
type digests struct{ username, password [sha256.Size]byte }

func digestsOf(username, password string) digests {
	return digests{sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password))}
}

func (d digests) equal(other digests) int {
	return subtle.ConstantTimeCompare(d.username[:], other.username[:]) & subtle.ConstantTimeCompare(d.password[:], other.password[:])
}

// authenticated lets in who has one of the credentials. All of them are compared, whichever fits.
func authenticated(credentials []Credential) func(http.Handler) http.Handler {
	wanted := make([]digests, 0, len(credentials))
	for _, c := range credentials {
		wanted = append(wanted, digestsOf(c.Username, c.Password))
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			username, password, given := r.BasicAuth()
			got, fits := digestsOf(username, password), -1
			for i, want := range wanted {
				fits = subtle.ConstantTimeSelect(got.equal(want), i, fits)
			}
			if !given || fits < 0 {
				w.Header().Set("WWW-Authenticate", `Basic realm="on-demand-service-broker"`)
				writeError(w, http.StatusUnauthorized, "Not authorized: username or password is missing or wrong")
				return
			}
			noteCredential(r.Context(), credentials[fits].Key)
			next.ServeHTTP(w, r)
		})
	}
}
