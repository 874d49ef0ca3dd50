package metrics

import (
	"log/slog"
	"net/http"
	"runtime"
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

	requests     timed
	adapterRuns  timed
	director     timed
	dependencies timed
	operations   timed
	configured   *prometheus.GaugeVec
	configuredAt prometheus.Gauge
}

// Build is which program runs.
type Build struct{ Version, Commit string }

// Configuration is what the broker runs with.
type Configuration struct {
	// Service is the offering's name, Plans are those of its plans.
	Service string
	Plans   []string
	// Hash tells configurations apart, and tells nothing of what is secret in them.
	Hash string
}

// New returns a registry with nothing counted. What goes wrong at a scrape is told to logger.
func New(build Build, logger *slog.Logger) *Registry {
	r := &Registry{
		registry: prometheus.NewRegistry(),
		logger:   logger,
		requests: newTimed(timedOptions{
			counter: "http_requests_total", counts: "Requests answered.", histogram: "http_request_duration_seconds", times: "How long the answers of requests took.",
			labels: []string{"route", "method"}, outcome: "status", buckets: requestBuckets(),
		}),
		adapterRuns: newTimed(timedOptions{
			counter: "adapter_runs_total", counts: "Runs of the service adapter.", histogram: "adapter_run_duration_seconds", times: "How long runs of the service adapter took.",
			labels: []string{"subcommand"}, outcome: "exit", buckets: runBuckets(),
		}),
		director: newTimed(timedOptions{
			counter: "director_requests_total", counts: "Requests sent to the Director and its UAA.", histogram: "director_request_duration_seconds", times: "How long the Director took to begin its answer.",
			labels: []string{"method", "endpoint"}, outcome: "status", buckets: requestBuckets(),
		}),
		dependencies: newTimed(timedOptions{
			counter: "dependency_requests_total", counts: "Requests sent to others than the Director, those for tokens included.", histogram: "dependency_request_duration_seconds", times: "How long others than the Director took to begin their answer.",
			labels: []string{"dependency", "method"}, outcome: "status", buckets: requestBuckets(),
		}),
		configured: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "config_info", Help: "Always 1. The service offering, and a hash of the configuration in force, secrets left out.",
		}, []string{"service", "hash"}),
		configuredAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "config_loaded_timestamp_seconds", Help: "When the configuration in force was taken on.",
		}),
		operations: newTimed(timedOptions{
			counter: "operations_total", counts: "Operations on service instances and bindings that have ended.", histogram: "operation_duration_seconds", times: "How long operations took that were begun.",
			labels: []string{"type", "plan"}, outcome: "result", buckets: operationBuckets(),
		}),
	}
	about := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1. Which program runs.",
		ConstLabels: prometheus.Labels{"version": build.Version, "commit": build.Commit, "go_version": runtime.Version()},
	})
	about.Set(1)
	for _, t := range []timed{r.requests, r.adapterRuns, r.director, r.dependencies, r.operations} {
		r.registry.MustRegister(t.count, t.time)
	}
	r.registry.MustRegister(about, r.configured, r.configuredAt,
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
	r.expect(c.Plans)
}
