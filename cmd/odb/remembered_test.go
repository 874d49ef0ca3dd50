package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

// directorClient looks at the Director as an operator would.
func (w *world) directorClient() *boshclient.Client {
	GinkgoHelper()
	client, err := boshclient.New(boshclient.Options{URL: w.director.URL(), CACert: w.director.CACert(), Username: "admin", Password: "admin"})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.Close)
	return client
}

// configs are the Director's configs of an instance, by type.
func (w *world) configs(instanceID string) map[string]string {
	GinkgoHelper()
	found, err := w.directorClient().Configs(context.Background(), boshclient.ConfigFilter{Name: "service-instance_" + instanceID})
	Expect(err).NotTo(HaveOccurred())
	byType := map[string]string{}
	for _, c := range found {
		byType[c.Type] = c.Content
	}
	return byType
}

func (w *world) record(instanceID string) object {
	GinkgoHelper()
	var record object
	Expect(json.Unmarshal([]byte(w.configs(instanceID)["odb-instance"]), &record)).To(Succeed())
	return record
}

var _ = Describe("what is remembered of an instance", func() {
	It("is written, kept up to date, never given to an adapter, and goes with the instance", func() {
		w := newWorld()
		a := w.platform.provision("i-1", object{"parameters": object{"pin": "hush-hush"}, "context": object{"platform": "kubernetes"}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		first := w.record("i-1")
		Expect(first).To(And(HaveKeyWithValue("service_id", serviceID), HaveKeyWithValue("plan_id", smallPlan), HaveKeyWithValue("context", object{"platform": "kubernetes"}),
			HaveKeyWithValue("dashboard_url", "https://dashboard.example/i-1"), HaveKeyWithValue("operation", HaveKeyWithValue("type", "create"))))
		Expect(w.configs("i-1")["odb-instance"]).NotTo(ContainSubstring("hush-hush"))

		a = w.platform.update("i-1", object{"plan_id": largePlan})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		second := w.record("i-1")
		Expect(second).To(And(HaveKeyWithValue("plan_id", largePlan), HaveKeyWithValue("created_at", first["created_at"]),
			HaveKeyWithValue("parameters_digest", first["parameters_digest"]), HaveKeyWithValue("operation", HaveKeyWithValue("type", "update"))))
		Expect(previousConfigs(w)).To(Equal([]string{"null", "{}", "{}"}))

		a = w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.configs("i-1")).To(BeEmpty())
	})

	It("is put back when a deploy is refused, together with the adapter's configs", func() {
		w := newWorld()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}})).To(Succeed())
		w.platform.provisioned("i-1")
		before := w.configs("i-1")
		Expect(before).To(HaveLen(2))

		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: [{name: x}]\n", "runtime": "addons: []\n"}})).To(Succeed())
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "POST", Path: "/deployments$", Status: 400, Body: `{"code":440001,"description":"no"}`})).To(Succeed())
		Expect(w.platform.update("i-1", object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusInternalServerError))
		Expect(w.configs("i-1")).To(Equal(before))

		Expect(w.platform.provision("i-2", nil).status).To(Equal(http.StatusInternalServerError))
		Expect(w.configs("i-2")).To(BeEmpty())
	})

	It("lets a config go that an update no longer needs, once the update has succeeded", func() {
		w := newWorld()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n", "runtime": "addons: []\n"}})).To(Succeed())
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}})).To(Succeed())
		a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(a.operation()).To(ContainSubstring(`"Configs":["runtime"]`))
		Expect(w.configs("i-1")).To(HaveKey("runtime"))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.configs("i-1")).To(And(Not(HaveKey("runtime")), HaveKey("cloud"), HaveKey("odb-instance")))

		By("not taking it from a later update that brings it back")
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n", "runtime": "addons: []\n"}})).To(Succeed())
		later := w.platform.update("i-1", object{"parameters": object{"a": 2}})
		Expect(w.platform.follow("i-1", later.operation())).To(Equal("succeeded"))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.configs("i-1")).To(HaveKey("runtime"))
	})

	It("tells at the start which plans have instances and are no longer sold; those can still be deleted", func() {
		w := newWorld()
		Expect(w.platform.provision("i-1", object{"plan_id": largePlan}).status).To(Equal(http.StatusAccepted))
		w.serve(with("plan_id: "+largePlan, "plan_id: another"))
		Eventually(w.log.String).Should(And(ContainSubstring("start.plan-missing"), ContainSubstring(largePlan)))
		a := w.platform.update("i-1", object{"plan_id": largePlan, "previous_values": object{"plan_id": largePlan}})
		Expect(a.status).To(Equal(http.StatusBadRequest))
		a = w.platform.do("DELETE", instancePath("i-1")+"?accepts_incomplete=true&"+planQuery(largePlan), nil)
		Expect(a.status).To(Equal(http.StatusAccepted))
	})

	It("is done without where the Director won't have it", func() {
		w := newWorld()
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "POST", Path: "/configs$", Status: 401, Body: `{"code":600000,"description":"Require one of the scopes"}`})).To(Succeed())
		w.platform.provisioned("i-1")
		Expect(w.log.String()).To(ContainSubstring("instance.not-remembered"))
	})
})

var _ = Describe("an operation with errands", func() {
	errands := with("    instance_groups:", "    lifecycle_errands: {post_deploy: [{name: smoke}, {name: warm-up}], pre_delete: [{name: backup}]}\n    instance_groups:")
	jobs := with("jobs: [redis-server]", "jobs: [redis-server, smoke, warm-up, backup]")
	often := setting{carryEvery: 10 * time.Millisecond}
	count := func(w *world, kind devdirector.Kind) func() int {
		return func() int { return w.director.Stats().Tasks[kind] }
	}

	It("goes to its end without being polled", func() {
		w := newWorld(errands, jobs, often)
		a := w.platform.provision("i-1", nil)
		Eventually(func() any { return w.record("i-1")["operation"] }).Should(HaveKeyWithValue("state", "succeeded"))
		Expect(count(w, devdirector.KindErrand)()).To(Equal(2))
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(HaveKeyWithValue("state", "succeeded"))

		Eventually(func() int { return w.platform.deprovision("i-1").status }).Should(Equal(http.StatusAccepted), "the broker may still be noting the end")
		Eventually(func() map[string]string { return w.configs("i-1") }).Should(BeEmpty())
		Expect(count(w, devdirector.KindErrand)()).To(Equal(3))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusGone))
	})

	It("is gone on with by the process that comes after, and by no later one", func() {
		w := newWorldWithoutBroker(errands, jobs)
		w.serve(errands, jobs) // polls only, and nobody does
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
		Expect(count(w, devdirector.KindErrand)()).To(BeZero())

		w.serve(errands, jobs, often)
		Eventually(func() any { return w.record("i-1")["operation"] }).Should(HaveKeyWithValue("state", "succeeded"))
		Expect(count(w, devdirector.KindErrand)()).To(Equal(2))
	})

	It("lets no other begin in between its steps", func() {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(errands, jobs, tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		a := w.platform.provision("i-1", nil)
		clock.Advance(2 * time.Minute) // the deploy is done, and no errand has been started
		Expect(w.platform.update("i-1", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		for range 3 {
			w.platform.lastOperation("i-1", a.operation())
			clock.Advance(2 * time.Minute)
		}
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(HaveKeyWithValue("state", "succeeded"))
		Expect(w.platform.update("i-1", object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusAccepted))
	})
})
