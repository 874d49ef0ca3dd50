package httpclient

import (
	"net/http"
	"time"
)

// Exchange is one request that was sent, and how it was answered.
type Exchange struct {
	Method string
	Path   string // as sent, without the query
	Status int    // 0 if there was no answer
	Took   time.Duration
}

// Observed sends requests by base and tells seen of each, when the head of its answer is there or none will come. Requests
// with several tries, or with a token to fetch before, are several. A seen that is nil is told nothing.
func Observed(base http.RoundTripper, seen func(Exchange)) http.RoundTripper {
	return observed{base, seen}
}

type observed struct {
	base http.RoundTripper
	seen func(Exchange)
}

// RoundTrip implements http.RoundTripper.
func (o observed) RoundTrip(request *http.Request) (*http.Response, error) {
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
