package server_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/server"
)

func TestWhatWasServedIsTold(t *testing.T) {
	g := NewWithT(t)
	var mu sync.Mutex
	var told []string
	url, _ := start(t, brokerDouble{services: func(context.Context) ([]domain.Service, error) { panic("a fault") }}, func(o *server.Options) {
		o.Observe = func(s server.Served) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint(s.Method, " ", s.Route, " ", s.Status))
			if s.Took <= 0 {
				t.Errorf("%+v took no time", s)
			}
		}
	})
	catalog(t, url, nil)
	for _, path := range []string{"/healthz", "/v2/service_instances/..%2F1", "/nothing/here"} {
		response, err := http.Get(url + path)
		g.Expect(err).NotTo(HaveOccurred())
		response.Body.Close()
	}
	g.Eventually(func() []string {
		mu.Lock()
		defer mu.Unlock()
		return told
	}).Should(Equal([]string{"GET /v2/catalog 500", "GET /healthz 200", "GET /v2/service_instances/:instance_id 401", "GET other 401"}))
}

func TestMetricsTakeTheCredentialsOfTheRest(t *testing.T) {
	g := NewWithT(t)
	url, _ := start(t, brokerDouble{}, func(o *server.Options) {
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	status := func(method, password string) int {
		request, _ := http.NewRequest(method, url+"/metrics", nil)
		request.SetBasicAuth("u", password)
		response, err := http.DefaultClient.Do(request)
		g.Expect(err).NotTo(HaveOccurred())
		response.Body.Close()
		return response.StatusCode
	}
	g.Expect(status(http.MethodGet, "p")).To(Equal(http.StatusTeapot))
	g.Expect(status(http.MethodGet, "wrong")).To(Equal(http.StatusUnauthorized))
	g.Expect(status(http.MethodPost, "p")).To(Equal(http.StatusMethodNotAllowed))
}
