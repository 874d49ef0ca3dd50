package main

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

// What docs/OPERATING.md calls the least rights is enough.
var _ = Describe("a broker whose Cloud Foundry client may only read", func() {
	DescribeTable("does all that it does",
		func(scope string) {
			cc, err := cftest.Start(cftest.Options{Clients: map[string]cftest.Client{"reader": {Secret: "s", Scopes: []string{scope}}}})
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(cc.Close)
			cf := &foundation{CloudController: cc, spaceGUID: cc.AddSpace(cc.AddOrganization("acme"), "dev")}
			cf.knows(smallPlan, largePlan)
			asReader := with("client_id: "+cftest.AdminClient+", client_secret: "+cftest.AdminClientSecret, "client_id: reader, client_secret: s")
			w := newWorld(cf.configured(), asReader, quotasOf(smallPlan, "{service_instance_limit: 1}"))
			Eventually(w.log.String, "10s").Should(ContainSubstring(`"odb.start.platform","data":{"api_version"`))

			w.platform.provisioned("i-1")
			cf.has("i-1", smallPlan)
			Expect(w.platform.provision("i-2", nil).status).To(Equal(http.StatusBadRequest), "the quota is kept")
			Expect(w.platform.manage("GET", "/service_instances?cf_org=acme&cf_space=dev", nil).text).To(ContainSubstring("i-1"))
			Expect(w.platform.manage("GET", "/orphan_deployments", nil).text).To(MatchJSON(`[]`))
			Expect(w.platform.manage("GET", "/metrics", nil).status).To(Equal(http.StatusOK))
			w.succeeds("i-1", 0, func() answer { return w.platform.upgrade("i-1", "force=true") })
			w.succeeds("i-1", 0, func() answer { return w.platform.deprovision("i-1") })
			Expect(strings.Count(w.log.String(), `"level":"error"`)).To(BeZero())
		},
		Entry("with cloud_controller.global_auditor", "cloud_controller.global_auditor"),
		Entry("with cloud_controller.admin_read_only", "cloud_controller.admin_read_only"),
	)
})
