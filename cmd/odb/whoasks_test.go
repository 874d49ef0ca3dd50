package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// asks makes the platform say for whom it asks.
func asks(platform, value string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("X-Broker-API-Originating-Identity", platform+" "+base64.StdEncoding.EncodeToString([]byte(value)))
	}
}

// identities are what the adapter was told of who asks, call by call; nil where it was told nothing.
func (w *world) identities() (told []object) {
	GinkgoHelper()
	calls, err := w.adapter.Calls()
	Expect(err).NotTo(HaveOccurred())
	for _, call := range calls {
		var input object
		Expect(json.Unmarshal([]byte(call.Stdin), &input)).To(Succeed())
		identity, _ := input["originating_identity"].(object)
		told = append(told, identity)
	}
	return told
}

// logged are the data of the log's lines of an event.
func (w *world) logged(event string) (lines []object) {
	GinkgoHelper()
	for line := range strings.Lines(w.log.String()) {
		var parsed struct {
			Message string
			Data    object
		}
		Expect(json.Unmarshal([]byte(line), &parsed)).To(Succeed(), line)
		if parsed.Message == "odb."+event {
			lines = append(lines, parsed.Data)
		}
	}
	return lines
}

var _ = Describe("who asks", func() {
	provision := func(w *world, change object, who ...func(*http.Request)) answer {
		GinkgoHelper()
		return w.platform.do("PUT", instancePath("i-1")+"?accepts_incomplete=true", merged(provisionBody(smallPlan), change), who...)
	}

	It("is told to the adapter, all of it, and in the log by name", func() {
		w := newWorld()
		kubernetes := asks("kubernetes", `{"username":"jane","uid":"u-1","groups":["hush"],"extra":{"a":["b"]}}`)
		a := provision(w, nil, kubernetes)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		bound := w.platform.do("PUT", bindingPath("i-1", "b-1"), object{"service_id": serviceID, "plan_id": smallPlan}, kubernetes)
		Expect(bound.status).To(Equal(http.StatusCreated), bound.text)
		Expect(w.identities()).To(HaveLen(3))
		for _, told := range w.identities() {
			Expect(told).To(HaveKeyWithValue("platform", "kubernetes"))
			Expect(told["value"]).To(MatchJSON(`{"username":"jane","uid":"u-1","groups":["hush"],"extra":{"a":["b"]}}`))
		}
		for _, event := range []string{"deploy.submitted", "bind.done"} {
			Expect(w.logged(event)).To(HaveExactElements(HaveKeyWithValue("originating_identity", object{"platform": "kubernetes", "username": "jane"})))
		}
		Expect(w.log.String()).NotTo(ContainSubstring("hush"))
	})

	It("is nobody where the platform doesn't say, or says what can't be read, which is no reason to refuse", func() {
		w := newWorld()
		a := provision(w, nil, func(r *http.Request) { r.Header.Set("X-Broker-API-Originating-Identity", "cloudfoundry rubbish") })
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.unbind("i-1", "b-1").status).To(BeElementOf(http.StatusOK, http.StatusUnprocessableEntity))
		Expect(w.identities()).To(HaveEach(BeNil()))
		Expect(w.logged("deploy.submitted")).To(HaveExactElements(HaveKeyWithValue("originating_identity", "undecodable: the value is not base64")))
	})

	It("may be of another platform than the context, which is in the log", func() {
		w := newWorld()
		place := object{"context": object{"platform": "kubernetes", "namespace": "n", "clusterid": "c"}}
		Expect(provision(w, place, asks("cloudfoundry", `{"user_id":"u-1"}`)).status).To(Equal(http.StatusAccepted))
		Expect(w.logged("originating-identity.other-platform")).To(HaveExactElements(HaveKeyWithValue("context_platform", "kubernetes")))
	})
})
