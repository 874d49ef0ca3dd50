package httpclient_test

import (
	"errors"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/httpclient"
	"github.com/on-demand-broker/odb/tracecontext"
)

type answering func(*http.Request) (*http.Response, error)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestExchangesAreTold(t *testing.T) {
	g := NewWithT(t)
	lost := errors.New("connection lost")
	var told []httpclient.Exchange
	base := answering(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodDelete {
			return nil, lost
		}
		return &http.Response{StatusCode: http.StatusTeapot}, nil
	})
	way := httpclient.Outgoing(base, func(e httpclient.Exchange) { told = append(told, e) })
	send := func(way http.RoundTripper, method string) (*http.Response, error) {
		request, _ := http.NewRequest(method, "https://director/deployments/a%2Fb?token=secret", nil)
		return way.RoundTrip(request)
	}
	answer, err := send(way, http.MethodGet)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.StatusCode).To(Equal(http.StatusTeapot))
	_, err = send(way, http.MethodDelete)
	g.Expect(err).To(MatchError(lost))
	for i := range told {
		g.Expect(told[i].Took).To(BeNumerically(">=", 0))
		told[i].Took = 0
	}
	g.Expect(told).To(Equal([]httpclient.Exchange{
		{Method: "GET", Path: "/deployments/a%2Fb", Status: http.StatusTeapot},
		{Method: "DELETE", Path: "/deployments/a%2Fb"},
	}))
	answer, err = send(httpclient.Outgoing(base, nil), http.MethodGet)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.StatusCode).To(Equal(http.StatusTeapot))
}

func TestRequestsCarryTheTraceOfTheirContext(t *testing.T) {
	g := NewWithT(t)
	var sent []http.Header
	way := httpclient.Outgoing(answering(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.Header)
		return &http.Response{StatusCode: http.StatusOK}, nil
	}), nil)
	given := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "Tracestate": {"rojo=1"}}
	trace, _ := tracecontext.Read(given)
	traced, _ := http.NewRequestWithContext(tracecontext.With(t.Context(), trace), http.MethodGet, "https://director/info", nil)
	untraced, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://director/info", nil)
	for _, request := range []*http.Request{traced, untraced} {
		_, err := way.RoundTrip(request)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(request.Header).To(BeEmpty(), "what was given stays as it is")
	}
	g.Expect(sent).To(Equal([]http.Header{given, {}}))
}
