package cfclient_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/on-demand-broker/odb/cfclient"
)

// BenchmarkInstances lists 50 000 instances, 85 MB of JSON, from a server in the same process.
func BenchmarkInstances(b *testing.B) {
	const size, perPage = 50_000, 5_000
	served := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/token" {
			text(`{"access_token":"t","expires_in":600}`)(w, r)
			return
		}
		served = served%size + perPage
		servePage(w, served, size, perPage)
	}))
	defer s.Close()
	client, err := cfclient.New(cfclient.Options{URL: s.URL, UAAURL: s.URL, ClientID: "c", ClientSecret: "s"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		seen := 0
		for _, err := range client.Instances(context.Background(), cfclient.InstanceFilter{PlanGUIDs: []string{"p"}}) {
			if err != nil {
				b.Fatal(err)
			}
			seen++
		}
		if seen != size {
			b.Fatalf("%d instances", seen)
		}
	}
}
