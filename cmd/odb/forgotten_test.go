package main

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
)

// The Director keeps a limited number of tasks of each kind. A platform may ask later than that.
var _ = Describe("an operation whose task the Director has forgotten", func() {
	forgetful := setting{director: func(o *devdirector.Options) { o.MaxTasks = 1 }}
	broken := devdirector.Outcome{Deployment: "service-instance_i-1", Kind: devdirector.KindDeploy, Error: &devdirector.TaskError{Code: 450001, Message: "redis/0 is not running"}}

	// forget makes the Director forget all deploys but one of another instance.
	forget := func(w *world, operation string) {
		GinkgoHelper()
		other := w.platform.provision("other", nil)
		Expect(other.status).To(Equal(http.StatusAccepted), other.text)
		Expect(w.platform.follow("other", other.operation())).To(Equal("succeeded"))
		w.director.ResetStats()
		_ = w.platform.lastOperation("i-1", operation)
		Expect(w.director.Stats().Requests).To(HaveKey("GET /deployments/:name"), "the task is not known: %v", w.director.Stats().Requests)
	}
	ended := func(w *world, operation string) any {
		GinkgoHelper()
		a := w.platform.lastOperation("i-1", operation)
		Expect(a.status).To(Equal(http.StatusOK), a.text)
		return a.body["state"]
	}

	DescribeTable("is told about by what is there: a creation", func(changes ...setting) {
		for _, end := range []string{"succeeded", "failed"} {
			w := newWorld(append(changes, forgetful)...)
			if end == "failed" {
				w.director.AddOutcome(broken)
			}
			a := w.platform.provision("i-1", nil)
			Expect(w.platform.follow("i-1", a.operation())).To(Equal(end))
			forget(w, a.operation())
			Expect(ended(w, a.operation())).To(Equal(end))
		}
	},
		Entry("that is remembered"),
		Entry("that is not", with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true")),
	)

	It("is told about by the manifest that was submitted: an update", func() {
		for _, end := range []string{"succeeded", "failed"} {
			w := newWorld(forgetful)
			w.platform.provisioned("i-1")
			if end == "failed" {
				w.director.AddOutcome(broken)
			}
			a := w.platform.update("i-1", object{"plan_id": largePlan})
			Expect(w.platform.follow("i-1", a.operation())).To(Equal(end))
			forget(w, a.operation())
			Expect(ended(w, a.operation())).To(Equal(end))
		}
	})

	It("is told about by what the broker noted of its errands", func() {
		w := newWorld(append(withErrands, forgetful, setting{carryEvery: 10 * time.Millisecond})...)
		a := w.platform.provision("i-1", nil)
		Eventually(func() any { return w.record("i-1")["operation"] }).Should(HaveKeyWithValue("state", "succeeded"))
		forget(w, a.operation())
		Expect(ended(w, a.operation())).To(Equal("succeeded"))
	})

	It("can't be told about, and is polled on, if nothing tells", func() {
		w := newWorld(forgetful)
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Manifest: "name: '{{deployment}}'\nreleases: [{name: redis, version: 1.0.0}]\nstemcells: [{alias: default, os: ubuntu-jammy, version: '1.999'}]\nupdate: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000, update_watch_time: 1000}\ninstance_groups: []\n"})).To(Succeed())
		w.platform.provisioned("i-1")
		a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		forget(w, a.operation())
		Expect(w.platform.lastOperation("i-1", a.operation()).status).To(Equal(http.StatusInternalServerError), "the manifest was the same before")

		By("not taking a later operation for it")
		later := w.platform.update("i-1", object{"plan_id": largePlan})
		Expect(w.platform.follow("i-1", later.operation())).To(Equal("succeeded"))
		Expect(w.platform.lastOperation("i-1", a.operation()).status).To(Equal(http.StatusInternalServerError))
	})

	It("is of an instance that isn't there", func() {
		w := newWorld()
		a := w.platform.lastOperation("i-1", `{"BoshTaskID":4711,"OperationType":"update"}`)
		Expect(a.status).To(Equal(http.StatusNotFound))
		Expect(a.description()).To(Equal("Service instance i-1 does not exist"))
	})
})
