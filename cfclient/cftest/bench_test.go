package cftest_test

import (
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

// BenchmarkFiftyThousand tells what a fleet of 50 000 instances costs: bytes an instance, and the time of a whole list at
// 5000 a page.
func BenchmarkFiftyThousand(b *testing.B) {
	cc, err := cftest.Start(cftest.Options{PlainHTTP: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cc.Close)
	space := cc.AddSpace(cc.AddOrganization("org"), "space")
	cc.AddBroker(cftest.Broker{Name: "b", Offerings: []cftest.Offering{{
		Name: "o", CatalogID: "o-id", Plans: []cftest.Plan{{Name: "p", CatalogID: "p-id", MaintenanceVersion: "1.0.0"}},
	}}})
	plan := cc.PlanGUID("p-id")
	before := heap()
	for range 50_000 {
		cc.AddInstance(cftest.Instance{PlanGUID: plan, SpaceGUID: space})
	}
	perInstance := float64(heap()-before) / 50_000
	r := &replayed{cc: cc, client: &http.Client{Timeout: time.Minute}}
	token := r.adminToken(b)
	for b.Loop() {
		for _, page := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} {
			request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, cc.URL()+"/v3/service_instances?per_page=5000&page="+page, nil)
			if err != nil {
				b.Fatal(err)
			}
			request.Header.Set("Authorization", "bearer "+token)
			answer, err := r.client.Do(request)
			if err != nil || answer.StatusCode != http.StatusOK {
				b.Fatal(answer, err)
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				b.Fatal(err)
			}
			answer.Body.Close()
		}
	}
	b.ReportMetric(perInstance, "B/instance")
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
