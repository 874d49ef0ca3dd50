package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

// globalQuotas limit all instances; quotasOf those of a plan. Both are in YAML.
func globalQuotas(quotas string) setting {
	return with("  global_properties:", "  global_quotas: "+quotas+"\n  global_properties:")
}

func quotasOf(plan, quotas string) setting {
	return with("    plan_id: "+plan+"\n", "    plan_id: "+plan+"\n    quotas: "+quotas+"\n")
}

// predecessorMade makes deployments of which nothing is remembered.
func (w *world) predecessorMade(count int) {
	GinkgoHelper()
	Expect(w.director.Seed(devdirector.Seed{Count: count, Prefix: "service-instance_old-"})).To(Succeed())
}

var _ = Describe("quotas", func() {
	var accepted = func(a answer) { GinkgoHelper(); Expect(a.status).To(Equal(http.StatusAccepted), a.text) }
	// Cloud Controller takes a 400 as it is, and deletes what it thinks half-made after a 422.
	var refused = func(a answer, texts ...string) {
		GinkgoHelper()
		Expect(a.status).To(Equal(http.StatusBadRequest), a.text)
		for _, text := range texts {
			Expect(a.description()).To(ContainSubstring(text))
		}
	}
	large := object{"plan_id": largePlan}

	It("limit a plan's instances, and no other plan's", func() {
		w := newWorld(quotasOf(smallPlan, "{service_instance_limit: 1}"))
		accepted(w.platform.provision("i-1", nil))
		w.director.ResetStats()
		Expect(w.adapter.Forget()).To(Succeed())
		refused(w.platform.provision("i-2", nil), "plan instance limit exceeded: plan small is limited to 1. Total instances: 1")
		Expect(w.calls()).To(BeEmpty())
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(w.configs("i-2")).To(BeEmpty())
		accepted(w.platform.provision("i-3", large))
	})

	It("limit all instances, those of the predecessor too, those of other services not", func() {
		w := newWorld(globalQuotas("{service_instance_limit: 3}"))
		w.predecessorMade(3)
		_, err := w.directorClient().CreateConfig(context.Background(), boshclient.CreateConfig{
			Type: "odb-instance", Name: "service-instance_old-1", Content: `{"service_id":"other","plan_id":"other"}`})
		Expect(err).NotTo(HaveOccurred())
		accepted(w.platform.provision("i-1", nil))
		refused(w.platform.provision("i-2", large), "global instance limit exceeded: service redis is limited to 3. Total instances: 3")
		Expect(w.log.String()).To(ContainSubstring(`"of_unknown_plan":2`))
	})

	It("allow nothing where they are zero", func() {
		w := newWorld(globalQuotas("{service_instance_limit: 0}"), quotasOf(smallPlan, "{service_instance_limit: 0}"))
		refused(w.platform.provision("i-1", nil), "plan instance limit exceeded", "global instance limit exceeded")
		refused(w.platform.provision("i-2", large), "global instance limit exceeded: service redis is limited to 0. Total instances: 0")
	})

	It("count resources by each plan's own cost, and tell all that is exceeded at once", func() {
		w := newWorld(globalQuotas("{service_instance_limit: 2, resources: {ips: {limit: 4}, memory: {limit: 100}}}"),
			quotasOf(smallPlan, "{service_instance_limit: 1, resources: {ips: {cost: 1, limit: 1}, memory: {cost: 1}}}"),
			quotasOf(largePlan, "{resources: {ips: {cost: 3}, memory: {cost: 1}}}"))
		accepted(w.platform.provision("i-1", nil))
		accepted(w.platform.provision("i-2", large))
		refused(w.platform.provision("i-3", nil), "plan instance limit exceeded", "Total instances: 1, global instance limit exceeded", "Total instances: 2, "+
			"global quotas [ips: (limit 4, used 4, requires 1)] would be exceeded", ", plan quotas [ips: (limit 1, used 1, requires 1)] would be exceeded")
	})

	It("credit a plan change with what the instance uses, and refuse it with a 422", func() {
		w := newWorld(globalQuotas("{service_instance_limit: 2, resources: {ips: {limit: 4}}}"),
			quotasOf(smallPlan, "{resources: {ips: {cost: 1}}}"), quotasOf(largePlan, "{service_instance_limit: 1, resources: {ips: {cost: 3}}}"))
		w.platform.provisioned("i-1")
		w.platform.provisioned("i-2")
		change := w.platform.update("i-1", large)
		accepted(change)
		Expect(w.platform.follow("i-1", change.operation())).To(Equal("succeeded"))

		By("refusing what is too much")
		w.director.ResetStats()
		a := w.platform.update("i-2", large)
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity), a.text)
		Expect(a.description()).To(And(ContainSubstring("plan instance limit exceeded"), ContainSubstring("global quotas [ips: (limit 4, used 3, requires 3)]"),
			Not(ContainSubstring("global instance limit"))))
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(w.record("i-2")).To(HaveKeyWithValue("plan_id", smallPlan))

		By("not standing in the way of what takes no more")
		other := w.platform.update("i-1", object{"plan_id": largePlan, "previous_values": nil, "parameters": object{"a": 1}})
		accepted(other)
		Expect(w.platform.follow("i-1", other.operation())).To(Equal("succeeded"))
		accepted(w.platform.update("i-1", object{"plan_id": smallPlan, "previous_values": large}))
	})

	It("give the last place to one of many", func() {
		w := newWorld(globalQuotas("{service_instance_limit: 3}"))
		w.predecessorMade(2)
		statuses := make([]int, 20)
		var all sync.WaitGroup
		for i := range statuses {
			all.Go(func() {
				defer GinkgoRecover()
				statuses[i] = w.platform.provision(fmt.Sprint("i-", i), nil).status
			})
		}
		all.Wait()
		Expect(statuses).To(ContainElement(http.StatusAccepted))
		for _, status := range statuses {
			Expect(status).To(Or(Equal(http.StatusAccepted), Equal(http.StatusBadRequest)))
		}
		Expect(strings.Count(fmt.Sprint(statuses), "202")).To(Equal(1))
		Expect(w.director.Stats().TotalTasks).To(Equal(1))
	})

	It("get a place back from what failed", func() {
		w := newWorld(globalQuotas("{service_instance_limit: 1}"))
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{ExitCode: 1})).To(Succeed())
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusInternalServerError))
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{})).To(Succeed())
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "POST", Path: "/deployments$", Status: 400, Times: 1, Body: `{"code":440001,"description":"no"}`})).To(Succeed())
		Expect(w.platform.provision("i-2", nil).status).To(Equal(http.StatusInternalServerError))
		accepted(w.platform.provision("i-3", nil))
		refused(w.platform.provision("i-1", nil))
	})

	It("keep the place of an adapter's run that lasts", func() {
		w := newWorld(globalQuotas("{service_instance_limit: 1}"))
		Expect(w.adapter.SteerInstance("generate-manifest", "slow", adaptertest.Steering{Hold: "slow"})).To(Succeed())
		var slow answer
		var done sync.WaitGroup
		done.Go(func() {
			defer GinkgoRecover()
			slow = w.platform.provision("slow", nil)
		})
		Eventually(w.calls).Should(ContainElement("generate-manifest"))
		refused(w.platform.provision("i-1", nil))
		Expect(w.adapter.LetGo("slow")).To(Succeed())
		done.Wait()
		accepted(slow)
	})

	It("get a deleted instance's place back when it is gone, asked for or not", func() {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(globalQuotas("{service_instance_limit: 1}"), tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		w.platform.provisionedAt("i-1", func() { clock.Advance(2 * time.Minute) })
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusOK), "it is there, which matters more")
		accepted(w.platform.deprovision("i-1"))
		refused(w.platform.provision("i-2", nil))
		clock.Advance(2 * time.Minute)
		accepted(w.platform.provision("i-2", nil))
	})

	It("are kept by asking again later if the Director can't tell", func() {
		w := newWorld(quotasOf(smallPlan, "{service_instance_limit: 1}"))
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "GET", Path: "/deployments$", Status: 503})).To(Succeed())
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusServiceUnavailable))
		accepted(w.platform.provision("i-2", large))
		w.director.ClearFaults()
		accepted(w.platform.provision("i-1", nil))
	})

	It("limit all instances where plans aren't remembered, and that is all that can be said of them", func() {
		w := newWorld(with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true"), globalQuotas("{service_instance_limit: 1}"))
		accepted(w.platform.provision("i-1", nil))
		refused(w.platform.provision("i-2", nil), "global instance limit exceeded")

		other := newWorldWithoutBroker()
		p := other.serveProcess("--config", with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true"), quotasOf(smallPlan, "{service_instance_limit: 1}"))
		Expect(p.stdout.String()).To(ContainSubstring("limits of plans and of resources are not kept"))
	})
})
