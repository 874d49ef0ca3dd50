package main

import (
	"net/http"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("disaster recovery", func() {
	It("needs nothing but the Director's backup and the configuration", func() {
		state, backup := GinkgoT().TempDir(), GinkgoT().TempDir()
		w := newWorldWithoutBroker(setting{director: func(o *devdirector.Options) { o.StateDir = state }})
		w.serve()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}})).To(Succeed())
		w.platform.provisioned("kept")
		Expect(w.platform.bind("kept", "b-1", nil).status).To(Equal(http.StatusCreated))
		Expect(os.CopyFS(backup, os.DirFS(state))).To(Succeed())

		By("losing what came after the backup, and the broker")
		update := w.platform.update("kept", object{"plan_id": largePlan})
		Expect(w.platform.follow("kept", update.operation())).To(Equal("succeeded"))
		lost := w.platform.provision("lost", nil)
		Expect(w.platform.follow("lost", lost.operation())).To(Equal("succeeded"))
		Expect(w.director.Close()).To(Succeed())
		Expect(os.Remove(filepath.Join(w.dir, "broker.yml"))).To(Succeed())
		w.startDirector(setting{director: func(o *devdirector.Options) { o.StateDir = backup }})
		w.serve()

		By("telling honestly of operations that the Director has never heard of")
		Expect(w.platform.lastOperation("kept", update.operation()).status).To(Equal(http.StatusInternalServerError))
		Expect(w.platform.lastOperation("lost", lost.operation()).status).To(Equal(http.StatusNotFound))
		Expect(w.platform.bind("lost", "b-1", nil).status).To(Equal(http.StatusNotFound))
		Expect(w.platform.unbind("lost", "b-1").status).To(Equal(http.StatusGone))
		Expect(w.platform.deprovision("lost").status).To(Equal(http.StatusGone))

		By("going on with what there is")
		Expect(w.platform.manage("GET", "/service_instances", nil).text).To(MatchJSON(`[{"service_instance_id":"kept","plan_id":"` + smallPlan + `"}]`))
		Expect(w.platform.unbind("kept", "b-1").status).To(Equal(http.StatusOK))
		Expect(w.platform.bind("kept", "b-2", nil).status).To(Equal(http.StatusCreated))
		w.succeeds("kept", 0, func() answer { return w.platform.update("kept", object{"plan_id": largePlan}) })
		w.succeeds("kept", 0, func() answer { return w.platform.deprovision("kept") })
		w.nothingLeft("kept")
	})

	It("leaves what platform and Director don't agree on to be found", func() {
		cf := newFoundation()
		cf.knows(smallPlan, largePlan)
		state, backup := GinkgoT().TempDir(), GinkgoT().TempDir()
		w := newWorldWithoutBroker(setting{director: func(o *devdirector.Options) { o.StateDir = state }})
		w.serve(cf.configured())
		w.provisionAll("kept", "deleted-since")
		Expect(os.CopyFS(backup, os.DirFS(state))).To(Succeed())
		w.succeeds("deleted-since", 0, func() answer { return w.platform.deprovision("deleted-since") })
		w.provisionAll("made-since")
		cf.has("kept", smallPlan)
		cf.has("made-since", smallPlan)

		Expect(w.director.Close()).To(Succeed())
		w.startDirector(setting{director: func(o *devdirector.Options) { o.StateDir = backup }})
		w.serve(cf.configured())
		Expect(w.platform.manage("GET", "/orphan_deployments", nil).text).To(MatchJSON(`[{"deployment_name":"service-instance_deleted-since"}]`))
		Expect(w.platform.findings("deleted-since", "").text).To(ContainSubstring(`"code":"orphan"`))
		Expect(w.platform.findings("made-since", "").text).To(ContainSubstring(`"code":"deployment_missing"`))

		By("having it put in order")
		Expect(w.platform.deprovision("made-since").status).To(Equal(http.StatusGone))
		a := w.platform.deleteOrphan("deleted-since", "grace=0s")
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow("deleted-since", a.text)).To(Equal("succeeded"))
		Expect(w.deploymentNames()).To(ConsistOf("service-instance_kept"))
	})
})
