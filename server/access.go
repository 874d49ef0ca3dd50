package server

import (
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

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// logged writes one line a request: no query, no body.
func logged(logger *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			noted := &answer{ResponseWriter: w}
			next.ServeHTTP(noted, r)
			logger.InfoContext(r.Context(), "request", slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()),
				slog.Int("status", noted.status), slog.Float64("ms", float64(time.Since(start).Microseconds())/1000))
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

// authenticated lets the one user in. Digests are compared, so that the time taken tells nothing, not even a length.
func authenticated(username, password string) func(http.Handler) http.Handler {
	wantUser, wantPassword := sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password))
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			gotUser, gotPassword := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(password))
			if subtle.ConstantTimeCompare(gotUser[:], wantUser[:])&subtle.ConstantTimeCompare(gotPassword[:], wantPassword[:]) != 1 {
				w.Header().Set("WWW-Authenticate", `Basic realm="on-demand-service-broker"`)
				writeError(w, http.StatusUnauthorized, "Not authorized: username or password is missing or wrong")
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
