package main

import (
	"net/http"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("a deletion that is asked for again while it runs", func() {
	for what, errands := range map[string]setting{
		"without errands": {},
		"with errands":    with("    properties: {maxmemory: 100}", "    properties: {maxmemory: 100}\n    lifecycle_errands: {pre_delete: [{name: wipe}]}"),
	} {
		It("has the same operation, "+what, func() {
			clock := devdirector.NewManualClock(time.Now())
			w := newWorld(tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }}, errands)
			a := w.platform.provision("i-1", nil)
			clock.Advance(2 * time.Minute)
			Expect(w.platform.lastOperation("i-1", a.operation()).body).To(HaveKeyWithValue("state", "succeeded"))
			first := w.platform.deprovision("i-1")
			Expect(first.status).To(Equal(http.StatusAccepted), first.text)
			again := w.platform.deprovision("i-1")
			Expect(again.status).To(Equal(http.StatusAccepted), again.text)
			Expect(again.operation()).To(Equal(first.operation()))
			Expect(w.platform.update("i-1", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		})
	}
})

var _ = Describe("a poll", func() {
	running := setting{director: func(o *devdirector.Options) { o.TaskDuration = time.Minute }}
	failing := func(w *world, kind devdirector.Kind) {
		w.director.AddOutcome(devdirector.Outcome{Kind: kind, Error: &devdirector.TaskError{Message: "no room"}})
	}

	It("says when to ask again, as long as there is something to ask", func() {
		w := newWorld(running)
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.lastOperation("i-1", a.operation()).header.Get("Retry-After")).To(Equal("10"))
		w = newWorld()
		a = w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.platform.lastOperation("i-1", a.operation()).header).NotTo(HaveKey("Retry-After"))
	})

	It("is worth repeating later, the longer the operation has run", func() {
		clock := devdirector.NewManualClock(time.Now().Add(-5 * time.Minute))
		w := newWorld(tasksTake(time.Hour), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		a := w.platform.provision("i-1", nil)
		Expect(strconv.Atoi(w.platform.lastOperation("i-1", a.operation()).header.Get("Retry-After"))).To(BeNumerically("~", 35, 5), "a tenth of five minutes")
	})

	It("without an operation asks about the instance's last", func() {
		w := newWorld(running)
		Expect(w.platform.lastOperation("i-1", "").status).To(Equal(http.StatusNotFound))
		w.platform.provision("i-1", nil)
		Expect(w.platform.lastOperation("i-1", "").body).To(HaveKeyWithValue("description", HavePrefix("Instance provisioning in progress")))

		w = newWorld()
		w.platform.provisioned("i-1")
		Expect(w.platform.lastOperation("i-1", "").body).To(HaveKeyWithValue("description", "Instance provisioning completed"))
		w.director.SetTaskDuration(devdirector.KindDelete, time.Minute)
		w.platform.deprovision("i-1")
		Expect(w.platform.lastOperation("i-1", "").body).To(HaveKeyWithValue("description", HavePrefix("Instance deletion in progress")))
	})

	It("without an operation can't be answered for an instance that nobody remembers", func() {
		w := newWorld(with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true"))
		w.platform.provisioned("i-1")
		a := w.platform.lastOperation("i-1", "")
		Expect(a.status).To(Equal(http.StatusBadRequest))
		Expect(a.description()).To(ContainSubstring("nothing is remembered"))
	})

	It("tells what is left of an instance whose operation failed", func() {
		w := newWorld()
		failing(w, devdirector.KindDeploy)
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(w.platform.lastOperation("i-1", a.operation()).body).NotTo(Or(HaveKey("instance_usable"), HaveKey("update_repeatable")))

		w = newWorld()
		w.platform.provisioned("i-1")
		failing(w, devdirector.KindDeploy)
		a = w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(And(HaveKeyWithValue("update_repeatable", true), HaveKeyWithValue("instance_usable", false)))

		failing(w, devdirector.KindDelete)
		a = w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(And(HaveKeyWithValue("instance_usable", false), Not(HaveKey("update_repeatable"))))
	})

	It("tells that an instance is as good as before whose update came to no VM", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Stage: devdirector.StagePreparing, Error: &devdirector.TaskError{Message: "no such vm_type"}})
		a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(And(HaveKeyWithValue("instance_usable", true), HaveKeyWithValue("update_repeatable", true)))
	})

	It("tells that an instance is usable whose update failed in an errand, when all its VMs were up", func() {
		w := newWorld(with("    properties: {maxmemory: 100}", "    properties: {maxmemory: 100}\n    lifecycle_errands: {post_deploy: [{name: warm-up}]}"), with("jobs: [redis-server]", "jobs: [redis-server, warm-up]"))
		w.platform.provisioned("i-1")
		w.director.SetErrand("warm-up", devdirector.Errand{ExitCode: 1})
		a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(And(HaveKeyWithValue("instance_usable", true), HaveKeyWithValue("update_repeatable", true)))
	})

	It("tells that an instance is as good as before whose deletion failed in an errand", func() {
		w := newWorld(with("    properties: {maxmemory: 100}", "    properties: {maxmemory: 100}\n    lifecycle_errands: {pre_delete: [{name: wipe}]}"),
			setting{director: func(o *devdirector.Options) { o.Errands = map[string]devdirector.Errand{"wipe": {ExitCode: 1}} }}, with("jobs: [redis-server]", "jobs: [redis-server, wipe]"))
		w.platform.provisioned("i-1")
		a := w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(HaveKeyWithValue("instance_usable", true))
	})
})

var _ = Describe("an instance that is fetched", func() {
	offered := with("  tags: [cache]", "  tags: [cache]\n  instances_retrievable: true\n  maintenance_info: {version: 1.2.3}")
	get := func(w *world) answer {
		GinkgoHelper()
		return w.platform.do("GET", instancePath("i-1"), nil)
	}

	It("is there once it was created, and as it is", func() {
		w := newWorld(offered)
		Expect(get(w).status).To(Equal(http.StatusNotFound))
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(get(w).text).To(MatchJSON(`{"service_id":"service-guid","plan_id":"small-plan-guid","dashboard_url":"https://dashboard.example/i-1","maintenance_info":{"version":"1.2.3"}}`))
		a = w.platform.update("i-1", object{"plan_id": largePlan})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(get(w).body).To(HaveKeyWithValue("plan_id", largePlan))
	})

	It("is not there while it is created, nor after that has failed", func() {
		w := newWorld(offered, tasksTake(time.Minute))
		w.platform.provision("i-1", nil)
		Expect(get(w).status).To(Equal(http.StatusNotFound))
		w = newWorld(offered)
		w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Error: &devdirector.TaskError{Message: "no room"}})
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(get(w).status).To(Equal(http.StatusNotFound))
	})

	It("can't be told about while it is worked on", func() {
		w := newWorld(offered)
		w.platform.provisioned("i-1")
		w.director.SetTaskDuration(devdirector.KindDeploy, time.Minute)
		Expect(w.platform.update("i-1", object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusAccepted))
		Expect(get(w).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
	})

	It("is told of by its service alone if nobody remembers it", func() {
		w := newWorld(offered)
		w.predecessorMade(1)
		Expect(w.platform.do("GET", instancePath("old-1"), nil).text).To(MatchJSON(`{"service_id":"service-guid"}`))
	})
})

var _ = Describe("the catalog's promises", func() {
	It("are the operator's", func() {
		w := newWorld(with("  tags: [cache]", "  tags: [cache]\n  instances_retrievable: true\n  allow_context_updates: true"),
			with("    description: one node", "    description: one node\n    plan_updatable: false\n    maximum_polling_duration: 3600"))
		service := w.platform.do("GET", "/v2/catalog", nil).body["services"].([]any)[0].(object)
		Expect(service).To(And(HaveKeyWithValue("instances_retrievable", true), HaveKeyWithValue("allow_context_updates", true), HaveKeyWithValue("plan_updateable", true)))
		plans := service["plans"].([]any)
		Expect(plans[0]).To(And(HaveKeyWithValue("plan_updateable", false), HaveKeyWithValue("maximum_polling_duration", BeNumerically("==", 3600))))
		Expect(plans[1]).NotTo(Or(HaveKey("plan_updateable"), HaveKey("maximum_polling_duration")))

		w.platform.provisioned("i-1")
		a := w.platform.update("i-1", object{"plan_id": largePlan})
		Expect(a.body).To(HaveKeyWithValue("error", "PlanChangeNotSupported"))
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity))
	})
})

var _ = Describe("a binding from an earlier one", func() {
	It("is refused, as bindings don't follow one another here", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		a := w.platform.bind("i-1", "b", object{"predecessor_binding_id": "a"})
		Expect(a.status).To(Equal(http.StatusBadRequest))
		Expect(a.description()).To(ContainSubstring("predecessor_binding_id"))
	})
})
