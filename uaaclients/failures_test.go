package uaaclients_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/uaaclients"
	"github.com/on-demand-broker/odb/uaaclients/uaatest"
)

func rejection(err error) *uaaclients.Rejected {
	GinkgoHelper()
	var rejected *uaaclients.Rejected
	Expect(errors.As(err, &rejected)).To(BeTrue(), "not a rejection: %v", err)
	return rejected
}

func unavailability(err error) *uaaclients.Unavailable {
	GinkgoHelper()
	var away *uaaclients.Unavailable
	Expect(errors.As(err, &away)).To(BeTrue(), "not an unavailability: %v", err)
	return away
}

var _ = Describe("Tokens", func() {
	It("are renewed when UAA has forgotten them", func(ctx context.Context) {
		server := startUAA()
		manager := managerOf(server, definition)
		Expect(manager.Find(ctx, id)).To(BeNil())
		server.RevokeTokens()
		Expect(manager.Create(ctx, instance)).NotTo(BeNil())
		Expect(server.Requests()).To(Equal([]string{
			"POST /oauth/token", "GET /oauth/clients/" + id,
			"POST /oauth/clients", "POST /oauth/token", "POST /oauth/clients",
		}))
	})

	It("are renewed before they end", func(ctx context.Context) {
		server := startUAA(func(o *uaatest.Options) { o.TokenLifetime = 20 * time.Second })
		manager := managerOf(server, definition)
		Expect(manager.Find(ctx, id)).To(BeNil())
		Expect(manager.Find(ctx, id)).To(BeNil())
		Expect(server.Count("POST /oauth/token")).To(Equal(2))
	})

	It("are renewed once only for one request", func(ctx context.Context) {
		server := startUAA(func(o *uaatest.Options) { o.TokenLifetime = time.Nanosecond })
		_, err := managerOf(server, definition).Find(ctx, id)
		Expect(err).To(MatchError(uaaclients.ErrUnauthorized))
		Expect(server.Requests()).To(HaveLen(4))
		Expect(err.Error()).To(ContainSubstring("or the token ID is incorrect: <redacted>"), "UAA repeats the token, we don't")
	})

	It("are not had with wrong credentials", func(ctx context.Context) {
		server := startUAA()
		_, err := managerOf(server, definition, func(o *uaaclients.Options) { o.ClientSecret = "wrong-secret" }).Create(ctx, instance)
		Expect(err).To(MatchError(uaaclients.ErrUnauthorized))
		Expect(rejection(err)).To(HaveField("Op", "POST /oauth/token"))
		Expect(err.Error()).To(Equal("creating the UAA client of instance " + id + ": UAA refused POST /oauth/token: status 401, unauthorized: Bad credentials"))
	})

	It("must allow what is done", func(ctx context.Context) {
		server := startUAA(func(o *uaatest.Options) { o.Scopes = []string{"clients.read"} })
		manager := managerOf(server, definition)
		Expect(manager.Find(ctx, id)).To(BeNil())
		Expect(manager.Delete(ctx, id)).To(MatchError(uaaclients.ErrUnauthorized))
		Expect(server.Count("POST /oauth/token")).To(Equal(1), "a new token would be no better")
	})
})

var _ = Describe("A UAA that doesn't serve", func() {
	It("refuses with its own words", func(ctx context.Context) {
		_, err := managerOf(startUAA(), uaaclients.Definition{Scopes: "openid"}).Create(ctx, instance)
		Expect(rejection(err)).To(And(HaveField("Status", 400), HaveField("Code", "invalid_client"),
			HaveField("Description", "An authorized grant type must be provided")))
	})

	DescribeTable("gives no usable answer",
		func(ctx context.Context, fault uaatest.Fault, want string) {
			server := startUAA()
			manager := managerOf(server, definition)
			fault.Request = "DELETE /oauth/clients/" + id
			server.Fail(fault)
			err := manager.Delete(ctx, id)
			Expect(unavailability(err)).To(And(HaveField("Op", "DELETE /oauth/clients/"+id), HaveField("Status", fault.Status)))
			Expect(err).To(MatchError(ContainSubstring(want)))
			Expect(manager.Delete(ctx, id)).To(Succeed(), "it may be asked again")
		},
		Entry("when the connection is cut", uaatest.Fault{}, "EOF"),
		Entry("when it fails", uaatest.Fault{Status: 500, Body: `{"error":"server_error","error_description":"no database"}`}, "no database"),
		Entry("when a gateway answers", uaatest.Fault{Status: 502, Body: "<html>"}, "not an answer of a working UAA"),
		Entry("when it is busy", uaatest.Fault{Status: 429}, "status 429"),
		Entry("when a redirect would take the request elsewhere", uaatest.Fault{Status: 307, Header: http.Header{"Location": {"https://elsewhere.invalid"}}}, "status 307"),
		Entry("when the router has no UAA to ask, which doesn't mean that there is no client",
			uaatest.Fault{Status: 404, Header: http.Header{"X-Cf-Routererror": {"unknown_route"}}, Body: "404 Not Found"}, "status 404"),
		Entry("when the answer is some other server's", uaatest.Fault{Status: 200, Body: "<html>welcome"}, "not an answer of a working UAA"),
		Entry("when the answer has no end", uaatest.Fault{Status: 200, Body: `"` + strings.Repeat("x", 2<<20)}, "too large"),
	)

	It("isn't waited for beyond the time that a request has", func(ctx context.Context) {
		server := startUAA()
		server.Fail(uaatest.Fault{Request: "POST /oauth/token", Hang: true})
		manager := managerOf(server, definition, func(o *uaaclients.Options) { o.Timeout = 50 * time.Millisecond })
		_, err := manager.Find(ctx, id)
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(unavailability(err).Op).To(Equal("POST /oauth/token"))
	}, NodeTimeout(10*time.Second))

	It("isn't waited for by somebody who has gone", func(ctx context.Context) {
		server := startUAA()
		server.Fail(uaatest.Fault{Request: "GET /oauth/clients/" + id, Hang: true})
		manager := managerOf(server, definition)
		leaving, leave := context.WithCancel(ctx)
		go func() {
			defer GinkgoRecover()
			Eventually(func() int { return server.Count("GET /oauth/clients/" + id) }).WithPolling(time.Millisecond).Should(Equal(1))
			leave()
		}()
		_, err := manager.Find(leaving, id)
		Expect(err).To(MatchError(context.Canceled))
	}, NodeTimeout(10*time.Second))

	It("at a wrong URL doesn't pass for one without the client", func(ctx context.Context) {
		server := startUAA()
		manager := managerOf(server, definition, func(o *uaaclients.Options) { o.URL += "/wrong" })
		Expect(manager.Delete(ctx, id)).To(MatchError(ContainSubstring("POST /wrong/oauth/token: status 404")))
		_, err := manager.Find(ctx, id)
		Expect(err).To(HaveOccurred())
	})

	It("repeats no secret through us", func(ctx context.Context) {
		server := startUAA()
		manager := managerOf(server, definition)
		server.Fail(uaatest.Fault{Request: "POST /oauth/clients", Status: 400, Body: `{"error":"invalid_client","error_description":"no: ` + strings.Repeat("é", 2000) + `"}`})
		_, err := manager.Create(ctx, instance)
		Expect(rejection(err).Description).To(And(HaveSuffix("é..."), HaveLen(2<<10+len("..."))))
		server.Fail(uaatest.Fault{Request: "POST /oauth/clients", Status: 400, Body: "you sent me client_secret: hunter2"})
		_, err = manager.Create(ctx, instance)
		Expect(err.Error()).NotTo(ContainSubstring("hunter2"), "texts that aren't UAA's aren't passed on")
	})
})

var _ = Describe("Trust", func() {
	It("is not given to a certificate that nobody vouches for", func(ctx context.Context) {
		manager := managerOf(startUAA(), definition, func(o *uaaclients.Options) { o.CACerts = "" })
		_, err := manager.Find(ctx, id)
		var untrusted *tls.CertificateVerificationError
		Expect(errors.As(err, &untrusted)).To(BeTrue(), "%v", err)
	})

	It("is given to it if the operator says so", func(ctx context.Context) {
		manager := managerOf(startUAA(), definition, func(o *uaaclients.Options) { o.CACerts, o.SkipVerify = "", true })
		Expect(manager.Find(ctx, id)).To(BeNil())
	})

	DescribeTable("options that can't be are told at once",
		func(change func(*uaaclients.Options), want string) {
			options := uaaclients.Options{URL: "uaa.example.com", ClientID: "odb", ClientSecret: "hunter2", Definition: definition}
			_, err := uaaclients.New(options)
			Expect(err).NotTo(HaveOccurred())
			change(&options)
			_, err = uaaclients.New(options)
			Expect(err).To(MatchError(ContainSubstring(want)))
			Expect(err.Error()).NotTo(ContainSubstring("hunter2"))
		},
		Entry("no URL", func(o *uaaclients.Options) { o.URL = "" }, "UAA URL"),
		Entry("not a URL", func(o *uaaclients.Options) { o.URL = "https://odb:hunter2@uaa .example" }, "UAA URL"),
		Entry("another scheme", func(o *uaaclients.Options) { o.URL = "ftp://uaa.example.com" }, "UAA URL"),
		Entry("credentials in it", func(o *uaaclients.Options) { o.URL = "https://odb:hunter2@uaa.example.com" }, "credentials"),
		Entry("no client", func(o *uaaclients.Options) { o.ClientID = "" }, "client id"),
		Entry("no secret", func(o *uaaclients.Options) { o.ClientSecret = "" }, "client secret"),
		Entry("no certificate", func(o *uaaclients.Options) { o.CACerts = "hunter2" }, "certificate"),
	)
})
