package cftest_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

const drivenCatalog = `{"services":[{"id":"s-id","name":"cache","description":"d","bindable":true,"plan_updateable":true,"plans":[%s]}]}`

func drivenPlan(name string) string {
	return fmt.Sprintf(`{"id":"%s-id","name":"%s","description":"d"}`, name, name)
}

// What is not in the recordings of how Cloud Controller drives a broker.
var _ = Describe("driving a broker", func() {
	var (
		cc      *cftest.CloudController
		api     *caller
		space   string
		handle  atomic.Pointer[http.HandlerFunc]
		catalog atomic.Value
		server  *httptest.Server
	)

	brokerSays := func(answer http.HandlerFunc) { handle.Store(&answer) }

	BeforeEach(func() {
		catalog.Store(fmt.Sprintf(drivenCatalog, drivenPlan("small")+","+drivenPlan("large")))
		brokerSays(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) })
		server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/catalog" {
				_, _ = w.Write([]byte(catalog.Load().(string)))
				return
			}
			(*handle.Load())(w, r)
		}))
		DeferCleanup(server.Close)
		authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		cc = start(cftest.Options{PollInterval: time.Millisecond, BrokerTimeout: 500 * time.Millisecond, BrokerCACert: string(authority)})
		api = newCaller(cc)
		space = cc.AddSpace(cc.AddOrganization("org"), "space")
		Expect(api.await(api.send("POST", "/v3/service_brokers", `{"name":"b","url":"`+server.URL+
			`","authentication":{"type":"basic","credentials":{"username":"u","password":"p"}}}`)).State).To(Equal("COMPLETE"))
	})

	enable := func(plan string) {
		GinkgoHelper()
		Expect(api.send("PATCH", "/v3/service_plans/"+cc.PlanGUID(plan)+"/visibility", `{"type":"public"}`).status).To(Equal(http.StatusOK))
	}
	create := func(plan string) answer {
		return api.send("POST", "/v3/service_instances", fmt.Sprintf(`{"type":"managed","name":"i","relationships":{
			"space":{"data":{"guid":%q}},"service_plan":{"data":{"guid":%q}}}}`, space, cc.PlanGUID(plan)))
	}
	brokerGUID := func() string {
		for guid := range api.listed("/v3/service_brokers") {
			return guid
		}
		return ""
	}

	It("makes instances only of plans that are visible where they are to be", func() {
		Expect(create("small-id").status).To(Equal(http.StatusUnprocessableEntity))
		enable("small-id")
		Expect(api.await(create("small-id")).State).To(Equal("COMPLETE"))
		Expect(create("small-id").body).To(ContainSubstring("name is taken"))
	})

	It("changes a broker one at a time", func() {
		cc.HoldJobs()
		first := api.send("PATCH", "/v3/service_brokers/"+brokerGUID(), `{"name":"b2"}`)
		second := api.send("PATCH", "/v3/service_brokers/"+brokerGUID(), `{"name":"b3"}`)
		Expect(second.status).To(Equal(http.StatusUnprocessableEntity))
		Expect(second.body).To(ContainSubstring("other operation is already in progress"))
		cc.ReleaseJobs()
		Expect(api.await(first).State).To(Equal("COMPLETE"))
		Expect(api.listed("/v3/service_brokers?names=b2")).To(HaveLen(1))
	})

	It("warns of plans that are gone from the catalog and have instances, and forgets the others", func() {
		enable("small-id")
		Expect(api.await(create("small-id")).State).To(Equal("COMPLETE"))
		catalog.Store(fmt.Sprintf(drivenCatalog, drivenPlan("other")))
		synchronized := api.await(api.send("PATCH", "/v3/service_brokers/"+brokerGUID(), `{"name":"b"}`))
		Expect(synchronized.State).To(Equal("COMPLETE"))
		Expect(synchronized.Warnings).To(ConsistOf(HaveField("Detail", ContainSubstring("Plans deactivated: small"))))
		Expect(api.listed("/v3/service_plans?names=small,large,other")).To(HaveLen(2))
	})

	It("doesn't ask again for what was refused, and cleans up after what may have been made", func() {
		enable("small-id")
		var deletes atomic.Int32
		refuse := func(status int) {
			brokerSays(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete && deletes.Add(1) > 1 { // it can be removed the second time
					_, _ = w.Write([]byte(`{}`))
					return
				}
				w.WriteHeader(status)
				_, _ = w.Write([]byte(`{"description":"no"}`))
			})
		}
		refuse(http.StatusBadRequest)
		Expect(api.await(create("small-id")).Errors).To(ConsistOf(HaveField("Detail", "provision could not be completed: Service broker error: no")))
		Expect(deletes.Load()).To(BeZero())
		Expect(api.send("DELETE", "/v3/service_instances/"+cc.Instances()[0].GUID+"?purge=true", "").status).To(Equal(http.StatusNoContent))
		refuse(http.StatusInternalServerError)
		Expect(api.await(create("small-id")).State).To(Equal("FAILED"))
		Eventually(deletes.Load).WithTimeout(5 * time.Second).Should(BeEquivalentTo(2))
	})

	It("cleans up after a create that wasn't answered in time", func() {
		enable("small-id")
		deleted := make(chan struct{}, 1)
		brokerSays(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				_, _ = w.Write([]byte(`{}`))
				deleted <- struct{}{}
				return
			}
			_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client goes
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		})
		Expect(api.await(create("small-id")).Errors).To(ConsistOf(HaveField("Detail", ContainSubstring("timed out"))))
		Eventually(deleted).WithTimeout(5 * time.Second).Should(Receive())
	})

	It("takes a delete for done when the broker knows nothing of the instance, and a second one finds it gone", func() {
		enable("small-id")
		Expect(api.await(create("small-id")).State).To(Equal("COMPLETE"))
		guid := cc.Instances()[0].GUID
		gone := make(chan struct{})
		brokerSays(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusAccepted)
				_, _ = w.Write([]byte(`{"operation":"o"}`))
				return
			}
			select {
			case <-gone:
				w.WriteHeader(http.StatusGone)
			default:
			}
			_, _ = w.Write([]byte(`{"state":"in progress"}`))
		})
		first := api.send("DELETE", "/v3/service_instances/"+guid, "")
		Eventually(func() string { return api.job(first).State }).Should(Equal("POLLING"))
		second := api.send("DELETE", "/v3/service_instances/"+guid, "")
		close(gone)
		Expect(api.await(first).State).To(Equal("COMPLETE"))
		Expect(api.await(second).Errors).To(ConsistOf(HaveField("Title", "CF-ResourceNotFound")))
	})

	It("binds asynchronously, and unbinds so", func() {
		enable("small-id")
		Expect(api.await(create("small-id")).State).To(Equal("COMPLETE"))
		brokerSays(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPut || r.Method == http.MethodDelete:
				w.WriteHeader(http.StatusAccepted)
				_, _ = w.Write([]byte(`{"operation":"o"}`))
			case r.URL.Query().Get("operation") == "o":
				_, _ = w.Write([]byte(`{"state":"succeeded"}`))
			default:
				_, _ = w.Write([]byte(`{"credentials":{"a":"b"}}`))
			}
		})
		bound := api.await(api.send("POST", "/v3/service_credential_bindings", fmt.Sprintf(
			`{"type":"key","name":"k","relationships":{"service_instance":{"data":{"guid":%q}}}}`, cc.Instances()[0].GUID)))
		Expect(bound.State).To(Equal("COMPLETE"))
		place := bound.Links["service_credential_binding"].Href[len(cc.URL()):]
		Expect(api.send("GET", place+"/details", "").body).To(Equal(`{"credentials":{"a":"b"}}`))
		Expect(api.await(api.send("DELETE", place, "")).State).To(Equal("COMPLETE"))
		Expect(api.send("GET", place, "").status).To(Equal(http.StatusNotFound))
	})

	It("refuses a filter that it doesn't model, rather than answer wrongly", func() {
		refused := api.send("GET", "/v3/service_instances?label_selector=a", "")
		Expect(refused.status).To(Equal(http.StatusNotImplemented))
		Expect(refused.body).To(ContainSubstring("label_selector"))
	})

	It("doesn't start with an authority for brokers that is none", func() {
		_, err := cftest.Start(cftest.Options{BrokerCACert: "x"})
		Expect(err).To(MatchError(cftest.ErrBrokerCACert))
	})
})
