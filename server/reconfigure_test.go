package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/logs"
	"github.com/on-demand-broker/odb/server"
)

// offeringOf is a broker whose catalog names one service.
func offeringOf(name string) brokerDouble {
	return brokerDouble{services: func(context.Context) ([]domain.Service, error) { return []domain.Service{{ID: name, Name: name}}, nil }}
}

// optionsOf are those of a server for tests that let in the given users, each with their name's password.
func optionsOf(log *safeBuffer, double brokerDouble, users ...string) server.Options {
	options := server.Options{Address: "127.0.0.1:0", ShutdownTimeout: 5 * time.Second, Logger: logs.New(log, "odb", slog.LevelInfo), Broker: double}
	for _, user := range users {
		options.Credentials = append(options.Credentials, server.Credential{Key: "key-of-" + user, Username: user, Password: "password-of-" + user})
	}
	return options
}

// statusFor is what a user is answered.
func statusFor(t *testing.T, url, user, password string) int {
	t.Helper()
	request, _ := http.NewRequest(http.MethodGet, url+"/v2/catalog", nil)
	request.SetBasicAuth(user, password)
	request.Header.Set("X-Broker-API-Version", "2.17")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestEveryCredentialIsLetInAsAWhole(t *testing.T) {
	g := NewWithT(t)
	log := &safeBuffer{}
	url := serve(t, optionsOf(log, offeringOf("cache"), "jane", "joe")).URL()
	g.Expect(statusFor(t, url, "jane", "password-of-jane")).To(Equal(200))
	g.Expect(statusFor(t, url, "joe", "password-of-joe")).To(Equal(200))
	g.Expect(statusFor(t, url, "jane", "password-of-joe")).To(Equal(401))
	g.Expect(statusFor(t, url, "joe", "")).To(Equal(401))
	g.Eventually(log.String).Should(And(ContainSubstring(`"authenticated_by":"key-of-jane"`), ContainSubstring(`"authenticated_by":"key-of-joe"`)))
	g.Expect(log.String()).NotTo(ContainSubstring("password-of"))
}

func TestNobodyIsLetInWithoutCredentials(t *testing.T) {
	url := serve(t, optionsOf(&safeBuffer{}, offeringOf("cache"))).URL()
	NewWithT(t).Expect(statusFor(t, url, "", "")).To(Equal(401))
}

func TestRequestsUnderWayEndWithTheOptionsThatTheyBeganWith(t *testing.T) {
	g := NewWithT(t)
	log, begun, goOn := &safeBuffer{}, make(chan struct{}), make(chan struct{})
	slow := brokerDouble{services: func(context.Context) ([]domain.Service, error) {
		close(begun)
		<-goOn
		return []domain.Service{{ID: "old", Name: "old"}}, nil
	}}
	s := serve(t, optionsOf(log, slow, "u"))
	answered := make(chan string, 1)
	go func() {
		request, _ := http.NewRequest(http.MethodGet, s.URL()+"/v2/catalog", nil)
		request.SetBasicAuth("u", "password-of-u")
		request.Header.Set("X-Broker-API-Version", "2.17")
		answered <- bodyOf(http.DefaultClient.Do(request))
	}()
	g.Eventually(begun).WithTimeout(10 * time.Second).Should(BeClosed())
	g.Expect(s.Reconfigure(optionsOf(log, offeringOf("new"), "next"))).To(Succeed())
	g.Expect(statusFor(t, s.URL(), "next", "password-of-next")).To(Equal(200))
	g.Expect(statusFor(t, s.URL(), "u", "password-of-u")).To(Equal(401))
	close(goOn)
	g.Eventually(answered).WithTimeout(10 * time.Second).Should(Receive(ContainSubstring(`"old"`)))
}

func TestCertificateIsReadAnew(t *testing.T) {
	g := NewWithT(t)
	cert, key, pool := certificate(t)
	nextCert, nextKey, nextPool := certificate(t)
	log := &safeBuffer{}
	options := optionsOf(log, brokerDouble{}, "u")
	options.CertFile, options.KeyFile = cert, key
	s := serve(t, options)
	trusted := func(pool *x509.CertPool) error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
		response, err := client.Get(s.URL() + "/healthz")
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	g.Expect(trusted(pool)).To(Succeed())

	options.CertFile = nextCert // and not its key
	g.Expect(s.Reconfigure(options)).To(MatchError(ContainSubstring("broker.tls")))
	g.Expect(trusted(pool)).To(Succeed())

	g.Expect(log.String()).NotTo(ContainSubstring("certificate-replaced"))

	options.KeyFile = nextKey
	g.Expect(s.Reconfigure(options)).To(Succeed())
	g.Expect(trusted(nextPool)).To(Succeed())
	g.Expect(trusted(pool)).NotTo(Succeed())
	g.Expect(log.String()).To(ContainSubstring("certificate-replaced"))
}
