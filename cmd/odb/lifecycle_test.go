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

var _ = Describe("the life of a service instance", func() {
	It("is provisioned, bound, updated, unbound and deprovisioned", func() {
		w := newWorld()
		p := w.platform

		By("provisioning")
		a := p.provision("i-1", object{"parameters": object{"color": "blue"}, "context": object{"platform": "kubernetes"}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(a.body).To(HaveKeyWithValue("dashboard_url", "https://dashboard.example/i-1"))
		Expect(a.operation()).To(MatchJSON(`{"BoshTaskID":1,"OperationType":"create","PostDeployErrand":{},"PreDeleteErrand":{}}`))
		Expect(p.follow("i-1", a.operation())).To(Equal("succeeded"))
		done := p.lastOperation("i-1", a.operation())
		Expect(done.body).To(Equal(object{"state": "succeeded", "description": "Instance provisioning completed"}))

		By("binding")
		a = p.bind("i-1", "b-1", object{"parameters": object{"role": "reader"}})
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		Expect(a.body).To(HaveKey("credentials"))

		By("updating to the bigger plan")
		a = p.update("i-1", object{"plan_id": largePlan, "previous_values": object{"plan_id": smallPlan}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(p.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(p.lastOperation("i-1", a.operation()).description()).To(Equal("Instance update completed"))

		By("unbinding")
		a = p.unbind("i-1", "b-1")
		Expect(a.status).To(Equal(http.StatusOK), a.text)
		Expect(a.text).To(MatchJSON(`{}`))

		By("deprovisioning")
		a = p.deprovision("i-1")
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(p.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(p.lastOperation("i-1", a.operation()).description()).To(Equal("Instance deletion completed"))

		By("finding nothing left")
		a = p.deprovision("i-1")
		Expect(a.status).To(Equal(http.StatusGone))
		Expect(a.text).To(MatchJSON(`{}`))
		Expect(p.bind("i-1", "b-2", nil).status).To(Equal(http.StatusNotFound))
		Expect(p.unbind("i-1", "b-1").status).To(Equal(http.StatusGone))
		Expect(p.update("i-1", nil).status).To(Equal(http.StatusNotFound))

		Expect(w.calls()).To(Equal([]string{
			"generate-manifest", "dashboard-url", // provision
			"create-binding",
			"generate-manifest", "generate-manifest", "dashboard-url", // update: the check for pending changes, then the real one
			"delete-binding",
		}))
	})

	It("tells the stage that the Director's task is in", func() {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		a := w.platform.provision("i-1", object{"plan_id": largePlan})
		Expect(a.status).To(Equal(http.StatusAccepted))

		seen := []string{}
		for range 200 {
			poll := w.platform.lastOperation("i-1", a.operation())
			Expect(poll.status).To(Equal(http.StatusOK))
			if len(seen) == 0 || seen[len(seen)-1] != poll.description() {
				seen = append(seen, poll.description())
			}
			if poll.body["state"] != "in progress" {
				break
			}
			clock.Advance(time.Second)
		}
		Expect(seen).To(ContainElements(
			"Instance provisioning in progress: Updating instance redis/0 (1 of 3)",
			"Instance provisioning in progress: Updating instance redis/1 (2 of 3)",
			"Instance provisioning in progress: Updating instance redis/2 (3 of 3)",
		))
		Expect(seen[len(seen)-1]).To(Equal("Instance provisioning completed"))
	})

	It("passes the adapter's labels on", func() {
		w := newWorld()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Labels: map[string]any{"tier": "gold"}})).To(Succeed())
		a := w.platform.provision("i-1", nil)
		Expect(a.body).To(HaveKeyWithValue("metadata", object{"labels": object{"tier": "gold"}}))
	})

	It("does without a dashboard where the adapter has none", func() {
		w := newWorld()
		Expect(w.adapter.Steer("dashboard-url", adaptertest.Steering{ExitCode: 10})).To(Succeed())
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(a.body).NotTo(HaveKey("dashboard_url"))
	})

	It("keeps an instance's own BOSH configs in step with it", func() {
		w := newWorld()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}})).To(Succeed())
		w.platform.provisioned("i-1")

		a := w.platform.update("i-1", object{"parameters": object{"color": "red"}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(previousConfigs(w)).To(Equal([]string{`null`, `{"cloud":"vm_extensions: []\n"}`, `{"cloud":"vm_extensions: []\n"}`}))

		a = w.platform.deprovision("i-1")
		Expect(a.operation()).To(ContainSubstring(`"Configs":["cloud","odb-instance"]`))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		w.director.ResetStats()
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusGone))
		Expect(w.director.Stats().Requests).NotTo(HaveKey("DELETE /configs"), "the config went with the instance")
	})

	It("keeps a config of each type", func() {
		w := newWorld()
		made := map[string]any{"cloud": "vm_extensions: []\n", "cpi": "cpis: []\n", "runtime": "addons: []\n"}
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: made})).To(Succeed())
		w.platform.provisioned("i-1")
		for kind, content := range made {
			Expect(w.configs("i-1")).To(HaveKeyWithValue(kind, content))
		}
		a := w.platform.update("i-1", object{"parameters": object{"color": "red"}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(previousConfigs(w)[1:]).To(HaveEach(MatchJSON(`{"cloud":"vm_extensions: []\n","cpi":"cpis: []\n","runtime":"addons: []\n"}`)))
		a = w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.configs("i-1")).To(BeEmpty())
	})

	It("leaves the configs of an instance alone that was made anew while the old one's deletion was still being asked for", func() {
		w := newWorld()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}})).To(Succeed())
		w.platform.provisioned("i-1")
		deletion := w.platform.deprovision("i-1")
		w.platform.provisioned("i-1")
		w.director.ResetStats()
		Expect(w.platform.lastOperation("i-1", deletion.operation()).body).To(HaveKeyWithValue("state", "succeeded"))
		Expect(w.director.Stats().Requests).NotTo(HaveKey("DELETE /configs"))
	})

	It("refuses configs where the operator disabled them, before anything is changed", func() {
		w := newWorld(with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true"))
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}})).To(Succeed())
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusInternalServerError))
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(w.director.Stats().Requests).NotTo(HaveKey("POST /configs"))
	})

	It("upgrades one instance when its maintenance version alone changes", func() {
		w := newWorld(with("  global_properties:", "  maintenance_info: {version: 2.0.0, description: new engine}\n  global_properties:"))
		w.platform.provisioned("i-1")

		By("refusing other changes until it is upgraded")
		old := object{"plan_id": smallPlan, "maintenance_info": object{"version": "1.0.0"}}
		a := w.platform.update("i-1", object{"parameters": object{"a": 1}, "previous_values": old})
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity))
		Expect(a.description()).To(ContainSubstring("upgraded before updating"))

		By("refusing a version that the catalog doesn't have")
		a = w.platform.update("i-1", object{"maintenance_info": object{"version": "3.0.0"}, "previous_values": old})
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity))
		Expect(a.body).To(HaveKeyWithValue("error", "MaintenanceInfoConflict"))

		By("upgrading")
		Expect(w.adapter.Forget()).To(Succeed())
		a = w.platform.update("i-1", object{"maintenance_info": object{"version": "2.0.0"}, "previous_values": old, "context": object{"platform": "x"}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(a.operation()).To(ContainSubstring(`"OperationType":"upgrade"`))
		Expect(w.calls()).To(Equal([]string{"generate-manifest", "dashboard-url"}))
		Expect(requestParameters(w)).To(Equal([]string{`{"context":{"platform":"x"}}`}))
	})
})

// generateManifestInputs are what the adapter got on stdin, call by call.
func generateManifestInputs(w *world) []map[string]string {
	GinkgoHelper()
	calls, err := w.adapter.CallsOf("generate-manifest")
	Expect(err).NotTo(HaveOccurred())
	inputs := []map[string]string{}
	for _, call := range calls {
		var input struct {
			GenerateManifest map[string]string `json:"generate_manifest"`
		}
		Expect(json.Unmarshal([]byte(call.Stdin), &input)).To(Succeed())
		inputs = append(inputs, input.GenerateManifest)
	}
	return inputs
}

func fieldOf(w *world, name string) []string {
	GinkgoHelper()
	values := []string{}
	for _, input := range generateManifestInputs(w) {
		values = append(values, input[name])
	}
	return values
}

func previousConfigs(w *world) []string   { return fieldOf(w, "previous_configs") }
func requestParameters(w *world) []string { return fieldOf(w, "request_parameters") }
