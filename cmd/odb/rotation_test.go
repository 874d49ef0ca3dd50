package main

import (
	"encoding/json"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

// rotate asks for a binding that follows another one.
func (p *platform) rotate(id, binding, predecessor string, change object) answer {
	GinkgoHelper()
	return p.do("PUT", bindingPath(id, binding), merged(object{"predecessor_binding_id": predecessor}, change))
}

// rotatableBindings are those of the small plan.
var rotatableBindings = with("description: one node", "description: one node\n    binding: {rotatable: true, async: true}")

var _ = Describe("a binding that follows another one", func() {
	var w *world
	var credhub *credhubtest.CredHub
	var changes []setting
	BeforeEach(func() {
		credhub = credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		changes = []setting{credentialsIn(credhub), rotatableBindings}
		w = newWorld(changes...)
		w.platform.provisioned("i-1")
	})
	// asked are the requests that the adapter got for bindings.
	asked := func() (requests []object) {
		GinkgoHelper()
		calls, err := w.adapter.CallsOf("create-binding")
		Expect(err).NotTo(HaveOccurred())
		for _, call := range calls {
			var input struct {
				CreateBinding struct {
					RequestParameters string `json:"request_parameters"`
				} `json:"create_binding"`
			}
			Expect(json.Unmarshal([]byte(call.Stdin), &input)).To(Succeed())
			var request object
			Expect(json.Unmarshal([]byte(input.CreateBinding.RequestParameters), &request)).To(Succeed())
			requests = append(requests, request)
		}
		return requests
	}
	refused := func(a answer, status int, says string) {
		GinkgoHelper()
		Expect(a.status).To(Equal(status), a.text)
		Expect(a.description()).To(ContainSubstring(says))
	}

	It("is made from what that was asked for; both are valid, and either may go", func() {
		p := w.platform
		first := p.bind("i-1", "b-1", object{"parameters": object{"role": "reader"}, "bind_resource": object{"app_guid": "app-1"}})
		Expect(first.status).To(Equal(http.StatusCreated), first.text)
		second := p.rotate("i-1", "b-2", "b-1", nil)
		Expect(second.status).To(Equal(http.StatusCreated), second.text)
		Expect(second.body["credentials"]).To(Equal(object{"credhub-ref": "/c/service-guid/i-1/b-2/credentials"}))
		Expect(credhub.MayRead("mtls-app:app-1", "/c/service-guid/i-1/b-2/credentials")).To(BeTrue())
		requests := asked()
		Expect(requests).To(HaveLen(2))
		Expect(requests[1]).To(Equal(merged(requests[0], object{"predecessor_binding_id": "b-1"})))

		By("asking again")
		again := p.rotate("i-1", "b-2", "b-1", object{"service_id": serviceID, "plan_id": smallPlan})
		Expect(again.status).To(Equal(http.StatusOK), again.text)
		Expect(again.text).To(Equal(second.text))
		refused(p.bind("i-1", "b-2", object{"parameters": object{"role": "reader"}, "bind_resource": object{"app_guid": "app-1"}}), 409, "other attributes")

		By("taking the first one back")
		Expect(p.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		Expect(p.fetch("i-1", "b-2").status).To(Equal(http.StatusOK))

		By("asking again for the one that is there, though the one before has gone")
		again = p.rotate("i-1", "b-2", "b-1", nil)
		Expect(again.status).To(Equal(http.StatusOK), again.text)
		Expect(again.text).To(Equal(second.text))
		Expect(p.rotate("i-1", "b-2", "b-1", object{"service_id": serviceID, "plan_id": smallPlan}).status).To(Equal(http.StatusOK))
		refused(p.rotate("i-1", "b-2", "b-0", nil), 400, "there is no other binding")
		refused(p.rotate("i-1", "b-4", "b-1", nil), 400, "there is no other binding")
		Expect(asked()).To(HaveLen(2))

		By("following the second one, after a restart and beyond the request")
		w.serve(changes...)
		p = w.platform
		a := p.do("PUT", bindingPath("i-1", "b-3")+"?accepts_incomplete=true", object{"predecessor_binding_id": "b-2"})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(p.followBinding("i-1", "b-3", a.operation()).body["state"]).To(Equal("succeeded"))
		Expect(asked()[2]).To(Equal(merged(requests[0], object{"predecessor_binding_id": "b-2"})))
		Expect(p.unbind("i-1", "b-3").status).To(Equal(http.StatusOK))
		Expect(p.fetch("i-1", "b-2").status).To(Equal(http.StatusOK))
		Expect(p.unbind("i-1", "b-2").status).To(Equal(http.StatusOK))
		refused(p.rotate("i-1", "b-2", "b-1", nil), 400, "there is no other binding")
	})

	It("is refused where there is nothing to follow, or it can't be", func() {
		p := w.platform
		Expect(p.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		large := object{"plan_id": largePlan}
		Expect(p.follow("i-large", p.provision("i-large", large).operation())).To(Equal("succeeded"))
		Expect(p.bind("i-large", "b-large", large).status).To(Equal(http.StatusCreated))
		Expect(w.adapter.Forget()).To(Succeed())
		refused(p.rotate("i-1", "b-2", "nobody", nil), 400, "there is no other binding")
		refused(p.rotate("i-2", "b-2", "b-1", nil), 400, "there is no other binding")
		refused(p.rotate("i-1", "b-1", "b-1", nil), 400, "there is no other binding")
		refused(p.rotate("i-large", "b-2", "b-large", nil), 400, "not rotatable")
		refused(p.rotate("i-1", "b-2", "b-1", object{"plan_id": largePlan}), 400, "no binding_rotatable")
		refused(p.rotate("i-1", "b-2", "b-1", object{"plan_id": "other"}), 400, "not a plan of service")
		refused(p.rotate("i-1", "b-2", "b-1", object{"service_id": "other"}), 400, "not in the catalog")
		refused(p.rotate("i-1", "b-2", "a/b", nil), 400, "predecessor_binding_id may have letters")
		refused(p.do("PUT", bindingPath("i-1", "b-2"), `{"predecessor_binding_id":7}`), 400, "must be the id of a binding")
		Expect(w.calls()).To(BeEmpty())
		a := p.bind("i-1", "b-3", object{"predecessor_binding_id": json.RawMessage("null")})
		Expect(a.status).To(Equal(http.StatusCreated), "none: %s", a.text)
	})

	It("is refused when the old one has expired", func() {
		expiring := func(after time.Duration) string {
			return `{"credentials":{"a":"b"},"metadata":{"expires_at":"` + time.Now().Add(after).Format(time.RFC3339) + `"}}`
		}
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: expiring(-time.Hour)})).To(Succeed())
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		refused(w.platform.rotate("i-1", "b-2", "b-1", nil), 400, "has expired")
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: expiring(time.Hour)})).To(Succeed())
		Expect(w.platform.bind("i-1", "b-3", nil).status).To(Equal(http.StatusCreated))
		Expect(w.platform.rotate("i-1", "b-4", "b-3", nil).status).To(Equal(http.StatusCreated))
	})

	It("gets the same operation again while it is made, though the old one has gone meanwhile", func() {
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Hold: "bind"})).To(Succeed())
		rotate := func() answer {
			GinkgoHelper()
			return w.platform.do("PUT", bindingPath("i-1", "b-2")+"?accepts_incomplete=true", object{"predecessor_binding_id": "b-1"})
		}
		first := rotate()
		Expect(first.status).To(Equal(http.StatusAccepted), first.text)
		kind, _ := credhub.Value("/c/service-guid/i-1/b-1/note")
		credhub.Put("/c/service-guid/i-1/b-1/note", kind, `{"plan_id":"small-plan-guid"}`) // which says no more than that there was one
		again := rotate()
		Expect(again.status).To(Equal(http.StatusAccepted), again.text)
		Expect(again.text).To(MatchJSON(first.text))
		Expect(w.adapter.LetGo("bind")).To(Succeed())
		Expect(w.platform.followBinding("i-1", "b-2", first.operation()).body["state"]).To(Equal("succeeded"))
	})

	It("waits for one that is still being made", func() {
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Hold: "bind"})).To(Succeed())
		operation := w.platform.bindAsync("i-1", "b-1", nil).operation()
		a := w.platform.rotate("i-1", "b-2", "b-1", nil)
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity), a.text)
		Expect(a.body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		Expect(w.adapter.LetGo("bind")).To(Succeed())
		Expect(w.platform.followBinding("i-1", "b-1", operation).body["state"]).To(Equal("succeeded"))
		Expect(w.platform.rotate("i-1", "b-2", "b-1", nil).status).To(Equal(http.StatusCreated))
	})

	It("is offered by the catalog for the plans that have it", func() {
		plans := w.platform.do("GET", "/v2/catalog", nil).body["services"].([]any)[0].(object)["plans"].([]any)
		Expect(plans[0]).To(HaveKeyWithValue("binding_rotatable", true))
		Expect(plans[1]).NotTo(HaveKey("binding_rotatable"))
	})
})
