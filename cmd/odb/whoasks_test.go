package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
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

// events are the Director's that the broker wrote, oldest first.
func (w *world) events() (written []object) {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodGet, w.director.URL()+"/events?object_type=deployment", nil)
	Expect(err).NotTo(HaveOccurred())
	request.SetBasicAuth("admin", "admin")
	response, err := trusting(w.director.CACert()).Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	var all []object
	Expect(json.NewDecoder(response.Body).Decode(&all)).To(Succeed())
	for i := range all {
		if event := all[len(all)-1-i]; event["context"].(object)["originating_identity"] != nil {
			written = append(written, event)
		}
	}
	return written
}

var _ = Describe("the Director's events", func() {
	jane := asks("cloudfoundry", `{"user_id":"jane"}`)

	// lead leads an instance through all that a platform can ask for.
	lead := func(w *world) {
		GinkgoHelper()
		p := w.platform
		follow := func(a answer) { GinkgoHelper(); Expect(p.follow("i-1", a.operation())).To(Equal("succeeded"), a.text) }
		plan := object{"service_id": serviceID, "plan_id": smallPlan}
		query := "?accepts_incomplete=true"
		follow(p.do("PUT", instancePath("i-1")+query, provisionBody(smallPlan), jane))
		Expect(p.do("PUT", instancePath("i-1")+query, provisionBody(smallPlan), jane).status).To(Equal(http.StatusOK), "which asks for nothing")
		Expect(p.do("PUT", bindingPath("i-1", "b-1"), plan, jane).status).To(Equal(http.StatusCreated))
		follow(p.do("PATCH", instancePath("i-1")+query, merged(plan, object{"parameters": object{"pin": "hush-hush"}}), jane))
		Expect(p.do("DELETE", bindingPath("i-1", "b-1")+"?"+planQuery(smallPlan), nil, jane).status).To(Equal(http.StatusOK))
		follow(p.do("DELETE", instancePath("i-1")+query+"&"+planQuery(smallPlan), nil, jane))
		Expect(p.do("DELETE", instancePath("i-1")+query+"&"+planQuery(smallPlan), nil, jane).status).To(Equal(http.StatusGone))
	}
	actions := []string{"provision", "bind", "update", "unbind", "delete"}

	It("tell who asked for what was accepted", func() {
		w := newWorld()
		lead(w)
		Eventually(w.events).Should(HaveLen(len(actions)))
		told := []string{}
		for _, event := range w.events() {
			told = append(told, fmt.Sprint(event["action"]))
			Expect(event).To(And(HaveKeyWithValue("object_name", "service-instance_i-1"), HaveKeyWithValue("deployment", "service-instance_i-1"),
				HaveKeyWithValue("context", And(HaveKeyWithValue("originating_identity", object{"platform": "cloudfoundry", "user_id": "jane"}), HaveKey("broker_request_id")))))
		}
		Expect(told).To(ConsistOf(actions))
		Expect(w.logged("audit")).To(HaveLen(len(actions)))
		Expect(w.director.Stats().Requests["POST /events"]).To(Equal(len(actions)))
	})

	It("cost no request its time: the Director may hang at them", func() {
		w := newWorld()
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultHang, Method: "POST", Path: "^/events$"})).To(Succeed())
		Expect(w.platform.do("PUT", instancePath("i-1")+"?accepts_incomplete=true", provisionBody(smallPlan), jane).status).To(Equal(http.StatusAccepted))
		Expect(w.logged("audit")).To(HaveLen(1))
		Expect(w.logged("audit.event-lost")).To(BeEmpty(), "the answer was there before the event was given up")
		w.director.ClearFaults()
	})

	It("aren't written for who isn't named, and not if the operator doesn't want it", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.logged("audit")).To(BeEmpty())
		Expect(w.director.Stats().Requests["POST /events"]).To(BeZero())

		w = newWorld(with("use_stdin: true", "use_stdin: true\n  disable_bosh_events: true"))
		lead(w)
		Expect(w.logged("audit")).To(HaveLen(len(actions)), "the log has it all the same")
		Expect(w.director.Stats().Requests["POST /events"]).To(BeZero())
	})

	It("are an admin's to write: to a team's client that is said once, and the log has it all", func() {
		w := newWorld(with("{basic: {username: admin, password: admin}}", "{uaa: {client_credentials: {client_id: ours, client_secret: s}}}"),
			setting{director: func(o *devdirector.Options) {
				o.UAA = &devdirector.UAAOptions{Clients: map[string]devdirector.UAAClient{"ours": {Secret: "s", Scopes: []string{"bosh.teams.redis.admin"}}}}
			}})
		a := w.platform.do("PUT", instancePath("i-1")+"?accepts_incomplete=true", provisionBody(smallPlan), jane)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		problem := func() []object { return w.logged("audit.no-director-events") }
		Eventually(problem).Should(HaveLen(1))
		tried := w.director.Stats().Requests["POST /events"]
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		for range 3 {
			bind := w.platform.do("PUT", bindingPath("i-1", "b-1"), object{"service_id": serviceID, "plan_id": smallPlan}, jane)
			Expect(bind.status).To(BeElementOf(http.StatusOK, http.StatusCreated), bind.text)
		}
		Expect(w.logged("audit")).NotTo(HaveLen(1))
		Expect(problem()).To(HaveLen(1))
		Expect(w.director.Stats().Requests["POST /events"]).To(Equal(tried))
	})
})
