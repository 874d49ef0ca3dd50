package main

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

// docs/MIGRATING.md is about what these stories play.
var _ = Describe("a change of brokers", func() {
	settings := []setting{
		with("    instance_groups:", "    lifecycle_errands: {post_deploy: [{name: smoke}], pre_delete: [{name: backup}]}\n    instance_groups:"),
		with("jobs: [redis-server]", "jobs: [redis-server, smoke, backup]"),
	}
	smoke, backup := oldErrand{Name: "smoke"}, oldErrand{Name: "backup"}
	const deployment = "service-instance_i-1"
	begin := func() (*world, predecessor) {
		w := newWorldWithoutBroker(settings...)
		return w, predecessor{w.directorClient()}
	}
	// manifestOf is what the adapter makes for an instance, whichever broker asks it.
	manifestOf := func(w *world, instanceID string) string {
		GinkgoHelper()
		w.serve(settings...)
		w.platform.provisioned("model")
		manifest := strings.ReplaceAll(w.manifest("model"), "service-instance_model", "service-instance_"+instanceID)
		w.succeeds("model", 1, func() answer { return w.platform.deprovision("model") })
		return manifest
	}

	It("goes on with what the predecessor has begun, and gets to know its instances", func() {
		w, old := begin()
		operation := old.creates(manifestOf(w, "i-1"), smoke)
		w.serve(settings...)
		w.director.ResetStats()
		Expect(w.platform.follow("i-1", operation)).To(Equal("succeeded"))
		Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(Equal(1))
		Expect(w.configs("i-1")).To(BeEmpty(), "polls remember nothing")
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))

		By("an upgrade that finds nothing to do")
		Expect(w.platform.manage("GET", "/service_instances", nil).text).To(MatchJSON("[]"))
		w.director.ResetStats()
		Expect(w.platform.upgrade("i-1").status).To(Equal(http.StatusNoContent))
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(w.record("i-1")).To(HaveKeyWithValue("plan_id", smallPlan))
		Expect(w.platform.manage("GET", "/service_instances", nil).text).To(ContainSubstring(`"i-1"`))

		By("a deletion of the predecessor's")
		operation = old.deletes(deployment, backup)
		w.serve(settings...)
		Expect(w.platform.follow("i-1", operation)).To(Equal("succeeded"))
		w.nothingLeft("i-1")
	})

	It("leaves operations that the predecessor brings to their end, at every step there and back", func() {
		w, old := begin()
		w.serve(settings...)
		for _, start := range []func() answer{
			func() answer { return w.platform.provision("i-1", nil) },
			func() answer { return w.platform.update("i-1", object{"parameters": object{"a": 1}}) },
			func() answer { return w.platform.upgrade("i-1", "force=true") },
			func() answer { return w.platform.recreate("i-1") },
			func() answer { return w.platform.deprovision("i-1") },
		} {
			w.director.ResetStats()
			a := start()
			Expect(a.status).To(Equal(http.StatusAccepted), a.text)
			operation := a.operation()
			if operation == "" {
				operation = a.text
			}
			Expect(old.follow(deployment, operation)).To(Equal("succeeded"), operation)
			Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(Equal(1))
		}
		w.nothingLeft("i-1")
	})

	It("leaves operations without errands that the predecessor understands", func() {
		w := newWorld()
		old := predecessor{w.directorClient()}
		for _, start := range []func() answer{
			func() answer { return w.platform.provision("i-1", nil) }, func() answer { return w.platform.deprovision("i-1") },
		} {
			Expect(old.follow(deployment, start().operation())).To(Equal("succeeded"))
		}
		w.nothingLeft("i-1")
	})

	It("leaves one kind of operation that the predecessor can't tell of: a deletion that took a creation's place", func() {
		w, ends := slowWorld()
		old := predecessor{w.directorClient()}
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
		deletion := w.platform.deprovision("i-1")
		_, err := old.lastOperation(GinkgoT().Context(), deployment, deletion.operation())
		Expect(err).To(MatchError("no task"))
		w.finished("i-1", ends, deletion)
	})

	It("leaves configs in the Director, and works without them", func() {
		w, old := begin()
		manifest := manifestOf(w, "i-1")
		w.platform.provisioned("i-1")
		Expect(w.manifest("i-1")).To(Equal(manifest))
		Expect(w.allConfigs()).To(HaveLen(1))
		Expect(w.configs("i-1")).To(HaveKey("odb-instance"))

		By("having them removed, as who goes back does")
		Expect(old.deleteConfigs(GinkgoT().Context(), deployment)).To(Succeed())
		w.serve(settings...)
		w.succeeds("i-1", 0, func() answer { return w.platform.update("i-1", object{"plan_id": largePlan}) })
		Expect(w.record("i-1")).To(HaveKeyWithValue("plan_id", largePlan))
		w.succeeds("i-1", 0, func() answer {
			return w.platform.do("DELETE", instancePath("i-1")+"?accepts_incomplete=true&"+planQuery(largePlan), nil)
		})
		w.nothingLeft("i-1")
	})
})
