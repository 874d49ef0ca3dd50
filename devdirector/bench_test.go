package devdirector_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strconv"
	"testing"

	"github.com/on-demand-broker/odb/devdirector"
)

// The Director is the counterpart in the broker's benchmarks: what it costs itself blurs them. Run with
//
//	go test -run xxx -bench . -benchmem ./devdirector/

func benchmarked(b *testing.B, deployments int) (*devdirector.Director, *caller) {
	b.Helper()
	d, err := devdirector.Start(devdirector.Options{TLS: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = d.Close() })
	if err := d.Seed(devdirector.Seed{Count: deployments}); err != nil {
		b.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(d.CACert()))
	return d, &caller{
		http: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 16, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		url: d.URL(), auth: asUser("admin", "admin"),
	}
}

func request(b *testing.B, c *caller, want int, method, path, body string, headers ...string) {
	b.Helper()
	a, err := c.try(method, path, body, headers...)
	if err != nil || a.status != want {
		b.Fatalf("%s %s: %d %v", method, path, a.status, err)
	}
}

func BenchmarkRequests(b *testing.B) {
	for _, deployments := range []int{10, 50_000} {
		_, bosh := benchmarked(b, deployments)
		request(b, bosh, http.StatusSeeOther, "POST", "/deployments", manifestOf("a", 1), "Content-Type", "text/yaml")
		for _, path := range []string{"/tasks/1", "/tasks?deployment=a&state=queued,processing", "/deployments/a", "/deployments/a/instances"} {
			b.Run(strconv.Itoa(deployments)+path, func(b *testing.B) {
				for b.Loop() {
					request(b, bosh, http.StatusOK, "GET", path, "")
				}
			})
		}
		b.Run(strconv.Itoa(deployments)+"/create", func(b *testing.B) {
			n := 0
			for b.Loop() {
				n++
				request(b, bosh, http.StatusSeeOther, "POST", "/deployments", manifestOf("new-"+strconv.Itoa(n), 1), "Content-Type", "text/yaml")
			}
		})
	}
}

func BenchmarkListDeployments(b *testing.B) {
	_, bosh := benchmarked(b, 50_000)
	for b.Loop() {
		request(b, bosh, http.StatusOK, "GET", "/deployments", "")
	}
}

func BenchmarkSeed(b *testing.B) {
	d, _ := benchmarked(b, 0)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		if err := d.Seed(devdirector.Seed{Count: 50_000, Prefix: strconv.Itoa(n) + "-"}); err != nil {
			b.Fatal(err)
		}
	}
}
