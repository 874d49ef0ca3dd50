package server

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/pivotal-cf/brokerapi/v11"
	"github.com/pivotal-cf/brokerapi/v11/middlewares"
)

// step is one thing that the edge does to every request of a platform, or to its answer, because brokerapi doesn't, or does it
// otherwise than OSB 2.17 has it. Rows are those of the checks in package osbcheck that it is there for.
type step struct {
	does, rows string
	around     func(http.Handler) http.Handler
}

// everybodysSteps are what each request passes, those that are no platform's too; in this order.
func everybodysSteps(options Options) []step {
	return []step{
		{"names the request, sends its identity back", "A8 A10 A11", named},
		{"writes the access log, counts", "A11", logged(options.Logger, options.Observe)},
		{"answers for a panic", "A13 A14", recovered(options.Logger)},
	}
}

// platformsSteps follow for what isn't anybody else's.
func platformsSteps(options Options) []step {
	return []step{
		{"lets in who may", "A1 A2 A15", authenticated(options.Credentials)},
		{"asks for a version that is spoken", "A3 A4 A5 A6", versioned},
		{"checks ids, puts them in one form", "A25 C20", withIDs},
		{"reads the body, bounded, whatever it calls itself", "A16 A17 A26 C5 H3", withBody},
		{"makes bindings from earlier ones", "I2 I3 I5 I6 I8", rotating(options)},
		{"has the catalog read once", "B24", conditional},
	}
}

func newHandler(options Options) http.Handler {
	osb := around(osbRoutes(options), platformsSteps(options))
	management := authenticated(options.Credentials)(managementRoutes(options))
	metrics := authenticated(options.Credentials)(only(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		options.Metrics.ServeHTTP(w, r)
	}))
	routes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/healthz":
			only(http.MethodGet, healthy)(w, r)
		case path == "/readyz":
			only(http.MethodGet, ready(options.Broker))(w, r)
		case path == "/metrics":
			metrics.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/mgmt/"):
			management.ServeHTTP(w, r)
		default:
			osb.ServeHTTP(w, r)
		}
	})
	return around(routes, everybodysSteps(options))
}

// around puts steps around a handler, the first one outermost.
func around(h http.Handler, steps []step) http.Handler {
	for _, s := range slices.Backward(steps) {
		h = s.around(h)
	}
	return h
}

// osbRoutes are brokerapi's handlers. Its own log is dropped: it writes request details, parameters included.
func osbRoutes(options Options) http.Handler {
	router := newRouter()
	router.Use(middlewares.AddOriginatingIdentityToContext, middlewares.AddInfoLocationToContext, middlewares.AddRequestIdentityToContext)
	e := &edge{options}
	brokerapi.AttachRoutes(router, e, slog.New(slog.DiscardHandler))
	e.readingRoutes(router)
	return router
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
