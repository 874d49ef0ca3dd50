package server

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/pivotal-cf/brokerapi/v11"
	"github.com/pivotal-cf/brokerapi/v11/middlewares"
)

func newHandler(options Options) http.Handler {
	osb := chain(osbRoutes(options), authenticated(options.Credentials), versioned, withIDs, withBody)
	management := chain(managementRoutes(options), authenticated(options.Credentials))
	routes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/healthz":
			only(http.MethodGet, healthy)(w, r)
		case path == "/readyz":
			only(http.MethodGet, ready(options.Broker))(w, r)
		case strings.HasPrefix(path, "/mgmt/"):
			management.ServeHTTP(w, r)
		default:
			osb.ServeHTTP(w, r)
		}
	})
	return chain(routes, named, logged(options.Logger), recovered(options.Logger))
}

// chain puts middlewares around a handler, the first one outermost.
func chain(h http.Handler, around ...func(http.Handler) http.Handler) http.Handler {
	for i := len(around) - 1; i >= 0; i-- {
		h = around[i](h)
	}
	return h
}

// osbRoutes are brokerapi's handlers. Its own log is dropped: it writes request details, parameters included.
func osbRoutes(options Options) http.Handler {
	router := newRouter()
	router.Use(middlewares.AddOriginatingIdentityToContext, middlewares.AddInfoLocationToContext, middlewares.AddRequestIdentityToContext)
	return brokerapi.NewWithOptions(&edge{options}, slog.New(slog.DiscardHandler), brokerapi.WithRouter(router))
}

// newRouter is one that answers for what isn't there as for everything else.
func newRouter() *chi.Mux {
	router := chi.NewRouter()
	router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusNotFound, "there is nothing at "+r.URL.Path)
	})
	router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusMethodNotAllowed, r.Method+" is not possible here")
	})
	return router
}

func only(method string, serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && r.Method != http.MethodHead {
			w.Header().Set("Allow", method)
			writeError(w, http.StatusMethodNotAllowed, r.Method+" is not possible here")
			return
		}
		serve(w, r)
	}
}
