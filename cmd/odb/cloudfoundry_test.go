package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	library "github.com/cloudfoundry/go-cfclient/v3/client"
	libraryconfig "github.com/cloudfoundry/go-cfclient/v3/config"
	"github.com/cloudfoundry/go-cfclient/v3/resource"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/cfclient/cftest"
)

// foundation is a Cloud Foundry that the broker is configured with.
type foundation struct {
	*cftest.CloudController
	spaceGUID string // dev, in the organization acme
	made      int
}

func newFoundation() *foundation {
	GinkgoHelper()
	cc, err := cftest.Start(cftest.Options{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cc.Close)
	return &foundation{CloudController: cc, spaceGUID: cc.AddSpace(cc.AddOrganization("acme"), "dev")}
}

// configured has the broker ask this foundation.
func (f *foundation) configured() setting {
	return setting{config: func(yaml string) string {
		section := "cf:\n  url: " + f.URL() + "\n  root_ca_cert: |\n    " + strings.ReplaceAll(strings.TrimSpace(f.CACert()), "\n", "\n    ") +
			"\n  uaa:\n    url: " + f.UAAURL() + "\n    authentication: {client_credentials: {client_id: " + cftest.AdminClient + ", client_secret: " + cftest.AdminClientSecret + "}}\n"
		return section + strings.Replace(yaml, "  disable_cf_startup_checks: true\n", "", 1)
	}}
}

// knows makes the offering known with plans, by catalog id, without the broker being asked.
func (f *foundation) knows(catalogIDs ...string) {
	offering := cftest.Offering{Name: "redis", CatalogID: serviceID}
	for _, id := range catalogIDs {
		offering.Plans = append(offering.Plans, cftest.Plan{Name: "plan of " + id, CatalogID: id})
	}
	f.AddBroker(cftest.Broker{Name: "redis-broker", Offerings: []cftest.Offering{offering}})
}

func (f *foundation) has(instanceID, plan string) {
	f.AddInstance(cftest.Instance{GUID: instanceID, PlanGUID: f.PlanGUID(plan), SpaceGUID: f.spaceGUID})
}

func (f *foundation) client() *cfclient.Client {
	GinkgoHelper()
	client, err := cfclient.New(cfclient.Options{URL: f.URL(), CACert: f.CACert(), ClientID: cftest.AdminClient, ClientSecret: cftest.AdminClientSecret})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.Close)
	return client
}

var _ = Describe("with Cloud Foundry", func() {
	var cf *foundation
	BeforeEach(func() { cf = newFoundation() })

	Describe("the management API", func() {
		list := func(w *world, query string) string {
			GinkgoHelper()
			a := w.platform.manage("GET", "/service_instances"+query, nil)
			Expect(a.status).To(Equal(http.StatusOK), a.text)
			return a.text
		}

		It("lists the platform's instances, those of one space too", func() {
			cf.knows(smallPlan, "gone-plan")
			w := newWorld(cf.configured())
			Expect(list(w, "")).To(Equal("[]\n"))
			cf.has("i-1", smallPlan)
			other := cf.AddSpace(cf.AddOrganization("other"), "dev")
			cf.AddInstance(cftest.Instance{GUID: "i-2", PlanGUID: cf.PlanGUID("gone-plan"), SpaceGUID: other})

			first := fmt.Sprintf(`{"service_instance_id":"i-1","plan_id":"%s","space_guid":"%s"}`, smallPlan, cf.spaceGUID)
			second := fmt.Sprintf(`{"service_instance_id":"i-2","plan_id":"gone-plan","space_guid":"%s"}`, other)
			Expect(list(w, "")).To(Equal("[" + first + "," + second + "]\n"))
			Expect(list(w, "?cf_org=acme&cf_space=dev")).To(Equal("[" + first + "]\n"))
			Expect(list(w, "?cf_org=nobody&cf_space=dev")).To(Equal("[]\n"))
			Expect(w.platform.manage("GET", "/service_instances?cf_org=acme", nil).status).To(Equal(http.StatusInternalServerError))
		})

		It("knows the orphans, unless the broker isn't registered", func() {
			w := newWorld(cf.configured())
			w.platform.provisioned("i-1")
			a := w.platform.manage("GET", "/orphan_deployments", nil)
			Expect(a.status).To(Equal(http.StatusServiceUnavailable), "all deployments would be orphans")
			cf.knows(smallPlan)
			Expect(w.platform.manage("GET", "/orphan_deployments", nil).text).To(Equal(`[{"deployment_name":"service-instance_i-1"}]` + "\n"))
			cf.has("i-1", smallPlan)
			Expect(w.platform.manage("GET", "/orphan_deployments", nil).text).To(Equal("[]\n"))
		})

		It("has metrics, once the broker is registered, of the instances that quotas count", func() {
			w := newWorld(cf.configured(), quotasOf(smallPlan, "{service_instance_limit: 5}"))
			Expect(w.platform.manage("GET", "/metrics", nil).status).To(Equal(http.StatusServiceUnavailable))
			Expect(w.log.String()).To(ContainSubstring("the broker is not registered"))
			cf.knows(smallPlan, largePlan)
			w.platform.provisioned("i-1")
			w.predecessorMade(2)
			cf.has("old-1", smallPlan)
			a := w.platform.manage("GET", "/metrics", nil)
			Expect(a.status).To(Equal(http.StatusOK))
			Expect(a.text).To(Equal(`[{"key":"/on-demand-broker/redis/small/total_instances","value":2,"unit":"count"},` +
				`{"key":"/on-demand-broker/redis/small/quota_remaining","value":3,"unit":"count"},` +
				`{"key":"/on-demand-broker/redis/large/total_instances","value":0,"unit":"count"},` +
				`{"key":"/on-demand-broker/redis/total_instances","value":3,"unit":"count"}]` + "\n"))
		})
	})

	Describe("quotas", func() {
		It("count the predecessor's instances, whose plan only the platform knows, and ask for it once", func() {
			cf.knows(smallPlan, largePlan)
			w := newWorld(cf.configured(), quotasOf(smallPlan, "{service_instance_limit: 2}"))
			w.predecessorMade(3)
			cf.has("old-1", smallPlan)
			cf.has("old-2", largePlan)
			cf.has("failed", smallPlan) // never got as far as to be deployed: it is in nobody's way
			Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
			a := w.platform.provision("i-2", nil)
			Expect(a.status).To(Equal(http.StatusBadRequest))
			Expect(a.description()).To(ContainSubstring("plan instance limit exceeded: plan small is limited to 2. Total instances: 2"))
			Expect(w.platform.provision("i-3", object{"plan_id": largePlan}).status).To(Equal(http.StatusAccepted))
			Expect(cf.Stats().Requests).To(HaveKeyWithValue("GET /v3/service_instances", 1))
		})

		It("admit one of many who ask for the last place at once, and the next when it is free again", func() {
			w := newWorld(cf.configured(), quotasOf(smallPlan, "{service_instance_limit: 1}"))
			w.register(cf)
			var guids []string
			for range 8 {
				guids = append(guids, cf.create(smallPlan))
			}
			var admitted []string
			for _, guid := range guids {
				if cf.outcome(guid) == "create succeeded" {
					admitted = append(admitted, guid)
				}
			}
			Expect(admitted).To(HaveLen(1))
			Expect(cf.outcome(cf.create(smallPlan))).To(Equal("create failed"))
			cf.remove(admitted[0])
			Expect(cf.outcome(cf.create(smallPlan))).To(Equal("create succeeded"))
		})

		It("admit nothing of which they can't tell while the platform is away", func() {
			cf.knows(smallPlan, largePlan)
			w := newWorld(cf.configured(), quotasOf(smallPlan, "{service_instance_limit: 2}"))
			w.predecessorMade(1)
			Expect(cf.AddFault(cftest.Fault{Match: "GET /v3/service_instances", Status: http.StatusBadGateway})).To(Succeed())
			Expect(w.platform.provision("i-1", nil).status).To(BeNumerically(">=", 500))
			Expect(w.calls()).To(BeEmpty())
			Expect(w.platform.provision("i-2", object{"plan_id": largePlan}).status).To(Equal(http.StatusAccepted))
		})
	})

	Describe("the start", func() {
		It("says which plans have instances and are no longer sold, of instances that this broker never saw", func() {
			cf.knows(smallPlan, "gone-plan", "gone-and-empty")
			cf.has("i-1", "gone-plan")
			w := newWorld(cf.configured())
			Eventually(w.log.String).Should(ContainSubstring("start.plan-missing"))
			Expect(w.log.String()).To(And(ContainSubstring(`"plan_id":"gone-plan"`), Not(ContainSubstring("gone-and-empty"))))
			w.platform.provisioned("i-2")
		})

		It("doesn't wait for a platform that is away, and looks again", func() {
			cf.knows("gone-plan")
			cf.has("i-1", "gone-plan")
			Expect(cf.AddFault(cftest.Fault{Match: ".", Cut: true})).To(Succeed())
			w := newWorld(cf.configured(), setting{carryEvery: 20 * time.Millisecond})
			w.platform.provisioned("i-2")
			Eventually(w.log.String).Should(ContainSubstring("start.platform-away"))
			cf.ClearFaults()
			Eventually(w.log.String).Should(ContainSubstring("start.plan-missing"))
		})

		It("says that the credentials are not accepted", func() {
			w := newWorld(cf.configured(), with(cftest.AdminClientSecret, "another-secret"))
			Eventually(w.log.String).Should(ContainSubstring("Cloud Foundry refused POST /oauth/token: status 401"))
			Expect(w.log.String()).NotTo(ContainSubstring("another-secret"))
		})

		It("counts for telemetry", func() {
			cf.knows(smallPlan)
			cf.has("old-1", smallPlan)
			w := newWorldWithoutBroker()
			w.predecessorMade(1)
			w.serve(cf.configured(), with("  use_stdin: true\n", "  use_stdin: true\n  enable_telemetry: true\n"))
			Eventually(w.log.String).Should(ContainSubstring(`"service-instances-per-plan":{"plan-id":"small-plan-guid","total":1}`))
		})
	})

	It("is driven by Cloud Controller from registration to deletion", func() {
		w := newWorld(cf.configured())
		w.register(cf)
		guid := cf.create(smallPlan)
		Expect(cf.outcome(guid)).To(Equal("create succeeded"))
		Expect(w.platform.manage("GET", "/service_instances", nil).text).To(ContainSubstring(guid))
		cf.remove(guid)
		Expect(w.platform.manage("GET", "/service_instances", nil).text).To(Equal("[]\n"))
		Expect(w.calls()).To(ContainElement("generate-manifest"))
	})
})

// register makes the broker known to Cloud Controller, which reads its catalog, and its plans public.
func (w *world) register(f *foundation) {
	GinkgoHelper()
	client := f.client()
	_, err := client.CreateBroker(context.Background(), cfclient.BrokerRegistration{
		Name: "redis-broker", URL: w.platform.url, Username: platformUser, Password: platformPassword,
	})
	Expect(err).NotTo(HaveOccurred())
	for _, plan := range []string{smallPlan, largePlan} {
		Expect(client.SetVisibility(context.Background(), f.PlanGUID(plan), cfclient.Visibility{Type: cfclient.VisibilityPublic})).To(Succeed())
	}
}

// create has Cloud Controller create an instance, which it asks the broker for in its own time.
func (f *foundation) create(planCatalogID string) (guid string) {
	GinkgoHelper()
	settings, err := libraryconfig.New(f.URL(), libraryconfig.ClientCredentials(cftest.AdminClient, cftest.AdminClientSecret), libraryconfig.SkipTLSValidation())
	Expect(err).NotTo(HaveOccurred())
	made, err := library.New(settings)
	Expect(err).NotTo(HaveOccurred())
	f.made++
	name := fmt.Sprint("made-", f.made)
	_, err = made.ServiceInstances.CreateManaged(context.Background(), resource.NewServiceInstanceCreateManaged(name, f.spaceGUID, f.PlanGUID(planCatalogID)))
	Expect(err).NotTo(HaveOccurred())
	for _, instance := range f.Instances() {
		if instance.Name == name {
			return instance.GUID
		}
	}
	Fail("Cloud Controller has made no instance")
	return ""
}

// outcome is how an instance's last operation ended.
func (f *foundation) outcome(guid string) string {
	GinkgoHelper()
	var last cftest.LastOperation
	Eventually(func() string {
		instance, _ := f.Instance(guid)
		last = instance.LastOperation
		return last.State
	}).Should(Or(Equal(cfclient.OperationSucceeded), Equal(cfclient.OperationFailed)))
	return last.Type + " " + last.State
}

// remove has Cloud Controller delete an instance, and waits for it.
func (f *foundation) remove(guid string) {
	GinkgoHelper()
	client := f.client()
	job, err := client.DeleteInstance(context.Background(), guid)
	Expect(err).NotTo(HaveOccurred())
	_, err = client.WaitJob(context.Background(), job)
	Expect(err).NotTo(HaveOccurred())
}
