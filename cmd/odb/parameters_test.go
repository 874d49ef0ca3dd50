package main

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

var _ = Describe("an instance's parameters", func() {
	const note = "/c/service-guid/i-1/parameters"
	offered := with("  tags: [cache]", "  tags: [cache]\n  instances_retrievable: true")
	var credhub *credhubtest.CredHub
	var kept setting
	BeforeEach(func() {
		credhub = credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		kept = credentialsIn(credhub)
	})

	// told are the parameters that a GET shows; nil for none.
	told := func(w *world) any {
		GinkgoHelper()
		a := w.platform.do("GET", instancePath("i-1"), nil)
		Expect(a.status).To(Equal(http.StatusOK), a.text)
		return a.body["parameters"]
	}
	given := func(w *world, parameters object) {
		GinkgoHelper()
		a := w.platform.provision("i-1", object{"parameters": parameters})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
	}
	change := func(parameters object) object { return object{"parameters": parameters} }

	It("are kept in CredHub and told, each update over those before, and go with the instance", func() {
		w := newWorld(kept, offered)
		given(w, object{"pin": "hush-1", "size": 12345678901234567})
		Expect(credhub.Names()).To(ConsistOf(note))
		Expect(w.platform.do("GET", instancePath("i-1"), nil).text).To(ContainSubstring(`"parameters":{"pin":"hush-1","size":12345678901234567}`))
		Expect(w.updated(change(object{"pin": "hush-2", "more": object{"a": nil}, "size": nil}))).To(Equal("succeeded"))
		Expect(told(w)).To(Equal(object{"pin": "hush-2", "more": object{"a": nil}, "size": nil}))

		By("staying through what doesn't name any, and restarts")
		Expect(w.updated(toLarge())).To(Equal("succeeded"))
		Expect(w.updated(object{"plan_id": largePlan, "previous_values": object{"plan_id": largePlan}, "parameters": object{}})).To(Equal("succeeded"))
		w.serve(kept, offered)
		Expect(told(w)).To(HaveKeyWithValue("pin", "hush-2"))

		By("being in nobody else's hands")
		Expect(w.configs("i-1")["odb-instance"]).NotTo(ContainSubstring("hush"))
		Expect(w.log.String()).NotTo(ContainSubstring("hush"))
		a := w.platform.deprovision("i-1")
		Expect(a.operation()).To(ContainSubstring(`"Parameters":true`))
		Expect(credhub.Names()).To(ConsistOf(note))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("stay as they were when an update fails, or is refused", func() {
		w := newWorld(kept, offered)
		given(w, object{"a": 1, "b": 1})
		w.failNext()
		Expect(w.updated(change(object{"a": 2}))).To(Equal("failed"))
		Expect(told(w)).To(Equal(object{"a": 1.0, "b": 1.0}))
		refuse := devdirector.Fault{Kind: devdirector.FaultStatus, Method: "POST", Path: "/deployments$", Status: 400, Times: 1, Body: `{"code":440001,"description":"no"}`}
		Expect(w.director.AddFault(refuse)).To(Succeed())
		Expect(w.platform.update("i-1", change(object{"a": 3})).status).To(Equal(http.StatusInternalServerError))
		Expect(told(w)).To(Equal(object{"a": 1.0, "b": 1.0}))
		Expect(w.updated(change(object{"b": 4}))).To(Equal("succeeded"))
		Expect(told(w)).To(Equal(object{"a": 1.0, "b": 4.0}))

		By("an instance that was refused leaving none")
		Expect(w.director.AddFault(refuse)).To(Succeed())
		Expect(w.platform.provision("i-2", change(object{"a": 1})).status).To(Equal(http.StatusInternalServerError))
		Expect(credhub.Names()).To(ConsistOf(note))
	})

	It("that aren't there are told as none, and cost CredHub nothing", func() {
		w := newWorld(kept, offered)
		w.platform.provisioned("i-1")
		Expect(told(w)).To(Equal(object{}))
		Expect(credhub.Requests()).NotTo(ContainElement(HaveField("Path", "/api/v1/data")))
		By("an update bringing the first ones, which is refused")
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "POST", Path: "/deployments$", Status: 400, Times: 1, Body: `{"code":440001,"description":"no"}`})).To(Succeed())
		Expect(w.platform.update("i-1", change(object{"a": 1})).status).To(Equal(http.StatusInternalServerError))
		Expect(credhub.Names()).To(BeEmpty())
		Expect(w.updated(change(object{"a": 1}))).To(Equal("succeeded"))
		Expect(told(w)).To(Equal(object{"a": 1.0}))
	})

	It("are kept nowhere without CredHub, nor where instances aren't fetched", func() {
		w := newWorld(offered)
		given(w, object{"pin": "hush"})
		Expect(told(w)).To(BeNil())
		Expect(w.configs("i-1")["odb-instance"]).NotTo(ContainSubstring("hush"))
		w = newWorld(kept)
		given(w, object{"pin": "hush"})
		Expect(credhub.Names()).To(BeEmpty())

		By("being unknown, and not told in part, once they are fetched")
		w.serve(kept, offered)
		Expect(w.updated(change(object{"more": 1}))).To(Equal("succeeded"))
		Expect(told(w)).To(BeNil())
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("are not told once CredHub didn't take some of them; the instance is made and updated all the same", func() {
		w := newWorld(kept, offered)
		given(w, object{"a": 1})
		credhub.Fail(credhubtest.Fault{Method: "PUT", Path: "/api/v1/data", Status: 403, Body: `{"error":"no"}`})
		Expect(w.updated(change(object{"a": 2}))).To(Equal("succeeded"))
		Expect(w.log.String()).To(ContainSubstring("instance.parameters-not-kept"))
		Expect(told(w)).To(BeNil())
		credhub.Heal()
		Expect(w.updated(change(object{"b": 3}))).To(Equal("succeeded"))
		Expect(told(w)).To(BeNil(), "nobody knows the others")
		Expect(w.platform.follow("i-1", w.platform.deprovision("i-1").operation())).To(Equal("succeeded"))
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("leave nothing behind that CredHub took without saying so, and keep no instance from going", func() {
		w := newWorld(kept, offered)
		credhub.Fail(credhubtest.Fault{Method: "PUT", Path: "/api/v1/data", Status: 500, Body: `{"error":"broken"}`, After: true})
		given(w, object{"pin": "hush"})
		Expect(credhub.Names()).To(ConsistOf(note))
		credhub.Heal()
		Expect(told(w)).To(BeNil())
		Expect(w.platform.follow("i-1", w.platform.deprovision("i-1").operation())).To(Equal("succeeded"))
		Expect(credhub.Names()).To(BeEmpty())

		given(w, object{"pin": "hush"})
		credhub.Fail(credhubtest.Fault{Method: "DELETE", Path: "/api/v1/data", Status: 403, Body: `{"error":"no"}`})
		Expect(w.platform.follow("i-1", w.platform.deprovision("i-1").operation())).To(Equal("succeeded"))
		Expect(w.log.String()).To(ContainSubstring("instance.parameters-left"))
		Expect(w.configs("i-1")).To(BeEmpty())
	})

	It("are asked for again later while CredHub is away, and not told once somebody removed or changed them", func() {
		w := newWorld(kept, offered)
		given(w, object{"a": 1})
		credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: 503})
		Expect(w.platform.do("GET", instancePath("i-1"), nil).status).To(Equal(http.StatusServiceUnavailable))
		credhub.Heal()
		Expect(told(w)).NotTo(BeNil())
		for _, value := range []string{`{"other":{"pin":"hush"}}`, `["hush"]`} {
			credhub.Put(note, "json", value)
			Expect(told(w)).To(BeNil())
		}
		Expect(w.log.String()).To(And(ContainSubstring("instance.parameters-unknown"), Not(ContainSubstring("hush"))))
	})

	It("go with an instance whose deletion nobody saw the end of, or that was cancelled while it was made", func() {
		w, ends := slowWorld(kept, offered)
		a := w.platform.provision("i-1", change(object{"a": 1}))
		ends()
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
		ends()
		Expect(credhub.Names()).To(ConsistOf(note))
		w.serve(kept, offered)
		Eventually(credhub.Names).WithTimeout(10 * time.Second).Should(BeEmpty())
		Eventually(func() map[string]string { return w.configs("i-1") }).WithTimeout(10 * time.Second).Should(BeEmpty())

		Expect(w.platform.provision("i-1", change(object{"a": 1})).status).To(Equal(http.StatusAccepted))
		Expect(credhub.Names()).To(ConsistOf(note))
		a = w.platform.deprovision("i-1")
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		for range 4 {
			ends()
			w.platform.lastOperation("i-1", a.operation())
		}
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(HaveKeyWithValue("state", "succeeded"))
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("stay in CredHub, which is said, where the section credhub was removed", func() {
		w := newWorld(kept, offered)
		given(w, object{"a": 1})
		w.serve(offered)
		Expect(told(w)).To(BeNil())
		Expect(w.platform.follow("i-1", w.platform.deprovision("i-1").operation())).To(Equal("succeeded"))
		Expect(w.log.String()).To(ContainSubstring("instance.parameters-left"))
	})

	It("cost the Director nothing, and CredHub one request, or two for an update", func() {
		w := newWorld(kept, offered)
		credhub.Put("/warm", "json", `{}`)
		given(w, object{"a": 1})
		costs := func(director, asked int, call func() answer) answer {
			GinkgoHelper()
			w.director.ResetStats()
			credhub.ForgetRequests()
			a := call()
			Expect(a.status).To(BeNumerically("<", 300), a.text)
			Expect(w.director.Stats().TotalRequests).To(Equal(director), "%v", w.director.Stats().Requests)
			Expect(credhub.Requests()).To(HaveLen(asked))
			return a
		}
		costs(3+1, 1, func() answer { return w.platform.provision("i-2", change(object{"a": 1})) })
		costs(4, 1, func() answer { return w.platform.do("GET", instancePath("i-1"), nil) })
		a := costs(4+1, 2, func() answer { return w.platform.update("i-1", change(object{"a": 2})) })
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		costs(3, 0, func() answer { return w.platform.deprovision("i-1") })
	})
})
