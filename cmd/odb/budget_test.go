package main

import (
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
)

// What a call may cost the Director is a promise: it is shared by all brokers, and slow.
var _ = Describe("the Director's patience", func() {
	type budget struct{ requests, tasks int }
	var w *world
	var clock *devdirector.ManualClock

	begin := func(changes ...setting) {
		clock = devdirector.NewManualClock(time.Now())
		w = newWorld(append(changes, tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})...)
		// At its start the broker looks once for operations that an earlier process left, and once for what is left of instances.
		Eventually(func() int { return w.director.Stats().Requests["GET /configs"] }).Should(Equal(2))
	}
	BeforeEach(func() { begin() })

	costs := func(allowed budget, call func()) {
		GinkgoHelper()
		w.director.ResetStats()
		call()
		stats := w.director.Stats()
		Expect(stats.TotalRequests).To(Equal(allowed.requests), "requests: %v", stats.Requests)
		Expect(stats.TotalTasks).To(Equal(allowed.tasks), "tasks: %v", stats.Tasks)
	}
	ends := func() { clock.Advance(2 * time.Minute) }
	status := func(a answer, want int) { GinkgoHelper(); Expect(a.status).To(Equal(want), a.text) }

	// +1: the instance is remembered. The poll that finds a deletion done makes sure that the deployment is gone and forgets it.
	It("is asked for little", func() {
		p := w.platform
		costs(budget{0, 0}, func() { status(p.do("GET", "/v2/catalog", nil), http.StatusOK) })

		var provision answer
		costs(budget{3 + 1, 1}, func() { provision = p.provision("i-1", nil); status(provision, http.StatusAccepted) })
		clock.Advance(30 * time.Second)
		costs(budget{2, 0}, func() { status(p.lastOperation("i-1", provision.operation()), http.StatusOK) })
		costs(budget{2, 0}, func() { status(p.lastOperation("i-1", provision.operation()), http.StatusOK) })
		ends()
		costs(budget{1, 0}, func() { status(p.lastOperation("i-1", provision.operation()), http.StatusOK) })

		costs(budget{2, 0}, func() { status(p.bind("i-1", "b-1", nil), http.StatusCreated) })
		costs(budget{2, 0}, func() { status(p.unbind("i-1", "b-1"), http.StatusOK) })

		costs(budget{4 + 1, 1}, func() { status(p.update("i-1", object{"parameters": object{"a": 1}}), http.StatusAccepted) })
		ends()

		var deprovision answer
		costs(budget{3, 1}, func() { deprovision = p.deprovision("i-1"); status(deprovision, http.StatusAccepted) })
		costs(budget{3, 0}, func() { status(p.deprovision("i-1"), http.StatusAccepted) })
		ends()
		costs(budget{1 + 2, 0}, func() { status(p.lastOperation("i-1", deprovision.operation()), http.StatusOK) })
		costs(budget{1, 0}, func() { status(p.lastOperation("i-1", deprovision.operation()), http.StatusOK) })
	})

	It("is asked little about what is fetched, and about the last operation, whichever that was", func() {
		begin(with("  tags: [cache]", "  tags: [cache]\n  instances_retrievable: true"))
		status(w.platform.provision("i-1", nil), http.StatusAccepted)
		costs(budget{3, 0}, func() { status(w.platform.do("GET", instancePath("i-1"), nil), http.StatusNotFound) })
		ends()
		costs(budget{4, 0}, func() { status(w.platform.do("GET", instancePath("i-1"), nil), http.StatusOK) })
		costs(budget{3, 0}, func() { status(w.platform.lastOperation("i-1", ""), http.StatusOK) })
	})

	// At its start the broker has seen what is remembered; of each other instance it asks once. Nothing is refused without asking.
	It("is asked whether a bind's plan is the instance's only if that isn't known", func() {
		w.platform.provisionedAt("i-1", ends)
		w.predecessorMade(1)
		w.serve()
		Eventually(func() int { return w.director.Stats().Requests["GET /deployments"] }).WithTimeout(10*time.Second).Should(BeNumerically(">=", 1), "the sweep comes after the list")
		costs(budget{2, 0}, func() { status(w.platform.bind("i-1", "b-1", nil), http.StatusCreated) })
		costs(budget{2 + 1, 0}, func() { status(w.platform.bind("i-1", "b-2", object{"plan_id": largePlan}), http.StatusBadRequest) })
		costs(budget{2 + 1, 0}, func() { status(w.platform.bind("old-1", "b-3", nil), http.StatusCreated) })
		costs(budget{2, 0}, func() { status(w.platform.bind("old-1", "b-4", object{"plan_id": largePlan}), http.StatusCreated) })
	})

	// By platforms that say who asks, after the answer and aside from it.
	It("is asked once more to note who asked", func() {
		w.director.ResetStats()
		a := w.platform.do("PUT", instancePath("i-1")+"?accepts_incomplete=true", provisionBody(smallPlan), asks("cloudfoundry", `{"user_id":"u"}`))
		status(a, http.StatusAccepted)
		events := func() int { return w.director.Stats().Requests["POST /events"] }
		Eventually(events).Should(Equal(1))
		Expect(w.director.Stats().TotalRequests).To(Equal(3+1+1), "%v", w.director.Stats().Requests)
	})

	It("is asked little more when what is being created is to be deleted", func() {
		p := w.platform
		status(p.provision("i-1", nil), http.StatusAccepted)
		var deprovision answer
		costs(budget{5, 0}, func() { deprovision = p.deprovision("i-1"); status(deprovision, http.StatusAccepted) })
		costs(budget{2, 0}, func() { status(p.lastOperation("i-1", deprovision.operation()), http.StatusOK) })
		costs(budget{4, 0}, func() { status(p.deprovision("i-1"), http.StatusAccepted) })
	})

	// A claim is made, read, and given back: by what changes an instance, and by no poll that changes nothing.
	It("is asked three times more for what brokers side by side claim", func() {
		begin(besideOthers, with("    instance_groups:", "    lifecycle_errands: {post_deploy: [{name: smoke}]}\n    instance_groups:"), with("jobs: [redis-server]", "jobs: [redis-server, smoke]"))
		const claim = 3
		p := w.platform
		var provision, deprovision answer
		costs(budget{3 + 1 + claim, 1}, func() { provision = p.provision("i-1", nil); status(provision, http.StatusAccepted) })
		poll := func(a answer) func() {
			return func() { status(w.platform.lastOperation("i-1", a.operation()), http.StatusOK) }
		}
		clock.Advance(30 * time.Second)
		costs(budget{2, 0}, poll(provision))
		ends()
		By("starting an errand: the tasks and the record are looked at before and after the claim")
		costs(budget{2 + claim + 2 + 1, 1}, poll(provision))
		costs(budget{1, 0}, poll(provision))
		ends()
		costs(budget{1 + 1, 0}, poll(provision))
		costs(budget{1, 0}, poll(provision))

		begin(besideOthers)
		p = w.platform
		provision = p.provision("i-1", nil)
		ends()
		costs(budget{4 + 1 + claim, 1}, func() { status(p.update("i-1", object{"parameters": object{"a": 1}}), http.StatusAccepted) })
		ends()
		costs(budget{3 + claim, 1}, func() { deprovision = p.deprovision("i-1"); status(deprovision, http.StatusAccepted) })
		ends()
		By("cleaning up after the deletion: nobody may be making the instance anew")
		costs(budget{1 + 2 + claim + 1, 0}, poll(deprovision))
		costs(budget{1, 0}, poll(deprovision))
	})

	It("is asked once more for each config", func() {
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n", "runtime": "addons: []\n"}})).To(Succeed())
		costs(budget{3 + 1 + 2, 1}, func() { status(w.platform.provision("i-1", nil), http.StatusAccepted) })
	})

	// +2: the deployments are counted and what is remembered of them is read, at most once every few seconds.
	It("is asked to count only if there is a quota on what is asked for", func() {
		change := func(from, to string) object {
			return object{"plan_id": to, "previous_values": object{"plan_id": from}}
		}
		costs(budget{3 + 1, 1}, func() { status(w.platform.provision("i-1", nil), http.StatusAccepted) })
		ends()
		costs(budget{4 + 1, 1}, func() { status(w.platform.update("i-1", change(smallPlan, largePlan)), http.StatusAccepted) })

		begin(quotasOf(largePlan, "{service_instance_limit: 2}"))
		costs(budget{3 + 1, 1}, func() { status(w.platform.provision("i-1", nil), http.StatusAccepted) })
		costs(budget{3 + 1 + 2, 1}, func() { status(w.platform.provision("i-2", object{"plan_id": largePlan}), http.StatusAccepted) })
		ends()
		costs(budget{4 + 1, 1}, func() {
			status(w.platform.update("i-2", merged(change(largePlan, largePlan), object{"parameters": object{"a": 1}})), http.StatusAccepted)
		})
		ends()
		costs(budget{4 + 1, 1}, func() { status(w.platform.update("i-2", change(largePlan, smallPlan)), http.StatusAccepted) })
		w.director.ResetStats()
		status(w.platform.update("i-1", change(smallPlan, largePlan)), http.StatusAccepted)
		Expect(w.director.Stats().TotalRequests).To(BeNumerically("<=", 4+1+2), "the last count may do")

		begin(quotasOf(largePlan, "{service_instance_limit: 1}"))
		status(w.platform.provision("i-1", object{"plan_id": largePlan}), http.StatusAccepted)
		costs(budget{2 + 2, 0}, func() { status(w.platform.provision("i-2", object{"plan_id": largePlan}), http.StatusBadRequest) })
	})

	It("keeps its connections", func() {
		w.platform.provisionedAt("i-1", ends)
		for range 3 { // until the pool is warm
			w.platform.bind("i-1", "warm", nil)
		}
		w.director.ResetStats()
		for i := range 100 {
			status(w.platform.bind("i-1", fmt.Sprint("b-", i), nil), http.StatusCreated)
		}
		Expect(w.director.Stats().Connections).To(BeNumerically("<=", 1))
	})
})

// provisionedAt makes an instance whose task ends when the story says so.
func (p *platform) provisionedAt(id string, ends func()) {
	GinkgoHelper()
	a := p.provision(id, nil)
	Expect(a.status).To(Equal(http.StatusAccepted), a.text)
	ends()
	Expect(p.follow(id, a.operation())).To(Equal("succeeded"))
}
