package main

import (
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

// bindAsync and unbindAsync accept that it takes longer than the request.
func (p *platform) bindAsync(id, binding string, change object) answer {
	GinkgoHelper()
	body := object{"service_id": serviceID, "plan_id": smallPlan, "bind_resource": object{"app_guid": "app"}}
	return p.do("PUT", bindingPath(id, binding)+"?accepts_incomplete=true", merged(body, change))
}

func (p *platform) unbindAsync(id, binding string) answer {
	GinkgoHelper()
	return p.do("DELETE", bindingPath(id, binding)+"?accepts_incomplete=true&"+planQuery(smallPlan), nil)
}

func (p *platform) lastBindingOperation(id, binding, operation string) answer {
	GinkgoHelper()
	return p.do("GET", bindingPath(id, binding)+"/last_operation?operation="+url.QueryEscape(operation), nil)
}

// followBinding polls to the end and returns the last answer.
func (p *platform) followBinding(id, binding, operation string) (last answer) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var err error
		last, err = p.try("GET", bindingPath(id, binding)+"/last_operation?operation="+url.QueryEscape(operation), nil)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(last.status).To(Equal(http.StatusOK), last.text)
		g.Expect(last.body["state"]).NotTo(Equal("in progress"))
	}).WithPolling(5 * time.Millisecond).Should(Succeed())
	return last
}

// asyncBindings are those of the small plan.
var asyncBindings = with("description: one node", "description: one node\n    binding: {async: true}")

var _ = Describe("a binding that takes longer than a request", func() {
	inMemory := []setting{bindingsKept("memory"), asyncBindings}
	var w *world
	hold := func(verb, name string) {
		GinkgoHelper()
		Expect(w.adapter.Steer(verb, adaptertest.Steering{Hold: name})).To(Succeed())
	}
	held := func(verb string) {
		GinkgoHelper()
		Eventually(w.calls).Should(ContainElement(verb))
	}
	accepted := func(a answer) string {
		GinkgoHelper()
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(a.body).To(HaveLen(1), "nothing but the operation")
		return a.operation()
	}
	state := func(binding, operation string) any {
		GinkgoHelper()
		a := w.platform.lastBindingOperation("i-1", binding, operation)
		Expect(a.status).To(Equal(http.StatusOK), a.text)
		Expect(a.body).To(And(HaveLen(2), HaveKey("description")))
		return a.body["state"]
	}

	It("is made after it, told by polls, fetched, and taken back in the same way", func() {
		w = newWorld(inMemory...)
		p := w.platform
		p.provisioned("i-1")
		hold("create-binding", "bind")
		w.director.ResetStats()
		operation := accepted(p.bindAsync("i-1", "b-1", nil))
		Expect(w.director.Stats()).To(And(HaveField("TotalRequests", 2), HaveField("TotalTasks", 0)))
		held("create-binding")
		Expect(state("b-1", operation)).To(Equal("in progress"))
		Expect(state("b-1", "")).To(Equal("in progress"))
		Expect(p.fetch("i-1", "b-1").status).To(Equal(http.StatusNotFound))

		By("asking again, while it is made")
		Expect(accepted(p.bindAsync("i-1", "b-1", nil))).To(Equal(operation))
		a := p.bind("i-1", "b-1", nil)
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity), a.text)
		Expect(a.body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		Expect(p.bindAsync("i-1", "b-1", object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusConflict))

		By("ending")
		Expect(w.adapter.LetGo("bind")).To(Succeed())
		Expect(p.followBinding("i-1", "b-1", operation).body).To(Equal(object{"state": "succeeded", "description": "Binding completed"}))
		fetched := p.fetch("i-1", "b-1")
		Expect(fetched.status).To(Equal(http.StatusOK), fetched.text)
		Expect(fetched.body["credentials"]).To(HaveKeyWithValue("binding_id", "b-1"))
		again := p.bindAsync("i-1", "b-1", nil)
		Expect(again.status).To(Equal(http.StatusOK), again.text)
		Expect(again.text).To(Equal(fetched.text))
		Expect(w.calls()).To(HaveExactElements("generate-manifest", "dashboard-url", "create-binding"))

		By("taking it back")
		hold("delete-binding", "unbind")
		operation = accepted(p.unbindAsync("i-1", "b-1"))
		held("delete-binding")
		Expect(state("b-1", operation)).To(Equal("in progress"))
		Expect(accepted(p.unbindAsync("i-1", "b-1"))).To(Equal(operation))
		Expect(p.unbind("i-1", "b-1").status).To(Equal(http.StatusUnprocessableEntity))
		Expect(p.bindAsync("i-1", "b-1", nil).status).To(Equal(http.StatusUnprocessableEntity))
		Expect(p.fetch("i-1", "b-1").status).To(Equal(http.StatusNotFound))
		Expect(w.adapter.LetGo("unbind")).To(Succeed())
		Expect(p.followBinding("i-1", "b-1", operation).body).To(Equal(object{"state": "succeeded", "description": "Unbinding completed"}))
		Expect(state("b-1", operation)).To(Equal("succeeded"), "asked again")
		Expect(p.fetch("i-1", "b-1").status).To(Equal(http.StatusNotFound))
		Expect(w.adapter.Steer("delete-binding", adaptertest.Steering{ExitCode: 41})).To(Succeed())
		Expect(p.followBinding("i-1", "b-1", accepted(p.unbindAsync("i-1", "b-1"))).body["state"]).To(Equal("succeeded"), "what isn't there")
	})

	It("is made in the request for a platform that doesn't accept more, or a plan that doesn't", func() {
		w = newWorld(inMemory...)
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		large := object{"plan_id": largePlan}
		Expect(w.platform.follow("i-2", w.platform.provision("i-2", large).operation())).To(Equal("succeeded"))
		Expect(w.platform.bindAsync("i-2", "b-2", large).status).To(Equal(http.StatusCreated))
		old := func(r *http.Request) { r.Header.Set("X-Broker-API-Version", "2.13") }
		a := w.platform.do("PUT", bindingPath("i-1", "b-3")+"?accepts_incomplete=true", object{"service_id": serviceID, "plan_id": smallPlan}, old)
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		Expect(w.platform.bindAsync("nobody", "b-1", nil).status).To(Equal(http.StatusNotFound))
		Expect(w.platform.unbindAsync("nobody", "b-1").status).To(Equal(http.StatusGone))
		Expect(w.platform.lastBindingOperation("i-1", "b-9", "").status).To(Equal(http.StatusNotFound))
		Expect(w.platform.lastBindingOperation("i-1", "b-9", "7").status).To(Equal(http.StatusBadRequest))
	})

	It("fails in the adapter's words, and can be tried again or taken back", func() {
		w = newWorld(inMemory...)
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{ExitCode: 1, Stdout: "no room for another user"})).To(Succeed())
		failed := w.platform.followBinding("i-1", "b-1", accepted(w.platform.bindAsync("i-1", "b-1", nil)))
		Expect(failed.body).To(Equal(object{"state": "failed", "description": "Binding failed: no room for another user"}))
		Expect(w.platform.fetch("i-1", "b-1").status).To(Equal(http.StatusNotFound))
		Expect(w.adapter.Unsteer()).To(Succeed())
		Expect(w.platform.followBinding("i-1", "b-1", accepted(w.platform.bindAsync("i-1", "b-1", nil))).body["state"]).To(Equal("succeeded"))

		Expect(w.adapter.Steer("delete-binding", adaptertest.Steering{ExitCode: 1, Stdout: "the user is logged in"})).To(Succeed())
		failed = w.platform.followBinding("i-1", "b-1", accepted(w.platform.unbindAsync("i-1", "b-1")))
		Expect(failed.description()).To(Equal("Unbinding failed: the user is logged in"))
		Expect(w.platform.fetch("i-1", "b-1").status).To(Equal(http.StatusOK), "it is still there")
		Expect(w.adapter.Unsteer()).To(Succeed())
		Expect(w.platform.followBinding("i-1", "b-1", accepted(w.platform.unbindAsync("i-1", "b-1"))).body["state"]).To(Equal("succeeded"))
	})

	It("waits its turn among those of its instance", func() {
		w = newWorld(inMemory...)
		w.platform.provisioned("i-1")
		hold("create-binding", "bind")
		first := accepted(w.platform.bindAsync("i-1", "b-1", nil))
		second := accepted(w.platform.bindAsync("i-1", "b-2", nil))
		held("create-binding")
		Expect(w.adapter.LetGo("bind")).To(Succeed())
		Expect(w.platform.followBinding("i-1", "b-1", first).body["state"]).To(Equal("succeeded"))
		Expect(w.platform.followBinding("i-1", "b-2", second).body["state"]).To(Equal("succeeded"))
	})

	It("is stopped if it is taken back meanwhile", func() {
		w = newWorld(inMemory...)
		w.platform.provisioned("i-1")
		hold("create-binding", "for ever")
		operation := accepted(w.platform.bindAsync("i-1", "b-1", nil))
		held("create-binding")
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		Expect(w.calls()).To(ContainElement("delete-binding"))
		Expect(w.platform.lastBindingOperation("i-1", "b-1", operation).description()).To(Equal("Binding failed: the binding is being taken back"))
		Expect(w.platform.fetch("i-1", "b-1").status).To(Equal(http.StatusNotFound))
	})

	It("is known to another broker beside, which may take it back", func() {
		credhub := credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		changes := []setting{credentialsIn(credhub), asyncBindings, with("use_stdin: true", "use_stdin: true\n  side_by_side: true")}
		w = newWorld(changes...)
		one := w.platform
		w.serve(changes...)
		another := w.platform
		one.provisioned("i-1")
		hold("create-binding", "bind")
		operation := accepted(one.bindAsync("i-1", "b-1", nil))
		held("create-binding")
		Expect(another.lastBindingOperation("i-1", "b-1", operation).body["state"]).To(Equal("in progress"))
		Expect(accepted(another.bindAsync("i-1", "b-1", nil))).To(Equal(operation))
		Expect(another.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		Expect(w.adapter.LetGo("bind")).To(Succeed())
		Expect(one.followBinding("i-1", "b-1", operation).description()).To(Equal("Binding failed: the binding is being taken back"))
		Expect(w.calls()[2:]).To(Equal([]string{"create-binding", "delete-binding", "delete-binding"}))
		Expect(credhub.Names()).To(BeEmpty())

		operation = accepted(one.bindAsync("i-1", "b-1", nil))
		Expect(another.followBinding("i-1", "b-1", operation).body["state"]).To(Equal("succeeded"))
		Expect(another.fetch("i-1", "b-1").body["credentials"]).To(HaveKey("credhub-ref"))
	})

	It("is worth asking about soon, as long as there is something to ask", func() {
		w = newWorld(inMemory...)
		w.platform.provisioned("i-1")
		hold("create-binding", "me")
		operation := accepted(w.platform.bindAsync("i-1", "b-1", nil))
		Expect(strconv.Atoi(w.platform.lastBindingOperation("i-1", "b-1", operation).header.Get("Retry-After"))).To(BeNumerically("<", 10), "not the interval of deploys")
		Expect(w.adapter.LetGo("me")).To(Succeed())
		Expect(w.platform.followBinding("i-1", "b-1", operation).header).NotTo(HaveKey("Retry-After"))
	})

	It("ends with the broker, which says so", func() {
		w = newWorldWithoutBroker(inMemory...)
		credhub := credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		changes := []setting{credentialsIn(credhub), asyncBindings}
		p := w.serveProcess("--config", changes...)
		w.platform.provisioned("i-1")
		hold("create-binding", "for ever")
		operation := accepted(w.platform.bindAsync("i-1", "b-1", nil))
		held("create-binding")
		Expect(p.cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(p.end()).To(BeZero())
		_, note := credhub.Value("/c/service-guid/i-1/b-1/note")
		Expect(note).To(ContainSubstring(`"failed"`))
		w.serveProcess("--config", changes...)
		Expect(w.platform.lastBindingOperation("i-1", "b-1", operation).description()).To(Equal("Binding failed: the broker is shutting down"))
	})

	DescribeTable("is cleaned up by the platform when the broker was killed in the middle", func(inCredHub bool) {
		credhub := credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		changes := inMemory
		if inCredHub {
			changes = []setting{credentialsIn(credhub), asyncBindings}
		}
		w = newWorldWithoutBroker()
		running := w.serveProcess("--config", changes...)
		restart := func() {
			GinkgoHelper()
			running.kill()
			running = w.serveProcess("--config", changes...)
		}
		w.platform.provisioned("i-1")

		By("killing it while it binds")
		hold("create-binding", "for ever")
		operation := accepted(w.platform.bindAsync("i-1", "b-1", nil))
		held("create-binding")
		restart()
		Expect(state("b-1", operation)).To(Equal("failed"))
		Expect(w.platform.fetch("i-1", "b-1").status).To(Equal(http.StatusNotFound))

		By("killing it while it takes back what there may be")
		hold("delete-binding", "for ever")
		operation = accepted(w.platform.unbindAsync("i-1", "b-1"))
		held("delete-binding")
		restart()
		Expect(state("b-1", operation)).To(Equal("failed"))

		By("taking it back")
		Expect(w.adapter.Unsteer()).To(Succeed())
		operation = accepted(w.platform.unbindAsync("i-1", "b-1"))
		Expect(w.platform.followBinding("i-1", "b-1", operation).body["state"]).To(Equal("succeeded"))
		Expect(w.adapter.Steer("delete-binding", adaptertest.Steering{ExitCode: 41})).To(Succeed())
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusGone))
		Expect(credhub.Names()).To(BeEmpty())

		By("binding anew")
		Expect(w.adapter.Unsteer()).To(Succeed())
		operation = accepted(w.platform.bindAsync("i-1", "b-1", nil))
		Expect(w.platform.followBinding("i-1", "b-1", operation).body["state"]).To(Equal("succeeded"))
		if !inCredHub {
			return
		}
		restart()
		Expect(state("b-1", operation)).To(Equal("succeeded"))
		Expect(w.platform.fetch("i-1", "b-1").body["credentials"]).To(HaveKey("credhub-ref"))
	},
		Entry("what is kept is in CredHub", true),
		Entry("what is kept is in memory", false),
	)
})
