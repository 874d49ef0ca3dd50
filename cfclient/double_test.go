package cfclient_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/cfclient/cftest"
)

// What a fleet goes through, against the double of Cloud Controller that is checked against the recordings.
var _ = Describe("A foundation", func() {
	var (
		cloud          *cftest.CloudController
		client         *cfclient.Client
		ctx            context.Context
		small, large   string
		space1, space2 string
	)

	BeforeEach(func() {
		var err error
		cloud, err = cftest.Start(cftest.Options{PollInterval: time.Millisecond})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cloud.Close)
		client, err = cfclient.New(cfclient.Options{
			URL: cloud.URL(), CACert: cloud.CACert(), ClientID: cftest.AdminClient, ClientSecret: cftest.AdminClientSecret,
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(client.Close)
		cfclient.Hurry(client)
		cloud.AddBroker(cftest.Broker{Name: "redis-broker", Offerings: []cftest.Offering{{Name: "redis", CatalogID: "redis-id", Shareable: true, Plans: []cftest.Plan{
			{Name: "small", CatalogID: "small-id", MaintenanceVersion: "1.0.0"}, {Name: "large", CatalogID: "large-id"},
		}}}})
		small, large = cloud.PlanGUID("small-id"), cloud.PlanGUID("large-id")
		space1 = cloud.AddSpace(cloud.AddOrganization("one, two"), "dev 100%")
		space2 = cloud.AddSpace(cloud.AddOrganization("three"), "dev 100%")
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.Background(), 10*time.Second)
		DeferCleanup(cancel)
	})

	names := func(chosen cfclient.InstanceFilter) (names []string) {
		GinkgoHelper()
		for instance, err := range client.Instances(ctx, chosen) {
			Expect(err).NotTo(HaveOccurred())
			names = append(names, instance.Org+"/"+instance.Space+"/"+instance.Name)
		}
		return names
	}

	It("tells its instances and where they are, by plan and by place, a user included", func() {
		cloud.AddInstance(cftest.Instance{Name: "a", PlanGUID: small, SpaceGUID: space1})
		cloud.AddInstance(cftest.Instance{Name: "b", PlanGUID: large, SpaceGUID: space2})
		cloud.AddInstance(cftest.Instance{Name: "c", PlanGUID: small, SpaceGUID: space2})

		plans, err := client.Plans(ctx, "redis-id")
		Expect(err).NotTo(HaveOccurred())
		Expect(plans).To(HaveExactElements(HaveField("GUID", small), HaveField("GUID", large)))
		both := []string{small, large}
		Expect(names(cfclient.InstanceFilter{PlanGUIDs: both})).To(Equal([]string{"one, two/dev 100%/a", "three/dev 100%/b", "three/dev 100%/c"}))
		Expect(names(cfclient.InstanceFilter{PlanGUIDs: both, Org: "one, two", Space: "dev 100%"})).To(Equal([]string{"one, two/dev 100%/a"}))
		Expect(names(cfclient.InstanceFilter{PlanGUIDs: []string{small}, Space: "dev 100%"})).To(Equal([]string{"one, two/dev 100%/a", "three/dev 100%/c"}))
		Expect(names(cfclient.InstanceFilter{PlanGUIDs: both, Org: "one"})).To(BeEmpty())
		Expect(client.Count(ctx, small)).To(Equal(2))
		Expect(client.Count(ctx, both...)).To(Equal(3))

		user, err := cfclient.New(cfclient.Options{URL: cloud.URL(), CACert: cloud.CACert(), Username: cftest.AdminUser, Password: cftest.AdminPassword})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(user.Close)
		Expect(user.Count(ctx, both...)).To(Equal(3))
	})

	It("upgrades fifty at once, whatever happens on the way", func() {
		var guids []string
		for i := range 50 {
			guids = append(guids, cloud.AddInstance(cftest.Instance{Name: fmt.Sprint("i-", i), PlanGUID: small, SpaceGUID: space1, MaintenanceVersion: "1.0.0"}))
		}
		cloud.SetMaintenanceVersion("small-id", "2.0.0")
		Expect(cloud.AddFault(cftest.Fault{Match: "GET ", Status: 502, Skip: 3, Times: 2})).To(Succeed())
		Expect(cloud.AddFault(cftest.Fault{Match: "PATCH ", Status: 429, RetryAfter: 0, Times: 3})).To(Succeed())
		Expect(cloud.AddFault(cftest.Fault{Match: "GET /v3/jobs/", Cut: true, Skip: 5, Times: 3})).To(Succeed())
		var all sync.WaitGroup
		for i, guid := range guids {
			if i == 25 {
				cloud.ExpireTokens()
			}
			all.Go(func() {
				defer GinkgoRecover()
				started, err := client.Upgrade(ctx, guid, "2.0.0")
				Expect(err).NotTo(HaveOccurred())
				Expect(client.WaitJob(ctx, started.Job)).To(HaveField("State", cfclient.JobStateComplete))
			})
		}
		all.Wait()
		for instance, err := range client.Instances(ctx, cfclient.InstanceFilter{PlanGUIDs: []string{small}}) {
			Expect(err).NotTo(HaveOccurred())
			Expect(instance).To(And(HaveField("MaintenanceVersion", "2.0.0"), HaveField("UpgradeAvailable", false)))
		}
		Expect(cloud.Stats().ToBrokers).To(HaveKeyWithValue("update", 50))
		Expect(client.Upgrade(ctx, guids[0], "2.0.0")).To(Equal(cfclient.UpgradeStarted{AlreadyCurrent: true}))
	})

	It("says that an instance is busy, and why it could not be upgraded", func() {
		cloud.SetOperationDuration(50 * time.Millisecond)
		guid := cloud.AddInstance(cftest.Instance{PlanGUID: small, SpaceGUID: space1, MaintenanceVersion: "1.0.0"})
		cloud.SetMaintenanceVersion("small-id", "2.0.0")
		cloud.AddOutcome(cftest.Outcome{Operation: "update", Fails: true, Description: "task 12 failed"})
		started, err := client.Upgrade(ctx, guid, "2.0.0")
		Expect(err).NotTo(HaveOccurred())
		_, err = client.Upgrade(ctx, guid, "2.0.0")
		Expect(err).To(MatchError(cfclient.ErrBusy))
		deletion, err := client.DeleteInstance(ctx, guid) // is taken on, and refused later
		Expect(err).NotTo(HaveOccurred())
		_, err = client.WaitJob(ctx, deletion)
		Expect(err).To(And(MatchError(cfclient.ErrBusy), Not(MatchError(cfclient.ErrNotFound))))
		_, err = client.WaitJob(ctx, started.Job)
		var failed *cfclient.JobFailed
		Expect(err).To(BeAssignableToTypeOf(failed))
		Expect(err.(*cfclient.JobFailed).ReasonElsewhere()).To(BeTrue())
		Expect(client.Instance(ctx, guid)).To(HaveField("LastOperation", And(
			HaveField("Type", "update"), HaveField("State", cfclient.OperationFailed), HaveField("Description", "task 12 failed"))))
	})

	It("deletes an instance with all that hangs on it", func() {
		guid := cloud.AddInstance(cftest.Instance{PlanGUID: small, SpaceGUID: space1})
		cloud.AddBinding(cftest.Binding{InstanceGUID: guid, Name: "key"})
		cloud.AddRouteBinding(guid)
		cloud.Share(guid, space2)

		Expect(client.SharedSpaces(ctx, guid)).To(HaveExactElements(cfclient.Space{GUID: space2, Name: "dev 100%", Org: "three"}))
		Expect(client.Unshare(ctx, guid, space2)).To(Succeed())
		bindings, err := client.Bindings(ctx, guid)
		Expect(err).NotTo(HaveOccurred())
		Expect(bindings).To(HaveExactElements(And(HaveField("Type", cfclient.BindingKey), HaveField("Name", "key"))))
		other := cloud.AddInstance(cftest.Instance{PlanGUID: large, SpaceGUID: space1})
		cloud.AddBinding(cftest.Binding{InstanceGUID: other, Name: "key"})
		cloud.AddBinding(cftest.Binding{InstanceGUID: other, Name: "key-2"})
		Expect(client.BoundInstances(ctx, small)).To(Equal(map[string]struct{}{guid: {}}))
		Expect(client.BoundInstances(ctx, small, large)).To(Equal(map[string]struct{}{guid: {}, other: {}}))
		Expect(client.BoundInstances(ctx)).To(BeEmpty())
		Expect(client.DeleteBinding(ctx, bindings[0].GUID)).To(Succeed())
		routes, err := client.RouteBindings(ctx, guid)
		Expect(err).NotTo(HaveOccurred())
		Expect(routes).To(HaveLen(1))
		Expect(client.DeleteRouteBinding(ctx, routes[0].GUID)).To(Succeed())
		job, err := client.DeleteInstance(ctx, guid)
		Expect(err).NotTo(HaveOccurred())
		_, err = client.WaitJob(ctx, job)
		Expect(err).NotTo(HaveOccurred())
		_, err = client.Instance(ctx, guid)
		Expect(err).To(MatchError(cfclient.ErrNotFound))
		Expect(cloud.Stats().ToBrokers).To(And(HaveKeyWithValue("unbind", 2), HaveKeyWithValue("deprovision", 1)))
	})

	It("forgets an instance without its broker", func() {
		guid := cloud.AddInstance(cftest.Instance{PlanGUID: small, SpaceGUID: space1})
		Expect(client.PurgeInstance(ctx, guid)).To(Succeed())
		Expect(client.PurgeInstance(ctx, guid)).To(MatchError(cfclient.ErrNotFound))
		Expect(cloud.Stats().ToBrokers).NotTo(HaveKey("deprovision"))
	})

	It("tells what a broker offers, and no other broker with the same ids", func() {
		mine, err := client.Broker(ctx, "redis-broker")
		Expect(err).NotTo(HaveOccurred())
		cloud.AddBroker(cftest.Broker{Name: "copy", Offerings: []cftest.Offering{{Name: "redis-copy", CatalogID: "redis-id", Plans: []cftest.Plan{{Name: "small", CatalogID: "small-id"}}}}})
		offerings, err := client.BrokerOfferings(ctx, mine.GUID)
		Expect(err).NotTo(HaveOccurred())
		Expect(offerings).To(HaveLen(1))
		Expect(offerings[0]).To(Equal(cfclient.Offering{GUID: offerings[0].GUID, Name: "redis", CatalogID: "redis-id", BrokerGUID: mine.GUID, Shareable: true}))
		plans, err := client.OfferingPlans(ctx, offerings[0].GUID)
		Expect(err).NotTo(HaveOccurred())
		Expect(plans).To(HaveLen(2))
		Expect(plans).To(HaveEach(HaveField("OfferingGUID", offerings[0].GUID)))
		Expect(client.Plans(ctx, "redis-id")).To(HaveLen(3))
		Expect(client.OfferingPlans(ctx)).To(BeEmpty())
		_, err = client.BrokerOfferings(ctx, "")
		Expect(err).To(MatchError(ContainSubstring("can't be the guid of a service broker")))
		Expect(client.Organizations(ctx)).To(ConsistOf(HaveField("Name", "one, two"), HaveField("Name", "three")))
	})

	It("gives plans to organizations", func() {
		one, err := client.Organization(ctx, "one, two")
		Expect(err).NotTo(HaveOccurred())
		three, err := client.Organization(ctx, "three")
		Expect(err).NotTo(HaveOccurred())
		Expect(client.SetVisibility(ctx, small, cfclient.Visibility{Type: cfclient.VisibilityOrganization, Organizations: []cfclient.Organization{one}})).To(Succeed())
		Expect(client.AddOrganizations(ctx, small, three)).To(Succeed())
		Expect(client.Visibility(ctx, small)).To(Equal(cfclient.Visibility{Type: cfclient.VisibilityOrganization, Organizations: []cfclient.Organization{one, three}}))
		Expect(client.SetVisibility(ctx, small, cfclient.Visibility{Type: cfclient.VisibilityPublic})).To(Succeed())
		Expect(client.Visibility(ctx, small)).To(Equal(cfclient.Visibility{Type: cfclient.VisibilityPublic}))
	})

	It("keeps a broker with instances, and one whose catalog it could not read", func() {
		broker, err := client.Broker(ctx, "redis-broker")
		Expect(err).NotTo(HaveOccurred())
		cloud.AddInstance(cftest.Instance{PlanGUID: small, SpaceGUID: space1})
		_, err = client.DeleteBroker(ctx, broker.GUID)
		Expect(err).To(MatchError(ContainSubstring("CF-ServiceBrokerNotRemovable (270010)")))
		_, err = client.CreateBroker(ctx, cfclient.BrokerRegistration{Name: "other", URL: "http://127.0.0.1:1", Username: "u", Password: "p"})
		Expect(err).To(MatchError(ContainSubstring("CF-ServiceBrokerApiUnreachable")))
		broker, err = client.Broker(ctx, "other")
		Expect(err).NotTo(HaveOccurred())
		Expect(client.DeleteBroker(ctx, broker.GUID)).To(BeEmpty())
		_, err = client.Broker(ctx, "other")
		Expect(err).To(MatchError(cfclient.ErrNotFound))
	})
})
