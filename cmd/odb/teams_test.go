package main

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("a broker whose Director client is a team's", func() {
	const (
		byPassword = "{basic: {username: admin, password: admin}}"
		ours       = "{uaa: {client_credentials: {client_id: ours, client_secret: s}}}"
		theirs     = "{uaa: {client_credentials: {client_id: theirs, client_secret: s}}}"
	)
	teams := setting{director: func(o *devdirector.Options) {
		o.UAA = &devdirector.UAAOptions{Clients: map[string]devdirector.UAAClient{
			"ours":   {Secret: "s", Scopes: []string{"bosh.teams.redis.admin"}},
			"theirs": {Secret: "s", Scopes: []string{"bosh.teams.mysql.admin"}},
		}}
	}}
	errands := []setting{
		with("    instance_groups:", "    lifecycle_errands: {post_deploy: [{name: smoke}], pre_delete: [{name: backup}]}\n    instance_groups:"),
		with("jobs: [redis-server]", "jobs: [redis-server, smoke, backup]"),
	}
	configsOf := func(w *world, client string) []boshclient.Config {
		GinkgoHelper()
		director, err := boshclient.New(boshclient.Options{URL: w.director.URL(), CACert: w.director.CACert(), ClientID: client, ClientSecret: "s"})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(director.Close)
		found, err := director.Configs(GinkgoT().Context(), boshclient.ConfigFilter{})
		Expect(err).NotTo(HaveOccurred())
		return found
	}

	It("does everything with what is the team's", func() {
		w := newWorld(append(errands, teams, with(byPassword, ours))...)
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}})).To(Succeed())
		w.succeeds("i-1", 1, func() answer { return w.platform.provision("i-1", nil) })
		Expect(configsOf(w, "ours")).To(ConsistOf(HaveField("Type", "cloud"), HaveField("Type", "odb-instance")))
		Expect(configsOf(w, "ours")).To(HaveEach(HaveField("Team", "redis")))
		w.credentials("i-1", "b-1", smallPlan)
		w.succeeds("i-1", 1, func() answer { return w.platform.update("i-1", object{"parameters": object{"a": 1}}) })
		w.succeeds("i-1", 1, func() answer { return w.platform.upgrade("i-1", "force=true") })
		w.succeeds("i-1", 1, func() answer { return w.platform.recreate("i-1") })
		Expect(w.platform.manage("GET", "/service_instances", nil).text).To(ContainSubstring("i-1"))
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		w.succeeds("i-1", 1, func() answer { return w.platform.deprovision("i-1") })
		Expect(configsOf(w, "ours")).To(BeEmpty())
	})

	It("neither sees nor changes what is another team's", func() {
		w := newWorldWithoutBroker(teams)
		w.serve(with(byPassword, theirs))
		w.platform.provisioned("i-1")
		w.serve(with(byPassword, ours), with("  plans:", "  global_quotas: {service_instance_limit: 1}\n  plans:"))
		Expect(w.platform.manage("GET", "/service_instances", nil).text).To(MatchJSON(`[]`))
		w.director.ResetStats()
		for what, a := range map[string]answer{
			"update": w.platform.update("i-1", nil), "bind": w.platform.bind("i-1", "b-1", nil),
			"upgrade": w.platform.upgrade("i-1"), "deprovision": w.platform.deprovision("i-1"), "force-delete": w.forceDelete("i-1"),
			"provision": w.platform.provision("i-1", nil),
		} {
			Expect(a.status).To(Equal(http.StatusInternalServerError), "%s: %s", what, a.text)
		}
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		Expect(configsOf(w, "theirs")).To(HaveLen(1))
		Expect(w.platform.provision("i-2", nil).status).To(Equal(http.StatusAccepted), "their instances are not counted")
	})
})
