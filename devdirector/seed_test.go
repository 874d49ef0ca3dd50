package devdirector_test

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("seeded deployments", func() {
	It("are like others", func() {
		d := start(devdirector.Options{})
		bosh := callerOf(d)
		Expect(d.Seed(devdirector.Seed{Count: 50_000, Prefix: "service-instance_"})).To(Succeed())
		Expect(d.Seed(devdirector.Seed{Count: 2, Manifest: manifestOf(devdirector.SeedName, 3)})).To(Succeed())

		Expect(strings.Count(bosh.get("/deployments").body, `"name":"service-instance_`)).To(Equal(50_000))
		Expect(bosh.get("/deployments/service-instance_50000").body).To(ContainSubstring(`"name: service-instance_50000\n`))
		Expect(bosh.get("/deployments/seeded-2").body).To(ContainSubstring(`"name: seeded-2\n`))

		addresses := map[string]bool{}
		for _, name := range []string{"service-instance_1", "service-instance_50000", "seeded-1", "seeded-2"} {
			before := bosh.vms(name)
			Expect(bosh.vms(name)).To(Equal(before))
			for _, vm := range before {
				Expect(addresses[vm.IPs[0]]).To(BeFalse(), vm.IPs[0])
				addresses[vm.IPs[0]] = true
			}
		}
		Expect(addresses).To(HaveLen(8))
		Expect(d.Stats().TotalTasks).To(BeZero())
	})

	It("can be updated and deleted", func() {
		d := start(devdirector.Options{})
		bosh := callerOf(d)
		Expect(d.Seed(devdirector.Seed{Count: 1, Manifest: manifestOf(devdirector.SeedName, 2)})).To(Succeed())
		before := bosh.vms("seeded-1")
		Expect(bosh.task(bosh.deploy(manifestOf("seeded-1", 3))).State).To(Equal("done"))
		Expect(bosh.vms("seeded-1")[:2]).To(Equal(before))
		Expect(bosh.task(bosh.send(http.MethodDelete, "/deployments/seeded-1", "").task()).State).To(Equal("done"))
		Expect(bosh.get("/deployments").body).To(Equal("[]"))
	})

	It("need a manifest that the Director understands", func() {
		d := start(devdirector.Options{})
		Expect(d.Seed(devdirector.Seed{Count: 1, Manifest: "[]"})).To(MatchError(ContainSubstring("should be a hash")))
	})
})

var _ = Describe("control over HTTP", func() {
	var bosh *caller

	BeforeEach(func() {
		bosh = callerOf(start(devdirector.Options{Control: true})).as(nil)
	})
	admin := func() *caller { return bosh.as(asUser("admin", "admin")) }

	It("counts, and starts to count anew", func() {
		admin().get("/deployments")
		Expect(bosh.get("/_dev/stats").body).To(Equal(
			`{"requests":{"GET /deployments":1},"total_requests":1,"tasks":{},"total_tasks":0,"connections":1,"tokens":0}`))
		Expect(bosh.send(http.MethodDelete, "/_dev/stats", "").status).To(Equal(http.StatusOK))
		Expect(bosh.get("/_dev/stats").body).To(ContainSubstring(`"total_requests":0`))
	})

	It("seeds, breaks, scripts and slows down", func() {
		Expect(bosh.send(http.MethodPost, "/_dev/deployments", `{"count":3,"prefix":"p-"}`).status).To(Equal(http.StatusOK))
		Expect(admin().get("/deployments/p-3").status).To(Equal(http.StatusOK))

		Expect(bosh.send(http.MethodPost, "/_dev/faults", `{"kind":"status","path":"^/info$","status":503}`).status).To(Equal(http.StatusOK))
		Expect(bosh.get("/info").status).To(Equal(http.StatusServiceUnavailable))
		Expect(bosh.send(http.MethodDelete, "/_dev/faults", "").status).To(Equal(http.StatusOK))
		Expect(bosh.get("/info").status).To(Equal(http.StatusOK))

		Expect(bosh.send(http.MethodPost, "/_dev/outcomes", `{"kind":"update_deployment","error":{"code":1,"message":"no"}}`).status).To(Equal(http.StatusOK))
		Expect(admin().task(admin().deploy(manifestOf("a", 1))).State).To(Equal("error"))

		Expect(bosh.send(http.MethodPost, "/_dev/knobs", `{"task_duration":"1h","errand":{"name":"smoke","exit_code":2}}`).status).To(Equal(http.StatusOK))
		Expect(admin().task(admin().deploy(manifestOf("a", 1))).State).To(Equal("processing"))
	})

	DescribeTable("refuses what it doesn't understand", func(path, body string) {
		a := bosh.send(http.MethodPost, path, body)
		Expect(a.status).To(Equal(http.StatusBadRequest))
		Expect(a.body).To(ContainSubstring("error"))
	},
		Entry("no JSON", "/_dev/faults", "{"),
		Entry("a fault without a kind", "/_dev/faults", "{}"),
		Entry("a misspelt knob", "/_dev/knobs", `{"latencyy":"1s"}`),
		Entry("a duration without a unit", "/_dev/knobs", `{"latency":"1"}`),
	)

	It("isn't there unless asked for", func() {
		plain := callerOf(start(devdirector.Options{}))
		Expect(plain.get("/_dev/stats").status).To(Equal(http.StatusNotFound))
	})
})

var _ = Describe("Start", func() {
	DescribeTable("refuses options that can't be", func(o devdirector.Options, why string) {
		_, err := devdirector.Start(o)
		Expect(err).To(MatchError(ContainSubstring(why)))
	},
		Entry("redirect status", devdirector.Options{RedirectStatus: 301}, "302 or 303"),
		Entry("workers", devdirector.Options{Workers: -1}, "at least one"),
		Entry("address", devdirector.Options{Address: "256.0.0.1:0"}, "256.0.0.1"),
		Entry("cloud config", devdirector.Options{CloudConfig: "["}, "cloud config"),
	)
})
