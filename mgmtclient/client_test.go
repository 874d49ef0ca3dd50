package mgmtclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/mgmtclient"
)

func TestMgmtclient(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "the client of the management API")
}

const password = "hush-hush"

// newClient asks a broker that answers as told.
func newClient(answer http.HandlerFunc, change ...func(*mgmtclient.Options)) *mgmtclient.Client {
	GinkgoHelper()
	server := httptest.NewServer(answer)
	DeferCleanup(server.Close)
	options := mgmtclient.Options{URL: server.URL + "/", Username: "operator", Password: password, UserAgent: "odb/test"}
	for _, c := range change {
		c(&options)
	}
	client, err := mgmtclient.New(options)
	Expect(err).NotTo(HaveOccurred())
	return client
}

// saying answers with a status and a body.
func saying(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func patient(o *mgmtclient.Options) { o.Patience = 5 * time.Second }

var upgrade = mgmtclient.Start{InstanceID: "i 1", PlanID: "p", OperationType: mgmtclient.Upgrade, SpaceGUID: "s"}

var _ = Describe("the client", func() {
	It("asks as the errands of old do", func(ctx SpecContext) {
		asked := make(chan string, 1)
		client := newClient(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			user, pass, _ := r.BasicAuth()
			asked <- fmt.Sprintf("%s %s %s %s %s %s", r.Method, r.URL.EscapedPath()+"?"+r.URL.RawQuery, user+":"+pass, r.Header.Get("X-Broker-API-Version"), r.UserAgent(), body)
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"BoshTaskID":7,"OperationType":"upgrade"}`+"\n")
		})
		started, err := client.Start(ctx, upgrade)
		Expect(err).NotTo(HaveOccurred())
		Expect(<-asked).To(Equal(`PATCH /mgmt/service_instances/i%201?operation_type=upgrade operator:hush-hush 2.17 odb/test {"context":{"space_guid":"s"},"plan_id":"p"}`))
		Expect(started).To(Equal(mgmtclient.Started{OperationData: `{"BoshTaskID":7,"OperationType":"upgrade"}` + "\n", TaskID: 7}))

		forced := upgrade
		forced.Force, forced.SpaceGUID = true, ""
		_, err = client.Start(ctx, forced)
		Expect(err).NotTo(HaveOccurred())
		Expect(<-asked).To(ContainSubstring(`?force=true&operation_type=upgrade operator:hush-hush 2.17 odb/test {"context":{},"plan_id":"p"}`))
	})

	It("tells that there is nothing to do", func(ctx SpecContext) {
		started, err := newClient(saying(http.StatusNoContent, "")).Start(ctx, upgrade)
		Expect(err).NotTo(HaveOccurred())
		Expect(started.UpToDate).To(BeTrue())
	})

	DescribeTable("makes facts of statuses", func(ctx SpecContext, status int, body string, fact error, text any) {
		_, err := newClient(saying(status, body)).Start(ctx, upgrade)
		for _, other := range []error{mgmtclient.ErrNotFound, mgmtclient.ErrGone, mgmtclient.ErrBusy, mgmtclient.ErrUnauthorized} {
			Expect(errors.Is(err, other)).To(Equal(other == fact), "%v", other)
		}
		Expect(err).To(MatchError(text))
	},
		Entry("404", 404, "", mgmtclient.ErrNotFound, "the broker answered PATCH /mgmt/service_instances/i%201 with status 404"),
		Entry("409", 409, "", mgmtclient.ErrBusy, "the broker answered PATCH /mgmt/service_instances/i%201 with status 409"),
		Entry("410", 410, "", mgmtclient.ErrGone, "the broker answered PATCH /mgmt/service_instances/i%201 with status 410"),
		Entry("401", 401, `{"description":"no"}`, mgmtclient.ErrUnauthorized, "the broker answered PATCH /mgmt/service_instances/i%201 with status 401: no"),
		Entry("422 for an operation under way", 422, `{"error":"ConcurrencyError","description":"later"}`, mgmtclient.ErrBusy, "the broker answered PATCH /mgmt/service_instances/i%201 with status 422: later"),
		Entry("422 for anything else", 422, `{"description":"Invalid JSON"}`, nil, "the broker answered PATCH /mgmt/service_instances/i%201 with status 422: Invalid JSON"),
		Entry("500", 500, `{"description":"no more disks"}`, nil, "the broker answered PATCH /mgmt/service_instances/i%201 with status 500: no more disks"),
		Entry("redirections, which lead a password elsewhere", 302, "", nil, "the broker answered PATCH /mgmt/service_instances/i%201 with status 302"),
		Entry("a gateway's 502", 502, "<html>", nil, "the broker is not available: PATCH /mgmt/service_instances/i%201: status 502: it is overloaded, restarting, or its Director is away"),
		Entry("nonsense", 202, "<html>", nil, ContainSubstring("can't be read")),
	)

	It("reads the lists", func(ctx SpecContext) {
		client := newClient(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, map[string]string{
				"/mgmt/service_instances?cf_org=o+%26+o&cf_space=s": `[{"service_instance_id":"i","plan_id":"p","space_guid":"s"}]`,
				"/mgmt/service_instances":                           "null",
				"/mgmt/orphan_deployments":                          "null",
				"/v2/catalog":                                       `{"services":[{"id":"s","name":"redis","plans":[{"id":"p","name":"small","maintenance_info":{"version":"1.2.3"}}]}]}`,
				"/v2/service_instances/i/last_operation?operation=%7B%22BoshTaskID%22%3A7%7D": `{"state":"in progress","description":"d"}`,
				"/mgmt/service_instances/i/pending_changes?plan_id=p":                         `{"service_instance_id":"i","pending_changes":true,"reasons":["r"],"diff":[{"line":"l","change":"added"}]}`,
			}[r.URL.String()])
		})
		Expect(client.Instances(ctx, map[string]string{"cf_org": "o & o", "cf_space": "s"})).To(Equal([]mgmtclient.Instance{{ID: "i", PlanID: "p", SpaceGUID: "s"}}))
		Expect(client.Instances(ctx, nil)).To(BeEmpty())
		Expect(client.OrphanDeployments(ctx)).To(Equal([]mgmtclient.OrphanDeployment{}))
		catalog, err := client.Catalog(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(catalog[0].Plans[0].MaintenanceInfo.Version).To(Equal("1.2.3"))
		Expect(client.LastOperation(ctx, "i", `{"BoshTaskID":7}`)).To(Equal(mgmtclient.LastOperation{State: mgmtclient.InProgress, Description: "d"}))
		pending, err := client.Pending(ctx, "i", "p")
		Expect(err).NotTo(HaveOccurred())
		Expect(pending.Diff).To(Equal([]mgmtclient.DiffLine{{Line: "l", Change: "added"}}))
	})

	Describe("a broker that isn't there", func() {
		// restarting refuses so many connections before it serves.
		restarting := func(refusals int32, served *atomic.Int32) (url string) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			Expect(err).NotTo(HaveOccurred())
			server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if served.Add(1) <= refusals {
					panic(http.ErrAbortHandler)
				}
				_, _ = io.WriteString(w, "[]")
			})}
			go func() { _ = server.Serve(listener) }()
			DeferCleanup(server.Close)
			return "http://" + listener.Addr().String()
		}

		It("is asked again for what changes nothing", func(ctx SpecContext) {
			var served atomic.Int32
			client, err := mgmtclient.New(mgmtclient.Options{URL: restarting(2, &served), Patience: 10 * time.Second})
			Expect(err).NotTo(HaveOccurred())
			Expect(client.Instances(ctx, nil)).To(BeEmpty())
			Expect(served.Load()).To(BeEquivalentTo(3))
		})

		It("is never asked twice to start something that may have arrived", func(ctx SpecContext) {
			var served atomic.Int32
			client, err := mgmtclient.New(mgmtclient.Options{URL: restarting(2, &served), Patience: 10 * time.Second})
			Expect(err).NotTo(HaveOccurred())
			_, err = client.Start(ctx, upgrade)
			var away *mgmtclient.Unavailable
			Expect(errors.As(err, &away)).To(BeTrue())
			Expect(away.Sent).To(BeTrue())
			Expect(served.Load()).To(BeEquivalentTo(1))
		})

		It("is asked again to start what can't have arrived", func(ctx SpecContext) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			Expect(err).NotTo(HaveOccurred())
			address := listener.Addr().String()
			Expect(listener.Close()).To(Succeed())
			client, err := mgmtclient.New(mgmtclient.Options{URL: "http://" + address, Patience: 10 * time.Second})
			Expect(err).NotTo(HaveOccurred())
			time.AfterFunc(250*time.Millisecond, func() {
				defer GinkgoRecover()
				again, err := net.Listen("tcp", address)
				Expect(err).NotTo(HaveOccurred())
				server := &http.Server{ReadHeaderTimeout: time.Second, Handler: saying(http.StatusNoContent, "")}
				go func() { _ = server.Serve(again) }()
				DeferCleanup(server.Close)
			})
			started, err := client.Start(ctx, upgrade)
			Expect(err).NotTo(HaveOccurred())
			Expect(started.UpToDate).To(BeTrue())
		})

		It("is waited for no longer than told, nor than anybody listens", func(ctx SpecContext) {
			client := newClient(saying(http.StatusBadGateway, ""), func(o *mgmtclient.Options) { o.Patience = 150 * time.Millisecond })
			_, err := client.Instances(ctx, nil)
			var away *mgmtclient.Unavailable
			Expect(errors.As(err, &away)).To(BeTrue())

			cancelled, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			begun := time.Now()
			_, err = newClient(saying(http.StatusBadGateway, ""), patient).Instances(cancelled, nil)
			Expect(err).To(HaveOccurred())
			Expect(time.Since(begun)).To(BeNumerically("<", 4*time.Second))
		})

		It("isn't asked again if its certificate is nobody's", func(ctx SpecContext) {
			server := httptest.NewTLSServer(saying(http.StatusOK, "[]"))
			DeferCleanup(server.Close)
			client, err := mgmtclient.New(mgmtclient.Options{URL: server.URL, Patience: time.Hour})
			Expect(err).NotTo(HaveOccurred())
			_, err = client.Instances(ctx, nil)
			Expect(err).To(MatchError(ContainSubstring("certificate")))
		}, SpecTimeout(20*time.Second))

		It("has a deadline for each answer", func(ctx SpecContext) {
			held := make(chan struct{})
			client := newClient(func(http.ResponseWriter, *http.Request) { <-held }, func(o *mgmtclient.Options) { o.Timeout = 30 * time.Millisecond })
			DeferCleanup(func() { close(held) })
			_, err := client.Instances(ctx, nil)
			Expect(errors.Is(err, context.DeadlineExceeded)).To(BeTrue())
		})
	})

	It("takes a missing registration for an answer", func(ctx SpecContext) {
		_, registered, err := newClient(saying(http.StatusServiceUnavailable, ""), patient).Metrics(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(registered).To(BeFalse())
		body, registered, err := newClient(saying(http.StatusOK, "[]")).Metrics(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(registered).To(BeTrue())
		Expect(string(body)).To(Equal("[]"))
	})

	It("refuses what can't be a broker's URL, without repeating it", func() {
		for _, url := range []string{"", "broker:8080", "ftp://broker", "http://", "https://user:" + password + "@broker", "http://[::1", "http://user:" + password + "@%zz"} {
			_, err := mgmtclient.New(mgmtclient.Options{URL: url})
			Expect(err).To(HaveOccurred(), url)
			Expect(err.Error()).NotTo(ContainSubstring(password))
		}
		_, err := mgmtclient.New(mgmtclient.Options{URL: "https://broker", CACert: "none"})
		Expect(err).To(MatchError(ContainSubstring("PEM")))
	})

	DescribeTable("takes no list for one that isn't", func(ctx SpecContext, body string) {
		_, err := newClient(saying(http.StatusOK, body)).Instances(ctx, nil)
		Expect(err).To(HaveOccurred())
	},
		Entry("nothing", ""), Entry("an object", "{}"), Entry("text", `"i"`), Entry("cut", `[{"service_instance_id":"i"}`), Entry("of other things", `[1]`), Entry("a page", "<html>"),
	)

	It("shortens what a stranger says", func(ctx SpecContext) {
		_, err := newClient(saying(http.StatusInternalServerError, `{"description":"`+strings.Repeat("é", 9000)+`"}`)).Instances(ctx, nil)
		Expect(len(err.Error())).To(BeNumerically("<", 3000))
	})
})
