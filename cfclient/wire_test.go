package cfclient_test

import (
	"context"
	"net/http/httptest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient"
)

const (
	instanceGUID = "e7ede4c8-d4ff-48d6-8480-51fa1c8c9852"
	brokerGUID   = "ff932bab-0d45-4c52-91b3-dd485a4edaae"
	offeringGUID = "fe28df2b-9852-45f8-bfc7-4cf0a97e7d4a"
	smallGUID    = "93842ec6-92a6-49dd-8312-3e6b94a15ff2"
	largeGUID    = "7af6e288-4d1d-48cb-993a-72f533ed2696"
	org1GUID     = "e6a51911-3e3d-44db-8850-bbd7cf2bca8c"
	org2GUID     = "33527d1b-8010-4649-a2f5-70626dad53ab"
	space1GUID   = "7123f00f-b70c-423e-8842-38250898609c"
	space2GUID   = "cdb99161-7431-4cf6-b962-6bc93e1a1dbe"
)

var _ = Describe("What a Cloud Controller was asked and answered, asked again", func() {
	var (
		cloud  *standIn
		client *cfclient.Client
		ctx    context.Context
	)

	BeforeEach(func() {
		cloud = newStandIn(httptest.NewServer)
		client = clientOf(cloud)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.Background(), 10*time.Second)
		DeferCleanup(cancel)
	})

	// same says that the requests were those of the recordings.
	same := func(numbers ...string) {
		GinkgoHelper()
		var wanted []string
		for _, number := range numbers {
			wanted = append(wanted, load(number).wire())
		}
		Expect(cloud.asked()).To(Equal(wanted))
	}

	Describe("brokers", func() {
		registration := cfclient.BrokerRegistration{Name: "cap-broker", URL: "http://127.0.0.1:39210", Username: "cap-user", Password: "cap-pass"}

		It("creates one and waits for its catalog", func() {
			cloud.playing("100", "101", "102")
			warnings, err := client.CreateBroker(ctx, registration)
			Expect(err).NotTo(HaveOccurred())
			Expect(warnings).To(BeEmpty())
			same("100", "101", "102")
		})

		It("tells what failed after the acceptance", func() {
			cloud.playing("104", "105")
			_, err := client.CreateBroker(ctx, registration)
			var failed *cfclient.JobFailed
			Expect(err).To(BeAssignableToTypeOf(failed))
			Expect(err).To(MatchError("Cloud Foundry's job a108330a-3ecb-4782-9bdc-2fec5d44268f (service_broker.catalog.synchronize) failed: " +
				"CF-ServiceBrokerApiUnreachable (10001): The service broker could not be reached"))
			Expect(err.(*cfclient.JobFailed).BrokerUnreachable()).To(BeTrue())
		})

		It("tells a refusal in Cloud Foundry's words", func() {
			cloud.playing("103")
			_, err := client.CreateBroker(ctx, registration)
			Expect(err).To(MatchError("Cloud Foundry refused POST /v3/service_brokers: status 422, CF-UnprocessableEntity (10008): Name must be unique"))
			Expect(err).NotTo(MatchError(cfclient.ErrBusy))
		})

		It("gives warnings", func() {
			cloud.playing("100")
			cloud.answering(text(`{"guid":"j","operation":"service_broker.catalog.synchronize","state":"COMPLETE","warnings":[{"detail":"Warning: plan x is gone"}]}`))
			Expect(client.CreateBroker(ctx, registration)).To(Equal(cfclient.Warnings{"Warning: plan x is gone"}))
		})

		It("finds one by name", func() {
			cloud.playing("110", "111")
			Expect(client.Broker(ctx, "cap-broker")).To(Equal(cfclient.Broker{GUID: brokerGUID, Name: "cap-broker", URL: "http://127.0.0.1:39210"}))
			_, err := client.Broker(ctx, "cap-none")
			Expect(err).To(MatchError(cfclient.ErrNotFound))
			Expect(err).To(MatchError(`service broker "cap-none": not found in Cloud Foundry`))
			same("110", "111")
		})

		It("waits for its turn to update one", func() {
			busy := text(`{"errors":[{"detail":"Cannot update a broker when other operation is already in progress","title":"CF-UnprocessableEntity","code":10008}]}`)
			cloud.answering(withStatus(422, busy))
			cloud.playing("115", "116")
			_, err := client.UpdateBroker(ctx, brokerGUID, registration)
			Expect(err).NotTo(HaveOccurred())
			Expect(cloud.asked()).To(HaveLen(3))
			Expect(cloud.asked()[1]).To(HavePrefix("PATCH /v3/service_brokers/" + brokerGUID))
			Expect(cloud.asked()[1]).To(ContainSubstring(`"credentials":{"password":"cap-pass","username":"cap-user"}`))
		})

		It("says that it is busy when its turn doesn't come", func() {
			busy := text(`{"errors":[{"detail":"other operation is already in progress","title":"CF-UnprocessableEntity","code":10008}]}`)
			for range 5000 {
				cloud.answering(withStatus(422, busy))
			}
			_, err := client.UpdateBroker(ctx, brokerGUID, registration)
			Expect(err).To(MatchError(cfclient.ErrBusy))
		})

		It("deletes one", func() {
			cloud.playing("320", "321")
			Expect(client.DeleteBroker(ctx, brokerGUID)).To(BeEmpty())
			same("320", "321")
		})

		It("tells that one with instances can't be deleted", func() {
			cloud.playing("300")
			_, err := client.DeleteBroker(ctx, brokerGUID)
			Expect(err).To(MatchError(ContainSubstring("CF-ServiceBrokerNotRemovable (270010): Can not remove brokers that have associated service instances: cap-broker")))
			same("300")
		})
	})

	Describe("offerings and plans", func() {
		It("finds an offering by its catalog id", func() {
			cloud.playing("132", "132")
			Expect(client.Offering(ctx, "cap-svc-id")).To(Equal(cfclient.Offering{
				GUID: offeringGUID, Name: "cap-redis", CatalogID: "cap-svc-id", BrokerGUID: brokerGUID, Shareable: true,
			}))
			_, err := client.Offering(ctx, "other")
			Expect(err).To(MatchError(cfclient.ErrNotFound))
		})

		It("says that two brokers have the catalog id", func() {
			one := `{"guid":"%s","broker_catalog":{"id":"same"},"relationships":{"service_broker":{"data":{"guid":"b"}}}}`
			cloud.answering(text(`{"pagination":{"total_results":2},"resources":[` + one + `,` + one + `]}`))
			_, err := client.Offering(ctx, "same")
			Expect(err).To(MatchError(cfclient.ErrAmbiguous))
		})

		It("lists the plans of an offering", func() {
			cloud.playing("132", "140")
			Expect(client.Plans(ctx, "cap-svc-id")).To(HaveExactElements(
				cfclient.Plan{GUID: smallGUID, Name: "cap-small", CatalogID: "cap-plan-small-id", MaintenanceVersion: "1.0.0", OfferingGUID: offeringGUID, VisibilityType: "admin", Available: true},
				cfclient.Plan{GUID: largeGUID, Name: "cap-large", CatalogID: "cap-plan-large-id", MaintenanceVersion: "1.0.0", OfferingGUID: offeringGUID, VisibilityType: "admin", Available: true},
				cfclient.Plan{GUID: "3092fd9f-330e-4e95-b98c-14888f4f41a8", Name: "cap-nomi", CatalogID: "cap-plan-nomi-id", OfferingGUID: offeringGUID, VisibilityType: "admin", Available: true},
			))
			Expect(cloud.asked()[1]).To(Equal(load("140").wire()))
		})

		It("lists no plans of an offering that isn't there", func() {
			cloud.playing("132")
			Expect(client.Plans(ctx, "other")).To(BeEmpty())
			Expect(cloud.asked()).To(HaveLen(1))
		})
	})

	Describe("visibility", func() {
		It("tells who has a plan", func() {
			cloud.playing("150", "154")
			Expect(client.Visibility(ctx, smallGUID)).To(Equal(cfclient.Visibility{Type: "admin"}))
			Expect(client.Visibility(ctx, largeGUID)).To(Equal(cfclient.Visibility{
				Type: "organization", Organizations: []cfclient.Organization{{GUID: org1GUID, Name: "cap-org1"}, {GUID: org2GUID, Name: "cap-org2"}},
			}))
			same("150", "154")
		})

		It("sets who has it, and gives", func() {
			cloud.playing("151", "153", "156")
			Expect(client.SetVisibility(ctx, smallGUID, cfclient.Visibility{Type: cfclient.VisibilityPublic})).To(Succeed())
			Expect(client.SetVisibility(ctx, largeGUID, cfclient.Visibility{
				Type: cfclient.VisibilityOrganization, Organizations: []cfclient.Organization{{GUID: org1GUID}, {GUID: org2GUID}},
			})).To(Succeed())
			Expect(client.AddOrganizations(ctx, largeGUID, cfclient.Organization{GUID: org2GUID})).To(Succeed())
			same("151", "153", "156")
		})

		It("tells an organization that isn't there", func() {
			cloud.playing("160")
			err := client.SetVisibility(ctx, smallGUID, cfclient.Visibility{Type: "organization", Organizations: []cfclient.Organization{{GUID: "nope"}}})
			Expect(err).To(MatchError(ContainSubstring("status 400, CF-InvalidRelation (1002): Could not find Organization with guid: nope")))
		})

		It("finds organizations by name", func() {
			cloud.playing("070", "071")
			Expect(client.Organization(ctx, "cap-org1")).To(Equal(cfclient.Organization{GUID: org1GUID, Name: "cap-org1"}))
			_, err := client.Organization(ctx, "nope")
			Expect(err).To(MatchError(cfclient.ErrNotFound))
			Expect(cloud.asked()[0]).To(Equal(load("070").wire()))
		})
	})

	Describe("one instance", func() {
		It("is told with its last operation", func() {
			cloud.playing("207", "203", "208")
			Expect(client.Instance(ctx, instanceGUID)).To(Equal(cfclient.Instance{
				GUID: instanceGUID, Name: "cap-i1", PlanGUID: smallGUID, SpaceGUID: space1GUID, MaintenanceVersion: "1.0.0",
				LastOperation: cfclient.LastOperation{
					Type: "create", State: "succeeded", Description: "done", UpdatedAt: time.Date(2026, 11, 23, 10, 32, 18, 0, time.UTC),
				},
			}))
			_, err := client.Instance(ctx, instanceGUID)
			Expect(err).To(MatchError(cfclient.ErrBusy))
			_, err = client.Instance(ctx, "11111111-1111-4111-8111-111111111111")
			Expect(err).To(MatchError(cfclient.ErrNotFound))
		})

		It("is upgraded", func() {
			cloud.playing("233", "234", "237", "232")
			Expect(client.Upgrade(ctx, instanceGUID, "2.0.0")).To(Equal(cfclient.UpgradeStarted{Job: "e97d5206-4d38-4496-9b7a-60b3e9f49126"}))
			_, err := client.Upgrade(ctx, instanceGUID, "2.0.0")
			Expect(err).To(MatchError(cfclient.ErrBusy))
			Expect(client.Upgrade(ctx, instanceGUID, "2.0.0")).To(Equal(cfclient.UpgradeStarted{AlreadyCurrent: true}))
			_, err = client.Upgrade(ctx, instanceGUID, "9.9.9")
			Expect(err).To(MatchError(ContainSubstring("maintenance_info.version requested is invalid")))
			same("233", "234", "237", "232")
		})

		It("fails to be upgraded, with the reason where it is", func() {
			cloud.playing("239", "242")
			_, err := client.WaitJob(ctx, "17c9981b-fa47-445a-8b81-130f1aa73995")
			var failed *cfclient.JobFailed
			Expect(err).To(BeAssignableToTypeOf(failed))
			Expect(err).To(MatchError(HaveSuffix("Service broker error: cannot upgrade now")))
			Expect(err.(*cfclient.JobFailed).ReasonElsewhere()).To(BeFalse())
			Expect(err.(*cfclient.JobFailed).BrokerUnreachable()).To(BeFalse())

			_, err = client.WaitJob(ctx, "650ef778-a4d1-450d-bc90-a6be100befe2")
			Expect(err).To(BeAssignableToTypeOf(failed))
			Expect(err.(*cfclient.JobFailed).ReasonElsewhere()).To(BeTrue())
			same("239", "242")
		})

		It("is deleted, and purged", func() {
			cloud.playing("290", "291", "208", "299")
			Expect(client.DeleteInstance(ctx, instanceGUID)).To(Equal("ce57a1b3-2240-41f2-b59a-2caeccc25934"))
			Expect(client.Job(ctx, "ce57a1b3-2240-41f2-b59a-2caeccc25934")).To(Equal(cfclient.Job{
				GUID: "ce57a1b3-2240-41f2-b59a-2caeccc25934", Operation: "service_instance.delete", State: cfclient.JobStateProcessing,
			}))
			_, err := client.DeleteInstance(ctx, "11111111-1111-4111-8111-111111111111")
			Expect(err).To(MatchError(cfclient.ErrNotFound))
			Expect(client.PurgeInstance(ctx, "c68e8c51-2e0e-4d08-94e9-44160f192165")).To(Succeed())
			Expect(cloud.asked()[3]).To(Equal(load("299").wire()))
		})

		It("is never asked for without a guid", func() {
			_, err := client.Instance(ctx, "")
			Expect(err).To(MatchError(`"" can't be the guid of a service instance`))
			_, err = client.DeleteInstance(ctx, "..")
			Expect(err).To(HaveOccurred())
			_, err = client.Bindings(ctx, "")
			Expect(err).To(HaveOccurred())
			_, err = client.RouteBindings(ctx, "")
			Expect(err).To(HaveOccurred())
			Expect(cloud.asked()).To(BeEmpty())
		})

		It("has a guid that is escaped", func() {
			cloud.playing("208")
			_, err := client.Instance(ctx, "a/b?purge=true")
			Expect(err).To(MatchError(cfclient.ErrNotFound))
			Expect(cloud.asked()[0]).To(HavePrefix("GET /v3/service_instances/a%2Fb%3Fpurge=true\n"))
		})
	})

	Describe("bindings and shares", func() {
		It("lists apps' bindings and keys", func() {
			cloud.playing("263")
			Expect(client.Bindings(ctx, instanceGUID)).To(HaveExactElements(
				And(HaveField("GUID", "faa9ab9b-23a0-416f-9acb-7ccb649c3630"), HaveField("Type", cfclient.BindingKey), HaveField("Name", "cap-k1"), HaveField("AppGUID", "")),
				And(HaveField("GUID", "da03f7c3-4899-44ea-b6fd-9f8e429beeac"), HaveField("Type", cfclient.BindingApp), HaveField("Name", ""),
					HaveField("AppGUID", "1e6619e4-c178-428e-a06c-89d98957a8fb"), HaveField("LastOperation.State", cfclient.OperationSucceeded)),
			))
			same("263")
		})

		It("deletes one, and doesn't mind that it is gone", func() {
			cloud.playing("268", "269", "208")
			Expect(client.DeleteBinding(ctx, "faa9ab9b-23a0-416f-9acb-7ccb649c3630")).To(Succeed())
			Expect(client.DeleteBinding(ctx, "gone")).To(Succeed())
			Expect(cloud.asked()).To(HaveLen(3))
		})

		It("doesn't mind a job whose binding went away meanwhile", func() {
			cloud.playing("268")
			cloud.answering(text(`{"guid":"j","operation":"service_keys.delete","state":"FAILED","errors":[{"code":10010,"title":"CF-ResourceNotFound","detail":"gone"}]}`))
			Expect(client.DeleteBinding(ctx, "faa9ab9b-23a0-416f-9acb-7ccb649c3630")).To(Succeed())
		})

		It("lists and deletes route bindings", func() {
			cloud.playing("271")
			cloud.answering(text(`{"pagination":{"total_results":1,"next":null},"resources":[{"guid":"rb","last_operation":{"type":"create","state":"succeeded"},` +
				`"relationships":{"route":{"data":{"guid":"r"}},"service_instance":{"data":{"guid":"i"}}}}]}`))
			cloud.playing("268", "269")
			Expect(client.RouteBindings(ctx, instanceGUID)).To(BeEmpty())
			Expect(client.RouteBindings(ctx, "i")).To(HaveExactElements(And(HaveField("GUID", "rb"), HaveField("RouteGUID", "r"))))
			Expect(client.DeleteRouteBinding(ctx, "rb")).To(Succeed())
			Expect(cloud.asked()[0]).To(Equal(load("271").wire()))
			Expect(cloud.asked()[2]).To(HavePrefix("DELETE /v3/service_route_bindings/rb\n"))
		})

		It("tells where an instance is shared, and ends it", func() {
			cloud.playing("281", "073", "284", "208")
			Expect(client.SharedSpaces(ctx, instanceGUID)).To(HaveExactElements(cfclient.Space{GUID: space1GUID, Name: "cap-space1", Org: "cap-org1"}))
			Expect(client.Unshare(ctx, instanceGUID, space2GUID)).To(Succeed())
			Expect(client.Unshare(ctx, instanceGUID, "gone")).To(Succeed())
			Expect(cloud.asked()[:3]).To(Equal([]string{
				load("281").wire(), "GET /v3/spaces\nguids=" + space2GUID + "&include=organization\n", load("284").wire(),
			}))
		})
	})

	Describe("jobs", func() {
		It("are polled until they end", func() {
			cloud.playing("101", "205", "102")
			Expect(client.WaitJob(ctx, "f106ce52-cc1f-4ba6-ab23-f9d0b413af48")).To(HaveField("State", cfclient.JobStateComplete))
			Expect(cloud.asked()).To(HaveLen(3))
		})

		It("go on although Cloud Foundry is away for a while", func() {
			for range 9 {
				cloud.answering(status(502))
			}
			cloud.playing("102")
			Expect(client.WaitJob(ctx, "j")).To(HaveField("State", cfclient.JobStateComplete))
		})

		It("are given up when Cloud Foundry stays away", func() {
			for range 5000 {
				cloud.answering(status(502))
			}
			_, err := client.WaitJob(ctx, "j")
			var away *cfclient.Unavailable
			Expect(err).To(BeAssignableToTypeOf(away))
		})

		It("are forgotten some day", func() {
			cloud.playing("323")
			_, err := client.WaitJob(ctx, "nope")
			Expect(err).To(MatchError(cfclient.ErrNotFound))
		})

		It("are waited for no longer than the ctx lasts", func() {
			for range 1000 {
				cloud.playing("101")
			}
			short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			_, err := client.WaitJob(short, "j")
			Expect(err).To(MatchError(context.DeadlineExceeded))
		})
	})
})
