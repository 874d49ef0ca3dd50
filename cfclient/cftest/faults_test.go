package cftest_test

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

var _ = Describe("faults", func() {
	var (
		cc  *cftest.CloudController
		api *caller
	)

	BeforeEach(func() {
		cc = start(cftest.Options{})
		api = newCaller(cc)
	})

	get := func() answer { return api.send("GET", "/v3/service_brokers?per_page=1", "") }

	It("limit the rate, as often as was said, after those that were let pass", func() {
		Expect(cc.AddFault(cftest.Fault{Match: "GET /v3/service_brokers", Skip: 1, Times: 1, Status: 429, RetryAfter: 1500 * time.Millisecond})).To(Succeed())
		Expect(get().status).To(Equal(http.StatusOK))
		limited := get()
		Expect(limited.status).To(Equal(http.StatusTooManyRequests))
		Expect(limited.header.Get("Retry-After")).To(Equal("2"))
		Expect(limited.body).To(ContainSubstring("CF-RateLimitExceeded"))
		Expect(get().status).To(Equal(http.StatusOK))
	})

	DescribeTable("are told in the words of who would tell them",
		func(status int, words string) {
			Expect(cc.AddFault(cftest.Fault{Match: "service_brokers", Status: status})).To(Succeed())
			wrong := get()
			Expect(wrong.status).To(Equal(status))
			Expect(wrong.body).To(ContainSubstring(words))
			cc.ClearFaults()
			Expect(get().status).To(Equal(http.StatusOK))
		},
		Entry("Cloud Controller", 500, "UnknownError"),
		Entry("its router", 502, "502 Bad Gateway: Registered endpoint failed to handle the request."),
		Entry("authentication", 401, "CF-InvalidAuthToken"),
	)

	It("answer late, and a client that doesn't wait goes", func() {
		Expect(cc.AddFault(cftest.Fault{Match: "per_page=1$", Delay: time.Hour})).To(Succeed())
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, err := api.try(ctx, "GET", "/v3/service_brokers?per_page=1", "")
		Expect(err).To(MatchError(context.DeadlineExceeded))
	})

	It("cut the connection before anything is done, or in the middle of the answer", func() {
		Expect(cc.AddFault(cftest.Fault{Match: "POST", Times: 1, Cut: true})).To(Succeed())
		Expect(cc.AddFault(cftest.Fault{Match: "POST", Times: 1, Cut: true, AfterHandling: true})).To(Succeed())
		Expect(cc.AddFault(cftest.Fault{Match: "GET", Times: 1, Cut: true, AfterHandling: true})).To(Succeed())
		ctx := context.Background()
		body := `{"name":"b","url":"http://127.0.0.1:9","authentication":{"type":"basic","credentials":{"username":"u","password":"p"}}}`
		_, err := api.try(ctx, "POST", "/v3/service_brokers", body)
		Expect(err).To(HaveOccurred())
		_, err = api.try(ctx, "GET", "/v3/service_brokers", "")
		Expect(err).To(HaveOccurred()) // of the three only the last is for a GET
		Expect(api.listed("/v3/service_brokers")).To(BeEmpty())
		_, err = api.try(ctx, "POST", "/v3/service_brokers", body)
		Expect(err).To(HaveOccurred())
		Expect(api.listed("/v3/service_brokers")).To(HaveLen(1))
	})

	It("lose an answer behind a status", func() {
		Expect(cc.AddFault(cftest.Fault{Match: "POST", Status: 504, AfterHandling: true})).To(Succeed())
		body := `{"name":"b","url":"http://127.0.0.1:9","authentication":{"type":"basic","credentials":{"username":"u","password":"p"}}}`
		Expect(api.send("POST", "/v3/service_brokers", body).status).To(Equal(http.StatusGatewayTimeout))
		Expect(api.listed("/v3/service_brokers")).To(HaveLen(1))
	})

	It("happen to tokens, too", func() {
		Expect(cc.AddFault(cftest.Fault{Match: "POST /oauth/token", Times: 1, Status: 503, Body: `{"error":"down"}`})).To(Succeed())
		Expect(api.grant(nil, cftest.AdminClient, cftest.AdminClientSecret).Error).To(Equal("down"))
	})

	DescribeTable("that can't be are refused",
		func(f cftest.Fault) { Expect(cc.AddFault(f)).To(MatchError(cftest.ErrFault)) },
		Entry("a broken pattern", cftest.Fault{Match: "(", Cut: true}),
		Entry("no such status", cftest.Fault{Status: 99}),
		Entry("nothing goes wrong", cftest.Fault{Match: "GET", AfterHandling: true}),
	)
})

var _ = Describe("latency", func() {
	It("comes before each answer, and the counts say how many there were", func() {
		cc := start(cftest.Options{Latency: 30 * time.Millisecond})
		api := newCaller(cc)
		begun := time.Now()
		Expect(api.send("GET", "/v3/info", "").status).To(Equal(http.StatusOK))
		Expect(api.send("GET", "/nope", "").status).To(Equal(http.StatusNotFound))
		Expect(time.Since(begun)).To(BeNumerically(">=", 60*time.Millisecond))
		Expect(cc.Stats().Requests).To(Equal(map[string]int{"GET /v3/info": 1, "other": 1}))
		Expect(cc.Stats().Total).To(Equal(2))
		cc.ResetStats()
		Expect(cc.Stats().Total).To(BeZero())
	})
})

var _ = Describe("workers", func() {
	It("take a job up after the delay that was said", func() {
		cc := start(cftest.Options{JobDelay: 50 * time.Millisecond})
		api := newCaller(cc)
		begun := time.Now()
		body := `{"name":"b","url":"http://127.0.0.1:9","authentication":{"type":"basic","credentials":{"username":"u","password":"p"}}}`
		Expect(api.await(api.send("POST", "/v3/service_brokers", body)).State).To(Equal("FAILED"))
		Expect(time.Since(begun)).To(BeNumerically(">=", 50*time.Millisecond))
	})
})
