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

// A broker of these stories doesn't look after anything by itself: then it is as if it were gone, and the next one is another process.
var _ = Describe("a deletion that nobody saw the end of", func() {
	often := setting{carryEvery: time.Millisecond}
	cloud := adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}}

	It("leaves nothing, once a broker starts again", func() {
		w, ends := slowWorld()
		Expect(w.adapter.Steer("generate-manifest", cloud)).To(Succeed())
		w.platform.provisionedAt("i-1", ends)
		w.platform.provisionedAt("i-2", ends)
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
		ends()
		kept := w.configs("i-2")
		Expect(w.configs("i-1")).To(HaveLen(2))

		w.director.ResetStats()
		w.serve()
		Eventually(func() map[string]string { return w.configs("i-1") }).Should(BeEmpty())
		Expect(w.configs("i-2")).To(Equal(kept))
		Expect(w.director.Stats().Requests).To(HaveKeyWithValue("GET /deployments", 1))
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusGone))
	})

	It("leaves nothing, if it ends long after the next broker's start", func() {
		w, ends := slowWorld()
		w.platform.provisionedAt("i-1", ends)
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
		w.serve(often)
		Eventually(func() int { return w.director.Stats().Requests["GET /deployments"] }).Should(BeNumerically(">=", 1))
		Expect(w.configs("i-1")).To(HaveLen(1))
		ends()
		Eventually(func() map[string]string { return w.configs("i-1") }).Should(BeEmpty())
	})

	It("leaves alone what is just being made anew under the same id", func() {
		w, ends := slowWorld()
		w.platform.provisionedAt("i-1", ends)
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
		ends()
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultHang, Method: "POST", Path: "/deployments$", Times: 1})).To(Succeed())
		var again answer
		var done sync.WaitGroup
		done.Go(func() {
			defer GinkgoRecover()
			again = w.platform.provision("i-1", object{"plan_id": largePlan})
		})
		Eventually(func() int { return w.director.Stats().Requests["POST /deployments"] }).Should(Equal(2))
		Expect(w.record("i-1")).To(HaveKeyWithValue("plan_id", largePlan))

		first := w.platform
		w.serve(often)
		asked := w.director.Stats().Requests["GET /deployments"]
		Eventually(func() int { return w.director.Stats().Requests["GET /deployments"] }).Should(BeNumerically(">=", asked+2))
		Expect(w.record("i-1")).To(HaveKeyWithValue("plan_id", largePlan))

		w.director.ClearFaults()
		done.Wait()
		Expect(again.status).To(Equal(http.StatusAccepted), again.text)
		ends()
		Expect(first.follow("i-1", again.operation())).To(Equal("succeeded"))
	})

	It("leaves alone what was made and never deleted, though there is no deployment", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.platform.provisioned("i-2")
		hidden := devdirector.Fault{Kind: devdirector.FaultStatus, Method: "GET", Path: "/deployments$", Status: http.StatusOK, Body: `[]`}
		Expect(w.director.AddFault(hidden)).To(Succeed(), "it shows a team only its own")
		w.director.ResetStats()
		w.serve()
		Eventually(func() int { return w.director.Stats().Requests["GET /tasks"] }).Should(BeNumerically(">=", 2))
		Expect(w.platform.deprovision("other").status).To(Equal(http.StatusGone), "and the broker goes on")
		Expect(w.configs("i-1")).To(HaveKey("odb-instance"))
		Expect(w.configs("i-2")).To(HaveKey("odb-instance"))
	})

	It("is tried again when something could not be removed", func() {
		w, ends := slowWorld()
		w.platform.provisionedAt("i-1", ends)
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
		ends()
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "DELETE", Path: "/configs$", Status: http.StatusInternalServerError})).To(Succeed())
		w.serve(often)
		Eventually(w.log.String).Should(ContainSubstring("sweep.left"))
		Expect(w.configs("i-1")).NotTo(BeEmpty())
		w.director.ClearFaults()
		Eventually(func() map[string]string { return w.configs("i-1") }).Should(BeEmpty())
	})
})
