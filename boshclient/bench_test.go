package boshclient_test

import (
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"strings"
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

// BenchmarkConfigs is what a list of fifty thousand instances costs, read whole and read as it comes. Bytes are those of all that was
// allocated on the way; what is held at the peak is the whole list, or one config.
func BenchmarkConfigs(b *testing.B) {
	content, err := json.Marshal(strings.Repeat(`{"service_id":"s"},`, 50))
	if err != nil {
		b.Fatal(err)
	}
	one := `{"id":"1","type":"odb-instance","name":"service-instance_7f4d1bd6-3c1f-4d0b-9a6c-0a8f7f1f0001","content":` + string(content) + `,"created_at":"2026-11-23 09:14:54 UTC","current":true}`
	director := httptest.NewTLSServer(answering(200, "["+strings.Repeat(one+",", 49_999)+one+"]"))
	defer director.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: director.Certificate().Raw}))
	client, err := boshclient.New(boshclient.Options{URL: director.URL, CACert: ca, Username: "admin", Password: "admin", BodyLimit: 256 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if found, err := client.Configs(b.Context(), boshclient.ConfigFilter{}); err != nil || len(found) != 50_000 {
				b.Fatal(len(found), err)
			}
		}
	})
	b.Run("as it comes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			found := 0
			if err := client.EachConfig(b.Context(), boshclient.ConfigFilter{}, func(boshclient.Config) { found++ }); err != nil || found != 50_000 {
				b.Fatal(found, err)
			}
		}
	})
}
