package main

import (
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
	"github.com/on-demand-broker/odb/uaaclients/uaatest"
)

func (p *platform) findings(id, query string) answer {
	GinkgoHelper()
	a := p.manage("GET", "/service_instances/"+id+"/findings?"+query, nil)
	Expect(a.status).To(Equal(http.StatusOK), a.text)
	return a
}

func (p *platform) repair(id string, body any) answer {
	GinkgoHelper()
	return p.manage("POST", "/service_instances/"+id+"/repair", body)
}

// finding matches one of an answer's findings.
func finding(code string, mendable bool) types.GomegaMatcher {
	return And(HaveKeyWithValue("code", code), HaveKeyWithValue("mendable", mendable), HaveKeyWithValue("description", Not(BeEmpty())), HaveKeyWithValue("step", Not(BeEmpty())))
}

func mended(code string) types.GomegaMatcher { return HaveKeyWithValue("code", code) }

var _ = Describe("what is found of an instance", func() {
	status := func(a answer, want int) { GinkgoHelper(); Expect(a.status).To(Equal(want), a.text) }

	It("is what each one knows, and nothing to mend where it fits together", func() {
		stores, platform := newStores(), listInstances(fmt.Sprintf(`[{"service_instance_id":%q,"plan_id":"small-plan-guid"}]`, guid))
		w := newWorld(platform.configured(), stores.configured())
		w.provisionFully(guid)
		a := w.platform.findings(guid, "")
		name := "service-instance_" + guid
		Expect(a.body).To(And(HaveKeyWithValue("service_instance_id", guid), HaveKeyWithValue("deployment_name", name), HaveKeyWithValue("platform", "known"), HaveKeyWithValue("findings", BeEmpty())))
		Expect(a.body["director"]).To(And(HaveKeyWithValue("deployment", "deployed"), HaveKeyWithValue("tasks", BeEmpty()), HaveKeyWithValue("configs", ConsistOf("cloud", "odb-instance")),
			HaveKeyWithValue("last_task", And(HaveKeyWithValue("state", "done"), HaveKeyWithValue("description", "create deployment"), HaveKey("ended_at"))),
			HaveKeyWithValue("record", And(HaveKeyWithValue("service_id", serviceID), HaveKeyWithValue("plan_id", smallPlan), HaveKeyWithValue("operation", HaveKeyWithValue("state", "succeeded"))))))
		Expect(a.body["credhub"]).To(Equal(object{"asked": true, "secrets": []any{"/odb/service-guid/" + name + "/pw"}, "binding_credentials": []any{"/c/service-guid/" + guid + "/b-1/credentials", "/c/service-guid/" + guid + "/b-1/note"}}))
		Expect(a.body["uaa"]).To(Equal(object{"asked": true, "client": true}))
		Expect(a.text).To(And(ContainSubstring(`"findings":[]`), Not(ContainSubstring("hush"))))

		By("changing nothing, and removing nothing that the platform knows")
		a = w.platform.repair(guid, object{"all": true, "platform": "unknown", "grace": "0s"})
		status(a, http.StatusOK)
		Expect(a.text).To(Equal(fmt.Sprintf(`{"service_instance_id":%q,"mended":[],"skipped":[]}`, guid) + "\n"))

		By("telling of nothing that nobody knows")
		a = w.platform.findings("i-2", "")
		Expect(a.text).To(Equal(`{"service_instance_id":"i-2","deployment_name":"service-instance_i-2","platform":"unknown","director":{"deployment":"missing","tasks":[],"last_task":null,"configs":[],"record":null},` +
			`"credhub":{"asked":true,"secrets":[],"binding_credentials":[]},"uaa":{"asked":true,"client":false},"findings":[]}` + "\n"))

		By("saying who can't be asked")
		stores.credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: 503})
		stores.uaa.Fail(uaatest.Fault{Request: "GET /oauth/clients/" + guid, Status: http.StatusInternalServerError})
		a = w.platform.findings(guid, "")
		Expect(a.body["credhub"]).To(And(HaveKeyWithValue("asked", false), HaveKeyWithValue("problem", ContainSubstring("broker-request-id"))))
		Expect(a.body["uaa"]).To(And(HaveKeyWithValue("asked", false), HaveKeyWithValue("problem", ContainSubstring("broker-request-id"))))
		status(w.platform.repair(guid, object{"all": true}), http.StatusServiceUnavailable)
	})

	It("is a failed creation, which goes once the platform doesn't know it", func() {
		w := newWorld()
		w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Error: &devdirector.TaskError{Code: 450001, Message: "redis/0 is not running"}})
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		for _, query := range []string{"", "platform=known"} {
			Expect(w.platform.findings("i-1", query).body["findings"]).To(ConsistOf(finding("create_failed", false)))
		}
		a = w.platform.repair("i-1", object{"all": true, "platform": "known", "grace": "0s"})
		status(a, http.StatusOK)
		Expect(a.body).To(And(HaveKeyWithValue("mended", BeEmpty()), HaveKeyWithValue("skipped", ConsistOf(HaveKeyWithValue("why", ContainSubstring("platform"))))))

		Expect(w.platform.findings("i-1", "platform=unknown").body["findings"]).To(ConsistOf(finding("orphan", true)))
		a = w.platform.repair("i-1", object{"apply": []string{"orphan"}, "platform": "unknown"})
		status(a, http.StatusOK)
		Expect(a.body["skipped"]).To(ConsistOf(HaveKeyWithValue("why", ContainSubstring("15m0s"))))
		a = w.platform.repair("i-1", object{"apply": []string{"orphan"}, "platform": "unknown", "grace": "0s", "force": true})
		status(a, http.StatusAccepted)
		Expect(a.body["mended"]).To(ConsistOf(mended("orphan")))
		Expect(a.body["operation"]).To(HaveKeyWithValue("OperationType", "force-delete"))
		_, operation, _ := cutAround(a.text, `"operation":`, "}\n")
		Expect(w.platform.follow("i-1", operation)).To(Equal("succeeded"))
		Expect(w.configs("i-1")).To(BeEmpty())
		Expect(w.platform.findings("i-1", "platform=unknown").body["findings"]).To(BeEmpty())
	})

	It("is what a deletion left in each store", func() {
		stores := newStores()
		w := newWorld(stores.configured())
		w.provisionFully(guid)
		_, err := w.directorClient().DeleteDeployment(GinkgoT().Context(), boshclient.DeleteDeployment{Name: "service-instance_" + guid})
		Expect(err).NotTo(HaveOccurred())
		left := []string{"leftover_uaa_client", "leftover_secrets", "leftover_binding_credentials", "leftover_configs"}
		expect := func(query string, mendable bool) {
			GinkgoHelper()
			var all []any
			for _, code := range left {
				all = append(all, finding(code, mendable))
			}
			Expect(w.platform.findings(guid, query).body["findings"]).To(HaveExactElements(all...))
		}
		expect("", false)
		expect("platform=unknown", true)
		Expect(w.platform.findings(guid, "platform=known").body["findings"]).To(ConsistOf(finding("deployment_missing", false)))
		status(w.platform.repair(guid, object{"all": true, "platform": "known", "grace": "0s"}), http.StatusOK)
		status(w.platform.repair(guid, object{"all": true, "grace": "0s"}), http.StatusOK)
		expect("platform=unknown", true)

		a := w.platform.repair(guid, object{"apply": []string{"leftover_secrets"}, "platform": "unknown", "grace": "0s"})
		status(a, http.StatusOK)
		Expect(a.body["mended"]).To(ConsistOf(mended("leftover_secrets")))
		Expect(stores.credhub.Names()).To(ConsistOf("/c/service-guid/"+guid+"/b-1/credentials", "/c/service-guid/"+guid+"/b-1/note"))
		left = []string{"leftover_uaa_client", "leftover_binding_credentials", "leftover_configs"}
		expect("platform=unknown", true)

		a = w.platform.repair(guid, object{"all": true, "platform": "unknown", "grace": "0s"})
		status(a, http.StatusOK)
		Expect(a.body).To(And(HaveKeyWithValue("mended", HaveLen(3)), HaveKeyWithValue("skipped", BeEmpty()), Not(HaveKey("operation"))))
		Expect(w.platform.findings(guid, "platform=unknown").body["findings"]).To(BeEmpty())
		Expect(stores.uaa.ClientIDs()).NotTo(ContainElement(guid))
		a = w.platform.repair(guid, object{"apply": []string{"leftover_configs"}, "platform": "unknown"})
		Expect(a.body["skipped"]).To(ConsistOf(HaveKeyWithValue("why", "it isn't found")))
	})

	It("is another broker's UAA client for all that this one's list of instances says", func() {
		stores := newStores()
		w := newWorld(listInstances("[]").configured(), stores.configured())
		stores.uaa.Put(uaatest.Client{ID: guid, GrantTypes: []string{"client_credentials"}})
		Expect(w.platform.findings(guid, "").body["findings"]).To(ConsistOf(finding("leftover_uaa_client", false)))
		a := w.platform.repair(guid, object{"all": true, "grace": "0s"})
		Expect(a.body).To(HaveKeyWithValue("mended", BeEmpty()))
		status(w.platform.deleteOrphan(guid, "grace=0s"), http.StatusUnprocessableEntity)
		Expect(stores.uaa.ClientIDs()).To(ContainElement(guid))
	})

	DescribeTable("is an operation that is waited for in vain, and can be told to have ended", func(operation, state string) {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.config("runtime", "i-1", "addons: []\n")
		w.remember("i-1", fmt.Sprintf(`{"service_id":%q,"plan_id":%q,"operation":{"context_id":"lost","drop_configs":["runtime"],"started_at":"2026-01-01T00:00:00Z",%s}}`, serviceID, smallPlan, operation))
		Expect(w.platform.findings("i-1", "platform=known").body["findings"]).To(ConsistOf(finding("operation_stuck", true)))
		a := w.platform.repair("i-1", object{"apply": []string{"operation_stuck"}, "platform": "known"})
		status(a, http.StatusOK)
		Expect(a.body["mended"]).To(ConsistOf(And(mended("operation_stuck"), HaveKeyWithValue("done", "remembered as "+state))))
		Expect(w.record("i-1")).To(HaveKeyWithValue("operation", HaveKeyWithValue("state", state)))
		_, kept := w.configs("i-1")["runtime"]
		Expect(kept).To(Equal(state == "failed"))
		Expect(w.platform.findings("i-1", "platform=known").body["findings"]).To(BeEmpty())
		status(w.platform.update("i-1", object{"parameters": object{"a": 1}}), http.StatusAccepted)
	},
		Entry("as failed, where nothing tells", `"type":"update","errands":[{"Name":"smoke"}]`, "failed"),
		Entry("as what is deployed tells", `"type":"create"`, "succeeded"),
	)

	It("is a record that is missing, can't be read, or is another service's", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.remember("i-1", "not: JSON")
		Expect(w.platform.findings("i-1", "").body["findings"]).To(ConsistOf(finding("record_unreadable", false)))
		Expect(w.platform.findings("i-1", "platform=unknown").body["findings"]).To(ConsistOf(finding("other_service", false)))
		Expect(w.directorClient().DeleteConfig(GinkgoT().Context(), "odb-instance", "service-instance_i-1")).To(Succeed())
		Expect(w.platform.findings("i-1", "platform=known").body["findings"]).To(ConsistOf(finding("record_missing", false)))
		w.remember("i-1", `{"service_id":"other-service","plan_id":"p"}`)
		Expect(w.platform.findings("i-1", "").body["findings"]).To(ConsistOf(finding("other_service", false)))
		a := w.platform.repair("i-1", object{"all": true, "platform": "unknown", "grace": "0s"})
		status(a, http.StatusOK)
		Expect(a.body).To(And(HaveKeyWithValue("mended", BeEmpty()), HaveKeyWithValue("skipped", ConsistOf(mended("other_service")))))
	})

	It("is a UAA client that is gone", func() {
		stores := newStores()
		w := newWorld(stores.configured())
		w.provisionFully(guid)
		stores.uaa.Remove(guid)
		Expect(w.platform.findings(guid, "platform=known").body["findings"]).To(ConsistOf(finding("uaa_client_missing", false)))
	})

	It("is what runs, and nothing else as long as it does", func() {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		status(w.platform.provision("i-1", nil), http.StatusAccepted)
		clock.Advance(time.Second)
		a := w.platform.findings("i-1", "platform=unknown")
		Expect(a.body["findings"]).To(ConsistOf(finding("operation_running", false)))
		Expect(a.body["director"]).To(And(HaveKeyWithValue("tasks", HaveLen(1)), HaveKeyWithValue("last_task", BeNil())))
		for _, asked := range []object{{"all": true}, {"apply": []string{"orphan"}}} {
			a = w.platform.repair("i-1", merged(asked, object{"platform": "unknown", "grace": "0s"}))
			status(a, http.StatusOK)
			Expect(a.body).To(And(HaveKeyWithValue("mended", BeEmpty()), HaveKeyWithValue("skipped", ConsistOf(HaveKeyWithValue("why", Not(Equal("it isn't found")))))))
		}
	})

	DescribeTable("is mended as asked, and asked in words that can be right only", func(body any, want int, about string) {
		w := newWorld()
		a := w.platform.repair("i-1", body)
		status(a, want)
		Expect(a.description()).To(ContainSubstring(about))
	},
		Entry(nil, "{", 422, "Invalid JSON"),
		Entry(nil, object{}, 400, "apply"),
		Entry(nil, object{"apply": []string{"everything"}}, 400, `"everything"`),
		Entry(nil, object{"all": true, "platform": "maybe"}, 400, "platform"),
		Entry(nil, object{"all": true, "grace": "-1s"}, 400, "grace"),
	)
})
