package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

// instanceList is an operator's own list of instances.
type instanceList struct {
	url    string
	mu     sync.Mutex
	status int
	body   string
	query  string
}

func listInstances(body string) *instanceList {
	l := &instanceList{status: http.StatusOK, body: body}
	server := httptest.NewServer(l)
	DeferCleanup(server.Close)
	l.url = server.URL
	return l
}

func (l *instanceList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.query = r.URL.RawQuery
	if user, password, _ := r.BasicAuth(); user != "lister" || password != "lister-secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(l.status)
	_, _ = w.Write([]byte(l.body))
}

func (l *instanceList) configured() setting {
	return setting{config: func(yaml string) string {
		return "service_instances_api:\n  url: " + l.url + "\n  authentication: {basic: {username: lister, password: lister-secret}}\n" + yaml
	}}
}

func (l *instanceList) answer(status int, body string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status, l.body = status, body
}

func (l *instanceList) asked() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.query
}

// What the management API tells without changing anything, and how it stops what runs.
var _ = Describe("the management API", func() {
	status := func(a answer, want int) { GinkgoHelper(); Expect(a.status).To(Equal(want), a.text) }

	Describe("metrics", func() {
		It("are counts", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			a := w.platform.manage("GET", "/metrics", nil)
			status(a, http.StatusOK)
			Expect(a.header.Get("Content-Type")).To(Equal("application/json"))
			Expect(a.text).To(Equal(`[{"key":"/on-demand-broker/redis/small/total_instances","value":1,"unit":"count"},` +
				`{"key":"/on-demand-broker/redis/large/total_instances","value":0,"unit":"count"},` +
				`{"key":"/on-demand-broker/redis/total_instances","value":1,"unit":"count"}]` + "\n"))
		})

		It("are not lost for a plan that has left the catalog", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			w.serve(with("plan_id: "+smallPlan, "plan_id: new-small-plan"))
			a := w.platform.manage("GET", "/metrics", nil)
			Expect(a.text).To(And(ContainSubstring(`"/on-demand-broker/redis/small/total_instances","value":0`), ContainSubstring(`"/on-demand-broker/redis/total_instances","value":1`)))
			Expect(w.log.String()).To(ContainSubstring("metrics.unknown-plan"))
		})
	})

	Describe("orphan deployments", func() {
		list := func(w *world) []string {
			GinkgoHelper()
			a := w.platform.manage("GET", "/orphan_deployments", nil)
			status(a, http.StatusOK)
			Expect(a.header.Get("Content-Type")).To(Equal("application/json"))
			var orphans []map[string]string
			Expect(json.Unmarshal([]byte(a.text), &orphans)).To(Succeed())
			names := []string{}
			for _, o := range orphans {
				names = append(names, o["deployment_name"])
			}
			return names
		}

		It("can't be told where only the broker remembers", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			a := w.platform.manage("GET", "/orphan_deployments", nil)
			status(a, http.StatusInternalServerError)
			Expect(a.text).To(BeEmpty())
			Expect(w.log.String()).To(ContainSubstring("only the platform knows"))
		})

		It("are those that the platform doesn't list, and another broker doesn't remember", func() {
			platform := listInstances(`[{"service_instance_id":"i-1","plan_id":"small-plan-guid"}]`)
			w := newWorldWithoutBroker()
			w.serve(with("  id: "+serviceID, "  id: other-service"))
			a := w.platform.provision("i-other", object{"service_id": "other-service"})
			Expect(w.platform.follow("i-other", a.operation())).To(Equal("succeeded"))

			w.serve(platform.configured())
			w.platform.provisioned("i-1")
			Expect(w.platform.manage("GET", "/orphan_deployments", nil).text).To(Equal("[]\n"))

			w.platform.provisioned("i-2")
			Expect(list(w)).To(Equal([]string{"service-instance_i-2"}))

			By("not knowing when the platform can't be asked")
			platform.answer(http.StatusInternalServerError, "")
			status(w.platform.manage("GET", "/orphan_deployments", nil), http.StatusInternalServerError)
		})
	})

	It("lists the instances of the operator's own list, and passes filters on", func() {
		platform := listInstances(`[{"service_instance_id":"i-9","plan_id":"small-plan-guid","space_guid":"s"},{"service_instance_id":"i-8","plan_id":"gone"}]`)
		w := newWorld(platform.configured())
		Expect(w.platform.manage("GET", "/service_instances?cf_org=o&label=x", nil).text).To(Equal(
			`[{"service_instance_id":"i-9","plan_id":"small-plan-guid","space_guid":"s"},{"service_instance_id":"i-8","plan_id":"gone"}]` + "\n"))
		Expect(platform.asked()).To(Equal("cf_org=o&label=x"))

		platform.answer(http.StatusOK, "null")
		Expect(w.platform.manage("GET", "/service_instances", nil).text).To(Equal("[]\n"))
		platform.answer(http.StatusForbidden, "")
		a := w.platform.manage("GET", "/service_instances", nil)
		status(a, http.StatusInternalServerError)
		Expect(a.text).To(BeEmpty())
	})

	Describe("one instance", func() {
		It("is told about, and what an upgrade would change", func() {
			w := newWorld()
			status(w.platform.manage("GET", "/service_instances/i-1", nil), http.StatusNotFound)
			status(w.platform.manage("GET", "/service_instances/i-1/pending_changes", nil), http.StatusNotFound)
			status(w.platform.manage("GET", "/service_instances/i%20/pending_changes", nil), http.StatusBadRequest)
			w.platform.provisioned("i-1")
			w.director.ResetStats()
			a := w.platform.manage("GET", "/service_instances/i-1", nil)
			status(a, http.StatusOK)
			Expect(a.header.Get("Content-Type")).To(Equal("application/json"))
			Expect(a.body).To(And(HaveKeyWithValue("service_instance_id", "i-1"), HaveKeyWithValue("plan_id", smallPlan), HaveKeyWithValue("plan_name", "small"),
				HaveKeyWithValue("deployment", "service-instance_i-1"), HaveKeyWithValue("created", true), HaveKeyWithValue("tasks", BeEmpty()),
				HaveKeyWithValue("last_operation", And(HaveKeyWithValue("type", "create"), HaveKeyWithValue("state", "succeeded"))),
				HaveKeyWithValue("dashboard_url", "https://dashboard.example/i-1"), HaveKeyWithValue("pending_changes", false)))
			Expect(w.platform.manage("GET", "/service_instances/i-1/pending_changes", nil).text).To(Equal(
				`{"service_instance_id":"i-1","pending_changes":false,"reasons":[],"diff":[]}` + "\n"))

			w.serve(newStemcell)
			Expect(w.platform.manage("GET", "/service_instances/i-1", nil).body).To(HaveKeyWithValue("pending_changes", true))
			a = w.platform.manage("GET", "/service_instances/i-1/pending_changes", nil)
			status(a, http.StatusOK)
			Expect(a.body).To(And(HaveKeyWithValue("pending_changes", true), HaveKeyWithValue("reasons", HaveLen(1))))
			Expect(a.body["diff"]).To(ContainElements(
				And(HaveKeyWithValue("change", "removed"), HaveKeyWithValue("line", ContainSubstring("1.999"))),
				And(HaveKeyWithValue("change", "added"), HaveKeyWithValue("line", ContainSubstring("1.1000")))))
			Expect(w.director.Stats().TotalTasks).To(BeZero())
		})

		It("shows no values of properties", func() {
			w := newWorld()
			Expect(w.adapter.Steer("generate-manifest", makes("hush-1", 1, nil))).To(Succeed())
			w.platform.provisioned("i-1")
			Expect(w.adapter.Steer("generate-manifest", makes("hush-2", 1, nil))).To(Succeed())
			a := w.platform.manage("GET", "/service_instances/i-1/pending_changes", nil)
			Expect(a.text).To(And(ContainSubstring("redacted"), Not(ContainSubstring("hush"))))
		})

		It("needs its plan named where nobody knows it", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			Expect(w.directorClient().DeleteConfig(GinkgoT().Context(), "odb-instance", "service-instance_i-1")).To(Succeed())
			a := w.platform.manage("GET", "/service_instances/i-1", nil)
			Expect(a.body).To(And(HaveKeyWithValue("pending_changes", BeNil()), HaveKeyWithValue("pending_changes_unknown", ContainSubstring("plan_id"))))
			status(w.platform.manage("GET", "/service_instances/i-1/pending_changes", nil), http.StatusBadRequest)
			a = w.platform.manage("GET", "/service_instances/i-1?plan_id="+smallPlan, nil)
			Expect(a.body).To(And(HaveKeyWithValue("plan_name", "small"), HaveKeyWithValue("pending_changes", false)))
			status(w.platform.manage("GET", "/service_instances/i-1/pending_changes?plan_id="+smallPlan, nil), http.StatusOK)
		})

		It("has its running task told, and cancelled", func() {
			clock := devdirector.NewManualClock(time.Now())
			w := newWorld(tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
			status(w.platform.manage("POST", "/service_instances/i-1/cancel", nil), http.StatusNotFound)
			provision := w.platform.provision("i-1", nil)
			clock.Advance(time.Second)

			a := w.platform.manage("GET", "/service_instances/i-1", nil)
			Expect(a.body).To(And(HaveKeyWithValue("created", false), HaveKeyWithValue("tasks", ConsistOf(And(HaveKeyWithValue("id", 1.0), HaveKeyWithValue("state", "processing")))),
				HaveKeyWithValue("last_operation", HaveKeyWithValue("state", "in progress")), HaveKeyWithValue("pending_changes", BeNil()), HaveKey("pending_changes_unknown")))
			status(w.platform.manage("GET", "/service_instances/i-1/pending_changes", nil), http.StatusConflict)

			for range 2 { // asking again does no harm
				a = w.platform.manage("POST", "/service_instances/i-1/cancel", nil)
				status(a, http.StatusAccepted)
				Expect(a.body["tasks"]).To(ConsistOf(And(HaveKeyWithValue("id", 1.0), HaveKeyWithValue("state", "cancelling"))))
			}
			clock.Advance(2 * time.Minute)
			Expect(w.platform.follow("i-1", provision.operation())).To(Equal("failed"))
			Expect(w.platform.manage("GET", "/service_instances/i-1", nil).body).To(HaveKeyWithValue("last_operation", HaveKeyWithValue("state", "failed")))
			a = w.platform.manage("POST", "/service_instances/i-1/cancel", nil)
			status(a, http.StatusAccepted)
			Expect(a.text).To(Equal(`{"tasks":[]}` + "\n"))
		})
	})
})
