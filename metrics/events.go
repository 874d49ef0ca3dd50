package metrics

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// timed counts what happens by how it ended, and measures how long it took. How it ended is no label of the histogram: each of
// its values would cost a dozen series.
type timed struct {
	count *prometheus.CounterVec
	time  *prometheus.HistogramVec
}

type timedOptions struct {
	counter, counts  string
	histogram, times string
	labels           []string
	outcome          string    // one label more, of the counter
	buckets          []float64 // upper bounds, in seconds
}

func newTimed(o timedOptions) timed {
	return timed{
		count: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: o.counter, Help: o.counts}, append(slices.Clone(o.labels), o.outcome)),
		time:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: o.histogram, Help: o.times, Buckets: o.buckets}, o.labels),
	}
}

func (t timed) saw(took time.Duration, outcome string, labels ...string) {
	t.count.WithLabelValues(append(slices.Clone(labels), outcome)...).Inc()
	t.time.WithLabelValues(labels...).Observe(took.Seconds())
}

// requestBuckets are for what answers while somebody waits.
func requestBuckets() []float64 {
	return []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}
}

// operationBuckets are for operations, which take from a moment, for a binding, to hours.
func operationBuckets() []float64 {
	return []float64{0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200}
}

// runBuckets are for the adapter, which may take minutes.
func runBuckets() []float64 {
	return []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300}
}

// Served counts a request that was answered. The route is one of few, whatever the path was.
func (r *Registry) Served(route, method string, status int, took time.Duration) {
	r.requests.saw(took, statusText(status), route, knownMethod(method))
}

// AdapterRan counts a run of the adapter. Exit is its exit code, or a word where it has none.
func (r *Registry) AdapterRan(subcommand, exit string, took time.Duration) {
	r.adapterRuns.saw(took, exit, subcommand)
}

// AskedDirector counts a request to the Director. The endpoint is one of few; the status is 0 if there was no answer.
func (r *Registry) AskedDirector(method, endpoint string, status int, took time.Duration) {
	r.director.saw(took, statusText(status), method, endpoint)
}

// Asked counts a request to somebody else whom the broker depends on. The status is 0 if there was no answer.
func (r *Registry) Asked(dependency, method string, status int, took time.Duration) {
	r.dependencies.saw(took, statusText(status), dependency, method)
}

// OperationEnded counts an operation. One that was never begun has no duration.
func (r *Registry) OperationEnded(o Operation) {
	r.operations.count.WithLabelValues(o.Type, o.Plan, o.Result).Inc()
	if o.Result == "succeeded" || o.Result == "failed" {
		r.operations.time.WithLabelValues(o.Type, o.Plan).Observe(o.Took.Seconds())
	}
}

// Operation is one that has ended.
type Operation struct {
	Type, Plan string
	Result     string // succeeded, failed, refused or unknown
	Took       time.Duration
}

// expect begins at 0 to count the operations on instances of these plans: of a series that begins at 1, no query sees the
// increase.
func (r *Registry) expect(plans []string) {
	for _, plan := range plans {
		for _, operation := range []string{"create", "update", "upgrade", "recreate", "delete", "bind", "unbind"} {
			for _, result := range []string{"succeeded", "failed"} {
				r.operations.count.WithLabelValues(operation, plan, result)
			}
		}
	}
}

// noAnswer is the status of what wasn't answered.
const noAnswer = "none"

func statusText(status int) string {
	if status == 0 {
		return noAnswer
	}
	return strconv.Itoa(status)
}

// knownMethod keeps away what clients invent.
func knownMethod(method string) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, method) {
		return method
	}
	return "other"
}
