package main

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("bad input", Ordered, func() {
	var w *world

	BeforeAll(func() {
		w = newWorld()
		w.platform.provisioned("known")
		Expect(w.adapter.Forget()).To(Succeed())
		w.director.ResetStats()
	})

	AfterAll(func() {
		Expect(w.director.Stats().TotalTasks).To(BeZero(), "nothing was started by any of it")
		Expect(w.calls()).To(BeEmpty(), "and the adapter was never asked")
	})

	const instance = "/v2/service_instances/new?accepts_incomplete=true"
	const known = "/v2/service_instances/known?accepts_incomplete=true"
	binding := bindingPath("known", "b")

	type entry struct {
		method, path string
		body         any
		status       int
		says         string
	}
	DescribeTable("gets a clear answer and changes nothing", func(e entry) {
		a := w.platform.do(e.method, e.path, e.body)
		Expect(a.status).To(Equal(e.status), a.text)
		Expect(a.header.Get("Content-Type")).To(Equal("application/json"))
		Expect(a.description()).To(ContainSubstring(e.says))
	},
		Entry("malformed JSON", entry{"PUT", instance, `{"service_id":`, 400, "not valid JSON"}),
		Entry("something behind the JSON", entry{"PUT", instance, `{} {}`, 400, "not valid JSON"}),
		Entry("an empty body", entry{"PUT", instance, ``, 400, "the body is empty"}),
		Entry("a list", entry{"PUT", instance, `[]`, 400, "must be a JSON object"}),
		Entry("null", entry{"PUT", instance, `null`, 400, "must be a JSON object"}),
		Entry("a number for a string", entry{"PUT", instance, `{"service_id":7}`, 400, "service_id must be a string, not number"}),
		Entry("a string for an object, in an update", entry{"PATCH", known, `{"previous_values":"x"}`, 400, "previous_values must be an object, not string"}),
		Entry("a list for an object, in a bind", entry{"PUT", binding, `{"bind_resource":[]}`, 400, "bind_resource must be an object, not array"}),
		Entry("no service_id", entry{"PUT", instance, `{"plan_id":"p"}`, 400, "service_id missing"}),
		Entry("no plan_id", entry{"PUT", instance, `{"service_id":"` + serviceID + `"}`, 400, "plan_id missing"}),
		Entry("no organization", entry{"PUT", instance, merged(provisionBody(smallPlan), object{"organization_guid": nil}), 400, "organization_guid missing"}),
		Entry("no space", entry{"PUT", instance, merged(provisionBody(smallPlan), object{"space_guid": ""}), 400, "space_guid missing"}),
		Entry("an unknown service", entry{"PUT", instance, merged(provisionBody(smallPlan), object{"service_id": "other"}), 400, "not in the catalog"}),
		Entry("an unknown plan", entry{"PUT", instance, provisionBody("other"), 400, "not in the catalog"}),
		Entry("parameters that are no object", entry{"PUT", instance, merged(provisionBody(smallPlan), object{"parameters": []int{1}}), 400, "parameters must be a JSON object"}),
		Entry("no accepts_incomplete", entry{"PUT", "/v2/service_instances/new", provisionBody(smallPlan), 422, "accepts_incomplete=true"}),
		Entry("maintenance_info that the catalog doesn't have", entry{"PUT", instance, merged(provisionBody(smallPlan), object{"maintenance_info": object{"version": "1.0.0"}}), 422, "has none"}),
		Entry("an instance that is there already", entry{"PUT", known, provisionBody(largePlan), 409, "already exists"}),

		Entry("an update of an unknown service", entry{"PATCH", known, `{"service_id":"other"}`, 400, "not in the catalog"}),
		Entry("an update without any plan of an instance that nobody remembers", entry{"PATCH", instance, `{"service_id":"` + serviceID + `"}`, 400, "plan_id is missing"}),
		Entry("an update to an unknown plan", entry{"PATCH", known, `{"service_id":"` + serviceID + `","plan_id":"other"}`, 400, "not a plan of service"}),
		Entry("an update from an unknown plan", entry{"PATCH", known, `{"service_id":"` + serviceID + `","plan_id":"` + smallPlan + `","previous_values":{"plan_id":"gone"}}`, 400, "previous_values.plan_id"}),
		Entry("an update with parameters that are no object", entry{"PATCH", known, `{"service_id":"` + serviceID + `","plan_id":"` + smallPlan + `","parameters":"x"}`, 400, "parameters must be a JSON object"}),
		Entry("an update without accepts_incomplete", entry{"PATCH", "/v2/service_instances/known", `{"service_id":"` + serviceID + `","plan_id":"` + smallPlan + `"}`, 422, "accepts_incomplete=true"}),

		Entry("a bind to an unknown plan", entry{"PUT", binding, `{"service_id":"` + serviceID + `","plan_id":"other"}`, 400, "not a plan of service"}),
		Entry("a bind with parameters that are no object", entry{"PUT", binding, `{"service_id":"` + serviceID + `","plan_id":"` + smallPlan + `","parameters":3}`, 400, "parameters must be a JSON object"}),
		Entry("a bind for a backup agent where that is not supported", entry{"PUT", binding, `{"service_id":"` + serviceID + `","plan_id":"` + smallPlan + `","bind_resource":{"backup_agent":true}}`, 422, "not supported"}),
		Entry("an unbind of an unknown service", entry{"DELETE", binding + "?service_id=other&plan_id=" + smallPlan, nil, 400, "not in the catalog"}),

		Entry("a delete without plan_id", entry{"DELETE", known + "&service_id=" + serviceID, nil, 400, "plan_id missing"}),
		Entry("a delete of an unknown service", entry{"DELETE", known + "&service_id=other&plan_id=p", nil, 400, "not in the catalog"}),
		Entry("a delete without accepts_incomplete", entry{"DELETE", "/v2/service_instances/known?" + planQuery(smallPlan), nil, 422, "accepts_incomplete=true"}),

		Entry("a poll without an operation, of an instance that isn't there", entry{"GET", instancePath("new") + "/last_operation", nil, 404, "does not exist"}),
		Entry("a poll with rubbish for an operation", entry{"GET", instancePath("known") + "/last_operation?operation=x", nil, 400, "can't be read"}),
		Entry("a poll of another instance's operation", entry{"GET", instancePath("other") + `/last_operation?operation={"BoshTaskID":1,"OperationType":"create"}`, nil, 400, "not one of service instance other"}),
		Entry("a poll of an operation of no possible task", entry{"GET", instancePath("known") + `/last_operation?operation={"BoshTaskID":-1,"OperationType":"create"}`, nil, 400, "no task that it could be known by"}),
		Entry("a poll of an operation of no task at all", entry{"GET", instancePath("known") + `/last_operation?operation={"OperationType":"update"}`, nil, 400, "no task that it could be known by"}),
		Entry("a poll of an operation of no known type", entry{"GET", instancePath("known") + `/last_operation?operation={"BoshTaskID":1,"OperationType":"x"}`, nil, 400, "unknown type"}),

		Entry("an id with a slash", entry{"PUT", "/v2/service_instances/a%2Fb?accepts_incomplete=true", provisionBody(smallPlan), 400, "letters, digits"}),
		Entry("an id that climbs", entry{"PUT", "/v2/service_instances/%2E%2E?accepts_incomplete=true", provisionBody(smallPlan), 400, "letters, digits"}),
		Entry("an id that climbs by itself", entry{"DELETE", "/v2/service_instances/..?accepts_incomplete=true&" + planQuery(smallPlan), nil, 400, "letters, digits"}),
		Entry("an id with a blank", entry{"PUT", "/v2/service_instances/a%20b?accepts_incomplete=true", provisionBody(smallPlan), 400, "letters, digits"}),
		Entry("an id of 300 characters", entry{"PUT", "/v2/service_instances/" + strings.Repeat("x", 300) + "?accepts_incomplete=true", provisionBody(smallPlan), 400, "300 characters"}),
		Entry("a binding id with a slash", entry{"PUT", bindingPath("known", "a%2F..%2Fb"), `{}`, 400, "service binding id"}),
		Entry("parameters of 300 levels", entry{"PUT", instance, `{"parameters":` + strings.Repeat(`{"a":`, 300) + `1` + strings.Repeat("}", 301), 400, "nested more than 200 levels deep"}),
		Entry("a body of 10 MB", entry{"PUT", instance, `{"x":"` + strings.Repeat("x", 10<<20) + `"}`, 413, "more than"}),

		Entry("an unknown path", entry{"GET", "/v2/nothing", nil, 404, "nothing at /v2/nothing"}),
		Entry("a method that is not possible", entry{"POST", "/v2/catalog", nil, 405, "POST is not possible"}),
		Entry("an instance that is asked for", entry{"GET", instancePath("known"), nil, 404, "does not offer"}),
		Entry("a binding that is asked for", entry{"GET", binding, nil, 404, "does not offer"}),
		Entry("a poll of a binding's operation", entry{"GET", binding + "/last_operation", nil, 404, "does not exist"}),
	)

	It("reads a body whatever its content type says", func() {
		form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
		a := w.platform.do("PUT", bindingPath("known", "b"), `{"service_id":"`+serviceID+`","plan_id":"other"}`, form)
		Expect(a.status).To(Equal(http.StatusBadRequest))
		Expect(a.description()).To(ContainSubstring("not a plan of service"))
	})

	It("wants the OSB version", func() {
		for _, version := range []string{"", "1.9", "3.0", "2", "abc", "2.17abc"} {
			a := w.platform.do("GET", "/v2/catalog", nil, func(r *http.Request) { r.Header.Set("X-Broker-API-Version", version) })
			Expect(a.status).To(Equal(http.StatusPreconditionFailed), version)
			Expect(a.description()).To(ContainSubstring("X-Broker-API-Version"))
		}
		a := w.platform.do("GET", "/v2/catalog", nil, func(r *http.Request) { r.Header.Set("X-Broker-API-Version", "2.99") })
		Expect(a.status).To(Equal(http.StatusOK))
	})

	It("wants the right user", func() {
		for _, login := range [][2]string{{"", ""}, {platformUser, "wrong"}, {"wrong", platformPassword}} {
			for _, path := range []string{"/v2/catalog", "/nothing", instancePath("known") + "/last_operation"} {
				a := w.platform.do("GET", path, nil, func(r *http.Request) {
					r.SetBasicAuth(login[0], login[1])
					r.Header.Set("X-Broker-API-Request-Identity", "who-asks")
				})
				Expect(a.status).To(Equal(http.StatusUnauthorized))
				Expect(a.description()).NotTo(BeEmpty())
				Expect(a.header.Get("X-Broker-API-Request-Identity")).To(Equal("who-asks"))
			}
		}
	})

	It("lets an update leave the plan out", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		a := w.platform.update("i-1", object{"plan_id": nil, "parameters": object{"a": 1}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
	})

	It("lets an update leave out that plan too that the instance has had so far, where it is remembered", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		a := w.platform.update("i-1", object{"plan_id": nil, "previous_values": nil, "parameters": object{"a": 1}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.record("i-1")).To(HaveKeyWithValue("plan_id", smallPlan))
	})

	It("binds without a bind_resource", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b", object{"bind_resource": nil}).status).To(Equal(http.StatusCreated))
	})
})
