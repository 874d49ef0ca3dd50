package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
	"github.com/on-demand-broker/odb/uaaclients/uaatest"
)

// stores are CredHub, as the Director's and the platform's, and the platform's UAA, empty.
type stores struct {
	credhub *credhubtest.CredHub
	uaa     *uaatest.Server
}

func newStores() *stores {
	s := &stores{credhub: credhubtest.Start(credhubtest.Options{}), uaa: uaatest.Start(uaatest.Options{ClientID: "odb", ClientSecret: "odb-secret", Scopes: []string{"clients.read", "clients.write"}})}
	DeferCleanup(s.credhub.Close)
	DeferCleanup(s.uaa.Close)
	return s
}

// configured has the broker keep things in all of them.
func (s *stores) configured() setting {
	return setting{config: func(yaml string) string {
		for _, store := range []setting{manifestSecretsIn(s.credhub), credentialsIn(s.credhub), clientsIn(s.uaa, clientDefinition)} {
			yaml = store.config(yaml)
		}
		return yaml
	}}
}

// provisionFully makes an instance of which each store keeps something.
func (w *world) provisionFully(id string) {
	GinkgoHelper()
	steering := makes("((odb_secret:pw))", 1, map[string]any{"pw": "hush"})
	steering.Manifest = strings.Replace(steering.Manifest, "jobs: [", "jobs: [{name: backup, release: redis}, ", 1)
	steering.Configs = map[string]any{"cloud": "vm_extensions: []\n"}
	Expect(w.adapter.Steer("generate-manifest", steering)).To(Succeed())
	a := w.platform.provision(id, object{"context": object{"space_guid": "space-1"}})
	Expect(a.status).To(Equal(http.StatusAccepted), a.text)
	Expect(w.platform.follow(id, a.operation())).To(Equal("succeeded"))
	Expect(w.platform.bind(id, "b-1", nil).status).To(Equal(http.StatusCreated))
}

// remember writes a record behind the broker's back.
func (w *world) remember(id, record string) {
	GinkgoHelper()
	w.config("odb-instance", id, record)
}

func (w *world) config(configType, id, content string) {
	GinkgoHelper()
	_, err := w.directorClient().CreateConfig(GinkgoT().Context(), boshclient.CreateConfig{Type: configType, Name: "service-instance_" + id, Content: content})
	Expect(err).NotTo(HaveOccurred())
}

func (p *platform) deleteOrphan(id, query string) answer {
	GinkgoHelper()
	return p.manage("DELETE", "/orphan_deployments/service-instance_"+id+"?"+query, nil)
}

// sparing matches an entry of what is spared.
func sparing(id, why string) types.GomegaMatcher {
	return And(HaveKeyWithValue("service_instance_id", id), HaveKeyWithValue("why", why), HaveKeyWithValue("description", Not(BeEmpty())))
}

var _ = Describe("orphans", func() {
	status := func(a answer, want int) { GinkgoHelper(); Expect(a.status).To(Equal(want), a.text) }
	list := func(w *world, query string) answer {
		GinkgoHelper()
		a := w.platform.manage("GET", "/orphans?"+query, nil)
		status(a, http.StatusOK)
		return a
	}
	preDelete := setting{config: func(yaml string) string {
		GinkgoHelper()
		yaml = with("    instance_groups:", "    lifecycle_errands: {pre_delete: [{name: backup}]}\n    instance_groups:").config(yaml)
		return with("jobs: [redis-server]", "jobs: [redis-server, backup]").config(yaml)
	}}

	It("are no deployments on which an operation runs, and none that changed of late", func() {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(listInstances("[]").configured(), withErrand, tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		a := w.platform.provision("i-1", nil)
		for _, advance := range []time.Duration{time.Second, 2 * time.Minute} { // the deploy runs; it is done, and the errand is due
			clock.Advance(advance)
			Expect(w.platform.manage("GET", "/orphan_deployments", nil).text).To(Equal("[]\n"))
			Expect(list(w, "grace=0s").body).To(And(HaveKeyWithValue("orphans", BeEmpty()), HaveKeyWithValue("spared", ConsistOf(sparing("i-1", "busy")))))
			status(w.platform.deleteOrphan("i-1", "grace=0s"), http.StatusConflict)
		}
		w.platform.lastOperation("i-1", a.operation())
		clock.Advance(2 * time.Minute)
		Expect(w.platform.lastOperation("i-1", a.operation()).body).To(HaveKeyWithValue("state", "succeeded"))

		Expect(w.platform.manage("GET", "/orphan_deployments", nil).text).To(Equal(`[{"deployment_name":"service-instance_i-1"}]` + "\n"))
		Expect(w.platform.manage("GET", "/orphan_deployments?grace=1h", nil).text).To(Equal("[]\n"))
		Expect(list(w, "").body).To(And(HaveKeyWithValue("grace", "15m0s"), HaveKeyWithValue("orphans", BeEmpty()), HaveKeyWithValue("spared", ConsistOf(sparing("i-1", "young")))))
		Expect(list(w, "grace=0s").body["orphans"]).To(ConsistOf(And(HaveKeyWithValue("deployment_name", "service-instance_i-1"), HaveKeyWithValue("plan_id", smallPlan),
			HaveKeyWithValue("has", ConsistOf("deployment", "configs")), HaveKeyWithValue("ours", true), HaveKey("changed_at"))))
	})

	It("are also what was left of instances without a deployment, but nothing of another service's", func() {
		stores := newStores()
		w := newWorld(listInstances(`[{"service_instance_id":"i-0","plan_id":"small-plan-guid"}]`).configured(), stores.configured())
		Expect(list(w, "").text).To(Equal(`{"grace":"15m0s","orphans":[],"spared":[]}` + "\n"))
		w.provisionFully("i-0")
		w.config("cloud", "i-1", "vm_extensions: []\n")
		stores.credhub.Put("/odb/service-guid/service-instance_i-2/pw", "value", `"hush"`)
		stores.credhub.Put("/c/service-guid/i-3/b-1/credentials", "value", `"hush"`)
		w.remember("i-4", `{"service_id":"other-service","plan_id":"p"}`)
		w.remember("i-5", "not: JSON")
		stores.credhub.Put("/odb/other-service/service-instance_i-6/pw", "value", `"hush"`)

		has := func(id, what string, ours bool) types.GomegaMatcher {
			return And(HaveKeyWithValue("service_instance_id", id), HaveKeyWithValue("has", ConsistOf(what)), HaveKeyWithValue("ours", ours))
		}
		a := list(w, "grace=0s")
		Expect(a.body["orphans"]).To(HaveExactElements(has("i-1", "configs", false), has("i-2", "secrets", true), has("i-3", "binding_credentials", true)))
		Expect(a.body["spared"]).To(HaveExactElements(sparing("i-4", "other_service"), sparing("i-5", "other_service")))
		Expect(a.text).NotTo(ContainSubstring("hush"))

		status(w.platform.deleteOrphan("i-4", "grace=0s&platform=unknown"), http.StatusUnprocessableEntity)
		status(w.platform.deleteOrphan("i-5", "grace=0s&platform=unknown"), http.StatusUnprocessableEntity)
		status(w.platform.deleteOrphan("i-2", ""), http.StatusUnprocessableEntity)
		for _, id := range []string{"i-2", "i-3"} {
			status(w.platform.deleteOrphan(id, "grace=0s"), http.StatusGone)
		}
		refused := w.platform.deleteOrphan("i-1", "grace=0s")
		status(refused, http.StatusUnprocessableEntity)
		Expect(refused.description()).To(ContainSubstring("platform=unknown"))
		status(w.platform.deleteOrphan("i-1", "grace=0s&platform=unknown"), http.StatusGone)
		Expect(list(w, "grace=0s").body["orphans"]).To(BeEmpty())
		Expect(w.configs("i-1")).To(BeEmpty())
		Expect(w.configs("i-0")).To(HaveLen(2))
		Expect(stores.credhub.Names()).To(ConsistOf("/odb/service-guid/service-instance_i-0/pw", "/c/service-guid/i-0/b-1/credentials", "/c/service-guid/i-0/b-1/note", "/odb/other-service/service-instance_i-6/pw"))
	})

	It("are removed with all that belongs to them, by the path of a deprovision", func() {
		stores, platform := newStores(), listInstances(fmt.Sprintf(`[{"service_instance_id":%q,"plan_id":"small-plan-guid"}]`, guid))
		w := newWorld(platform.configured(), stores.configured(), preDelete)
		w.provisionFully(guid)

		By("not as long as the platform knows them, whatever is said")
		for _, query := range []string{"grace=0s", "grace=0s&platform=unknown", "grace=0s&platform=known"} {
			a := w.platform.deleteOrphan(guid, query)
			status(a, http.StatusUnprocessableEntity)
			Expect(a.description()).To(ContainSubstring("the platform knows"))
		}
		platform.answer(http.StatusInternalServerError, "")
		status(w.platform.deleteOrphan(guid, "grace=0s"), http.StatusInternalServerError)
		status(w.platform.manage("GET", "/orphans", nil), http.StatusInternalServerError)
		platform.answer(http.StatusOK, "[]")

		By("not before their time")
		a := w.platform.deleteOrphan(guid, "")
		status(a, http.StatusUnprocessableEntity)
		Expect(a.description()).To(ContainSubstring("15m0s"))

		By("not as long as it can't be seen what belongs to them")
		stores.credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: 503})
		status(w.platform.deleteOrphan(guid, "grace=0s"), http.StatusServiceUnavailable)
		status(w.platform.manage("GET", "/orphans", nil), http.StatusInternalServerError)
		stores.credhub.Heal()
		Expect(w.director.Stats().Tasks).NotTo(HaveKey(devdirector.KindDelete))

		By("then")
		a = w.platform.deleteOrphan(guid, "grace=0s")
		status(a, http.StatusAccepted)
		Expect(a.body).To(HaveKeyWithValue("OperationType", "delete"))
		Expect(w.platform.follow(guid, a.text)).To(Equal("succeeded"))
		Expect(w.director.Stats().Tasks).To(And(HaveKeyWithValue(devdirector.KindErrand, 1), HaveKeyWithValue(devdirector.KindDelete, 1)))
		Expect(w.configs(guid)).To(BeEmpty())
		Expect(stores.credhub.Names()).To(BeEmpty())
		Expect(stores.uaa.ClientIDs()).NotTo(ContainElement(guid))
		a = w.platform.deleteOrphan(guid, "")
		status(a, http.StatusGone)
		Expect(a.text).To(BeEmpty())
		Expect(w.log.String()).NotTo(ContainSubstring("hush"))
	})

	It("keep their deployment when a pre-delete errand fails, unless forced", func() {
		w := newWorld(listInstances("[]").configured(), preDelete)
		w.platform.provisioned("i-1")
		w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindErrand, Error: &devdirector.TaskError{Code: 1, Message: "no disk"}})
		a := w.platform.deleteOrphan("i-1", "grace=0s")
		status(a, http.StatusAccepted)
		Expect(w.platform.follow("i-1", a.text)).To(Equal("failed"))
		a = w.platform.deleteOrphan("i-1", "grace=0s&force=true")
		status(a, http.StatusAccepted)
		Expect(a.body).To(HaveKeyWithValue("OperationType", "force-delete"))
		Expect(w.platform.follow("i-1", a.text)).To(Equal("succeeded"))
		Expect(w.configs("i-1")).To(BeEmpty())
	})

	It("can't be told without a list of the platform's; then whoever asks must say that the platform doesn't know it", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		a := w.platform.manage("GET", "/orphans", nil)
		status(a, http.StatusUnprocessableEntity)
		Expect(a.description()).To(ContainSubstring("only the platform knows"))
		a = w.platform.deleteOrphan("i-1", "grace=0s")
		status(a, http.StatusUnprocessableEntity)
		Expect(a.description()).To(ContainSubstring("platform=unknown"))
		a = w.platform.deleteOrphan("i-1", "grace=0s&platform=unknown")
		status(a, http.StatusAccepted)
		Expect(w.platform.follow("i-1", a.text)).To(Equal("succeeded"))
	})

	It("are none that another one works on at the same moment", func() {
		w := newWorld()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Hold: "create"})).To(Succeed())
		provisioned := make(chan answer, 1)
		go func() {
			defer GinkgoRecover()
			provisioned <- w.platform.provision("i-1", nil)
		}()
		Eventually(w.calls).Should(ContainElement("generate-manifest"))
		a := w.platform.deleteOrphan("i-1", "grace=0s&platform=unknown")
		Expect(w.adapter.LetGo("create")).To(Succeed())
		status(a, http.StatusConflict)
		Expect(a.text).To(BeEmpty())
		status(<-provisioned, http.StatusAccepted)
	})

	DescribeTable("are asked about in words that can be right only", func(method, path, about string) {
		w := newWorld()
		a := w.platform.manage(method, path, nil)
		status(a, http.StatusBadRequest)
		Expect(a.description()).To(ContainSubstring(about))
	},
		Entry(nil, "GET", "/orphan_deployments?grace=soon", "grace"),
		Entry(nil, "GET", "/orphans?grace=-1m", "grace"),
		Entry(nil, "DELETE", "/orphan_deployments/cf", "service-instance_ID"),
		Entry(nil, "DELETE", "/orphan_deployments/service-instance_", "service instance id"),
		Entry(nil, "DELETE", "/orphan_deployments/service-instance_a%2Fb", "service instance id"),
		Entry(nil, "DELETE", "/orphan_deployments/service-instance_"+strings.Repeat("x", 300), "service instance id"),
		Entry(nil, "DELETE", "/orphan_deployments/service-instance_i-1?platform=maybe", "platform"),
		Entry(nil, "DELETE", "/orphan_deployments/service-instance_i-1?grace=1", "grace"),
		Entry(nil, "GET", "/service_instances/i-1/findings?platform=no", "platform"),
		Entry(nil, "GET", "/service_instances/i%20/findings", "service instance id"),
	)
})
