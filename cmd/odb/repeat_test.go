package main

import (
	"encoding/json"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
)

// slowWorld is one whose tasks end when the story says so.
func slowWorld(changes ...setting) (w *world, ends func()) {
	GinkgoHelper()
	w, ends = slowWorldWithoutBroker(changes...)
	w.serve(changes...)
	return w, ends
}

func slowWorldWithoutBroker(changes ...setting) (w *world, ends func()) {
	GinkgoHelper()
	clock := devdirector.NewManualClock(time.Now())
	w = newWorldWithoutBroker(append(changes, tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})...)
	return w, func() { clock.Advance(2 * time.Minute) }
}

// withErrands are two post-deploy errands and a pre-delete one.
var withErrands = []setting{
	with("    instance_groups:", "    lifecycle_errands: {post_deploy: [{name: smoke}, {name: warm-up}], pre_delete: [{name: backup}]}\n    instance_groups:"),
	with("jobs: [redis-server]", "jobs: [redis-server, smoke, warm-up, backup]"),
}

var _ = Describe("the same provision again", func() {
	asked := object{
		"parameters": object{"size": 3, "color": "blue"},
		"context":    object{"platform": "kubernetes", "namespace": "ns-1", "clusterid": "c-1", "instance_name": "db"},
	}

	It("is told the same while the instance is made, and that it is there afterwards", func() {
		w, ends := slowWorld()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Labels: map[string]any{"tier": "gold"}})).To(Succeed())
		first := w.platform.provision("i-1", asked)
		Expect(first.status).To(Equal(http.StatusAccepted), first.text)

		w.director.ResetStats()
		again := w.platform.provision("i-1", asked)
		Expect(again.status).To(Equal(http.StatusAccepted), again.text)
		Expect(again.text).To(MatchJSON(first.text), "operation, dashboard and labels")
		Expect(w.director.Stats().TotalRequests).To(Equal(4), "%v", w.director.Stats().Requests)

		ends()
		again = w.platform.provision("i-1", asked)
		Expect(again.status).To(Equal(http.StatusOK), again.text)
		Expect(again.text).To(MatchJSON(`{"dashboard_url":"https://dashboard.example/i-1","metadata":{"labels":{"tier":"gold"}}}`))

		By("not minding the order of parameters, and names that changed")
		again = w.platform.do("PUT", instancePath("i-1")+"?accepts_incomplete=true", `{"service_id":"`+serviceID+`","plan_id":"`+smallPlan+`","organization_guid":"org","space_guid":"space",
			"parameters":{ "color":"blue", "size":3 },"context":{"platform":"kubernetes","namespace":"ns-1","clusterid":"c-1","instance_name":"renamed"}}`)
		Expect(again.status).To(Equal(http.StatusOK), again.text)

		Expect(w.calls()).To(Equal([]string{"generate-manifest", "dashboard-url"}))
		Expect(w.director.Stats().TotalTasks).To(BeZero(), "since the first")
	})

	It("has the same operation when that has errands, whichever of its steps runs", func() {
		w, ends := slowWorld(withErrands...)
		first := w.platform.provision("i-1", asked)
		for range 2 {
			Expect(w.platform.provision("i-1", asked).operation()).To(Equal(first.operation()))
			ends()
			Expect(w.platform.provision("i-1", asked).operation()).To(Equal(first.operation()), "between two steps")
			w.platform.lastOperation("i-1", first.operation())
		}
		ends()
		w.platform.lastOperation("i-1", first.operation())
		Expect(w.platform.provision("i-1", asked).status).To(Equal(http.StatusOK))
	})

	DescribeTable("is a conflict when it isn't the same", func(change object, says string) {
		w, ends := slowWorld()
		Expect(w.platform.provision("i-1", asked).status).To(Equal(http.StatusAccepted))
		for range 2 {
			a := w.platform.provision("i-1", merged(asked, change))
			Expect(a.status).To(Equal(http.StatusConflict), a.text)
			Expect(a.description()).To(And(ContainSubstring("i-1 already exists with "+says), Not(ContainSubstring("blue"))))
			ends()
		}
		Expect(w.director.Stats().TotalTasks).To(Equal(1))
	},
		Entry("another plan", object{"plan_id": largePlan}, "another plan"),
		Entry("other parameters", object{"parameters": object{"size": 4, "color": "blue"}}, "other parameters"),
		Entry("no parameters", object{"parameters": nil}, "other parameters"),
		Entry("another organization", object{"organization_guid": "elsewhere"}, "another organization_guid"),
		Entry("another space", object{"space_guid": "elsewhere"}, "another space_guid"),
		Entry("another place of a platform without spaces", object{"context": object{"platform": "kubernetes", "namespace": "ns-2", "clusterid": "c-1"}}, "another namespace in its context"),
	)

	It("compares with what the instance is since its last update", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		a := w.platform.update("i-1", object{"plan_id": largePlan, "parameters": object{"a": 1}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusConflict))
		Expect(w.platform.provision("i-1", object{"plan_id": largePlan, "parameters": object{"a": 1}}).status).To(Equal(http.StatusOK))
	})

	It("is told to wait while the instance is changed or deleted", func() {
		w, ends := slowWorld()
		w.platform.provisionedAt("i-1", ends)
		Expect(w.platform.update("i-1", object{"parameters": object{}}).status).To(Equal(http.StatusAccepted))
		Expect(w.platform.provision("i-1", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		ends()
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusOK))
		deletion := w.platform.deprovision("i-1")
		Expect(w.platform.provision("i-1", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		ends()
		Expect(w.platform.follow("i-1", deletion.operation())).To(Equal("succeeded"))
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
	})

	It("is a conflict after a failure, and a new instance after the clean-up", func() {
		w := newWorld()
		w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Error: &devdirector.TaskError{Code: 450001, Message: "redis/0 is not running"}})
		first := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", first.operation())).To(Equal("failed"))
		again := w.platform.provision("i-1", nil)
		Expect(again.status).To(Equal(http.StatusConflict))
		Expect(again.description()).To(ContainSubstring("delete it and create it anew"))

		a := w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		w.platform.provisioned("i-1")
	})

	It("is a conflict when the errands of the first failed", func() {
		w := newWorld(withErrands...)
		w.director.SetErrand("warm-up", devdirector.Errand{ExitCode: 1})
		first := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", first.operation())).To(Equal("failed"))
		Expect(w.platform.provision("i-1", nil).description()).To(ContainSubstring("was not created successfully"))
	})

	It("is a conflict when the deletion of the first failed", func() {
		w := newWorld(withErrands...)
		w.platform.provisioned("i-1")
		w.director.SetErrand("backup", devdirector.Errand{ExitCode: 1})
		a := w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(w.platform.provision("i-1", nil).description()).To(ContainSubstring("delete it again"))
	})

	It("is a conflict where nothing is remembered: instances of the predecessor, and with configs disabled", func() {
		w := newWorld(with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true"))
		w.platform.provisioned("i-1")
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusConflict))
		Expect(a.description()).To(Equal("Service instance i-1 already exists"))
	})

	It("needs no place below the quota", func() {
		w := newWorld(quotasOf(smallPlan, "{service_instance_limit: 1}"))
		w.platform.provisioned("i-1")
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusOK))
		Expect(w.platform.provision("i-2", nil).status).To(Equal(http.StatusBadRequest))
	})

	It("is remembered without its parameters", func() {
		w := newWorld()
		Expect(w.platform.provision("i-1", object{"parameters": object{"pin": "hush-hush"}}).status).To(Equal(http.StatusAccepted))
		record, err := json.Marshal(w.record("i-1"))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(record)).To(And(ContainSubstring(`"organization_guid":"org"`), Not(ContainSubstring("hush-hush"))))
	})
})

var _ = Describe("the same update again", func() {
	change := object{"parameters": object{"pin": "hush-hush"}, "context": object{"platform": "kubernetes", "namespace": "ns-1"}}

	It("is told the same while it runs, and is an update of its own afterwards", func() {
		w, ends := slowWorld()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Labels: map[string]any{"tier": "gold"}})).To(Succeed())
		w.platform.provisionedAt("i-1", ends)
		first := w.platform.update("i-1", change)
		Expect(first.status).To(Equal(http.StatusAccepted), first.text)

		w.director.ResetStats()
		Expect(w.adapter.Forget()).To(Succeed())
		again := w.platform.update("i-1", change)
		Expect(again.status).To(Equal(http.StatusAccepted), again.text)
		Expect(again.text).To(MatchJSON(first.text), "operation, dashboard and labels")
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(w.calls()).To(BeEmpty())
		Expect(w.configs("i-1")["odb-instance"]).NotTo(ContainSubstring("hush-hush"))

		ends()
		later := w.platform.update("i-1", change)
		Expect(later.status).To(Equal(http.StatusAccepted), later.text)
		Expect(later.operation()).NotTo(Equal(first.operation()))
	})

	It("has the same operation when that has errands, whichever of its steps runs", func() {
		w, ends := slowWorld(withErrands...)
		created := w.platform.provision("i-1", nil)
		finish := func(operation string) {
			for range 4 {
				ends()
				w.platform.lastOperation("i-1", operation)
			}
		}
		finish(created.operation())
		mine := object{"parameters": object{"a": 1}}
		first := w.platform.update("i-1", mine)
		Expect(first.status).To(Equal(http.StatusAccepted), first.text)
		for range 2 {
			Expect(w.platform.update("i-1", mine).operation()).To(Equal(first.operation()))
			ends()
			Expect(w.platform.update("i-1", mine).operation()).To(Equal(first.operation()), "between two steps")
			w.platform.lastOperation("i-1", first.operation())
		}
		Expect(w.platform.update("i-1", object{"parameters": object{"a": 2}}).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
	})

	DescribeTable("is told to wait when it isn't the same", func(other object) {
		w, ends := slowWorld()
		w.platform.provisionedAt("i-1", ends)
		Expect(w.platform.update("i-1", change).status).To(Equal(http.StatusAccepted))
		a := w.platform.update("i-1", merged(change, other))
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity))
		Expect(a.body).To(HaveKeyWithValue("error", "ConcurrencyError"))
	},
		Entry("another plan", object{"plan_id": largePlan}),
		Entry("other parameters", object{"parameters": object{"pin": "other"}}),
		Entry("no parameters", object{"parameters": nil}),
		Entry("another context", object{"context": object{"platform": "kubernetes", "namespace": "ns-2"}}),
	)

	It("is told to wait when what runs is not its own, though it was the last that was asked for", func() {
		w, ends := slowWorld()
		w.platform.provisionedAt("i-1", ends)
		first := w.platform.update("i-1", change)
		ends()
		Expect(w.platform.follow("i-1", first.operation())).To(Equal("succeeded"))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
		Expect(w.platform.update("i-1", change).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
	})
})

var _ = Describe("an update of the context alone", func() {
	renamed := object{"context": object{"platform": "kubernetes", "instance_name": "renamed"}}

	It("is done at once, deploys nothing, and is known to the next deploy", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		before := w.record("i-1")
		w.director.ResetStats()
		Expect(w.adapter.Forget()).To(Succeed())
		for _, path := range []string{"?accepts_incomplete=true", "", ""} {
			a := w.platform.do("PATCH", instancePath("i-1")+path, merged(renamed, object{"service_id": serviceID, "plan_id": smallPlan, "previous_values": object{"plan_id": smallPlan}}))
			Expect(a.status).To(Equal(http.StatusOK), a.text)
			Expect(a.text).To(MatchJSON(`{}`))
		}
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(w.director.Stats().TotalRequests).To(Equal(3*4), "%v", w.director.Stats().Requests)
		Expect(w.calls()).To(BeEmpty())
		after := w.record("i-1")
		Expect(after).To(HaveKeyWithValue("context", renamed["context"]))
		for _, key := range []string{"plan_id", "parameters_digest", "dashboard_url", "created_at", "operation"} {
			Expect(after).To(HaveKeyWithValue(key, before[key]))
		}

		By("upgrading")
		a := w.platform.do("PATCH", "/mgmt/service_instances/i-1?operation_type=upgrade&force=true", object{"plan_id": smallPlan})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.record("i-1")).To(HaveKeyWithValue("context", renamed["context"]))
	})

	It("names no plan, if the platform doesn't", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.platform.update("i-1", merged(renamed, object{"plan_id": nil, "previous_values": nil})).status).To(Equal(http.StatusOK))
	})

	DescribeTable("is an update like any other when more is asked for", func(more object, changes ...setting) {
		w := newWorld(changes...)
		w.platform.provisioned("i-1")
		a := w.platform.update("i-1", merged(renamed, more))
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(a.operation()).NotTo(BeEmpty())
	},
		Entry("parameters", object{"parameters": object{"a": 1}}),
		Entry("empty parameters, by which Cloud Foundry's users ask for a deploy", object{"parameters": object{}}),
		Entry("another plan", object{"plan_id": largePlan}),
		Entry("an upgrade", object{"maintenance_info": object{"version": "2.0.0"}, "previous_values": object{"plan_id": smallPlan, "maintenance_info": object{"version": "1.0.0"}}},
			with("  global_properties:", "  maintenance_info: {version: 2.0.0}\n  global_properties:")),
		Entry("a context that can't be kept, as BOSH configs are disabled", object{}, with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true")),
	)

	It("is more than that where the platform has another plan for the instance than it was deployed with", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		large := object{"plan_id": largePlan, "previous_values": object{"plan_id": largePlan}}
		Expect(w.platform.update("i-1", merged(renamed, large)).description()).To(ContainSubstring("changes to the service that have not been applied"))
	})

	It("is possible before an upgrade that is due", func() {
		w := newWorld(with("  global_properties:", "  maintenance_info: {version: 2.0.0}\n  global_properties:"))
		w.platform.provisioned("i-1")
		old := object{"plan_id": smallPlan, "maintenance_info": object{"version": "1.0.0"}}
		Expect(w.platform.update("i-1", merged(renamed, object{"previous_values": old})).status).To(Equal(http.StatusOK))
	})

	It("is refused while the instance is worked on, and of one that isn't there", func() {
		w, ends := slowWorld()
		Expect(w.platform.update("i-1", renamed).status).To(Equal(http.StatusNotFound))
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
		Expect(w.platform.update("i-1", renamed).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		ends()
		Expect(w.platform.update("i-1", renamed).status).To(Equal(http.StatusOK))
	})
})
