package devdirector_test

import (
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("a deployment", func() {
	It("is there at once, without a manifest until a deploy has succeeded", func() {
		clock := devdirector.NewManualClock(began)
		bosh := callerOf(start(devdirector.Options{TLS: true, Clock: clock, TaskDuration: time.Minute}))

		id := bosh.deploy(manifestOf("si-1", 2), "X-Bosh-Context-Id", "ctx-1")
		Expect(bosh.get("/deployments/si-1").body).To(Equal(`{"manifest":null}`))
		Expect(bosh.task(id).State).To(Equal("processing"))
		Expect(bosh.get("/tasks?deployment=si-1&state=queued,processing").body).To(ContainSubstring(`"context_id":"ctx-1"`))

		clock.Advance(59 * time.Second)
		Expect(bosh.events(id)).To(ContainSubstring(`"stage":"Updating instance","tags":["redis"],"total":2`))
		Expect(bosh.events(id)).To(ContainSubstring(`"index":2,"state":"in_progress"`))
		clock.Advance(time.Second)
		Expect(bosh.task(id).State).To(Equal("done"))
		var shown struct{ Manifest string }
		bosh.getJSON("/deployments/si-1", &shown)
		Expect(shown.Manifest).To(Equal(manifestOf("si-1", 2)))

		var instances []struct {
			Job string
			IPs []string
			AZ  string
		}
		bosh.getJSON("/deployments/si-1/instances", &instances)
		Expect(instances).To(HaveLen(2))
		Expect(instances[0].IPs).To(Equal([]string{"10.244.0.2"}))
		Expect(instances[1].AZ).To(Equal("z2"))
	})

	It("goes when it is deleted, and its tasks stay", func() {
		bosh := callerOf(start(devdirector.Options{}))
		bosh.deploy(manifestOf("si-1", 1))
		id := bosh.send(http.MethodDelete, "/deployments/si-1", "").task()
		Expect(bosh.task(id).State).To(Equal("done"))
		Expect(bosh.get("/deployments/si-1").status).To(Equal(http.StatusNotFound))
		Expect(strings.Count(bosh.get("/tasks?deployment=si-1").body, `"id":`)).To(Equal(2))
	})

	It("counts what it is asked", func() {
		d := start(devdirector.Options{})
		bosh := callerOf(d)
		bosh.deploy(manifestOf("si-1", 1))
		bosh.get("/deployments/si-1/vms?format=full")
		bosh.get("/deployments/si-1/instances")
		stats := d.Stats()
		Expect(stats.Requests).To(Equal(map[string]int{
			"POST /deployments": 1, "GET /deployments/:name/vms": 1, "GET /deployments/:name/instances": 1,
		}))
		Expect(stats.Tasks).To(Equal(map[devdirector.Kind]int{devdirector.KindDeploy: 1, devdirector.KindVMs: 1}))
		Expect(stats.Connections).To(Equal(1))
		d.ResetStats()
		Expect(d.Stats().TotalRequests).To(BeZero())
	})
})
