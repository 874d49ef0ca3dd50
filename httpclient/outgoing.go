package httpclient

import (
	"net/http"
	"time"

	"github.com/on-demand-broker/odb/tracecontext"
)

// Exchange is one request that was sent, and how it was answered.
type Exchange struct {
	Method string
	Path   string // as sent, without the query
	Status int    // 0 if there was no answer
	Took   time.Duration
}

// Outgoing sends requests by base, each as a part of the trace that its context belongs to, and tells seen of each, when the
// head of its answer is there or none will come. Requests with several tries, or with a token to fetch before, are several. A
// seen that is nil is told nothing.
func Outgoing(base http.RoundTripper, seen func(Exchange)) http.RoundTripper {
	return outgoing{base, seen}
}

type outgoing struct {
	base http.RoundTripper
	seen func(Exchange)
}

// RoundTrip implements http.RoundTripper.
func (o outgoing) RoundTrip(request *http.Request) (*http.Response, error) {
	if trace := tracecontext.From(request.Context()); trace.ID() != "" {
		request = request.Clone(request.Context()) // a transport doesn't change what it is given
		trace.Write(request.Header)
	}
	if o.seen == nil {
		return o.base.RoundTrip(request)
	}
	start := time.Now()
	answer, err := o.base.RoundTrip(request)
	exchange := Exchange{Method: request.Method, Path: request.URL.EscapedPath(), Took: time.Since(start)}
	if err == nil {
		exchange.Status = answer.StatusCode
	}
	o.seen(exchange)
	return answer, err
}
