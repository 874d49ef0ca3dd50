package cfclient_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient"
)

var _ = Describe("Speaking to Cloud Foundry", func() {
	var (
		cloud *standIn
		ctx   context.Context
	)

	BeforeEach(func() {
		cloud = newStandIn(httptest.NewServer)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.Background(), 10*time.Second)
		DeferCleanup(cancel)
	})

	Describe("with what it is told", func() {
		DescribeTable("that can't be right", func(change func(*cfclient.Options), message string) {
			options := cfclient.Options{URL: "https://user:topsecret@api.test", ClientID: "c", ClientSecret: "topsecret"}
			change(&options)
			_, err := cfclient.New(options)
			Expect(err).To(MatchError(ContainSubstring(message)))
			Expect(err.Error()).NotTo(ContainSubstring("topsecret"))
		},
			Entry("credentials in the URL", func(*cfclient.Options) {}, "it must not carry credentials"),
			Entry("no URL", func(o *cfclient.Options) { o.URL = "" }, "it must be like https://api.example.com"),
			Entry("no scheme", func(o *cfclient.Options) { o.URL = "api.test" }, "it must be like https://api.example.com"),
			Entry("no credentials", func(o *cfclient.Options) { o.URL, o.ClientID = "https://a.test", "" }, "give a client id and secret, or a username and password"),
			Entry("half a user", func(o *cfclient.Options) { o.URL, o.Username = "https://a.test", "u" }, "the user's password is missing"),
			Entry("no certificate", func(o *cfclient.Options) { o.URL, o.CACert = "https://a.test", "x" }, "no readable PEM certificate in it"),
		)

		It("asks what is there without credentials", func() {
			Expect(clientOf(cloud).Info(ctx)).To(Equal(cfclient.Info{APIVersion: "3.130.0", UAAURL: cloud.URL}))
			Expect(cloud.grants).To(BeEmpty())
		})

		It("says that there is no v3 API", func() {
			other := httptest.NewServer(text(`{"links":{"self":{"href":"x"}}}`))
			DeferCleanup(other.Close)
			client, err := cfclient.New(cfclient.Options{URL: other.URL, ClientID: "c", ClientSecret: "s"})
			Expect(err).NotTo(HaveOccurred())
			_, err = client.Info(ctx)
			Expect(err).To(MatchError(cfclient.ErrNoV3))
		})

		It("trusts the CA it is given, or any certificate, or none", func() {
			tls := newStandIn(httptest.NewTLSServer)
			tls.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
			ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tls.Certificate().Raw})
			tls.playing("210", "210")
			Expect(clientOf(tls, func(o *cfclient.Options) { o.CACert = string(ca) }).Count(ctx, "p")).To(Equal(3))
			Expect(clientOf(tls, func(o *cfclient.Options) { o.SkipTLSVerification = true }).Count(ctx, "p")).To(Equal(3))
			_, err := clientOf(tls).Count(ctx, "p")
			var away *cfclient.Unavailable
			Expect(err).To(BeAssignableToTypeOf(away))
			Expect(err).To(MatchError(ContainSubstring("certificate")))
		})
	})

	Describe("with a token", func() {
		It("of a client, asked for once by many", func() {
			client := clientOf(cloud)
			var group sync.WaitGroup
			for range 20 {
				cloud.playing("210")
				group.Go(func() {
					defer GinkgoRecover()
					Expect(client.Count(ctx, "p")).To(Equal(3))
				})
			}
			group.Wait()
			Expect(cloud.grants).To(HaveLen(1))
			Expect(cloud.grants[0].body).To(Equal("grant_type=client_credentials"))
			Expect(cloud.grants[0].Header.Get("Content-Type")).To(Equal("application/x-www-form-urlencoded"))
			id, secret, _ := cloud.grants[0].BasicAuth()
			Expect([]string{id, secret}).To(Equal([]string{"admin-client", "s3cret"}))
		})

		It("of a user, whose name and password may hold anything", func() {
			cloud.playing("210")
			client := clientOf(cloud, func(o *cfclient.Options) {
				o.ClientID, o.ClientSecret, o.Username, o.Password = "", "", "admin+x@test", "p&w=d %+ü"
			})
			Expect(client.Count(ctx, "p")).To(Equal(3))
			form, err := url.ParseQuery(cloud.grants[0].body)
			Expect(err).NotTo(HaveOccurred())
			Expect(form).To(Equal(url.Values{"grant_type": {"password"}, "username": {"admin+x@test"}, "password": {"p&w=d %+ü"}}))
			id, secret, _ := cloud.grants[0].BasicAuth()
			Expect([]string{id, secret}).To(Equal([]string{"cf", ""}))
		})

		It("from the UAA that it is told of", func() {
			uaa := newStandIn(httptest.NewServer)
			client := clientOf(cloud, func(o *cfclient.Options) { o.UAAURL = uaa.URL + "/" })
			cloud.mu.Lock()
			cloud.grants = make([]asked, 1) // what the other one grants is good here
			cloud.mu.Unlock()
			cloud.playing("210")
			Expect(client.Count(ctx, "p")).To(Equal(3))
			Expect(uaa.grants).To(HaveLen(1))
		})

		It("renewed before it ends", func() {
			client := clientOf(cloud)
			cloud.playing("210", "210", "210")
			Expect(client.Count(ctx, "p")).To(Equal(3))
			cfclient.EndToken(client, 29*time.Second)
			Expect(client.Count(ctx, "p")).To(Equal(3))
			Expect(client.Count(ctx, "p")).To(Equal(3))
			Expect(cloud.grants).To(HaveLen(2))
			Expect(cloud.asked()).To(HaveLen(3))
		})

		It("renewed once when it is refused, a write's included", func() {
			client := clientOf(cloud)
			cloud.playing("210", "290")
			Expect(client.Count(ctx, "p")).To(Equal(3))
			cloud.revoke()
			Expect(client.DeleteInstance(ctx, instanceGUID)).NotTo(BeEmpty())
			Expect(cloud.grants).To(HaveLen(2))
		})

		It("that is refused again and again", func() {
			client := clientOf(cloud)
			cloud.playing("022", "022")
			_, err := client.Count(ctx, "p")
			Expect(err).To(MatchError(cfclient.ErrUnauthorized))
			Expect(err).To(MatchError(ContainSubstring("CF-InvalidAuthToken (1000): Invalid Auth Token")))
			Expect(cloud.asked()).To(HaveLen(2))
		})

		It("that the UAA doesn't give", func() {
			uaa := httptest.NewServer(withStatus(401, text(`{"error":"unauthorized","error_description":"Bad credentials: s3cret"}`)))
			DeferCleanup(uaa.Close)
			_, err := clientOf(cloud, func(o *cfclient.Options) { o.UAAURL = uaa.URL }).Count(ctx, "p")
			Expect(err).To(MatchError(cfclient.ErrUnauthorized))
			Expect(err).To(MatchError("Cloud Foundry refused POST /oauth/token: status 401, unauthorized: Bad credentials: <redacted>"))
		})

		It("that goes to nobody else", func() {
			var got http.Header
			elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
			DeferCleanup(elsewhere.Close)
			cloud.answering(status(307, "Location", elsewhere.URL+"/v3/x"))
			_, err := clientOf(cloud).Count(ctx, "p")
			Expect(err).To(MatchError(ContainSubstring("status 307: it redirects elsewhere")))
			Expect(got).To(BeNil())
		})
	})

	Describe("that isn't well", func() {
		var client *cfclient.Client
		BeforeEach(func() { client = clientOf(cloud) })

		DescribeTable("reads are tried again", func(trouble http.HandlerFunc) {
			cloud.answering(trouble, trouble)
			cloud.playing("207")
			Expect(client.Instance(ctx, instanceGUID)).To(HaveField("Name", "cap-i1"))
			Expect(cloud.asked()).To(HaveLen(3))
		},
			Entry("500", status(500)), Entry("502", status(502)), Entry("503", status(503)), Entry("504", status(504)),
			Entry("429 without a time", status(429)), Entry("429", status(429, "Retry-After", "0")),
			Entry("cut off", http.HandlerFunc(cut)),
			Entry("no answer", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })),
		)

		DescribeTable("reads are not tried for ever", func(trouble http.HandlerFunc, most int) {
			for range 50 {
				cloud.answering(trouble)
			}
			_, err := client.Instance(ctx, instanceGUID)
			var away *cfclient.Unavailable
			Expect(err).To(BeAssignableToTypeOf(away))
			Expect(cloud.asked()).To(HaveLen(most))
		},
			Entry("502", status(502), 4), Entry("429", status(429, "Retry-After", "0"), 20), Entry("not Cloud Foundry's 404", status(404), 1),
		)

		DescribeTable("writes are tried again when nothing came of them", func(trouble http.HandlerFunc) {
			cloud.answering(trouble)
			cloud.playing("233")
			Expect(client.Upgrade(ctx, instanceGUID, "2.0.0")).To(HaveField("Job", Not(BeEmpty())))
			Expect(cloud.asked()).To(Equal([]string{load("233").wire(), load("233").wire()}))
		},
			Entry("429", status(429, "Retry-After", "0")), Entry("503 that says when", status(503, "Retry-After", "0")),
		)

		DescribeTable("writes are not repeated else", func(trouble http.HandlerFunc) {
			cloud.answering(trouble)
			cloud.playing("233")
			_, err := client.Upgrade(ctx, instanceGUID, "2.0.0")
			var away *cfclient.Unavailable
			Expect(err).To(BeAssignableToTypeOf(away))
			Expect(cloud.asked()).To(HaveLen(1))
		},
			Entry("500", status(500)), Entry("502", status(502)), Entry("503", status(503)), Entry("cut off", http.HandlerFunc(cut)),
			Entry("no answer", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })),
		)

		It("a Retry-After is waited for", func() {
			cloud.answering(status(429, "Retry-After", "1"))
			cloud.playing("210")
			began := time.Now()
			Expect(client.Count(ctx, "p")).To(Equal(3))
			Expect(time.Since(began)).To(BeNumerically(">=", time.Second))
		})

		It("a Retry-After beyond the ctx's end is not", func() {
			cloud.answering(withStatusAfter(429, "3600", text(`{"errors":[{"code":10013,"title":"CF-RateLimitExceeded","detail":"Rate Limit Exceeded"}]}`)))
			_, err := client.Count(ctx, "p")
			Expect(err).To(MatchError("Cloud Foundry unavailable: GET /v3/service_instances: status 429: " +
				"Cloud Foundry refused GET /v3/service_instances: status 429, CF-RateLimitExceeded (10013): Rate Limit Exceeded"))
			Expect(cloud.asked()).To(HaveLen(1))
		})

		It("a slow answer is given up, and asked for again", func() {
			client = clientOf(cloud, func(o *cfclient.Options) { o.Timeout = 100 * time.Millisecond })
			cloud.answering(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			cloud.playing("210")
			Expect(client.Count(ctx, "p")).To(Equal(3))
		})

		It("the end of a ctx is told", func() {
			short, cancel := context.WithCancel(ctx)
			cloud.answering(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
			_, err := client.Count(short, "p")
			Expect(err).To(MatchError(context.Canceled))
			var away *cfclient.Unavailable
			Expect(err).To(BeAssignableToTypeOf(away))
			_, err = client.Upgrade(short, instanceGUID, "2.0.0")
			Expect(err).To(MatchError(context.Canceled))
		})

		It("nobody there is told without a query", func() {
			cloud.Close()
			_, err := client.Instance(ctx, instanceGUID)
			Expect(err).To(MatchError(And(HavePrefix("Cloud Foundry unavailable: GET /: dial tcp"), Not(ContainSubstring("Get \"")))))
		})

		DescribeTable("refusals have a meaning", func(number string, meaning error) {
			cloud.playing(number)
			_, err := client.Count(ctx, "p")
			Expect(err).To(MatchError(meaning))
		},
			Entry("403", "030", cfclient.ErrForbidden), Entry("404", "208", cfclient.ErrNotFound), Entry("409", "234", cfclient.ErrBusy),
		)

		It("an answer of somebody else is none", func() {
			for _, ask := range []func() error{
				func() error { _, err := client.Count(ctx, "p"); return err },
				func() error { _, err := client.Instance(ctx, "i"); return err },
				func() error { _, err := client.Job(ctx, "j"); return err },
				func() error { _, err := client.Visibility(ctx, "p"); return err },
			} {
				cloud.answering(text(`{}`), text(`{}`), text(`{}`), text(`{}`))
				err := ask()
				var away *cfclient.Unavailable
				Expect(err).To(BeAssignableToTypeOf(away))
				Expect(err).To(MatchError(ContainSubstring("not an answer of Cloud Foundry")))
				cloud.forget()
			}
		})

		It("an endpoint that isn't there is nothing that isn't found", func() {
			cloud.playing("040")
			_, err := client.Count(ctx, "p")
			Expect(err).NotTo(MatchError(cfclient.ErrNotFound))
			Expect(err).To(MatchError(ContainSubstring("CF-NotFound (10000): Unknown request")))
		})
	})

	It("logs each request, and nothing secret", func() {
		var written bytes.Buffer
		client := clientOf(cloud, func(o *cfclient.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelDebug}))
			o.Username, o.Password = "admin", "user-pass"
		})
		cloud.playing("070", "100", "102")
		_, err := client.Organization(ctx, "cap-org1")
		Expect(err).NotTo(HaveOccurred())
		_, err = client.CreateBroker(ctx, cfclient.BrokerRegistration{Name: "b", URL: "http://b", Username: "u", Password: "broker-pass"})
		Expect(err).NotTo(HaveOccurred())
		for _, line := range []string{
			"msg=cf.request method=GET path=/ status=200 ms=", "method=POST path=/oauth/token status=200",
			"method=GET path=/v3/organizations status=200", "method=POST path=/v3/service_brokers status=202",
		} {
			Expect(written.String()).To(ContainSubstring(line))
		}
		for _, secret := range []string{"s3cret", "user-pass", "broker-pass", "cap-org1", cloud.token(), "Bearer"} {
			Expect(written.String()).NotTo(ContainSubstring(secret))
		}
		Expect(strings.Count(written.String(), "\n")).To(Equal(5))
	})
})
