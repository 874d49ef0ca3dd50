package main

import (
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("when the adapter fails", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	It("tells the user the adapter's own words, and starts nothing", func() {
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{ExitCode: 1, Stdout: "max_memory must be a number", Stderr: "stack trace"})).To(Succeed())
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusInternalServerError))
		Expect(a.description()).To(Equal("max_memory must be a number"))
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(w.log.String()).To(ContainSubstring("stack trace"))
	})

	It("tells them of an update, too, whether they come of the change or of the look for pending ones", func() {
		w.platform.provisioned("i-1")
		w.director.ResetStats()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{ExitCode: 1, Stdout: "max_memory can't shrink"})).To(Succeed())
		for range 2 {
			a := w.platform.update("i-1", object{"parameters": object{"max_memory": 1}})
			Expect(a.status).To(Equal(http.StatusInternalServerError))
			Expect(a.description()).To(Equal("max_memory can't shrink"))
			w.serve(with("use_stdin: true", "use_stdin: true\n  skip_check_for_pending_changes: true"))
		}
		Expect(w.director.Stats().TotalTasks).To(BeZero())
	})

	It("tells the user whom to ask if the adapter says nothing", func() {
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{ExitCode: 3, Stderr: "secret details"})).To(Succeed())
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusInternalServerError))
		Expect(a.description()).To(And(ContainSubstring("service: redis, service-instance-guid: i-1, broker-request-id: "), HaveSuffix("operation: create"),
			Not(ContainSubstring("secret details"))))
	})

	It("shows the cause to the user if the operator wants that", func() {
		w := newWorld(with("use_stdin: true", "use_stdin: true\n  expose_operational_errors: true"))
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Stdout: "rubbish"})).To(Succeed())
		Expect(w.platform.provision("i-1", nil).description()).To(ContainSubstring(" - error-message: "))
	})

	It("starts nothing if the dashboard can't be told", func() {
		Expect(w.adapter.Steer("dashboard-url", adaptertest.Steering{ExitCode: 1, Stdout: "no dashboard today"})).To(Succeed())
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusInternalServerError))
		Expect(a.description()).To(Equal("no dashboard today"))
		Expect(w.director.Stats().TotalTasks).To(BeZero())
	})

	DescribeTable("refuses manifests that can't be right", func(manifest string) {
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Manifest: manifest})).To(Succeed())
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusInternalServerError), a.text)
		Expect(a.description()).To(ContainSubstring("broker-request-id"))
		Expect(w.director.Stats().TotalTasks).To(BeZero())
	},
		Entry("of another deployment", "name: service-instance_other\n"),
		Entry("without a name", "releases: []\n"),
		Entry("with a floating release", "name: '{{deployment}}'\nreleases: [{name: a, version: latest}]\n"),
		Entry("with a floating stemcell", "name: '{{deployment}}'\nstemcells: [{alias: a, os: x, version: 3.latest}]\n"),
		Entry("that are no YAML", "{{{"),
	)

	DescribeTable("gives exit codes of bindings their meaning", func(code, status int, key string) {
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{ExitCode: code, Stdout: "the adapter's words"})).To(Succeed())
		a := w.platform.bind("i-1", "b-1", nil)
		Expect(a.status).To(Equal(status))
		Expect(a.description()).To(Equal("the adapter's words"))
		if key != "" {
			Expect(a.body).To(HaveKeyWithValue("error", key))
		}
	},
		Entry("49: exists already", 49, http.StatusConflict, ""),
		Entry("42: an app is needed", 42, http.StatusUnprocessableEntity, "RequiresApp"),
		Entry("1: failed", 1, http.StatusInternalServerError, ""),
	)

	It("knows a binding that isn't there from one that can't be deleted", func() {
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("delete-binding", adaptertest.Steering{ExitCode: 41})).To(Succeed())
		a := w.platform.unbind("i-1", "b-1")
		Expect(a.status).To(Equal(http.StatusGone))
		Expect(a.text).To(MatchJSON(`{}`))
		Expect(w.adapter.Steer("delete-binding", adaptertest.Steering{ExitCode: 10})).To(Succeed())
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusInternalServerError))
	})

	It("does not wait for ever", func() {
		w := newWorld(with("service_adapter:", "service_adapter:\n  timeouts: {generate-manifest: 200ms}"))
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Hold: "never"})).To(Succeed())
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusInternalServerError))
		Expect(w.log.String()).To(ContainSubstring("ran out of time"))
	})

	It("delays no other instance while one hangs", func() {
		Expect(w.adapter.SteerInstance("generate-manifest", "slow", adaptertest.Steering{Hold: "slow"})).To(Succeed())
		var slow answer
		var done sync.WaitGroup
		done.Go(func() {
			defer GinkgoRecover()
			slow = w.platform.provision("slow", nil)
		})
		Eventually(w.calls).Should(ContainElement("generate-manifest"))

		w.platform.provisioned("quick")
		again := w.platform.provision("slow", nil)
		Expect(again.status).To(Equal(http.StatusUnprocessableEntity))
		Expect(again.body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		Expect(w.platform.deprovision("slow").body).To(HaveKeyWithValue("error", "ConcurrencyError"))

		Expect(w.adapter.LetGo("slow")).To(Succeed())
		done.Wait()
		Expect(slow.status).To(Equal(http.StatusAccepted), slow.text)
	})
})

var _ = Describe("when an operation is under way", func() {
	It("says so to whoever wants another", func() {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		first := w.platform.provision("i-1", nil)
		Expect(first.status).To(Equal(http.StatusAccepted))

		Expect(w.platform.provision("i-1", object{"plan_id": largePlan}).status).To(Equal(http.StatusConflict))
		Expect(w.platform.update("i-1", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		Expect(w.platform.bind("i-1", "b", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		Expect(w.director.Stats().TotalTasks).To(Equal(1))
		clock.Advance(2 * time.Minute)
		Expect(w.platform.follow("i-1", first.operation())).To(Equal("succeeded"))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
	})

	It("lets one of many simultaneous provisions through", func() {
		w := newWorld()
		answers := make([]answer, 12)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				defer GinkgoRecover()
				answers[i] = w.platform.provision("i-1", nil)
			})
		}
		all.Wait()
		operations := map[string]bool{}
		for _, a := range answers {
			if a.status == http.StatusAccepted {
				operations[a.operation()] = true
			} else {
				Expect(a.status).To(Or(Equal(http.StatusOK), Equal(http.StatusUnprocessableEntity)), a.text)
			}
		}
		Expect(operations).To(HaveLen(1), "whoever comes after it is told of the same")
		Expect(w.director.Stats().TotalTasks).To(Equal(1))
	})
})

var _ = Describe("changes that the operator has not rolled out", func() {
	It("refuse an update: the user is told briefly, the operator sees the difference", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Manifest: "name: '{{deployment}}'\nreleases: [{name: redis, version: 2.0.0}]\n"})).To(Succeed())
		w.director.ResetStats()
		a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity))
		Expect(a.description()).To(And(ContainSubstring("contact your operator"), Not(ContainSubstring("2.0.0"))))
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(w.log.String()).To(And(ContainSubstring("update.pending-changes"), ContainSubstring("2.0.0")))
	})

	It("may go along where the operator allows it", func() {
		w := newWorld(with("use_stdin: true", "use_stdin: true\n  skip_check_for_pending_changes: true"))
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Manifest: "name: '{{deployment}}'\nreleases: [{name: redis, version: 2.0.0}]\n"})).To(Succeed())
		Expect(w.platform.update("i-1", object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusAccepted))
	})
})
