package cftest_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/config"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

var _ = Describe("a fleet on a simulated broker", func() {
	var (
		cc           *cftest.CloudController
		space, plan  string
		ctx          context.Context
		organization string
	)

	BeforeEach(func() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.Background(), 10*time.Second)
		DeferCleanup(cancel)
		cc = start(cftest.Options{PollInterval: time.Millisecond})
		organization = cc.AddOrganization("org")
		space = cc.AddSpace(organization, "space")
		cc.AddBroker(cftest.Broker{Name: "broker", Offerings: []cftest.Offering{{
			Name: "cache", CatalogID: "cache-id", Shareable: true,
			Plans: []cftest.Plan{{Name: "small", CatalogID: "small-id", MaintenanceVersion: "1.0.0", Public: true}},
		}}})
		plan = cc.PlanGUID("small-id")
	})

	libraryClient := func() *client.Client {
		settings, err := config.New(cc.URL(), config.ClientCredentials(cftest.AdminClient, cftest.AdminClientSecret),
			config.HttpClient(trusting(cc)), config.UserAgent("story"))
		Expect(err).NotTo(HaveOccurred())
		made, err := client.New(settings)
		Expect(err).NotTo(HaveOccurred())
		return made
	}

	It("is listed page by page by the library that cfclient is built on", func() {
		for n := range 7 {
			cc.AddInstance(cftest.Instance{Name: fmt.Sprintf("i%d", n), PlanGUID: plan, SpaceGUID: space})
		}
		options := client.NewServiceInstanceListOptions()
		options.PerPage = 3
		options.ServicePlanGUIDs.EqualTo(plan)
		listed, err := libraryClient().ServiceInstances.ListAll(ctx, options)
		Expect(err).NotTo(HaveOccurred())
		Expect(listed).To(HaveLen(7))
		Expect(listed[6].Name).To(Equal("i6"))
		Expect(cc.Stats().Requests).To(HaveKeyWithValue("GET /v3/service_instances", 3))
		Expect(cc.Stats().Tokens).To(Equal(1))
	})

	It("is listed at five thousand a page", func() {
		for range 5_001 {
			cc.AddInstance(cftest.Instance{PlanGUID: plan, SpaceGUID: space})
		}
		Expect(newCaller(cc).listed("/v3/service_instances?per_page=5000")).To(HaveLen(5_001))
		Expect(cc.Stats().Requests).To(HaveKeyWithValue("GET /v3/service_instances", 2))
	})

	It("takes as long to upgrade as was said, and is current afterwards", func() {
		cc.SetOperationDuration(50 * time.Millisecond)
		guid := cc.AddInstance(cftest.Instance{PlanGUID: plan, SpaceGUID: space})
		cc.SetMaintenanceVersion("small-id", "2.0.0")
		api := newCaller(cc)
		begun := time.Now()
		answer := api.send("PATCH", "/v3/service_instances/"+guid, `{"maintenance_info":{"version":"2.0.0"}}`)
		Expect(answer.status).To(Equal(http.StatusAccepted))
		busy := api.send("PATCH", "/v3/service_instances/"+guid, `{"maintenance_info":{"version":"2.0.0"}}`)
		Expect(busy.status).To(Equal(http.StatusConflict))
		Expect(busy.body).To(ContainSubstring("60016"))
		Expect(api.await(answer).State).To(Equal("COMPLETE"))
		Expect(time.Since(begun)).To(BeNumerically(">=", 50*time.Millisecond))
		upgraded, _ := cc.Instance(guid)
		Expect(upgraded.MaintenanceVersion).To(Equal("2.0.0"))
		Expect(upgraded.UpgradeAvailable).To(BeFalse())
		Expect(api.send("PATCH", "/v3/service_instances/"+guid, `{"maintenance_info":{"version":"2.0.0"}}`).status).To(Equal(http.StatusOK))
		Expect(cc.Stats().ToBrokers).To(HaveKeyWithValue("update", 1))
	})

	It("ends as outcomes say", func() {
		refused := cc.AddInstance(cftest.Instance{PlanGUID: plan, SpaceGUID: space})
		failing := cc.AddInstance(cftest.Instance{PlanGUID: plan, SpaceGUID: space})
		cc.AddOutcome(cftest.Outcome{Instance: refused, Operation: "update", Times: 1, Status: 422, Description: "not now"})
		cc.AddOutcome(cftest.Outcome{Instance: failing, Operation: "update", Times: 1, Fails: true, Description: "task 7 failed"})
		cc.SetMaintenanceVersion("small-id", "2.0.0")
		api := newCaller(cc)
		upgrade := func(guid string) jobAnswer {
			return api.await(api.send("PATCH", "/v3/service_instances/"+guid, `{"maintenance_info":{"version":"2.0.0"}}`))
		}
		Expect(upgrade(refused).Errors).To(ConsistOf(HaveField("Detail", "update could not be completed: Service broker error: not now")))
		Expect(upgrade(failing).Errors).To(ConsistOf(HaveField("Title", "UnknownError")))
		failed, _ := cc.Instance(failing)
		Expect(failed.LastOperation).To(Equal(cftest.LastOperation{Type: "update", State: "failed", Description: "task 7 failed"}))
		Expect(upgrade(refused).State).To(Equal("COMPLETE"))
		Expect(upgrade(failing).State).To(Equal("COMPLETE"))
	})

	It("is deleted with its keys, app and route bindings, but not while it is shared", func() {
		guid := cc.AddInstance(cftest.Instance{PlanGUID: plan, SpaceGUID: space})
		other := cc.AddSpace(organization, "other")
		cc.AddBinding(cftest.Binding{InstanceGUID: guid, Name: "key"})
		cc.AddBinding(cftest.Binding{InstanceGUID: guid, AppGUID: cc.AddApp(space, "app")})
		cc.AddRouteBinding(guid)
		cc.Share(guid, other)
		api := newCaller(cc)
		Expect(api.await(api.send("DELETE", "/v3/service_instances/"+guid, "")).State).To(Equal("FAILED"))
		Expect(api.send("DELETE", "/v3/service_instances/"+guid+"/relationships/shared_spaces/"+other, "").status).To(Equal(http.StatusNoContent))
		Expect(api.await(api.send("DELETE", "/v3/service_instances/"+guid, "")).State).To(Equal("COMPLETE"))
		Expect(cc.Instances()).To(BeEmpty())
		Expect(cc.Stats().ToBrokers).To(And(HaveKeyWithValue("unbind", 3), HaveKeyWithValue("deprovision", 1)))
	})
})
