package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("lifecycle errands", func() {
	errands := with("    instance_groups:", `    lifecycle_errands:
      post_deploy: [{name: smoke}, {name: warm-up, instances: [redis/0]}]
      pre_delete: [{name: backup}, {name: drain}]
    instance_groups:`)
	jobs := with("jobs: [redis-server]", "jobs: [redis-server, smoke, warm-up, backup, drain]")
	onErrand := func(name string, e devdirector.Errand) setting {
		return setting{director: func(o *devdirector.Options) {
			if o.Errands == nil {
				o.Errands = map[string]devdirector.Errand{}
			}
			o.Errands[name] = e
		}}
	}
	kinds := func(w *world) map[devdirector.Kind]int { return w.director.Stats().Tasks }

	It("run one after another, after the deploy and before the deletion", func() {
		w := newWorld(errands, jobs)
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(a.operation()).To(And(ContainSubstring(`"Errands":[{"Name":"smoke"},{"Name":"warm-up","Instances":["redis/0"]}]`), ContainSubstring(`"BoshContextID":"`)))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(kinds(w)).To(HaveKeyWithValue(devdirector.KindErrand, 2))

		w.director.ResetStats()
		a = w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(kinds(w)).To(And(HaveKeyWithValue(devdirector.KindErrand, 2), HaveKeyWithValue(devdirector.KindDelete, 1)))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusGone))
	})

	It("fail the operation when one exits badly on any instance, and the rest doesn't run", func() {
		w := newWorld(errands, jobs, onErrand("smoke", devdirector.Errand{ExitCode: 3, Stderr: "no answer"}))
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(kinds(w)).To(HaveKeyWithValue(devdirector.KindErrand, 1))
		Expect(w.platform.lastOperation("i-1", a.operation()).description()).To(ContainSubstring("task-id: 2"))
	})

	It("keep an instance from being deleted when they fail, but not by force", func() {
		w := newWorld(errands, jobs, onErrand("backup", devdirector.Errand{ExitCode: 1}))
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))

		a = w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(kinds(w)).NotTo(HaveKey(devdirector.KindDelete))

		a = w.platform.do("DELETE", instancePath("i-1")+"?force=true&accepts_incomplete=true&"+planQuery(smallPlan), nil)
		Expect(a.operation()).To(ContainSubstring(`"force-delete"`))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(kinds(w)).To(HaveKeyWithValue(devdirector.KindDelete, 1))
	})

	It("are left out for an instance that never came up", func() {
		w := newWorld(errands, jobs, setting{director: func(o *devdirector.Options) {
			o.Stemcells = []devdirector.Stemcell{{Name: "other", OS: "other", Version: "1"}}
		}})
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		a = w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(kinds(w)).NotTo(HaveKey(devdirector.KindErrand))
	})

	It("start once each, however many ask at one moment", func() {
		w := newWorld(errands, jobs)
		a := w.platform.provision("i-1", nil)
		for range 10 {
			var all sync.WaitGroup
			for range 16 {
				all.Go(func() {
					defer GinkgoRecover()
					Expect(w.platform.lastOperation("i-1", a.operation()).status).To(Equal(http.StatusOK))
				})
			}
			all.Wait()
		}
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(kinds(w)).To(HaveKeyWithValue(devdirector.KindErrand, 2))
	})

	It("tell which one runs", func() {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(errands, jobs, tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		a := w.platform.provision("i-1", nil)
		clock.Advance(2 * time.Minute)
		w.platform.lastOperation("i-1", a.operation())
		clock.Advance(30 * time.Second)
		Expect(w.platform.lastOperation("i-1", a.operation()).description()).To(Equal("Instance provisioning in progress: Running errand smoke"))
	})

	It("have no result that is worth a request when an instance is deleted by force", func() {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(jobs, with("    instance_groups:", "    lifecycle_errands: {pre_delete: [{name: backup}, {name: drain}]}\n    instance_groups:"),
			onErrand("backup", devdirector.Errand{ExitCode: 1}), tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		w.platform.provisionedAt("i-1", func() { clock.Advance(2 * time.Minute) })
		a := w.forceDelete("i-1")
		clock.Advance(2 * time.Minute)
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(HaveKeyWithValue("state", "in progress"))
		clock.Advance(30 * time.Second)
		w.director.ResetStats()
		Expect(w.platform.lastOperation("i-1", a.operation()).description()).To(HaveSuffix("Running errand drain"))
		Expect(w.director.Stats().Requests).To(Equal(map[string]int{"GET /tasks": 1}))
	})

	It("go on with operations that the predecessor began", func() {
		w := newWorld(errands, jobs)
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		_, context, _ := cutAround(a.operation(), `"BoshContextID":"`, `"`)
		old := `{"BoshTaskID":1,"BoshContextID":"` + context + `","OperationType":"create","PostDeployErrand":{"Name":"smoke","Instances":[]},"PreDeleteErrand":{}}`
		Expect(w.platform.lastOperation("i-1", old).body).To(HaveKeyWithValue("state", "succeeded"))
	})

	It("go on with what the predecessor began on an instance of which an operation of ours is remembered", func() {
		w := newWorld(errands, jobs)
		w.platform.provisioned("i-1")
		director := w.directorClient()
		deployed, err := director.Deployment(GinkgoT().Context(), "service-instance_i-1")
		Expect(err).NotTo(HaveOccurred())
		task, err := director.Deploy(GinkgoT().Context(), boshclient.Deploy{Manifest: deployed.Manifest, ContextID: "of-old"})
		Expect(err).NotTo(HaveOccurred())
		before := w.director.Stats().Tasks[devdirector.KindErrand]
		old := fmt.Sprintf(`{"BoshTaskID":%d,"BoshContextID":"of-old","OperationType":"update","PostDeployErrand":{"Name":"smoke"},"PreDeleteErrand":{}}`, task)
		Expect(w.platform.follow("i-1", old)).To(Equal("succeeded"))
		Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(Equal(before + 1))
	})

	It("cost the Director little", func() {
		w := newWorld(errands, jobs)
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		w.director.ResetStats()
		w.platform.lastOperation("i-1", a.operation())
		Expect(w.director.Stats().TotalRequests).To(Equal(1), "what has passed isn't asked for again")
	})
})
