package metrics

import (
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const namespace = "odb"

// Registry holds the metrics of one process, from its start to its end: a change of the configuration resets none of them.
// It is safe for concurrent use.
type Registry struct {
	registry *prometheus.Registry
	logger   *slog.Logger

	served       *prometheus.CounterVec
	serveTime    *prometheus.HistogramVec
	configured   *prometheus.GaugeVec
	configuredAt prometheus.Gauge
}

// Build is which program runs.
type Build struct{ Version, Commit string }

// Configuration is what the broker runs with.
type Configuration struct {
	// Service is the offering's name.
	Service string
	// Hash tells configurations apart, and tells nothing of what is secret in them.
	Hash string
}

// New returns a registry with nothing counted. What goes wrong at a scrape is told to logger.
func New(build Build, logger *slog.Logger) *Registry {
	r := &Registry{
		registry: prometheus.NewRegistry(),
		logger:   logger,
		served: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "http_requests_total", Help: "Requests answered, by route, method and status.",
		}, []string{"route", "method", "status"}),
		serveTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_duration_seconds", Help: "How long requests took to answer, by route and method.", Buckets: requestBuckets(),
		}, []string{"route", "method"}),
		configured: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "config_info", Help: "Always 1. The service offering, and a hash of the configuration in force, secrets left out.",
		}, []string{"service", "hash"}),
		configuredAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "config_loaded_timestamp_seconds", Help: "When the configuration in force was taken on.",
		}),
	}
	about := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1. Which program runs.",
		ConstLabels: prometheus.Labels{"version": build.Version, "commit": build.Commit, "go_version": runtime.Version()},
	})
	about.Set(1)
	r.registry.MustRegister(about, r.served, r.serveTime, r.configured, r.configuredAt,
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(collectors.WithGoCollectorMemStatsMetricsDisabled()))
	return r
}

// Limits of a scrape. One that takes longer is answered with 503, and goes on to its end; there are few at one time.
const (
	scrapeTimeout  = 10 * time.Second
	scrapesAtATime = 4
)

// Handler answers scrapes, in Prometheus' text format.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{
		ErrorLog: scrapeLog{r.logger}, ErrorHandling: promhttp.ContinueOnError, // some figures are better than none
		MaxRequestsInFlight: scrapesAtATime, Timeout: scrapeTimeout,
	})
}

// scrapeLog is promhttp's way to the log.
type scrapeLog struct{ logger *slog.Logger }

// Println implements promhttp.Logger.
func (l scrapeLog) Println(v ...any) { l.logger.Error("metrics.scrape", slog.Any("error", v)) }

// Configured tells which configuration is in force from now on.
func (r *Registry) Configured(c Configuration) {
	r.configured.Reset()
	r.configured.WithLabelValues(c.Service, c.Hash).Set(1)
	r.configuredAt.SetToCurrentTime()
}

// Served counts a request that was answered. The route is one of few, whatever the path was.
func (r *Registry) Served(route, method string, status int, took time.Duration) {
	method = knownMethod(method)
	r.served.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	r.serveTime.WithLabelValues(route, method).Observe(took.Seconds())
}

// knownMethod keeps away what clients invent.
func knownMethod(method string) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, method) {
		return method
	}
	return "other"
}

// requestBuckets are the upper bounds, in seconds, for what answers while somebody waits.
func requestBuckets() []float64 {
	return []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}
}
