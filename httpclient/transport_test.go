package httpclient_test

import (
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/on-demand-broker/odb/httpclient"
)

func TestNewTransport(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.StartTLS()
	defer server.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))

	for name, test := range map[string]struct {
		options httpclient.Options
		trusted bool
	}{
		"the system's CAs": {httpclient.Options{}, false},
		"the CA given":     {httpclient.Options{CACert: ca}, true},
		"anybody":          {httpclient.Options{SkipVerify: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			transport, err := httpclient.NewTransport(test.options)
			if err != nil {
				t.Fatal(err)
			}
			defer transport.CloseIdleConnections()
			answer, err := (&http.Client{Transport: transport}).Get(server.URL)
			if err == nil {
				_ = answer.Body.Close()
			}
			if trusted := err == nil; trusted != test.trusted {
				t.Errorf("trusted: %v, wanted %v (%v)", trusted, test.trusted, err)
			}
		})
	}
}

func TestNewTransportWithoutACertificate(t *testing.T) {
	if _, err := httpclient.NewTransport(httpclient.Options{CACert: "x"}); !errors.Is(err, httpclient.ErrBadCA) {
		t.Errorf("got %v", err)
	}
}
