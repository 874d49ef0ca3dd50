package main

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
	"github.com/on-demand-broker/odb/uaaclients/uaatest"
)

var _ = Describe("what there is, for Prometheus", func() {
	It("has operations by type, plan and result", func() {
		w := newWorld(quotasOf(largePlan, "{service_instance_limit: 0}"))
		w.shows(`odb_operations_total{plan="small",result="failed",type="create"} 0`)
		w.platform.provisioned("i-1")
		w.shows(`odb_operations_total{plan="small",result="succeeded",type="create"} 1`)
		w.shows(`odb_operation_duration_seconds_count{plan="small",type="create"} 1`)

		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		w.shows(`odb_operations_total{plan="small",result="succeeded",type="bind"} 1`)
		Expect(w.platform.provision("i-2", object{"plan_id": largePlan}).status).To(Equal(http.StatusBadRequest))
		w.shows(`odb_operations_total{plan="large",result="refused",type="create"} 1`)

		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{ExitCode: 1})).To(Succeed())
		Expect(w.platform.update("i-1", object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusInternalServerError))
		w.shows(`odb_operations_total{plan="small",result="failed",type="update"} 1`)
		w.shows(`odb_operations_total{plan="small",result="failed",type="upgrade"} 0`)

		a := w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		w.platform.lastOperation("i-1", a.operation()) // late polls don't count
		w.shows(`odb_operations_total{plan="small",result="succeeded",type="delete"} 1`)
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusGone))
		Expect(w.scrape()).NotTo(ContainSubstring(`result="refused",type="delete"`))
	})

	It("has operations that are under way", func() {
		w, ends := slowWorld(bindingsKept("memory"), asyncBindings)
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusAccepted))
		w.shows(`odb_operations_running{type="create"} 1`)
		w.shows(`odb_operations_running{type="delete"} 0`)
		ends()
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		w.shows(`odb_operations_running{type="create"} 0`)

		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Hold: "bind"})).To(Succeed())
		bound := w.platform.bindAsync("i-1", "b-1", nil)
		Expect(bound.status).To(Equal(http.StatusAccepted), bound.text)
		w.shows(`odb_operations_running{type="bind"} 1`)
		Expect(w.adapter.LetGo("bind")).To(Succeed())
		w.platform.followBinding("i-1", "b-1", bound.operation())
		w.shows(`odb_operations_running{type="bind"} 0`)
		w.shows(`odb_operations_total{plan="small",result="succeeded",type="bind"} 1`)
	})

	It("counts an operation that a restarted broker takes on", func() {
		w, ends := slowWorld(withErrands...)
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
		w.serve(append(withErrands, setting{carryEvery: 10 * time.Millisecond})...)
		w.shows(`odb_operations_running{type="create"} 1`)
		ends()
		Eventually(func() string { ends(); return w.scrape() }).WithTimeout(30 * time.Second).Should(ContainSubstring(`odb_operations_total{plan="small",result="succeeded",type="create"} 1`))
	})

	It("has instances and quotas, as they are used", func() {
		w := newWorld(globalQuotas("{service_instance_limit: 9, resources: {ips: {limit: 40}}}"), quotasOf(smallPlan, "{service_instance_limit: 5, resources: {ips: {cost: 3, limit: 30}}}"))
		w.predecessorMade(1)
		w.platform.provisioned("i-1")
		w.shows(`odb_service_instances{plan="small"} 1`)
		w.shows(`odb_service_instances{plan="large"} 0`)
		w.shows(`odb_service_instances{plan="unknown"} 1`)
		w.shows(`odb_service_instances_counted_timestamp_seconds 1.`)
		for _, line := range []string{
			`odb_quota_limit{plan="",resource="service_instances"} 9`, `odb_quota_used{plan="",resource="service_instances"} 2`,
			`odb_quota_limit{plan="small",resource="service_instances"} 5`, `odb_quota_used{plan="small",resource="service_instances"} 1`,
			`odb_quota_limit{plan="",resource="ips"} 40`, `odb_quota_used{plan="",resource="ips"} 3`,
			`odb_quota_limit{plan="small",resource="ips"} 30`, `odb_quota_used{plan="small",resource="ips"} 3`,
		} {
			w.shows(line)
		}
		Expect(w.scrape()).NotTo(ContainSubstring(`odb_quota_used{plan="large"`), "nothing is limited there")
	})

	It("has who answers, of all whom the broker depends on", func() {
		credhub := credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		uaa := uaatest.Start(uaatest.Options{ClientID: "odb", ClientSecret: "odb-secret", Scopes: []string{"clients.read", "clients.write"}})
		w := newWorld(clientsIn(uaa, clientDefinition), credentialsIn(credhub))
		w.shows(`odb_dependency_ready{dependency="director"} 1`)
		w.shows(`odb_dependency_ready{dependency="credhub"} 1`)
		w.shows(`odb_dependency_ready{dependency="uaa"} 1`)
		w.shows(`odb_dependency_ready{dependency="cf"} 0`) // there is none at its address
		uaa.Close()
		w.shows(`odb_dependency_ready{dependency="uaa"} 0`)
	})

	It("is had without a Director that answers", func() {
		w := newWorldWithoutBroker()
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultHang, Path: "."})).To(Succeed())
		w.serve()
		Expect(w.scrape()).To(And(ContainSubstring("odb_build_info{"), ContainSubstring(`odb_operations_running{type="create"} 0`)))
		Expect(w.scrape()).NotTo(ContainSubstring("odb_service_instances{"))
		w.shows(`odb_dependency_ready{dependency="director"} 0`)
	})
})
