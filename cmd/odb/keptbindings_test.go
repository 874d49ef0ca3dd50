package main

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

func (p *platform) fetch(id, binding string) answer {
	GinkgoHelper()
	return p.do("GET", bindingPath(id, binding), nil)
}

// bindingsKept is where.
func bindingsKept(where string) setting {
	return with("tags: [cache]", "keep_bindings: "+where+"\n  tags: [cache]")
}

// retrievable is what the catalog says.
func (p *platform) retrievable() any {
	GinkgoHelper()
	return p.do("GET", "/v2/catalog", nil).body["services"].([]any)[0].(object)["bindings_retrievable"]
}

const rich = `{"credentials":{"password":"hush","n":12345678901234567890},"syslog_drain_url":"syslog://x",` +
	`"endpoints":[{"host":"10.0.0.1","ports":["6379"]}],"metadata":{"expires_at":"2099-01-31T08:00:00Z"}}`

var _ = Describe("a binding that is made again", func() {
	It("is the same one, with the adapter's word for it, and with other attributes a conflict", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		first := w.platform.bind("i-1", "b-1", object{"parameters": object{"role": "reader"}})
		Expect(first.status).To(Equal(http.StatusCreated), first.text)
		w.director.ResetStats()
		second := w.platform.bind("i-1", "b-1", object{"parameters": object{"role": "reader"}})
		Expect(second.status).To(Equal(http.StatusOK), second.text)
		Expect(second.text).To(MatchJSON(first.text))
		Expect(w.director.Stats().TotalRequests).To(Equal(2))

		Expect(w.adapter.Forget()).To(Succeed())
		for _, other := range []object{
			{"parameters": object{"role": "writer"}}, {"parameters": object{"role": "reader"}, "plan_id": largePlan},
			{"parameters": object{"role": "reader"}, "bind_resource": object{"app_guid": "another"}},
		} {
			a := w.platform.bind("i-1", "b-1", other)
			Expect(a.status).To(Equal(http.StatusConflict), a.text)
		}
		Expect(w.calls()).To(BeEmpty())

		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{ExitCode: 49, Stdout: "it is there"})).To(Succeed())
		Expect(w.platform.bind("i-1", "b-1", object{"parameters": object{"role": "reader"}}).status).To(Equal(http.StatusConflict), "credentials that can't be told again")
		Expect(w.adapter.Unsteer()).To(Succeed())

		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		Expect(w.platform.bind("i-1", "b-1", object{"parameters": object{"role": "writer"}}).status).To(Equal(http.StatusCreated), "what is gone is no conflict")
		Expect(w.platform.retrievable()).To(BeNil())
		Expect(w.platform.fetch("i-1", "b-1").status).To(Equal(http.StatusNotFound))
	})

	It("is no conflict with one of an instance that was there before", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		Expect(w.platform.follow("i-1", w.platform.deprovision("i-1").operation())).To(Equal("succeeded"))
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b-1", object{"parameters": object{"role": "writer"}}).status).To(Equal(http.StatusCreated))
	})

	It("is answered from memory where the operator wants that, and can be fetched", func() {
		w := newWorld(bindingsKept("memory"))
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: rich})).To(Succeed())
		first := w.platform.bind("i-1", "b-1", nil)
		Expect(first.status).To(Equal(http.StatusCreated), first.text)
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{ExitCode: 49})).To(Succeed())
		second := w.platform.bind("i-1", "b-1", nil)
		Expect(second.status).To(Equal(http.StatusOK), second.text)
		Expect(second.text).To(Equal(first.text), "to the digit")
		Expect(w.platform.retrievable()).To(BeTrue())
		fetched := w.platform.fetch("i-1", "b-1")
		Expect(fetched.status).To(Equal(http.StatusOK), fetched.text)
		Expect(fetched.text).To(Equal(first.text))

		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		Expect(w.platform.fetch("i-1", "b-1").status).To(Equal(http.StatusNotFound))
		Expect(w.log.String()).NotTo(ContainSubstring("hush"))
	})

	Describe("where the platform has a CredHub", func() {
		var credhub *credhubtest.CredHub
		var kept setting
		BeforeEach(func() {
			credhub = credhubtest.Start(credhubtest.Options{})
			DeferCleanup(credhub.Close)
			kept = credentialsIn(credhub)
		})

		It("is answered again and can be fetched, also after a restart, and leaves nothing behind", func() {
			w := newWorld(kept)
			w.platform.provisioned("i-1")
			Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: rich})).To(Succeed())
			first := w.platform.bind("i-1", "b-1", nil)
			Expect(first.status).To(Equal(http.StatusCreated), first.text)
			Expect(first.text).To(And(ContainSubstring("credhub-ref"), ContainSubstring("2099-01-31T08:00:00.000Z")))

			w.serve(kept)
			Expect(w.adapter.Forget()).To(Succeed())
			second := w.platform.bind("i-1", "b-1", nil)
			Expect(second.status).To(Equal(http.StatusOK), second.text)
			Expect(second.text).To(Equal(first.text))
			Expect(w.platform.bind("i-1", "b-1", object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusConflict))
			Expect(w.platform.retrievable()).To(BeTrue())
			Expect(w.platform.fetch("i-1", "b-1").text).To(Equal(first.text))
			Expect(w.platform.fetch("i-1", "b-2").status).To(Equal(http.StatusNotFound))
			Expect(w.calls()).To(BeEmpty())
			Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
			Expect(credhub.Names()).To(BeEmpty())
		})

		It("can be fetched if the existing broker made it, of which the credentials tell", func() {
			w := newWorld(kept)
			w.platform.provisioned("i-1")
			credhub.Put("/c/service-guid/i-1/b-1/credentials", "json", `{"password":"hush"}`)
			Expect(w.platform.fetch("i-1", "b-1").text).To(MatchJSON(`{"credentials":{"credhub-ref":"/c/service-guid/i-1/b-1/credentials"}}`))
		})

		It("is none if it can't be kept: the adapter takes it back", func() {
			const onlyTheCredentials = "/c/service-guid/i-1/b-1/credentials"
			restricted := credhubtest.Start(credhubtest.Options{Clients: map[string]credhubtest.Client{
				"odb": {Secret: "odb-s3cret", Scopes: []string{"credhub.read", "credhub.write"}, Paths: []string{onlyTheCredentials}},
			}})
			DeferCleanup(restricted.Close)
			w := newWorld(credentialsIn(restricted))
			w.platform.provisioned("i-1")
			Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusInternalServerError))
			Expect(restricted.Names()).To(BeEmpty())
			Expect(w.calls()).To(ContainElement("delete-binding"))
		})
	})
})
