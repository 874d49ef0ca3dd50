package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

// toLarge is a change of plan as Cloud Foundry asks for it.
func toLarge() object {
	return object{"plan_id": largePlan, "previous_values": object{"plan_id": smallPlan}}
}

// failNext lets the next deploy fail.
func (w *world) failNext() {
	w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Times: 1, Error: &devdirector.TaskError{Code: 450001, Message: "redis/0 is not running"}})
}

// updated updates an instance to the end.
func (w *world) updated(change object) (state any) {
	GinkgoHelper()
	a := w.platform.update("i-1", change)
	Expect(a.status).To(Equal(http.StatusAccepted), a.text)
	return w.platform.follow("i-1", a.operation())
}

var _ = Describe("a bind's plan", func() {
	large := object{"plan_id": largePlan}
	binds := func(w *world, binding string, change object, status int) {
		GinkgoHelper()
		a := w.platform.bind("i-1", binding, change)
		Expect(a.status).To(Equal(status), a.text)
	}
	// sameManifest makes the manifest tell nothing of the plan.
	sameManifest := adaptertest.Steering{Manifest: "name: '{{deployment}}'\nreleases: [{name: redis, version: 1.0.0}]\nstemcells: [{alias: default, os: ubuntu-jammy, version: '1.999'}]\nupdate: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000, update_watch_time: 1000}\ninstance_groups: []\n"}

	It("must be the instance's", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.adapter.Forget()).To(Succeed())
		a := w.platform.bind("i-1", "b-1", large)
		Expect(a.status).To(Equal(http.StatusBadRequest))
		Expect(a.description()).To(And(ContainSubstring("plan_id"), ContainSubstring(largePlan), ContainSubstring(smallPlan)))
		Expect(w.calls()).To(BeEmpty())
		binds(w, "b-1", nil, http.StatusCreated)

		By("asking for one that has been made already: by what is known of the binding")
		Expect(w.updated(toLarge())).To(Equal("succeeded"))
		binds(w, "b-1", nil, http.StatusOK)
		binds(w, "b-1", large, http.StatusConflict)

		By("asking for a new one: the new plan's")
		binds(w, "b-2", nil, http.StatusBadRequest)
		binds(w, "b-2", large, http.StatusCreated)
		Expect(w.platform.bind("nobody", "b-1", nil).status).To(Equal(http.StatusNotFound))
	})

	It("must be the instance's where bindings are asynchronous", func() {
		w := newWorld(bindingsKept("memory"), with("description: three nodes", "description: three nodes\n    binding: {async: true}"))
		w.platform.provisioned("i-1")
		a := w.platform.do("PUT", bindingPath("i-1", "b-1")+"?accepts_incomplete=true", object{"service_id": serviceID, "plan_id": largePlan})
		Expect(a.status).To(Equal(http.StatusBadRequest), a.text)
	})

	It("may be either while the plan is changed, and once that has failed", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.director.SetTaskDuration(devdirector.KindDeploy, time.Minute)
		Expect(w.platform.update("i-1", toLarge()).status).To(Equal(http.StatusAccepted))
		binds(w, "b-1", nil, http.StatusCreated)
		binds(w, "b-2", large, http.StatusCreated)

		w = newWorld()
		w.platform.provisioned("i-1")
		w.failNext()
		Expect(w.updated(toLarge())).To(Equal("failed"))
		binds(w, "b-1", nil, http.StatusCreated)
		binds(w, "b-2", large, http.StatusCreated)

		By("repeating the change, which fails again, and then doesn't")
		w.failNext()
		Expect(w.updated(toLarge())).To(Equal("failed"))
		binds(w, "b-3", nil, http.StatusCreated)
		Expect(w.updated(toLarge())).To(Equal("succeeded"))
		binds(w, "b-4", large, http.StatusCreated)
		binds(w, "b-5", nil, http.StatusBadRequest)
	})

	It("is the one before, whatever came after a change that failed", func() {
		for _, after := range []func(*world){
			func(w *world) { Expect(w.updated(object{"parameters": object{"a": 1}})).To(Equal("succeeded")) },
			func(w *world) { w.maintained("upgrade", smallPlan) },
			func(w *world) { w.maintained("upgrade", largePlan) }, // as a list of what is remembered has it
			func(w *world) { w.maintained("recreate", smallPlan) },
		} {
			w := newWorld()
			w.platform.provisioned("i-1")
			w.failNext()
			Expect(w.updated(toLarge())).To(Equal("failed"))
			after(w)
			Expect(w.record("i-1")).To(HaveKeyWithValue("plan_id", smallPlan))
			binds(w, "b-1", nil, http.StatusCreated)
			binds(w, "b-2", large, http.StatusBadRequest)
		}
	})

	It("stays the same when a deploy is refused", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "POST", Path: "/deployments$", Status: 400, Times: 1, Body: `{"code":440001,"description":"no"}`})).To(Succeed())
		Expect(w.platform.update("i-1", toLarge()).status).To(Equal(http.StatusInternalServerError))
		binds(w, "b-1", large, http.StatusBadRequest)
		binds(w, "b-2", nil, http.StatusCreated)
	})

	It("may be either where nothing tells how a change ended, and what comes after is told by its task", func() {
		w := newWorld()
		Expect(w.adapter.Steer("generate-manifest", sameManifest)).To(Succeed())
		w.platform.provisioned("i-1")
		w.failNext()
		Expect(w.updated(toLarge())).To(Equal("failed"))
		binds(w, "b-1", nil, http.StatusCreated)
		binds(w, "b-2", large, http.StatusCreated)
		Expect(w.updated(object{"parameters": object{"a": 1}})).To(Equal("succeeded"))
		binds(w, "b-3", large, http.StatusBadRequest)
	})

	It("may be either where the deploy of a change is done and an errand has failed", func() {
		w := newWorld(with("    properties: {maxmemory: 900}", "    properties: {maxmemory: 900}\n    lifecycle_errands: {post_deploy: [{name: smoke}]}"),
			setting{director: func(o *devdirector.Options) { o.Errands = map[string]devdirector.Errand{"smoke": {ExitCode: 1}} }}, with("jobs: [redis-server]", "jobs: [redis-server, smoke]"))
		w.platform.provisioned("i-1")
		Expect(w.updated(toLarge())).To(Equal("failed"))
		binds(w, "b-1", nil, http.StatusCreated)
		binds(w, "b-2", large, http.StatusCreated)
		By("going back, as the next upgrade does")
		w.maintained("upgrade", smallPlan)
		binds(w, "b-3", nil, http.StatusCreated)
		binds(w, "b-4", large, http.StatusBadRequest)
	})

	It("is left by a deletion that failed in an errand as it was", func() {
		w := newWorld(with("    properties: {maxmemory: 100}", "    properties: {maxmemory: 100}\n    lifecycle_errands: {pre_delete: [{name: wipe}]}"),
			setting{director: func(o *devdirector.Options) { o.Errands = map[string]devdirector.Errand{"wipe": {ExitCode: 1}} }}, with("jobs: [redis-server]", "jobs: [redis-server, wipe]"))
		w.platform.provisioned("i-1")
		w.failNext()
		Expect(w.updated(toLarge())).To(Equal("failed"))
		Expect(w.platform.follow("i-1", w.platform.deprovision("i-1").operation())).To(Equal("failed"))
		Expect(w.record("i-1")).To(HaveKeyWithValue("plan_id", smallPlan))
		binds(w, "b-1", nil, http.StatusCreated)
		binds(w, "b-2", large, http.StatusBadRequest)
	})

	It("may be any of an instance that nobody remembers", func() {
		for _, changes := range [][]setting{nil, {with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true")}} {
			w := newWorld(changes...)
			w.predecessorMade(1)
			for i, plan := range []object{nil, large} {
				Expect(w.platform.bind("old-1", fmt.Sprint("b-", i), plan).status).To(Equal(http.StatusCreated))
			}
		}
	})

	It("may be any where a broker changed the plan that didn't remember the one before", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.failNext()
		Expect(w.updated(toLarge())).To(Equal("failed"))
		w.rewriteRecord("i-1", func(record object) { delete(record, "before") })
		w.serve()
		binds(w, "b-1", nil, http.StatusCreated)
		binds(w, "b-2", large, http.StatusCreated)
	})

	It("is looked up again before a bind is refused, since another broker may have changed it", func() {
		w := newWorldWithoutBroker()
		w.serve()
		first := w.platform
		first.provisioned("i-1")
		w.serve()
		Expect(w.updated(toLarge())).To(Equal("succeeded"))
		w.platform = first
		binds(w, "b-1", large, http.StatusCreated)
	})

	It("is of an instance of this service", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.serve(with("  id: "+serviceID, "  id: another"), with("plan_id: "+smallPlan, "plan_id: another-small"))
		a := w.platform.bind("i-1", "b-1", object{"service_id": "another", "plan_id": "another-small"})
		Expect(a.status).To(Equal(http.StatusBadRequest), a.text)
		Expect(a.description()).To(ContainSubstring("is not one of service"))
	})
})

// maintained carries an operator's operation to its end.
func (w *world) maintained(operation, plan string) {
	GinkgoHelper()
	a := w.platform.do("PATCH", "/mgmt/service_instances/i-1?operation_type="+operation, object{"plan_id": plan})
	Expect(a.status).To(Equal(http.StatusAccepted), a.text)
	Expect(w.platform.follow("i-1", a.text)).To(Equal("succeeded"))
}

var _ = Describe("an instance whose change of plan failed", func() {
	offered := with("  tags: [cache]", "  tags: [cache]\n  instances_retrievable: true")
	versions := with("    properties: {maxmemory: 900}", "    properties: {maxmemory: 900}\n    maintenance_info: {version: 2.0.0}")
	failed := func(changes ...setting) *world {
		GinkgoHelper()
		w := newWorld(append(changes, offered, versions)...)
		w.platform.provisioned("i-1")
		w.failNext()
		Expect(w.updated(toLarge())).To(Equal("failed"))
		return w
	}
	get := func(w *world) object {
		GinkgoHelper()
		a := w.platform.do("GET", instancePath("i-1"), nil)
		Expect(a.status).To(Equal(http.StatusOK), a.text)
		return a.body
	}

	It("is fetched as it was before", func() {
		w := failed()
		Expect(get(w)).To(And(HaveKeyWithValue("plan_id", smallPlan), Not(HaveKey("maintenance_info"))))
		shown := w.platform.do("GET", "/mgmt/service_instances/i-1", nil).body
		Expect(shown).To(And(HaveKeyWithValue("plan_id", smallPlan), Not(HaveKey("maintenance_version"))))
		Expect(w.updated(toLarge())).To(Equal("succeeded"))
		Expect(get(w)).To(And(HaveKeyWithValue("plan_id", largePlan), HaveKeyWithValue("maintenance_info", HaveKeyWithValue("version", "2.0.0"))))
	})

	It("is fetched as it was before when the Director has forgotten the task", func() {
		w := failed(setting{director: func(o *devdirector.Options) { o.MaxTasks = 1 }})
		other := w.platform.provision("other", nil)
		Expect(w.platform.follow("other", other.operation())).To(Equal("succeeded"))
		Expect(get(w)).To(HaveKeyWithValue("plan_id", smallPlan))
	})

	It("is the same again as it was asked for first", func() {
		w := failed()
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusOK))
		Expect(w.platform.provision("i-1", object{"plan_id": largePlan}).status).To(Equal(http.StatusConflict))
	})

	It("stays in the plan before if an update names none", func() {
		w := failed()
		Expect(w.updated(object{"plan_id": nil, "previous_values": nil, "parameters": object{"a": 1}})).To(Equal("succeeded"))
		Expect(get(w)).To(HaveKeyWithValue("plan_id", smallPlan))
		deployed, err := w.directorClient().Deployment(GinkgoT().Context(), "service-instance_i-1")
		Expect(err).NotTo(HaveOccurred())
		Expect(deployed.Manifest).To(And(ContainSubstring("vm_type: small"), Not(ContainSubstring("vm_type: large"))))
	})
})

// rewriteRecord changes what is remembered of an instance.
func (w *world) rewriteRecord(instanceID string, change func(record object)) {
	GinkgoHelper()
	record := w.record(instanceID)
	change(record)
	text, err := json.Marshal(record)
	Expect(err).NotTo(HaveOccurred())
	_, err = w.directorClient().CreateConfig(GinkgoT().Context(), boshclient.CreateConfig{Type: "odb-instance", Name: "service-instance_" + instanceID, Content: string(text)})
	Expect(err).NotTo(HaveOccurred())
}
