package boshclient_test

import (
	"encoding/pem"
	"net/http/httptest"
	"testing"

	"github.com/on-demand-broker/odb/boshclient"
)

// BenchmarkTask is what last_operation costs here: one read over TLS. The server's half runs in the same process.
func BenchmarkTask(b *testing.B) {
	director := httptest.NewTLSServer(answering(200, taskDone))
	defer director.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: director.Certificate().Raw}))
	client, err := boshclient.New(boshclient.Options{URL: director.URL, CACert: ca, Username: "admin", Password: "admin"})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := client.Task(b.Context(), 3); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
